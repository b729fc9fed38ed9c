"""What a release would be made of: rows that may leave, batches, counts. Building and preview begin here."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from evaluator_export import periods
from evaluator_export.datasets import eligibility
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import Method, Recipe, RecipientView, TableSpec
from evaluator_export.package import write
from evaluator_export.periods import Period
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.advice import suggest_changes
from evaluator_export.search.encoding import encode_table
from evaluator_export.series import batch, ledger
from evaluator_export.series.batch import AnonymizedBatch, TooFine
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.participant_months import ParticipantMonths
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedBatch, ReleasedDataset
from evaluator_export.tables import protected_counts
from evaluator_export.tables.protected_counts import Counter, ProtectedTable, Published
from evaluator_export.tables.suppression import suppress
from fieldapp.services.consent.standing import Standings
from fieldapp.services.definitions import definition_of
from fieldapp.services.releases.datasets import Catalogue, catalogue, read_recipe, recipe_text
from fieldapp.store.forms import versions as forms
from fieldapp.store.operations import centres
from fieldapp.store.records import records
from fieldapp.store.releases import datasets, releases
from fieldapp.store.releases.releases import Series
from fieldapp.store.session import Session
from forms.definition import FormDefinition

BEAT_EVERY = 5000  # records
REVISED_FOR = dt.timedelta(days=400)  # how long a published period can still change

Beat = Callable[[int], None]
Manifest = dict[str, Any]


@dataclass(frozen=True)
class NewBatch:
    """A batch that will be published with this release, with its entry in the ledger."""

    dataset_id: int
    batch: AnonymizedBatch
    entry: LedgerEntry
    data: bytes
    others: dict[int, str]  # the heads, as they were read, of datasets that could publish the same records


@dataclass(frozen=True)
class Gathered:
    recipe: Recipe
    definitions: Mapping[str, FormDefinition]
    occasion: ReleaseContext
    parts: list[ReleasedDataset]
    tables: list[ProtectedTable]
    batches: list[NewBatch]
    states: list[tuple[str, str, Published]]  # table key, period, what is published of it
    advice: dict[str, list[Reason]]  # of datasets that cannot begin yet: what would have to change
    standings: Standings  # as they were; to be asked again by whoever publishes


@dataclass(frozen=True)
class _Other:
    """What another dataset made of the same records had published by now: a record leaves under one name only."""

    dataset_id: int
    secret: bytes
    head: str
    tags: set[bytes]

    def has_published(self, unit: str) -> bool:
        return bool(self.tags) and ledger.compute_row_tag(self.secret, unit) in self.tags


@dataclass
class _Memory:
    """What the ledger of a dataset says, and the rows that have come since."""

    kept: datasets.Dataset
    dataset: DatasetSpec
    entries: list[LedgerEntry]
    reports: dict[int, dict[str, Any]]
    tags: set[bytes]
    since: dt.date
    rows: EligibleRows
    people: ParticipantMonths | None  # where rows are months of people
    others: list[_Other]
    elsewhere: int = 0  # records that left under another dataset's name
    too_fine: float = 0.0
    records: int = 0
    withdrawn: int = 0

    @property
    def secret(self) -> bytes:
        return bytes.fromhex(self.kept.secret)


@dataclass
class _Counting:
    """The counts of a table, by period."""

    spec: TableSpec
    before: dict[str, Published]
    counters: dict[str, Counter] = field(default_factory=dict)


def gather(
    session: Session, series: Series, period: Period, cut_off: dt.datetime, beat: Beat = lambda done: None
) -> Gathered:
    """Return what a release of a period would be made of; raise ExportProblem for a recipe or ledger that is not in order.

    `beat` is told from time to time how many records have been read.
    """
    centre = centres.get(session, series.centre_id)
    known = catalogue(session, series.centre_id)
    recipe = read_recipe(recipe_text(series), known)
    occasion = ReleaseContext(
        centre=centre.name,
        period=period,
        cut_off=cut_off.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        secret=bytes.fromhex(series.secret),
        recipient=series.recipient,
        agreement=series.agreement,
    )
    _agreed(series, cut_off)
    table_secret = bytes.fromhex(centre.table_secret)
    earlier = [one.manifest for one in releases.of_series(session, series.id)]
    handed_out = [one.manifest for one in releases.list_for(session, series.centre_id)]
    memories = {
        view.dataset.name: _remember(session, known, view.dataset, series, period, earlier, handed_out)
        for view in recipe.views
    }
    countings = [_before(session, series.centre_id, spec, period) for spec in recipe.tables]
    identity, standings = series.centre_id, Standings(session, series.centre_id)
    done = 0
    for form in sorted({form for dataset in recipe.datasets.values() for form in dataset.forms}):
        mine = [memory for memory in memories.values() if form in memory.dataset.forms]
        counted = [counting for counting in countings if counting.spec.dataset.form == form]
        done = _read(session, identity, form, known, standings, mine, counted, period, cut_off, table_secret, done, beat)
    taken: set[str] = set()
    for memory in memories.values():
        _add_months(memory, period, taken)
    batches = [found for memory in memories.values() if (found := _next(memory, period))]
    had = _had(earlier)
    parts = [_part(session, view, memories[view.dataset.name], batches, had, series, occasion) for view in recipe.views]
    tables, states = [], []
    for counting in countings:
        for name, is_revision, published in _published(counting, period, recipe, table_secret):
            states.append((counting.spec.key, name, published))
            tables.append(protected_counts.table_of(counting.spec, name, published, is_revision))
    used = {dataset.form: known.definitions[dataset.form] for dataset in recipe.datasets.values()}
    begun = {one.entry.dataset for one in batches}
    advice = {
        name: suggest_changes(memory.dataset.policy, encode_table(memory.dataset.policy, memory.rows.columns()))
        for name, memory in memories.items()
        if name not in begun and not memory.entries and len(memory.rows)
    }
    return Gathered(recipe, used, occasion, parts, tables, batches, states, advice, standings)


def _agreed(series: Series, cut_off: dt.datetime) -> None:
    """Raise ExportProblem when the agreement with the recipient is over (governance GR1)."""
    ends_on = str((series.agreement or {}).get("ends_on") or "")
    if ends_on and ends_on < cut_off.date().isoformat():
        raise ExportProblem(Reason("release.agreement", {"day": ends_on}))


def _remember(
    session: Session,
    known: Catalogue,
    dataset: DatasetSpec,
    series: Series,
    period: Period,
    earlier: list[Manifest],
    handed_out: list[Manifest],
) -> _Memory:
    kept = known.kept[dataset.name]
    found = datasets.batches(session, kept.id)
    entries = [entry_of(one.entry) for one in found]
    whole, tags = _published_rows(session, kept.id)
    ledger.verify_ledger(dataset.name, entries, kept.head or ledger.compute_genesis_hash(dataset.name), whole)
    ledger.verify_released_batches(dataset.name, entries, [one["datasets"].get(dataset.name, {}) for one in handed_out])
    ledger.frozen_levels(entries, dataset.sha256)
    since = max(periods.parse(series.first_period).first, _months_before(period.first, dataset.max_hold_months))
    if not entries:  # what was handed out before there was a ledger is not published again
        ended = [periods.parse(one["period"]["name"]).last for one in earlier if one["fieldapp"] == 1]
        since = max([since, *(day + dt.timedelta(days=1) for day in ended)])
    people = ParticipantMonths(dataset, dataset.months) if dataset.months else None
    reports = {one.number: one.report for one in found}
    others = _others(session, known, kept, handed_out)
    return _Memory(kept, dataset, entries, reports, tags, since, EligibleRows(dataset), people, others)


def _published_rows(session: Session, dataset_id: int) -> tuple[dict[int, bytes], set[bytes]]:
    """Return the tags of the rows of each batch of a dataset, and all of them."""
    by_number: dict[int, bytearray] = {}
    tags: set[bytes] = set()
    for tag, number in datasets.tags(session, dataset_id):
        by_number.setdefault(number, bytearray()).extend(tag)
        tags.add(tag)
    return {number: bytes(found) for number, found in by_number.items()}, tags


def _others(session: Session, known: Catalogue, mine: datasets.Dataset, handed_out: list[Manifest]) -> list[_Other]:
    """Return the datasets whose rows are the same records; raise ExportProblem for one whose ledger is not whole."""
    found = []
    for kept in known.kept.values():
        if kept.id is None or kept.name == mine.name or made_of(kept.text) != made_of(mine.text):
            continue
        head = kept.head
        whole, tags = _published_rows(session, kept.id)
        entries = [entry_of(one.entry) for one in datasets.batches(session, kept.id)]
        ledger.verify_ledger(kept.name, entries, head or ledger.compute_genesis_hash(kept.name), whole)
        ledger.verify_released_batches(kept.name, entries, [one["datasets"].get(kept.name, {}) for one in handed_out])
        found.append(_Other(kept.id, bytes.fromhex(kept.secret), head, tags))
    return found


def made_of(text: str) -> tuple[str, bool]:
    """Return what the rows of a dataset are: records of which form, and whether single ones or a person's months."""
    body = yaml.safe_load(text) or {}
    return str(body.get("form", "")), bool(body.get("months"))


def entry_of(body: dict[str, Any]) -> LedgerEntry:
    fields = {name: value for name, value in body.items() if name != "hash"}
    return LedgerEntry(**{**fields, "levels": tuple(fields["levels"])})


def _months_before(day: dt.date, months: int) -> dt.date:
    month = day.year * 12 + day.month - 1 - months
    return dt.date(month // 12, month % 12 + 1, 1)


def _before(session: Session, centre_id: int, spec: TableSpec, period: Period) -> _Counting:
    states = datasets.table_states(session, centre_id, spec.key)
    before = {
        name: {tuple(cell): (count, text) for cell, count, text in cells}
        for name, cells in states.items()
        if (found := periods.parse(name)).cadence == period.cadence
        and found <= period
        and period.first - found.first < REVISED_FOR
    }
    return _Counting(spec, before)


def _read(
    session: Session,
    centre_id: int,
    form: str,
    known: Catalogue,
    standings: Standings,
    memories: list[_Memory],
    countings: list[_Counting],
    period: Period,
    cut_off: dt.datetime,
    table_secret: bytes,
    done: int,
    beat: Beat,
) -> int:
    """Read a form's records once, for every dataset and table that is made of it."""
    spans = [_reach(memory) for memory in memories] + [periods.parse(name).first for one in countings for name in one.before]
    first = min([period.first, *spans])
    versions: dict[str, FormDefinition] = {}
    for record in records.for_release(session, centre_id, form, first, period.last, cut_off):
        if record.version not in versions:
            stored = forms.find(session, centre_id, form, record.version)
            versions[record.version] = definition_of(stored) if stored else known.definitions[form]
        row = eligibility.flatten_answers(versions[record.version], record.answers, standings.of(record.person))
        is_taken = False
        for memory in memories:
            is_taken = _add(memory, record, form, row, is_taken) or is_taken
        if countings:
            name = periods.find_containing(record.day, period.cadence).name
            for counting in countings:
                if name == period.name or name in counting.before:
                    if name not in counting.counters:
                        counting.counters[name] = Counter(counting.spec, table_secret)
                    counting.counters[name].add(record.unit, row)
        done += 1
        if done % BEAT_EVERY == 0:
            beat(done)
    return done


def _reach(memory: _Memory) -> dt.date:
    """Return the first day whose records a dataset reads: months of people begin with their intake, long ago."""
    if memory.people is None:
        return memory.since
    return _months_before(memory.since, memory.dataset.max_hold_months)


def _add_months(memory: _Memory, period: Period, taken: set[str]) -> None:
    """Add the months of people that are over and were not published; `taken` are those that are in another dataset now."""
    for unit, row in memory.people.rows(memory.since, period.last) if memory.people else ():
        memory.records += 1
        tag = ledger.compute_row_tag(memory.secret, unit)
        if tag in memory.tags:
            memory.withdrawn += not eligibility.has_consent(memory.dataset.consent, row)
        elif unit in taken or any(other.has_published(unit) for other in memory.others):
            memory.elsewhere += 1
        elif memory.rows.add(tag, row):
            taken.add(unit)


def _add(memory: _Memory, record: records.Released, form: str, row: Mapping[str, str], is_taken: bool) -> bool:
    """Add a record to the rows of a dataset, and say whether it became one; `is_taken`: it is in another dataset now."""
    if memory.people is not None:
        if record.is_settled:
            memory.people.add(form, record.unit, row)
        return False
    if record.day < memory.since or not eligibility.is_in_scope(memory.dataset, row):
        return False
    memory.records += 1
    tag = ledger.compute_row_tag(memory.secret, record.unit)
    if tag in memory.tags:
        memory.withdrawn += not eligibility.has_consent(memory.dataset.consent, row)
        return False
    if is_taken or any(other.has_published(record.unit) for other in memory.others):
        memory.elsewhere += 1
        return False
    return record.is_settled and memory.rows.add(tag, row)


def _next(memory: _Memory, period: Period) -> NewBatch | None:
    frozen = ledger.frozen_levels(memory.entries, memory.dataset.sha256)
    try:
        made = batch.make_batch(memory.dataset, memory.rows, frozen, memory.secret)
    except TooFine as found:
        memory.too_fine = found.share
        return None
    if made is None:
        return None
    data = batch.to_bytes(made)
    entry = LedgerEntry(
        dataset=memory.dataset.name,
        number=len(memory.entries) + 1,
        period=period.name,
        policy=memory.dataset.sha256,
        levels=made.levels,
        rows=len(made.tags) // ledger.TAG_BYTES,
        classes=made.classes,
        smallest=made.smallest,
        tags=ledger.hash_tags(made.tags),
        file=hashlib.sha256(data).hexdigest(),
        before=ledger.compute_head_hash(memory.dataset.name, memory.entries),
    )
    return NewBatch(memory.kept.id, made, entry, data, {one.dataset_id: one.head for one in memory.others})


def _had(manifests: list[Manifest]) -> dict[str, int]:
    """Return the newest batch of each dataset that a series has handed out."""
    had: dict[str, int] = {}
    for manifest in manifests:
        for name, dataset in manifest["datasets"].items():
            for entry in dataset.get("ledger", {}).get("entries", ()):
                had[name] = max(had.get(name, 0), entry["number"])
    return had


def _part(
    session: Session,
    view: RecipientView,
    memory: _Memory,
    batches: list[NewBatch],
    had: dict[str, int],
    series: Series,
    occasion: ReleaseContext,
) -> ReleasedDataset:
    name = view.dataset.name
    first = periods.parse(series.first_period).first
    sent, before = [], ledger.compute_genesis_hash(name)
    for entry in memory.entries:
        if entry.number <= had.get(name, 0) or periods.parse(entry.period).last < first:
            before = entry.hash
            continue
        data = datasets.batch_data(session, memory.kept.id, entry.number)
        if hashlib.sha256(data).hexdigest() != entry.file:
            ledger.raise_damaged_ledger(name, [Reason("ledger.rows", {"number": entry.number})])
        sent.append(ReleasedBatch(entry, batch.from_bytes(data), memory.reports[entry.number]))
    new = next((one for one in batches if one.entry.dataset == name), None)
    if new is not None:
        sent.append(ReleasedBatch(new.entry, new.batch.columns, new.batch.report))
    counts = {
        "withheld": len(memory.rows) - (new.entry.rows if new else 0),
        "without_consent": memory.rows.without_consent,
        "records": memory.records,
        "withdrawn": memory.withdrawn,
    }
    counts |= {"elsewhere": memory.elsewhere}
    part = write.part_of(view, sent, before, occasion, too_fine=memory.too_fine, **counts)
    if part.singled_out["alone"] > view.dataset.policy.max_singled_out:  # batches of before this was counted
        return write.part_of(view, [], before, occasion, too_fine=part.singled_out["alone"], **counts)
    return part


def _published(counting: _Counting, period: Period, recipe: Recipe, secret: bytes) -> list[tuple[str, bool, Published]]:
    """Return the tables of this period, and of those before that changed by enough to be published again."""
    found = []
    threshold, step = counting.spec.min_count(recipe.threshold), counting.spec.step(recipe.threshold)
    for name in sorted({period.name, *counting.before}, key=lambda one: periods.parse(one).first, reverse=True):
        counter = counting.counters.get(name) or Counter(counting.spec, secret)
        before = counting.before.get(name)
        if counting.spec.method == Method.SUPPRESS:
            published = before or suppress(counter.counted(), threshold)
        else:
            published = protected_counts.publish(counter.counted(), before, threshold, step, secret)
        if name == period.name or published != before:
            found.append((name, before is not None and name != period.name, published))
    return found
