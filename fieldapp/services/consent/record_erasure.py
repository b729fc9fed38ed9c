"""Erase one record, where an administrator says why.

That is for what should never have been written down. Its person's consent stands as before, and so do their other
records. All else is as at the end of a card: a tally and tombstones stay, phones forget it, recipients are asked to
delete its rows, and no restored copy brings it back.
"""

from collections.abc import Collection
from enum import StrEnum

from fieldapp.services.acts import ActContext, act
from fieldapp.services.caseload import after_erasure
from fieldapp.services.consent import ending, erasing, standing
from fieldapp.services.consent.ending import CardTraces
from fieldapp.services.consent.erased_references import list_intake_days_of, take_out_day, untie_follow_ups
from fieldapp.services.consent.forgotten import find_list, make_line
from fieldapp.services.consent.withdrawn_rows import note_withdrawn_rows
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.board import board
from fieldapp.store.caseload import follow_ups
from fieldapp.store.consent import retention, slips
from fieldapp.store.consent import standing as words
from fieldapp.store.consent import withdrawals as store
from fieldapp.store.consent.withdrawals import ONE_RECORD, EndedKind, Withdrawal
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records, submissions
from fieldapp.store.records.submissions import HELD, Submission
from sync.notes import PREFIX


class ErasureReason(StrEnum):
    """Why a record is erased; the values are stored.

    There is no free text: it could name somebody.
    """

    ASKED = "asked"
    TOO_MUCH = "too_much"
    BY_MISTAKE = "by_mistake"


@act("record.erase")
def erase_record(ctx: ActContext, instance_id: str, reason: str) -> str:
    """Erase a record; return the id of what shows how far that has come.

    What a legal hold names goes out of every list at once, and by itself when the hold is over.
    """
    record = records.get(ctx.session, ctx.centre_id, instance_id)
    if record is None or not record.heads:
        raise make_not_found()
    _require_reason(reason)
    return _erase(ctx, instance_id, reason)


@act("record.erase")
def erase_submission(ctx: ActContext, submission_id: int, reason: str) -> str:
    """Erase what was refused or kept aside; return the id of what shows how far that has come.

    With it goes all that was sent for the same record, which was never taken in. Of a record that is here only this
    submission is erased: "" then. Raises ActProblem "erase.preserved" while such a record is under a legal hold.
    """
    submission = submissions.get(ctx.session, ctx.centre_id, submission_id)
    if submission is None or not _is_erasable(submission):
        raise make_not_found()
    _require_reason(reason)
    root_id = submission.root_id
    if records.get(ctx.session, ctx.centre_id, root_id) is None:
        return _erase(ctx, root_id, reason)
    centres.lock(ctx.session, ctx.centre_id)
    if root_id in retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now):
        raise ActProblem("erase.preserved", N_("This record is preserved, so nothing of it was erased."))
    erasing.erase_version(ctx, submission)
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    pull.remove_items(ctx.session, everybody, {f"rec/{root_id}"})
    ctx.describe(f"submission/{submission_id}", reason=reason)
    return ""


def _is_erasable(submission: Submission) -> bool:
    """Say whether a submission is part of no record, and has answers.

    A no and a note have none.
    """
    has_answers = bool(submission.body) and not submission.is_refusal and not submission.form.startswith(PREFIX)
    return has_answers and not submission.is_part and submission.state != HELD


def _require_reason(reason: str) -> None:
    if reason not in list(ErasureReason):
        raise ActProblem("erase.reason", N_("Choose why. Without a reason nothing was erased."))


def _erase(ctx: ActContext, instance_id: str, reason: str) -> str:
    forgotten = find_list(ctx.session)
    centres.lock(ctx.session, ctx.centre_id)  # who publishes waits, and then sees that it is gone
    tag = ending.tag_records(ctx, [instance_id])[instance_id]
    is_safe = forgotten.add(make_line(ctx.centre_id, tag, ctx.now))
    withdrawal = ending.save_withdrawal(ctx, tag, ONE_RECORD, reason, kinds=(EndedKind.RECORD, EndedKind.ERASED))
    if is_safe:
        withdrawal.safe_at = ctx.now
    erase_one(ctx, instance_id, withdrawal)
    ctx.describe(f"record/{tag}", reason=reason)
    return withdrawal.id


def find_by_tag(ctx: ActContext, tag: str) -> str:
    """Return the number of the record that a tag stands for; "" when it is not here.

    All are tried, as only after a restore.
    """
    for number, of_number in ending.tag_records(ctx, submissions.list_root_ids(ctx.session, ctx.centre_id)).items():
        if of_number == tag:
            return number
    return ""


def erase_one(ctx: ActContext, root_id: str, withdrawal: Withdrawal) -> None:
    """Erase everything that the database has of a record, but for what it said of consent."""
    traces = CardTraces(roots={root_id})
    record = records.get(ctx.session, ctx.centre_id, root_id)
    person, followed = (record.person, record.follows) if record else ("", "")
    days = list_intake_days_of(ctx, root_id)  # before it is a tally
    preserved = traces.roots & retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now)
    tags = ending.tag_records(ctx, traces.roots)
    note_withdrawn_rows(ctx, withdrawal.id, traces.roots, "")
    _tell_phones(ctx, root_id, withdrawal)
    for follow_up in follow_ups.of_records(ctx.session, ctx.centre_id, traces.roots):
        ctx.session.delete(follow_up)
    words.replace_records(ctx.session, ctx.centre_id, tags)
    standing.save_statements(ctx.session, ctx.centre_id, [standing.make_fall(ctx.now, 0)], ctx.now)
    ending.make_tallies(ctx, traces.roots)
    erased = ending.erase_submissions(ctx, traces, preserved, ending.ERASED)
    for submission in submissions.list_due_of(ctx.session, ctx.centre_id, traces.roots):
        ending.take_out_due(ctx, submission, ending.ERASED)
    store.add_ended(ctx.session, ctx.centre_id, EndedKind.RECORD, tags.values())
    board.untie_from_records(ctx.session, ctx.centre_id, tags, ctx.now)
    ending.untie(ctx, (traces.roots - preserved) | erased)
    slips.untie_from_record(ctx.session, ctx.centre_id, root_id)
    untie_follow_ups(ctx, traces.roots)
    take_out_day(ctx, person, days)
    _note_intake(ctx, person, days)
    after_erasure.undo_effects(ctx, person, followed)


def _note_intake(ctx: ActContext, person: str, days: Collection[str]) -> None:
    """Note of which days intakes of a card were erased: a later one may still say such a day."""
    if person and days:
        forgotten = find_list(ctx.session)
        tags = [forgotten.tag_intake(ctx.centre_id, person, day) for day in days]
        store.add_ended(ctx.session, ctx.centre_id, EndedKind.INTAKE, tags)


def _tell_phones(ctx: ActContext, root_id: str, withdrawal: Withdrawal) -> None:
    """Let every phone that was told of the record forget it."""
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    keys = pull.list_keys_of_records(ctx.session, everybody, {root_id}) | {f"rec/{root_id}"}
    pull.remove_items(ctx.session, everybody, keys)
    store.note_told(ctx.session, withdrawal.id, keys, everybody)
