"""The office's page of rows that were taken back, and of who has deleted them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator_export import periods
from evaluator_export.coarse_counts import coarsen_count
from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.releases.withheld import compute_deadline, count_listed, is_list_overdue
from fieldapp.store.consent.withdrawals import ONE_RECORD, Withdrawal, list_counts, list_withdrawals
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import Release, ReleaseSeries
from fieldapp.store.releases.withdrawals import find_last

FEW = 5  # fewer people than that are not told


@dataclass(frozen=True)
class QuarterLine:
    """People who took everything back in a quarter, and when each step was done for all.

    `people`: how many, as text that hides small numbers. A step is None while it is not done for some of them.
    `has_rows`: rows of some of them had left, so recipients must delete rows.
    """

    name: str
    people: str
    has_rows: bool
    phones_at: dt.datetime | None
    listed_at: dt.datetime | None
    attested_at: dt.datetime | None
    forgotten_on: dt.date | None
    is_over: bool = False  # all is done, and nothing but the number is stored


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


@read_act("withdrawals.view")
def view_withdrawals(ctx: ActContext) -> WithdrawalsPage:
    """Return how many people took everything back, and how far phones and recipients are."""
    packages = releases.list_for(ctx.session, ctx.centre_id)
    series = {row.id: row for row in releases.series_of(ctx.session, ctx.centre_id)}
    sent_lists = [_describe_list(ctx, release, series) for release in packages if count_listed(release.manifest)]
    rounds = withdrawals.rounds(ctx.session, ctx.centre_id)
    is_any_open = any(this_round.listed_at is None for this_round in rounds)
    is_any_waiting = bool(withdrawals.pending(ctx.session, ctx.centre_id))
    without_packages = [row for row in series.values() if not row.is_active and (is_any_open or is_any_waiting)]
    return WithdrawalsPage(
        quarters=_describe_quarters(ctx),
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


def _describe_quarters(ctx: ActContext) -> list[QuarterLine]:
    """Return a line for each quarter in which somebody took everything back, newest first."""
    by_quarter: dict[str, list[Withdrawal]] = {}
    for withdrawal in list_withdrawals(ctx.session, ctx.centre_id):
        if withdrawal.how == ONE_RECORD:
            continue  # nobody took everything back
        quarter = periods.find_containing(withdrawal.asked_on, "quarter").name
        by_quarter.setdefault(quarter, []).append(withdrawal)
    counts = list_counts(ctx.session, ctx.centre_id)
    lines = []
    for name in sorted({*by_quarter, *counts}, reverse=True):
        lines.append(_describe_quarter(ctx, name, by_quarter.get(name, []), counts.get(name, 0)))
    return lines


def _describe_quarter(ctx: ActContext, name: str, ended: Sequence[Withdrawal], counted: int) -> QuarterLine:
    """Return a line of a quarter; of those `counted`, only that number is stored any more."""
    if not ended:
        return QuarterLine(name, coarsen_count(counted, FEW), False, None, None, None, None, is_over=True)
    all_states = [withdrawals.find_list_states(ctx.session, ctx.centre_id, withdrawal.id) for withdrawal in ended]
    states = [state for state in all_states if state is not None]
    days = [withdrawal.forgotten_on for withdrawal in ended if withdrawal.forgotten_on is not None]
    return QuarterLine(
        name=name,
        people=coarsen_count(len(ended) + counted, FEW),
        has_rows=bool(states),
        phones_at=find_last([withdrawal.phones_at for withdrawal in ended]),
        listed_at=find_last([state.listed_at for state in states]) if states else None,
        attested_at=find_last([state.attested_at for state in states]) if states else None,
        forgotten_on=max(days) if len(days) == len(ended) else None,
    )
