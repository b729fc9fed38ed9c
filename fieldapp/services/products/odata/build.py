"""Make the file that a recipient's feed reads, from what was released to them and nothing else."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluator_export import periods
from evaluator_export.datasets.recipe import Audience, Recipe
from evaluator_export.labels import BATCH
from evaluator_export.package import write as release
from evaluator_export.series import batch, ledger
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedBatch, ReleasedDataset
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.products.odata.feed import folder_of, made_of, mark_of
from fieldapp.services.products.tables import load_published_texts
from fieldapp.services.releases.datasets import load_catalogue, read_recipe, recipe_text
from fieldapp.services.releases.gathering.ledger_state import parse_entry
from fieldapp.store.operations import centres
from fieldapp.store.products import products
from fieldapp.store.products.entity_sets import DAY, DECIMAL, TEXT, TRUTH, WHOLE, EntitySet
from fieldapp.store.products.feed_file import write_feed_file
from fieldapp.store.releases import datasets, releases
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
Filled = tuple[EntitySet, Iterable[Sequence[Any]]]


def build_feeds(session: Session, packages: Path) -> int:
    """Bring the feed of every series up to date with its releases; return how many were made anew."""
    made = 0
    for series in releases.active_series(session):
        mark = mark_of(session, series)
        path = folder_of(packages) / f"{series.id}-{mark}.db"
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_feed_file(path, list(_sets(session, series)), {"made_of": sorted(made_of(session, series))})
        for old in path.parent.glob(f"{series.id}-*.db"):
            if old != path:
                old.unlink(missing_ok=True)
        made += 1
    session.rollback()
    return made


def _sets(session: Session, series: ReleaseSeries) -> Iterator[Filled]:
    known = load_catalogue(session, series.centre_id)
    recipe = read_recipe(recipe_text(series), known)
    live = [one for one in releases.of_series(session, series.id) if not one.revoked_at]
    for part in _parts(session, series, recipe, [one.manifest for one in live]):
        columns = tuple((_word(name), WHOLE if name == BATCH else TEXT) for name in part.columns)
        yield EntitySet(part.name, columns), _rows(part)
    yield from _tables(session, series, recipe, {one.period for one in live})
    yield from _numbers(session, series)


def _word(name: str) -> str:
    found = re.sub(r"\W", "_", name)
    return found if WORD.fullmatch(found) else f"_{found}"


def _parts(
    session: Session, series: ReleaseSeries, recipe: Recipe, manifests: list[dict[str, Any]]
) -> Iterator[ReleasedDataset]:
    """Yield each dataset as this recipient has it: the batches of all their releases."""
    centre = centres.get(session, series.centre_id)
    for view in recipe.views:
        name = view.dataset.name
        handed = {
            entry["number"]
            for one in manifests
            for entry in one["datasets"].get(name, {}).get("ledger", {}).get("entries", ())
        }
        kept = next((one for one in datasets.of_centre(session, series.centre_id) if one.name == name), None)
        if kept is None or not handed:
            continue
        sent = [
            ReleasedBatch(
                parse_entry(one.entry), batch.from_bytes(datasets.batch_data(session, kept.id, one.number)), one.report
            )
            for one in datasets.batches(session, kept.id)
            if one.number in handed
        ]
        occasion = ReleaseContext(
            centre.name, periods.parse(sent[-1].entry.period), "", bytes.fromhex(series.secret), series.recipient
        )
        yield release.assemble_dataset(
            view, sent, ledger.compute_genesis_hash(name), occasion, withheld=0, without_consent=0, records=0
        )


def _rows(part: ReleasedDataset) -> Iterator[tuple[Any, ...]]:
    columns = [(name == BATCH, words.values, words.codes) for name, words in part.columns.items()]
    for place in range(part.rows):
        yield tuple(
            int(values[codes[place]]) if is_number else str(values[codes[place]]) for is_number, values, codes in columns
        )


def _tables(session: Session, series: ReleaseSeries, recipe: Recipe, released: set[str]) -> Iterator[Filled]:
    """Yield each table with the periods that were released."""
    kept = load_published_texts(session, series.centre_id, recipe.tables)
    for spec in recipe.tables:
        columns = [(_word(name), TEXT) for name, _ in spec.by]
        more = [("period", TEXT), ("first_day", DAY), ("last_day", DAY), ("is_total", TRUTH)]
        more += [("value", WHOLE), ("shown_as", TEXT), ("is_hidden", TRUTH), ("revision", WHOLE)]
        taken = {name for name, _ in columns}
        rows = []
        for (key, name), table in sorted(kept.items()):
            if key != spec.key or name not in released:
                continue
            period = periods.parse(name)
            for cell, text in sorted(table.texts.items()):
                labels = ("",) * len(columns) if cell == TOTAL else cell
                value = int(text) if text.isdecimal() else None
                rows.append(
                    (
                        *labels,
                        name,
                        str(period.first),
                        str(period.last),
                        cell == TOTAL,
                        value,
                        text,
                        value is None,
                        table.revision,
                    )
                )
        listed = tuple(columns + [(one if one not in taken else f"of_{one}", kind) for one, kind in more])
        yield EntitySet(f"table_{_word(spec.name)}", listed), rows


def _numbers(session: Session, series: ReleaseSeries) -> Iterator[Filled]:
    """Yield the public indicators, and for evaluators the panel, where the centre has them switched on."""
    found = _body(session, series.centre_id, "dashboard")
    shown = [one for one in found["indicators"] if one["audience"] == "public"] if found else []
    columns = (("indicator", TEXT), ("title_en", TEXT), ("title_fr", TEXT), ("formula_en", TEXT), ("formula_fr", TEXT),
               ("unit", TEXT), ("calendar", TEXT), ("safeto", TEXT))  # fmt: skip
    yield (
        EntitySet("indicators", columns),
        [
            (one["id"], *one["title"].values(), *one["formula"].values(), one["unit"], one["calendar"], one["safeto"])
            for one in shown
        ],
    )  # fmt: skip
    numbers = (("indicator", TEXT), ("period", TEXT), ("first_day", DAY), ("last_day", DAY), ("value", DECIMAL),
               ("shown_as", TEXT), ("state", TEXT), ("revision", WHOLE))  # fmt: skip
    rows = []
    for one in shown:
        for number in one["numbers"]:
            span = periods.parse(number["period"])
            told = (number[name] for name in ("value", "text", "state", "revised"))
            rows.append((one["id"], span.name, str(span.first), str(span.last), *told))
    yield EntitySet("indicator_numbers", numbers), rows
    audience = read_recipe(recipe_text(series), load_catalogue(session, series.centre_id)).audience
    panel = _body(session, series.centre_id, "panel") if audience == Audience.EVALUATOR else None
    if panel:
        names = panel["columns"]
        listed = tuple((name, TEXT if name in ("area", "month") else WHOLE) for name in names)
        hidden = tuple((f"{name}_shown_as", TEXT) for name in names[2:])
        yield (
            EntitySet("panel", listed + hidden),
            [(*row[:2], *(int(cell) if cell.isdecimal() else None for cell in row[2:]), *row[2:]) for row in panel["rows"]],
        )


def _body(session: Session, centre_id: int, product: str) -> dict[str, Any] | None:
    edition = products.latest(session, centre_id, product) if products.is_on(session, centre_id, product) else None
    return json.loads(edition.body) if edition else None
