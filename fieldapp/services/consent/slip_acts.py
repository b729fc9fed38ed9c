"""What a person does with their slip: see their consent, lower it, take everything back.

It needs no name and no account.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.consent.ending import end_person
from fieldapp.services.consent.lowered_list import note_statement
from fieldapp.services.consent.standing import LOWEST
from fieldapp.services.consent.withdrawals import compute_forgotten_by
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.consent import slips, standing, withdrawals
from fieldapp.store.consent.slips import Slip
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.operations import centres
from fieldapp.store.releases import releases
from fieldapp.store.releases.withdrawals import ListStates, find_list_states
from fieldapp.store.session import Session

LEAST_TO_CHOOSE = 1  # lower than this is the end of the card
FOR_EVALUATORS = 2  # the tier from which facts leave the centre
SHOWN = dt.timedelta(days=365)  # how far back it is said when facts left


@dataclass(frozen=True)
class SlipView:
    """What a slip shows: nothing that tells who its person is, or what was written about them."""

    tag: str
    tier: int  # how far the standing consent reaches
    since: dt.date | None  # the first of the month in which it was said; None where nothing was
    is_in_doubt: bool  # two answers differ, and the smaller one counts
    months: Sequence[dt.date]  # first days of the months in which facts left the centre, the newest first

    @property
    def choices(self) -> list[int]:
        """Return the tiers that this slip can choose; in doubt also the one that counts."""
        highest = self.tier if self.is_in_doubt else self.tier - 1
        return list(range(highest, LEAST_TO_CHOOSE - 1, -1))


@dataclass(frozen=True)
class EndedSlip:
    """What a slip shows once everything was taken back: how far that has come."""

    withdrawal: Withdrawal
    lists: ListStates | None  # of recipients of rows; None when no row had left
    forgotten_by: dt.date  # when backups have forgotten it, if each is deleted in time


def read_slip(session: Session, tag: str, now: dt.datetime) -> SlipView | EndedSlip | None:
    """Return what a slip shows; None for one that the centre does not know."""
    slip = slips.find_slip(session, tag)
    if slip is None:
        return None
    if slip.withdrawal_id:
        return _make_ended(session, slip)
    return _make_view(session, slip, now)


def _make_view(session: Session, slip: Slip, now: dt.datetime) -> SlipView:
    stands = standing.find_standing(session, slip.centre_id, slip.person)
    if stands is None:
        return SlipView(slip.tag, LOWEST, None, False, ())
    months: Sequence[dt.date] = ()
    # What left before somebody agreed to less stays out, so it is said all the same.
    if standing.find_highest_tier(session, slip.centre_id, slip.person) >= FOR_EVALUATORS:
        # What was built before anything of the person had come cannot have had it.
        first = standing.find_first_received(session, slip.centre_id, slip.person)
        months = releases.list_months(session, slip.centre_id, max(now - SHOWN, first or now - SHOWN))
    return SlipView(slip.tag, stands.tier, stands.since, stands.is_in_doubt, months)


def _make_ended(session: Session, slip: Slip) -> EndedSlip | None:
    withdrawal = withdrawals.find_withdrawal(session, slip.centre_id, slip.withdrawal_id)
    if withdrawal is None:
        return None
    lists = find_list_states(session, slip.centre_id, withdrawal.id)
    return EndedSlip(withdrawal, lists, compute_forgotten_by(withdrawal.effective_at))


def lower_by_slip(session: Session, tag: str, tier: int) -> None:
    """Lower the standing consent of a slip's person; nobody raises it with a slip.

    Raises ActProblem "slip.unknown" or "slip.not_lower".
    """
    _lower(session, Actor.system(_find_centre(session, tag)), tag=tag, tier=tier)


@act("slip.lower")
def _lower(ctx: ActContext, tag: str, tier: int) -> None:
    centres.lock_words(ctx.session, ctx.centre_id)  # two slips of one card at once
    slip = _get_open(ctx, tag)
    if tier not in _make_view(ctx.session, slip, ctx.now).choices:
        raise ActProblem("slip.not_lower", N_("This slip can only lower what was agreed to."))
    note_statement(ctx, slip.person, tier, "slip")
    ctx.describe(f"slip/{tag}", tier=tier)


def end_by_slip(session: Session, tag: str) -> None:
    """Take back everything that a slip's person told. A card that ended before stays as it is.

    Raises ActProblem "slip.unknown", or that of the list of ended cards when it cannot be written.
    """
    _end(session, Actor.system(_find_centre(session, tag)), tag=tag)


@act("slip.end")
def _end(ctx: ActContext, tag: str) -> None:
    centres.lock(ctx.session, ctx.centre_id)  # two slips of one card at once
    slip = slips.find_slip(ctx.session, tag)
    ctx.skip_audit()  # the end leaves its own line
    if slip is None or not slip.withdrawal_id:
        end_person(ctx, _get_open(ctx, tag).person, "slip")


def _find_centre(session: Session, tag: str) -> int:
    slip = slips.find_slip(session, tag)
    if slip is None:
        raise _make_unknown()
    return slip.centre_id


def _get_open(ctx: ActContext, tag: str) -> Slip:
    """Return a slip of the actor's centre whose card has not ended."""
    slip = slips.find_slip(ctx.session, tag)
    if slip is None or slip.centre_id != ctx.centre_id or not slip.person:
        raise _make_unknown()
    return slip


def _make_unknown() -> ActProblem:
    return ActProblem("slip.unknown", N_("We do not know this slip."))
