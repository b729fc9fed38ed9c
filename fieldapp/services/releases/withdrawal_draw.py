"""Draw the rows of others that stand on a list with those that somebody took back.

So no list shows a person.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.series import batch, ledger
from evaluator_export.series.participant_months import name_month
from evaluator_export.series.withdrawal import BatchRows, draw_rows
from evaluator_export.yaml_text import read_yaml
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.releases.datasets import load_catalogue, recipe_text
from fieldapp.services.releases.gathering.ledger_state import parse_entry
from fieldapp.services.releases.withheld import list_batches
from fieldapp.store.operations import centres
from fieldapp.store.records import records
from fieldapp.store.releases import datasets, releases, withdrawals
from fieldapp.store.releases.datasets import Dataset, PublishedBatch
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.releases.withdrawals import WithdrawalRound, WithdrawalRow
from fieldapp.store.session import Session

COUNTED_MONTHS = 120  # whose month a row is, is asked of each intake: the first ten years do for others


def draw_before_build(session: Session, series: ReleaseSeries) -> None:
    """Draw a round before a package is built for a series that gets, or got, rows."""
    if not withdrawals.pending(session, series.centre_id):
        return
    packages = releases.of_series(session, series.id)
    has_rows = bool((read_yaml(recipe_text(series)) or {}).get("datasets"))
    if has_rows or any(list_batches(release.manifest) for release in packages):
        draw_round(session, Actor.system(series.centre_id))


@act("release.draw_withdrawals")
def draw_round(ctx: ActContext) -> None:
    """Put the rows that were taken back into a round, with rows of others.

    Those are from the same look-alike groups. Afterwards nothing says which of them are whose.
    """
    centres.lock(ctx.session, ctx.centre_id)
    waiting = withdrawals.pending(ctx.session, ctx.centre_id)
    if not waiting:
        ctx.skip_audit()
        return
    this_round = WithdrawalRound(centre_id=ctx.centre_id, drawn_at=ctx.now)
    ctx.session.add(this_round)
    ctx.session.flush()
    withdrawals.put_in_round(ctx.session, this_round.id, {row.withdrawal_id for row in waiting})
    rows_by_batch: dict[tuple[int, int], list[WithdrawalRow]] = {}
    for row in waiting:
        rows_by_batch.setdefault((row.dataset_id, row.number), []).append(row)
    drawer = _Drawer(ctx)
    for (dataset_id, number), rows in sorted(rows_by_batch.items()):
        drawer.draw(dataset_id, number, rows)
    withdrawals.close_rows(ctx.session, ctx.centre_id, this_round.id)
    ctx.describe(f"centre/{ctx.centre_id}", round=this_round.id)


class _Drawer:
    """Draws, in published batches, the rows that go with those that were taken back."""

    def __init__(self, ctx: ActContext):
        self.ctx = ctx
        catalogue = load_catalogue(ctx.session, ctx.centre_id)
        self.datasets = {stored.id: stored for stored in catalogue.stored.values()}
        self.specs = catalogue.datasets
        self.persons: dict[int, dict[bytes, str]] = {}

    def draw(self, dataset_id: int, number: int, taken_back: Sequence[WithdrawalRow]) -> None:
        """Withdraw rows of others in a batch; none where the order of its rows was not kept."""
        places = withdrawals.rows_of_batch(self.ctx.session, dataset_id, number)
        if any(place is None for place in places.values()):
            return
        tags = sorted(places, key=lambda tag: places[tag] or 0)
        withdrawn = withdrawals.of_batch(self.ctx.session, dataset_id, number)
        withdrawn_tags = {bytes(row.tag) for row in withdrawn}
        drawn = self._choose(dataset_id, number, tags, taken_back, withdrawn)
        new_rows: list[dict[str, Any]] = []
        for place in sorted(drawn):
            if tags[place] not in withdrawn_tags:
                new_rows.append(
                    {
                        "dataset_id": dataset_id,
                        "tag": tags[place],
                        "centre_id": self.ctx.centre_id,
                        "number": number,
                        "place": place,
                        "withdrawal_id": "",
                        "round_id": None,
                    }
                )
        withdrawals.add_rows(self.ctx.session, new_rows)

    def _choose(
        self,
        dataset_id: int,
        number: int,
        tags: Sequence[bytes],
        taken_back: Sequence[WithdrawalRow],
        withdrawn: Sequence[WithdrawalRow],
    ) -> set[int]:
        """Return the places to withdraw: the whole batch where its groups cannot be told any more."""
        stored = self.datasets[dataset_id]
        spec = self.specs.get(stored.name)
        published = _find_batch(self.ctx.session, dataset_id, number)
        entry = parse_entry(published.entry)
        data = datasets.batch_data(self.ctx.session, dataset_id, number)
        if spec is None or spec.sha256 != entry.policy or hashlib.sha256(data).hexdigest() != entry.file:
            return set(range(len(tags)))
        persons = self._load_persons(stored, spec)
        owners = {bytes(row.tag): f"withdrawal {row.withdrawal_id}" for row in taken_back}
        rows = BatchRows(
            entry=entry,
            columns=batch.from_bytes(data),
            tags=tags,
            persons=[owners.get(tag) or persons.get(tag, "") for tag in tags],
            taken_back=frozenset(row.place for row in taken_back if row.place is not None),
            gone=frozenset(row.place for row in withdrawn if row.place is not None and row.round_id is not None),
        )
        return draw_rows(spec.policy, rows, bytes.fromhex(stored.secret))

    def _load_persons(self, stored: Dataset, spec: DatasetSpec) -> Mapping[bytes, str]:
        """Return whose each row of a dataset is, by tag.

        A card code, or the record's id where it has none.
        """
        if stored.id in self.persons:
            return self.persons[stored.id]
        secret = bytes.fromhex(stored.secret)
        persons: dict[bytes, str] = {}
        for unit, person in records.iterate_units(self.ctx.session, self.ctx.centre_id, spec.form):
            units = [unit]
            if spec.months:
                units = [name_month(unit, number) for number in range(COUNTED_MONTHS)]
            for name in units:
                persons[ledger.compute_row_tag(secret, name)] = person or unit
        self.persons[stored.id] = persons
        return persons


def _find_batch(session: Session, dataset_id: int, number: int) -> PublishedBatch:
    return next(row for row in datasets.batches(session, dataset_id) if row.number == number)
