"""What a dataset's ledger says was published, its new rows, and the next batch."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator_export import periods
from evaluator_export.datasets import eligibility
from evaluator_export.datasets.dataset_reader import read_unit
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.problems import Reason
from evaluator_export.series import batch, ledger
from evaluator_export.series.batch import AnonymizedBatch, TooFine
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.participant_months import ParticipantMonths
from evaluator_export.series.released_dataset import ReleasedBatch
from fieldapp.services.releases.gathering.assembly import Assembly
from fieldapp.services.releases.gathering.withdrawn_places import WithdrawnPlaces
from fieldapp.store.records.records import ReleasableRecord
from fieldapp.store.releases import datasets
from fieldapp.store.session import Session

FIRST_FORMAT = 1  # packages of before there was a ledger


@dataclass(frozen=True)
class PendingBatch:
    """A batch that will be published with this release, with its entry in the ledger.

    `other_heads` are the ledger heads, as they were read, of datasets that could publish the same records.
    """

    dataset_id: int
    batch: AnonymizedBatch
    entry: LedgerEntry
    data: bytes
    other_heads: dict[int, str]


@dataclass(frozen=True)
class OtherDataset:
    """A dataset made of the same records, with the tags of its published rows.

    A record is released in one dataset only.
    """

    dataset_id: int
    secret: bytes
    head: str
    tags: set[bytes]

    def has_published(self, unit: str) -> bool:
        # Without published rows there is nothing to compare, which saves a hash for each record.
        return bool(self.tags) and ledger.compute_row_tag(self.secret, unit) in self.tags


@dataclass
class LedgerState:
    """A dataset of the release: what was published of it, and its rows that may be published."""

    stored: datasets.Dataset
    spec: DatasetSpec
    entries: list[LedgerEntry]
    reports: dict[int, dict[str, Any]]
    tags: set[bytes]
    since: dt.date
    rows: EligibleRows
    months: ParticipantMonths | None  # where a row is a month of a person
    others: list[OtherDataset]
    elsewhere: int = 0  # records that were released in another dataset
    # Not zero: the share of rows (0 to 1) that would stand out, more than is allowed.
    too_fine: float = 0.0
    records: int = 0
    withdrawn: int = 0  # rows that were published and are no longer covered by consent
    never_again: WithdrawnPlaces = field(default_factory=WithdrawnPlaces)

    @property
    def secret(self) -> bytes:
        return bytes.fromhex(self.stored.secret)

    @property
    def first_day(self) -> dt.date:
        """Return the first day whose records are read.

        Where a row is a person's month, that is long before: months begin with the intake.
        """
        if self.months is None:
            return self.since
        return _go_back(self.since, self.spec.max_hold_months)

    def add_record(self, form: str, record: ReleasableRecord, row: Mapping[str, str], is_taken: bool) -> bool:
        """Add a record that may be released and was not; return whether it became a row.

        `is_taken`: another dataset of this release has it already.
        """
        # Months are made from all records of a person, so they cannot be decided one record at a
        # time.
        if self.months is not None:
            if record.is_settled:
                self.months.add(form, record.unit, row)
            return False
        # Before the tag, so that records out of scope are not counted at all.
        if record.day < self.since or not eligibility.is_in_scope(self.spec, row):
            return False
        tag = self._find_new_tag(record.unit, row, is_taken)
        # A record with two answers waits until somebody has chosen: once its row has left, the
        # choice could not follow it.
        return tag is not None and record.is_settled and self.rows.add(tag, row)

    def add_months(self, last: dt.date, taken: set[str]) -> None:
        """Add the months of people that are over by the day `last`.

        `taken` are those of other datasets of this release; the ones added here are put into it.
        """
        if self.months is None:
            return
        for unit, row in self.months.rows(self.since, last):
            tag = self._find_new_tag(unit, row, unit in taken)
            if tag is not None and self.rows.add(tag, row):
                taken.add(unit)

    def _find_new_tag(self, unit: str, row: Mapping[str, str], is_taken: bool) -> bytes | None:
        """Count a record and return its tag; None when it was released, here or elsewhere."""
        self.records += 1
        tag = ledger.compute_row_tag(self.secret, unit)
        if tag in self.tags:
            # Rows that recipients were asked to delete are counted there, not here.
            self.withdrawn += tag not in self.never_again.tags and not eligibility.has_consent(self.spec.consent, row)
            return None
        # A record leaves in one dataset only: two rows of it, made coarser in different ways, would
        # together be finer than either.
        if is_taken or any(other.has_published(unit) for other in self.others):
            self.elsewhere += 1
            return None
        return tag


def load_ledger_state(assembly: Assembly, spec: DatasetSpec) -> LedgerState:
    """Return what was published of a dataset.

    Raises ExportProblem when its ledger or its rows are damaged.
    """
    stored = assembly.catalogue.stored[spec.name]
    published = datasets.batches(assembly.session, stored.id)
    # In the order in which they were published; each entry has the hash of the one before.
    entries = [parse_entry(row.entry) for row in published]
    tags = _check_ledger(assembly, stored, entries)
    ledger.frozen_levels(entries, spec.sha256)
    return LedgerState(
        stored=stored,
        spec=spec,
        entries=entries,
        reports={row.number: row.report for row in published},
        tags=tags,
        since=_find_first_new_day(assembly, spec, has_entries=bool(entries)),
        rows=EligibleRows(spec),
        months=ParticipantMonths(spec, spec.months) if spec.months else None,
        others=_load_others(assembly, stored),
        never_again=assembly.withdrawn.get(stored.id, WithdrawnPlaces()),
    )


def _check_ledger(assembly: Assembly, stored: datasets.Dataset, entries: list[LedgerEntry]) -> set[bytes]:
    """Compare a dataset's ledger with its rows and with every package; return its rows' tags."""
    tags_by_number, tags = _load_tags(assembly.session, stored.id)
    # A dataset without batches has no stored head yet.
    head = stored.head or ledger.compute_genesis_hash(stored.name)
    # Three witnesses: the ledger's own chain, the rows in the database, and what packages that left
    # say of it.
    ledger.verify_ledger(stored.name, entries, head, tags_by_number)
    manifests = [manifest["datasets"].get(stored.name, {}) for manifest in assembly.handed_out]
    ledger.verify_released_batches(stored.name, entries, manifests)
    return tags


def _load_tags(session: Session, dataset_id: int) -> tuple[dict[int, bytes], set[bytes]]:
    """Return the tags of the rows of each batch of a dataset, joined, and all of them."""
    joined: dict[int, bytearray] = {}
    tags: set[bytes] = set()
    for tag, number in datasets.iterate_row_tags(session, dataset_id):
        # Joined in the order of the rows: the ledger holds one hash over all tags of a batch.
        joined.setdefault(number, bytearray()).extend(tag)
        tags.add(tag)
    return {number: bytes(joined_tags) for number, joined_tags in joined.items()}, tags


def _find_first_new_day(assembly: Assembly, spec: DatasetSpec, has_entries: bool) -> dt.date:
    """Return the first day whose records can be new.

    It lies within the series, and not longer ago than records may be withheld.
    """
    # Older records may not be released any more, so they are not even read.
    longest_hold = _go_back(assembly.period.first, spec.max_hold_months)
    # Never before the first period of the series: recipients agreed to what comes from then on.
    first = max(periods.parse(assembly.series.first_period).first, longest_hold)
    if has_entries:
        return first
    # What was handed out before there was a ledger is not published again.
    for package in assembly.sent:
        manifest = package.manifest
        if manifest["fieldapp"] == FIRST_FORMAT:
            first = max(first, periods.parse(manifest["period"]["name"]).last + dt.timedelta(days=1))
    return first


def _load_others(assembly: Assembly, stored: datasets.Dataset) -> list[OtherDataset]:
    """Return the datasets whose rows are the same records.

    Raises ExportProblem for one whose ledger is damaged.
    """
    others = []
    for other in assembly.catalogue.stored.values():
        # A dataset of the program that this centre never published has no row yet.
        if other.id is None or other.name == stored.name:
            continue
        # A dataset whose rows are other things has no record in common with it.
        if read_unit(other.text) != read_unit(stored.text):
            continue
        head = other.head  # read before its batches, so that a batch published meanwhile is seen
        entries = [parse_entry(row.entry) for row in datasets.batches(assembly.session, other.id)]
        tags = _check_ledger(assembly, other, entries)
        others.append(OtherDataset(other.id, bytes.fromhex(other.secret), head, tags))
    return others


def parse_entry(body: dict[str, Any]) -> LedgerEntry:
    """Return a ledger entry from its JSON; its hash is computed, not read."""
    fields = {name: value for name, value in body.items() if name != "hash"}
    fields["levels"] = tuple(fields["levels"])
    return LedgerEntry(**fields)


def make_next_batch(state: LedgerState, period: str) -> PendingBatch | None:
    """Return the batch of the new rows that may be published now.

    None when too few may, or too many would stand out; then `state.too_fine` says how many.
    """
    # What the first batch decided holds for all later ones; otherwise their rows could not be told
    # to look alike.
    levels = ledger.frozen_levels(state.entries, state.spec.sha256)
    try:
        new = batch.make_batch(state.spec, state.rows, levels, state.secret)
    except TooFine as refused:
        state.too_fine = refused.share
        return None
    if new is None:
        return None
    # Hashed as stored, so that a changed byte on the disk is found before the batch is sent again.
    data = batch.to_bytes(new)
    entry = LedgerEntry(
        dataset=state.spec.name,
        number=len(state.entries) + 1,
        period=period,
        policy=state.spec.sha256,
        levels=new.levels,
        rows=len(new.tags) // ledger.TAG_BYTES,
        classes=new.classes,
        smallest=new.smallest,
        tags=ledger.hash_tags(new.tags),
        file=hashlib.sha256(data).hexdigest(),
        before=ledger.compute_head_hash(state.spec.name, state.entries),
    )
    # Compared when it is published: another dataset may have published one of these records
    # meanwhile.
    other_heads = {other.dataset_id: other.head for other in state.others}
    return PendingBatch(state.stored.id, new, entry, data, other_heads)


def read_batches(session: Session, state: LedgerState, entries: list[LedgerEntry]) -> Iterator[ReleasedBatch]:
    """Yield published batches with their rows.

    Raises ExportProblem when stored rows are not those that were published.
    """
    for entry in entries:
        data = datasets.batch_data(session, state.stored.id, entry.number)
        if hashlib.sha256(data).hexdigest() != entry.file:
            ledger.raise_damaged_ledger(state.spec.name, [Reason("ledger.rows", {"number": entry.number})])
        # Places of rows that were taken back: they are left out of each later package.
        left_out = state.never_again.find(entry.number, entry.rows)
        yield ReleasedBatch(entry, batch.from_bytes(data), state.reports[entry.number], left_out)


def _go_back(day: dt.date, months: int) -> dt.date:
    """Return the first day of the month so many months before a day."""
    # Months from year 0, so that going back over New Year is a subtraction.
    month = day.year * 12 + day.month - 1 - months
    return dt.date(month // 12, month % 12 + 1, 1)
