"""Slips as they arrive, and when their card changes.

What a person does with one is in slip_acts. Nothing of a slip but its tag is known here (sync/slips.tag_slip).
"""

from collections.abc import Iterable

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.record_state import AcceptedSubmission, find_role_answer
from fieldapp.services.consent.standing import LOWEST, read_consent
from fieldapp.store.consent import slips
from fieldapp.store.consent.slips import Slip
from fieldapp.store.session import Session
from forms.roles import QuestionRole
from sync.notes import plain_code


def save_slips(ctx: ActContext, accepted: Iterable[tuple[str, AcceptedSubmission]]) -> None:
    """Save the slips that came with accepted submissions, each with its tag."""
    for tag, submission in accepted:
        person = _find_person(submission)
        if tag and person:
            save_slip(ctx, tag, person, submission.envelope.record)


def _find_person(submission: AcceptedSubmission) -> str:
    """Return the card code of a person who said yes in a submission; "" for none."""
    definition = submission.definition
    if definition is None or submission.is_refusal or submission.is_overruled:
        return ""
    consent = read_consent(definition, submission.answers)
    if consent is None or consent[0] <= LOWEST:
        return ""
    return plain_code(find_role_answer(definition, submission.answers, QuestionRole.PERSON))


def save_slip(ctx: ActContext, tag: str, person: str, root_id: str = "") -> None:
    """Let a slip show the card of a person.

    `root_id`: the record that it came with. Again changes nothing. A slip of somebody else stays theirs: the audit log
    counts it.
    """
    slip = ctx.session.get(Slip, tag)
    if slip is None:
        month = f"{ctx.now:%Y-%m}"
        slip = Slip(tag=tag, centre_id=ctx.centre_id, person=person, root_id=root_id, withdrawal_id="", made_month=month)
        ctx.session.add(slip)
        ctx.session.flush()
    elif (slip.centre_id, slip.person) != (ctx.centre_id, person):
        ctx.details["slips_ignored"] = ctx.details.get("slips_ignored", 0) + 1


def save_waiting_slip(ctx: ActContext, tag: str, root_id: str) -> None:
    """Save a slip whose record is kept aside: it shows nothing until that is let in."""
    if ctx.session.get(Slip, tag) is None:
        month = f"{ctx.now:%Y-%m}"
        slip = Slip(
            tag=tag, centre_id=ctx.centre_id, person="", root_id=root_id, withdrawal_id="", made_month=month, is_lost=True
        )
        ctx.session.add(slip)
        ctx.session.flush()


def open_waiting_slips(ctx: ActContext, accepted: Iterable[AcceptedSubmission]) -> None:
    """Let the slips of records that were let in show the card of their person."""
    for submission in accepted:
        person = _find_person(submission)
        if not person:
            continue
        for slip in slips.list_waiting_slips(ctx.session, ctx.centre_id, submission.envelope.record):
            slip.person = person
            slip.is_lost = False
    ctx.session.flush()


def save_slip_of_ended(ctx: ActContext, tag: str, withdrawal_id: str) -> None:
    """Let a slip that came when its card had ended show what became of that."""
    if ctx.session.get(Slip, tag) is None:
        month = f"{ctx.now:%Y-%m}"
        ctx.session.add(Slip(tag=tag, centre_id=ctx.centre_id, person="", withdrawal_id=withdrawal_id, made_month=month))
        ctx.session.flush()


def follow_record(session: Session, centre_id: int, root_id: str, person: str) -> None:
    """Let the slips that came with a record show the card that it names now.

    The person with the slip is the one whom the record is about: under a code that was mistyped they would see, and
    could end, somebody else's card. Where it names no card any more, they show nothing.
    """
    for slip in slips.list_slips_of_record(session, centre_id, root_id):
        slip.is_lost = slip.is_lost or not person
        slip.person = person or slip.person
    session.flush()


def move_slips(session: Session, centre_id: int, person: str, withdrawal_id: str) -> None:
    """Let the slips of a card that ends show its withdrawal, and lead to no card any more."""
    for slip in slips.list_slips(session, centre_id, [person]):
        slip.person = ""
        slip.root_id = ""
        slip.withdrawal_id = withdrawal_id
    session.flush()
