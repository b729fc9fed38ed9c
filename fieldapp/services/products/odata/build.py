"""Build the file of a recipient's feed, from what was released to them and nothing else."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator_export import periods
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import Audience, Recipe, TableSpec
from evaluator_export.labels import BATCH
from evaluator_export.products.indicators import State, read_state
from evaluator_export.series import ledger
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.acts import utcnow
from fieldapp.services.products.content import iterate_parts, read_count
from fieldapp.services.products.odata.feed import compute_feed_version, get_feed_folder, list_feed_sources
from fieldapp.services.products.tables import PublishedTexts, load_published_texts
from fieldapp.services.releases.agreements import is_agreement_over
from fieldapp.services.releases.datasets import load_catalogue, read_recipe, recipe_text
from fieldapp.services.releases.gathering.withdrawn_places import WithdrawnPlaces, load_withdrawn_places
from fieldapp.store.database import ReadTransaction
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.products.entity_sets import DAY, DECIMAL, TEXT, TRUTH, WHOLE, Column, EntitySet
from fieldapp.store.products.feed_file import write_feed_file
from fieldapp.store.releases import datasets, releases
from fieldapp.store.releases.releases import Release, ReleaseSeries
from fieldapp.store.session import Session

# What computes with batches is imported where a feed is built: the scheduler looks often, and seldom builds one.
if TYPE_CHECKING:
    from evaluator_export.series.released_dataset import ReleasedBatch, ReleasedDataset

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")  # what OData allows as the name of a property
FilledSet = tuple[EntitySet, Iterable[Sequence[Any]]]
INDICATORS = EntitySet(
    "indicators",
    (
        ("indicator", TEXT),
        ("title_en", TEXT),
        ("title_fr", TEXT),
        ("formula_en", TEXT),
        ("formula_fr", TEXT),
        ("unit", TEXT),
        ("calendar", TEXT),
        ("safeto", TEXT),
    ),
)
INDICATOR_NUMBERS = EntitySet(
    "indicator_numbers",
    (
        ("indicator", TEXT),
        ("period", TEXT),
        ("first_day", DAY),
        ("last_day", DAY),
        ("value", DECIMAL),
        ("at_least", DECIMAL),
        ("at_most", DECIMAL),
        ("shown_as", TEXT),
        ("state", TEXT),
        ("ripe_on", DAY),
        ("revision", WHOLE),
    ),
)
INDICATOR_PARTS = EntitySet(
    "indicator_parts",
    (
        ("indicator", TEXT),
        ("period", TEXT),
        ("part", TEXT),
        ("part_en", TEXT),
        ("part_fr", TEXT),
        ("value", WHOLE),
        ("at_least", DECIMAL),
        ("at_most", DECIMAL),
        ("shown_as", TEXT),
    ),
)
INDICATOR_YEARS = EntitySet(
    "indicator_years",
    (
        ("indicator", TEXT),
        ("first_day", DAY),
        ("last_day", DAY),
        ("value", DECIMAL),
        ("at_least", DECIMAL),
        ("at_most", DECIMAL),
        ("state", TEXT),
        ("part", WHOLE),
        ("part_counts", WHOLE),
        ("whole", WHOLE),
        ("whole_counts", WHOLE),
        ("before_value", DECIMAL),
        ("before_state", TEXT),
        ("before_part", WHOLE),
        ("before_part_counts", WHOLE),
        ("before_whole", WHOLE),
        ("before_whole_counts", WHOLE),
        ("word", TEXT),
        ("chance", DECIMAL),
    ),
)
TABLE_COLUMNS: tuple[Column, ...] = (  # after those that a table counts by
    ("period", TEXT),
    ("first_day", DAY),
    ("last_day", DAY),
    ("is_total", TRUTH),
    ("value", WHOLE),
    ("shown_as", TEXT),
    ("is_hidden", TRUTH),
    ("revision", WHOLE),
)


def build_feed_files(session: Session, packages: Path) -> int:
    """Bring the feed of every series up to date with its releases; return how many were built."""
    built = 0
    # One moment for all sets of a feed: a release between two reads would give tables of one state
    # and rows of another.
    with ReadTransaction(session):
        for series in releases.active_series(session):
            if is_agreement_over(series, utcnow()):
                _delete_feed_files(series, get_feed_folder(packages))
                continue
            built += _build_feed_file(session, series, get_feed_folder(packages))
    return built


def _delete_feed_files(series: ReleaseSeries, folder: Path) -> None:
    """Delete what nobody may read any more; it is built again if the agreement is renewed."""
    for path in folder.glob(f"{series.id}-*.db"):
        path.unlink(missing_ok=True)


def _build_feed_file(session: Session, series: ReleaseSeries, folder: Path) -> int:
    """Build one feed unless its file is there; return 1 if it was built, else 0."""
    # The version is in the name: what the file was made of decides whether it is there, not when it
    # was written.
    path = folder / f"{series.id}-{compute_feed_version(session, series)}.db"
    if path.is_file():
        return 0
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sources = sorted(list_feed_sources(session, series))
    write_feed_file(path, list(_iterate_entity_sets(session, series)), {"made_of": sources})
    # Earlier files go after the new one is there, so that readers always find one.
    for earlier in folder.glob(f"{series.id}-*.db"):
        if earlier != path:
            earlier.unlink(missing_ok=True)
    return 1


def _iterate_entity_sets(session: Session, series: ReleaseSeries) -> Iterator[FilledSet]:
    catalogue = load_catalogue(session, series.centre_id)
    recipe = read_recipe(recipe_text(series), catalogue)
    # A revoked release is in no feed any more, from the next build on.
    live = [row for row in releases.of_series(session, series.id) if not row.revoked_at]
    for dataset in _iterate_released_datasets(session, series, recipe, live):
        columns = tuple((_make_property_name(name), WHOLE if name == BATCH else TEXT) for name in dataset.columns)
        yield EntitySet(dataset.name, columns), _iterate_dataset_rows(dataset)
    yield from _iterate_tables(session, series, recipe, {row.period for row in live})
    yield from _iterate_indicator_sets(session, series)
    # Only evaluators: the panel shows shifts by area, which would tell others where workers are.
    if recipe.audience == Audience.EVALUATOR:
        yield from _iterate_panel_sets(session, series)


def _make_property_name(name: str) -> str:
    property_name = re.sub(r"\W", "_", name)
    if WORD.fullmatch(property_name):
        # Names that begin with a digit become legal, and stay recognizable.
        return property_name
    return f"_{property_name}"


def _iterate_released_datasets(
    session: Session, series: ReleaseSeries, recipe: Recipe, live: Sequence[Release]
) -> "Iterator[ReleasedDataset]":
    """Yield each dataset as this recipient has it: the batches of all their releases."""
    from evaluator_export.package import write as release  # noqa: PLC0415  heavy, see above
    from evaluator_export.series.released_dataset import ReleaseContext  # noqa: PLC0415

    centre = centres.get(session, series.centre_id)
    for view in recipe.views:
        batches = _list_sent_batches(session, series, view.dataset, live)
        if not batches:
            continue
        occasion = ReleaseContext(
            centre.name, periods.parse(batches[-1].entry.period), "", bytes.fromhex(series.secret), series.recipient
        )
        # The counts that a package's report tells stay 0: a feed has no report.
        yield release.assemble_dataset(
            view,
            batches,
            ledger.compute_genesis_hash(view.dataset.name),
            occasion,
            withheld=0,
            without_consent=0,
            records=0,
        )


def _list_sent_batches(
    session: Session, series: ReleaseSeries, spec: DatasetSpec, live: Sequence[Release]
) -> "list[ReleasedBatch]":
    """Return the batches of a dataset that are in this recipient's `live` releases."""
    sent_numbers: set[int] = set()
    for sent_release in live:
        # From the manifest, which is what the recipient really got, and not from what the recipe
        # says today.
        entries = sent_release.manifest["datasets"].get(spec.name, {}).get("ledger", {}).get("entries", ())
        sent_numbers |= {entry["number"] for entry in entries}
    if not sent_numbers:
        return []
    for dataset in datasets.of_centre(session, series.centre_id):
        if dataset.name == spec.name:
            rows = [row for row in datasets.batches(session, dataset.id) if row.number in sent_numbers]
            withdrawn = load_withdrawn_places(session, series.centre_id).get(dataset.id, WithdrawnPlaces())
            return [_make_released_batch(session, row, withdrawn) for row in rows]
    return []


def _make_released_batch(session: Session, row: datasets.PublishedBatch, withdrawn: WithdrawnPlaces) -> "ReleasedBatch":
    """Return a batch without the rows that were taken back."""
    from evaluator_export.series import batch  # noqa: PLC0415  heavy, see above
    from evaluator_export.series.released_dataset import ReleasedBatch  # noqa: PLC0415
    from fieldapp.services.releases.gathering.ledger_state import parse_entry  # noqa: PLC0415

    entry = parse_entry(row.entry)
    columns = batch.from_bytes(datasets.batch_data(session, row.dataset_id, row.number))
    return ReleasedBatch(entry, columns, row.report, withdrawn.find(entry.number, entry.rows))


def _iterate_dataset_rows(dataset: "ReleasedDataset") -> Iterator[tuple[Any, ...]]:
    columns = [(name == BATCH, words.values, words.codes) for name, words in dataset.columns.items()]
    for position in range(dataset.rows):
        row: list[Any] = []
        for is_number, values, codes in columns:
            value = values[codes[position]]
            row.append(int(value) if is_number else str(value))
        yield tuple(row)


def _iterate_tables(session: Session, series: ReleaseSeries, recipe: Recipe, released: set[str]) -> Iterator[FilledSet]:
    """Yield each table with the periods that were released."""
    published = load_published_texts(session, series.centre_id, recipe.tables)
    for spec in recipe.tables:
        by = [(_make_property_name(name), TEXT) for name, _ in spec.by]
        used = {name for name, _ in by}
        columns = by.copy()
        for name, kind in TABLE_COLUMNS:
            # A table may itself count by, say, "period"; two properties cannot have the same name.
            columns.append((f"of_{name}" if name in used else name, kind))
        rows: list[tuple[Any, ...]] = []
        for (key, period), table in sorted(published.items()):
            # Only periods of their releases: other recipients may have had others.
            if key == spec.key and period in released:
                rows += _iterate_table_rows(spec, period, table)
        yield EntitySet(f"table_{_make_property_name(spec.name)}", tuple(columns)), rows


def _iterate_table_rows(spec: TableSpec, period_name: str, table: PublishedTexts) -> Iterator[tuple[Any, ...]]:
    period = periods.parse(period_name)
    for cell, text in sorted(table.texts.items()):
        labels: Sequence[str] = cell
        if cell == TOTAL:
            labels = [""] * len(spec.by)
        value = read_count(text)
        span = (period_name, str(period.first), str(period.last))
        # The count and the text side by side: a hidden count has no number, and would else read as
        # missing.
        yield (*labels, *span, cell == TOTAL, value, text, value is None, table.revision)


def _iterate_indicator_sets(session: Session, series: ReleaseSeries) -> Iterator[FilledSet]:
    """Yield the public indicators, without rows while the centre has its dashboard off."""
    body = _load_edition_body(session, series.centre_id, "dashboard")
    indicators = []
    if body:
        indicators = [indicator for indicator in body["indicators"] if indicator["audience"] == "public"]
    rows = []
    for indicator in indicators:
        words = (*indicator["title"].values(), *indicator["formula"].values())
        rows.append((indicator["id"], *words, indicator["unit"], indicator["calendar"], indicator["safeto"]))
    yield INDICATORS, rows
    number_rows = []
    for indicator in indicators:
        for number in indicator["numbers"]:
            period = periods.parse(number["period"])
            span = (period.name, str(period.first), str(period.last))
            bounds = (number["value"], number.get("at_least"), number.get("at_most"))
            fields = (*bounds, number["text"], read_state(number["state"]), number.get("ripe_on"), number["revised"])
            number_rows.append((indicator["id"], *span, *fields))
    yield INDICATOR_NUMBERS, number_rows
    yield INDICATOR_PARTS, list(itertools.chain.from_iterable(map(_list_parts, indicators)))
    years = [indicator for indicator in indicators if indicator.get("year")]
    yield INDICATOR_YEARS, [_make_year_row(indicator) for indicator in years]


def _list_parts(indicator: Mapping[str, Any]) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    for part in iterate_parts(indicator):
        words = (part.key, part.label["en"], part.label["fr"])
        rows.append((indicator["id"], part.period, *words, part.value, part.at_least, part.at_most, part.text))
    return rows


def _make_year_row(indicator: Mapping[str, Any]) -> Sequence[Any]:
    year = indicator["year"]
    before = year["before"] or {"value": None, "state": State.NOT_YET}
    span = (year["first"], year["last"], year["value"], year["at_least"], year["at_most"], year["state"])
    then = (before["value"], before["state"], *_list_year_counts(before))
    return (indicator["id"], *span, *_list_year_counts(year), *then, year["word"], year["chance"])


def _list_year_counts(year: Mapping[str, Any]) -> list[int | None]:
    """Return the published counts of a year; None where one is hidden or not there."""
    counts = [str(year.get(name)) for name in ("part", "part_counts", "whole", "whole_counts")]
    return [int(count) if count.isdecimal() else None for count in counts]


def _iterate_panel_sets(session: Session, series: ReleaseSeries) -> Iterator[FilledSet]:
    """Yield the panel by area and month, while the centre has it switched on."""
    panel = _load_edition_body(session, series.centre_id, "panel")
    if not panel:
        return
    names = panel["columns"]
    counted = names[2:]  # after the area and the month
    columns = [(name, TEXT if name in ("area", "month") else WHOLE) for name in names]
    columns += [(f"{name}_shown_as", TEXT) for name in counted]
    rows = []
    for row in panel["rows"]:
        texts = row[2:]
        rows.append((*row[:2], *map(read_count, texts), *texts))
    yield EntitySet("panel", tuple(columns)), rows


def _load_edition_body(session: Session, centre_id: int, product: str) -> dict[str, Any] | None:
    if not products.is_on(session, centre_id, product):
        return None
    edition = products.latest(session, centre_id, product)
    if edition is None:
        return None
    body: dict[str, Any] = json.loads(edition.body)
    return body
