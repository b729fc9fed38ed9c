"""The office's page of rows that were taken back, and of who has deleted them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator_export import periods
from evaluator_export.series.released_dataset import coarsen_count
from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.releases.withheld import compute_deadline, count_listed, is_list_overdue
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import Release, ReleaseSeries
from fieldapp.store.releases.withdrawals import WithdrawalRound, find_last

FEW = 5  # fewer people than that are not told


@dataclass(frozen=True)
class QuarterLine:
    """The lists of a quarter.

    `people`: how many took back rows that had left, as text that hides small numbers. The times are None while some
    recipient has not got its list, or has not deleted the rows.
    """

    name: str
    people: str
    listed_at: dt.datetime | None
    attested_at: dt.datetime | None


@dataclass(frozen=True)
class SentList:
    """A list that a recipient got with a package.

    They should say by `delete_by` that the rows are deleted.
    """

    release: Release
    series: ReleaseSeries
    rows: int
    delete_by: dt.datetime
    is_overdue: bool


@dataclass(frozen=True)
class WithdrawalsPage:
    """What the page shows, newest first.

    `is_any_waiting`: rows were taken back since the last lists.
    """

    quarters: Sequence[QuarterLine]
    lists: Sequence[SentList]
    is_any_waiting: bool
    without_packages: Sequence[ReleaseSeries]  # switched off, so their recipients get no list by themselves


@read_act("withdrawals.see")
def view_withdrawals(ctx: ActContext) -> WithdrawalsPage:
    """Return how many people took back rows that had left, and how far recipients are."""
    packages = releases.list_for(ctx.session, ctx.centre_id)
    series = {row.id: row for row in releases.series_of(ctx.session, ctx.centre_id)}
    sent_lists = [_describe_list(ctx, release, series) for release in packages if count_listed(release.manifest)]
    rounds = withdrawals.rounds(ctx.session, ctx.centre_id)
    is_any_open = any(this_round.listed_at is None for this_round in rounds)
    is_any_waiting = bool(withdrawals.pending(ctx.session, ctx.centre_id))
    without_packages = [row for row in series.values() if not row.is_active and (is_any_open or is_any_waiting)]
    return WithdrawalsPage(
        quarters=_describe_quarters(ctx, rounds),
        lists=sorted(sent_lists, key=lambda sent: sent.release.created_at, reverse=True),
        is_any_waiting=is_any_waiting,
        without_packages=without_packages,
    )


def _describe_list(ctx: ActContext, release: Release, series: Mapping[int, ReleaseSeries]) -> SentList:
    return SentList(
        release=release,
        series=series[release.series_id],
        rows=count_listed(release.manifest),
        delete_by=compute_deadline(release),
        is_overdue=is_list_overdue(release, ctx.now),
    )


def _describe_quarters(ctx: ActContext, rounds: Sequence[WithdrawalRound]) -> list[QuarterLine]:
    """Return a line for each quarter with lists, newest first."""
    ids_by_round = withdrawals.withdrawals_in_rounds(ctx.session, ctx.centre_id)
    by_quarter: dict[str, list[WithdrawalRound]] = {}
    for this_round in rounds:
        quarter = periods.find_containing(this_round.drawn_at.date(), "quarter").name
        by_quarter.setdefault(quarter, []).append(this_round)
    lines = []
    for name in sorted(by_quarter, reverse=True):
        ids: set[str] = set()
        for this_round in by_quarter[name]:
            ids |= ids_by_round.get(this_round.id, set())
        listed = [this_round.listed_at for this_round in by_quarter[name]]
        attested = [this_round.attested_at for this_round in by_quarter[name]]
        lines.append(QuarterLine(name, coarsen_count(len(ids), FEW), find_last(listed), find_last(attested)))
    return lines
