"""Slips: a person without a name or an account sees their consent, and lowers it.

Nothing of a slip but its tag is known here (sync/slips.tag_slip).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.caseload.record_state import AcceptedSubmission, find_role_answer
from fieldapp.services.consent.standing import LOWEST, note_statement, read_consent
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.consent import slips, standing
from fieldapp.store.consent.slips import Slip
from fieldapp.store.operations import centres
from fieldapp.store.releases import releases
from fieldapp.store.session import Session
from forms.roles import QuestionRole
from sync.notes import plain_code

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


def save_slips(ctx: ActContext, accepted: Iterable[tuple[str, AcceptedSubmission]]) -> None:
    """Save the slips that came with accepted submissions, each with its tag."""
    for tag, submission in accepted:
        person = _find_person(submission)
        if tag and person:
            save_slip(ctx, tag, person)


def _find_person(submission: AcceptedSubmission) -> str:
    """Return the card code of a person who said yes in a submission; "" for none."""
    definition = submission.definition
    if definition is None or submission.is_refusal or submission.is_overruled:
        return ""
    consent = read_consent(definition, submission.answers)
    if consent is None or consent[0] <= LOWEST:
        return ""
    return plain_code(find_role_answer(definition, submission.answers, QuestionRole.PERSON))


def save_slip(ctx: ActContext, tag: str, person: str) -> None:
    """Let a slip show the card of a person.

    Again changes nothing. A slip of somebody else stays theirs: the audit log counts it.
    """
    slip = ctx.session.get(Slip, tag)
    if slip is None:
        month = f"{ctx.now:%Y-%m}"
        ctx.session.add(Slip(tag=tag, centre_id=ctx.centre_id, person=person, withdrawal_id="", made_month=month))
        ctx.session.flush()
    elif (slip.centre_id, slip.person) != (ctx.centre_id, person):
        ctx.details["slips_ignored"] = ctx.details.get("slips_ignored", 0) + 1


def save_slip_of_ended(ctx: ActContext, tag: str, withdrawal_id: str) -> None:
    """Let a slip that came when its card had ended show what became of that."""
    if ctx.session.get(Slip, tag) is None:
        month = f"{ctx.now:%Y-%m}"
        ctx.session.add(Slip(tag=tag, centre_id=ctx.centre_id, person="", withdrawal_id=withdrawal_id, made_month=month))
        ctx.session.flush()


def void_slips(session: Session, centre_id: int, person: str) -> None:
    """Let the slips of a card show nothing any more, since nobody knows whose they are."""
    for slip in slips.list_slips(session, centre_id, [person]):
        slip.is_lost = True
    session.flush()


def move_slips(session: Session, centre_id: int, person: str, withdrawal_id: str) -> None:
    """Let the slips of a card that ends show its withdrawal, and lead to no card any more."""
    for slip in slips.list_slips(session, centre_id, [person]):
        slip.person = ""
        slip.withdrawal_id = withdrawal_id
    session.flush()


def read_slip(session: Session, tag: str, now: dt.datetime) -> SlipView | None:
    """Return what a slip shows; None for one that the centre does not know."""
    slip = slips.find_slip(session, tag)
    if slip is None or not slip.person:
        return None
    return _make_view(session, slip, now)


def _make_view(session: Session, slip: Slip, now: dt.datetime) -> SlipView:
    stands = standing.find_standing(session, slip.centre_id, slip.person)
    if stands is None:
        return SlipView(slip.tag, LOWEST, None, False, ())
    months: Sequence[dt.date] = ()
    if stands.tier >= FOR_EVALUATORS:
        months = releases.list_months(session, slip.centre_id, now - SHOWN)
    return SlipView(slip.tag, stands.tier, stands.since, stands.is_in_doubt, months)


def lower_by_slip(session: Session, tag: str, tier: int) -> None:
    """Lower the standing consent of a slip's person; nobody raises it with a slip.

    Raises ActProblem "slip.unknown" or "slip.not_lower".
    """
    slip = slips.find_slip(session, tag)
    if slip is None:
        raise make_unknown()
    _lower(session, Actor.system(slip.centre_id), tag=tag, tier=tier)


@act("slip.lower")
def _lower(ctx: ActContext, tag: str, tier: int) -> None:
    centres.lock_words(ctx.session, ctx.centre_id)  # two slips of one card at once
    slip = slips.find_slip(ctx.session, tag)
    if slip is None or slip.centre_id != ctx.centre_id or not slip.person:
        raise make_unknown()
    view = _make_view(ctx.session, slip, ctx.now)
    if tier not in view.choices:
        raise ActProblem("slip.not_lower", N_("This slip can only lower what was agreed to."))
    note_statement(ctx, slip.person, tier, "slip")
    ctx.describe(f"slip/{tag}", tier=tier)


def make_unknown() -> ActProblem:
    return ActProblem("slip.unknown", N_("We do not know this slip."))
