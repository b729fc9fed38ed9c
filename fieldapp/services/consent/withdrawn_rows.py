"""Note which published rows were made of a person who takes everything back."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from evaluator_export.datasets.dataset_reader import read_unit
from evaluator_export.series import ledger
from evaluator_export.series.participant_months import name_month
from fieldapp.services.acts import ActContext
from fieldapp.store.operations import centres
from fieldapp.store.releases import datasets, withdrawals
from fieldapp.store.releases.datasets import Dataset

# The months of an intake that are looked for: 125 years, so that a mistyped day hides no row.
MOST_MONTHS = 1500


def note_withdrawn_rows(ctx: ActContext, withdrawal_id: str, root_ids: Collection[str], person: str) -> int:
    """Note which published rows were made of a person's records; return how many.

    In the caller's transaction; from then on they leave no more. `person` (card code) is not stored: rows are found by
    the records' ids alone.
    """
    centres.lock(ctx.session, ctx.centre_id)
    total = 0
    for dataset in datasets.of_centre(ctx.session, ctx.centre_id):
        if not dataset.head:
            continue
        tags = [ledger.compute_row_tag(bytes.fromhex(dataset.secret), unit) for unit in _list_units(dataset, root_ids)]
        published = withdrawals.find_published(ctx.session, dataset.id, tags)
        total += len(published)
        _note_rows(ctx, withdrawal_id, dataset, published)
    ctx.session.flush()
    withdrawals.copy_states(ctx.session, ctx.centre_id)  # rows that were drawn for somebody else may be deleted by now
    return total


def _list_units(dataset: Dataset, root_ids: Iterable[str]) -> list[str]:
    """Return what the ledger would know rows of these records by."""
    _, is_months = read_unit(dataset.text)
    if not is_months:
        return sorted(root_ids)
    units: list[str] = []
    for root_id in sorted(root_ids):
        units.extend(name_month(root_id, number) for number in range(MOST_MONTHS))
    return units


def _note_rows(ctx: ActContext, withdrawal_id: str, dataset: Dataset, published: Sequence[datasets.PublishedRow]) -> None:
    """Note rows that are not yet noted.

    One that was drawn for somebody else is on a list already.
    """
    noted = withdrawals.of_tags(ctx.session, dataset.id, [row.tag for row in published])
    new_rows: list[dict[str, Any]] = []
    for row in published:
        earlier = noted.get(bytes(row.tag))
        if earlier is None:
            new_rows.append(
                {
                    "dataset_id": dataset.id,
                    "tag": row.tag,
                    "centre_id": ctx.centre_id,
                    "number": row.number,
                    "place": row.place,
                    "withdrawal_id": withdrawal_id,
                    "round_id": None,
                }
            )
        elif earlier.round_id is not None:
            withdrawals.put_in_round(ctx.session, earlier.round_id, [withdrawal_id])
    withdrawals.add_rows(ctx.session, new_rows)
