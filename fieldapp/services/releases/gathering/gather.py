"""What a release of a period is made of: building and preview begin here."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evaluator_export import periods
from evaluator_export.datasets.recipe import Recipe, RecipientView
from evaluator_export.package import write
from evaluator_export.periods import Period
from evaluator_export.problems import Reason
from evaluator_export.search.advice import suggest_changes
from evaluator_export.search.encoding import encode_table
from evaluator_export.series import ledger
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedBatch, ReleasedDataset
from evaluator_export.tables import protected_counts
from evaluator_export.tables.protected_counts import ProtectedTable
from fieldapp.services.consent.standing import Standings
from fieldapp.services.releases.gathering.answers import RecordReader
from fieldapp.services.releases.gathering.assembly import Assembly, Manifest, start_assembly
from fieldapp.services.releases.gathering.ledger_state import (
    LedgerState,
    PendingBatch,
    load_ledger_state,
    make_next_batch,
    read_batches,
)
from fieldapp.services.releases.gathering.table_counts import PeriodCounts, TableCounts, load_table_counts
from fieldapp.services.releases.gathering.withdrawal_list import make_withdrawal_list
from fieldapp.store.releases import withdrawals
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session
from forms.definition import FormDefinition


@dataclass(frozen=True)
class ReleaseContents:
    """All that a package is written from, and what the ledger remembers once it is published."""

    recipe: Recipe
    definitions: Mapping[str, FormDefinition]
    context: ReleaseContext
    datasets: list[ReleasedDataset]
    tables: list[ProtectedTable]
    batches: list[PendingBatch]
    counts: list[PeriodCounts]
    advice: dict[str, list[Reason]]  # of datasets that cannot begin yet: what would have to change
    standings: Standings  # as they were; publishing asks again
    withdrawal_mark: str  # as it was; publishing asks again
    listed_round: int  # nothing that was taken back up to this round is in the package
    replaced: list[int]  # ids of the releases that it replaces


def _report_nothing(records: int) -> None:
    """Take a report of progress and drop it."""


def gather_release(
    session: Session,
    series: ReleaseSeries,
    period: Period,
    cut_off: dt.datetime,
    report_progress: Callable[[int], None] = _report_nothing,
) -> ReleaseContents:
    """Return the contents of a release, from the records that the centre had at `cut_off`.

    `report_progress` is called from time to time with the number of records read. Raises
    ExportProblem for a recipe or a ledger that is not in order.
    """
    assembly = start_assembly(session, series, period, cut_off, report_progress)
    states = {view.dataset.name: load_ledger_state(assembly, view.dataset) for view in assembly.recipe.views}
    table_counts = [load_table_counts(assembly, spec) for spec in assembly.recipe.tables]

    _read_records(assembly, states.values(), table_counts)
    batches = _make_batches(assembly, states.values())
    datasets = [_assemble_dataset(assembly, view, states[view.dataset.name], batches) for view in assembly.recipe.views]
    counts: list[PeriodCounts] = []
    for table in table_counts:
        counts.extend(table.publish())

    return ReleaseContents(
        recipe=assembly.recipe,
        definitions=_list_definitions(assembly),
        context=replace(assembly.make_context(), withdrawals=make_withdrawal_list(assembly)),
        datasets=datasets,
        tables=[_make_table(published) for published in counts],
        batches=batches,
        counts=counts,
        advice=_advise_datasets(states, batches),
        standings=assembly.standings,
        withdrawal_mark=assembly.withdrawal_mark,
        listed_round=withdrawals.newest_round(session, series.centre_id),
        replaced=[package.release_id for package in assembly.replaced],
    )


def _read_records(assembly: Assembly, states: Iterable[LedgerState], table_counts: Iterable[TableCounts]) -> None:
    """Read the records of each form once, for every dataset and table that is made of it."""
    newest = assembly.catalogue.definitions
    reader = RecordReader(assembly.session, assembly.centre_id, newest, assembly.standings, assembly.cut_off)
    for form in _list_forms(assembly):
        form_states = [state for state in states if form in state.spec.forms]
        form_tables = [table for table in table_counts if table.spec.dataset.form == form]
        starts = [assembly.period.first]
        starts.extend(state.first_day for state in form_states)
        starts.extend(table.first_day for table in form_tables)
        for read in reader.iterate(form, min(starts), assembly.period.last):
            is_taken = False
            for state in form_states:
                became_a_row = state.add_record(form, read.record, read.row, is_taken)
                is_taken = is_taken or became_a_row
            for table in form_tables:
                table.add(read.record, read.event)
            assembly.count_record()


def _list_forms(assembly: Assembly) -> list[str]:
    forms: set[str] = set()
    for dataset in assembly.recipe.datasets.values():
        forms.update(dataset.forms)
    return sorted(forms)


def _list_definitions(assembly: Assembly) -> dict[str, FormDefinition]:
    """Return the newest definition of each form that the recipe reads."""
    datasets = assembly.recipe.datasets.values()
    return {dataset.form: assembly.catalogue.definitions[dataset.form] for dataset in datasets}


def _make_batches(assembly: Assembly, states: Iterable[LedgerState]) -> list[PendingBatch]:
    """Return the next batch of each dataset that has one.

    A person's month is released in one dataset only.
    """
    taken: set[str] = set()
    for state in states:
        state.add_months(assembly.period.last, taken)
    batches = [make_next_batch(state, assembly.period.name) for state in states]
    return [batch for batch in batches if batch is not None]


def _assemble_dataset(
    assembly: Assembly, view: RecipientView, state: LedgerState, batches: list[PendingBatch]
) -> ReleasedDataset:
    """Return a dataset as the recipient gets it.

    It has the batches that this series has not sent yet, and the new one.
    """
    skipped, entries = _split_entries(assembly, state)
    before = ledger.compute_head_hash(state.spec.name, skipped)
    sent = list(read_batches(assembly.session, state, entries))
    new_rows = 0
    for pending in batches:
        if pending.entry.dataset == state.spec.name:
            sent.append(ReleasedBatch(pending.entry, pending.batch.columns, pending.batch.report))
            new_rows = pending.entry.rows
    counts: dict[str, Any] = {
        "withheld": len(state.rows) - new_rows,
        "without_consent": state.rows.without_consent,
        "records": state.records,
        "withdrawn": state.withdrawn + len(state.never_again.tags),
        "elsewhere": state.elsewhere,
    }
    context = assembly.make_context()
    dataset = write.assemble_dataset(view, sent, before, context, too_fine=state.too_fine, **counts)
    alone = dataset.singled_out["alone"]
    if alone > view.dataset.policy.max_singled_out:  # batches of before this was measured
        return write.assemble_dataset(view, [], before, context, too_fine=alone, **counts)
    return dataset


def _split_entries(assembly: Assembly, state: LedgerState) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """Return the entries that this package leaves out, and those that it holds.

    Left out is what the series has sent, and what lies before its first period. Where such an entry follows one that is
    held, the chain of the package has a gap, and its check refuses it: no batch is passed over in silence.
    """
    last_sent = find_last_batches_sent([package.manifest for package in assembly.sent]).get(state.spec.name, 0)
    first_day = periods.parse(assembly.series.first_period).first
    skipped: list[LedgerEntry] = []
    unsent: list[LedgerEntry] = []
    for entry in state.entries:
        if entry.number <= last_sent or periods.parse(entry.period).last < first_day:
            skipped.append(entry)
        else:
            unsent.append(entry)
    return skipped, unsent


def find_last_batches_sent(manifests: list[Manifest]) -> dict[str, int]:
    """Return the number of each dataset's newest batch in packages with these manifests."""
    last: dict[str, int] = {}
    for manifest in manifests:
        for name, dataset in manifest["datasets"].items():
            for entry in dataset.get("ledger", {}).get("entries", ()):
                last[name] = max(last.get(name, 0), entry["number"])
    return last


def _make_table(published: PeriodCounts) -> ProtectedTable:
    return protected_counts.make_protected_table(
        published.spec, published.period, published.published, published.is_revision
    )


def _advise_datasets(states: Mapping[str, LedgerState], batches: list[PendingBatch]) -> dict[str, list[Reason]]:
    """Return what would have to change, for each dataset that has rows and cannot begin yet."""
    begun = {pending.entry.dataset for pending in batches}
    advice = {}
    for name, state in states.items():
        if name not in begun and not state.entries and len(state.rows):
            policy = state.spec.policy
            advice[name] = suggest_changes(policy, encode_table(policy, state.rows.columns()))
    return advice
