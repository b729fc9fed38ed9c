"""Review: a supervisor looks at records, sends them back with a word, approves them, chooses between two answers."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext, act
from fieldapp.services.caseload.messages import make_correction_message
from fieldapp.services.consent.refusals import delete_waiting_words
from fieldapp.services.consent.unusable_refusals import apply_unusable_refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.intake import store_submissions
from fieldapp.services.records.time_limits import WHILE_LOCKED, time_for
from fieldapp.services.revisions import check_revision, mark_of, require
from fieldapp.store.phones import pull
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.reviews import Review
from fieldapp.store.records.submissions import OFFICE
from forms.budget import TooSlow
from forms.problems import AnswerProblem
from forms.validation import recalculate
from sync.envelope import Envelope
from sync.fold import flatten, unflatten
from sync.intake import local_time

APPROVED, RETURNED, CHOSEN = "approved", "returned", "chosen"
MAX_COMMENT = 500


@act("record.review")
def review_record(ctx: ActContext, instance_id: str, state: str, comment: str, seen: str | None = None) -> None:
    """Approve a record, send it back to its worker, or only say something about it. `state`: approved, returned or ""."""
    record = _of_centre(ctx, instance_id)
    comment = comment.strip()
    if state not in (APPROVED, RETURNED, "") or len(comment) > MAX_COMMENT or not (state or comment):
        raise ActProblem("review.incomplete", N_("Write a comment of at most 500 characters, or choose what will happen."))
    if state == RETURNED and not comment:
        raise ActProblem("review.no_comment", N_("Say what should be corrected: the worker sees nothing else."))
    if state:
        _check(ctx, seen, record)
    if record.review == "contested" and state:
        raise ActProblem("review.contested", N_("There are two different answers. Choose the answer first."))
    record.review = state or record.review
    _write(ctx, record, state, comment)
    body = ""
    if state == RETURNED:
        about = {"state": RETURNED, "day": record.occurred_on.isoformat(), "comment": comment}
        body = json.dumps(about | make_correction_message(record.form, record.version, record.answers, record.heads))
    if state:
        pull.upsert_items(ctx.session, {(record.author_id, f"rec/{instance_id}"): body})
    ctx.describe(f"record/{instance_id}", state=state or "comment")


@act("record.choose")
def resolve_conflict(
    ctx: ActContext, instance_id: str, chosen: Mapping[str, str], comment: str = "", seen: str | None = None
) -> None:
    """Settle a record with two answers: for each contested question, the hash of the submission whose answer shall hold."""
    record = _of_centre(ctx, instance_id)
    _check(ctx, seen, record)
    options = {one["path"]: one["values"] for one in record.contested}
    if not options or set(chosen) != set(options) or any(chosen[path] not in options[path] for path in options):
        raise ActProblem("review.choice", N_("Choose one answer for each question."))
    try:
        problems = write_correction(ctx, record, {path: options[path][chosen[path]] for path in options})
    except TooSlow:
        text = N_("The form's rules take too long over this record. Nothing was changed; correct the form first.")
        raise ActProblem("review.too_slow", text) from None
    if problems:
        text = N_("These answers do not go together: {where}. Choose otherwise.")
        raise ActProblem("review.mismatch", text, {"where": ", ".join(sorted({one.path for one in problems})[:5])})
    ctx.session.refresh(record)
    record.review = APPROVED
    submissions.mark_reviewed(ctx.session, ctx.centre_id, instance_id)
    _write(ctx, record, CHOSEN, comment.strip()[:MAX_COMMENT])
    ctx.describe(f"record/{instance_id}", questions=len(options))


@act("submission.settle")
def dismiss_submission(ctx: ActContext, submission_id: int, seen: str | None = None) -> None:
    """Take a submission off the list of those to look at; it stays kept."""
    found = submissions.get(ctx.session, ctx.centre_id, submission_id)
    if found is None:
        raise make_not_found()
    check_revision(ctx, seen, found, f"submission/{found.id}", ("submission.settle",))
    if found.state != submissions.ASIDE:  # what is aside never came back to a phone
        pull.upsert_items(ctx.session, {(found.author_id, f"rec/{found.root_id}"): ""})
    if found.state in submissions.WAITING:
        found.state = "settled"
    delete_waiting_words(ctx, [found.id])
    ctx.session.flush()
    apply_unusable_refusals(ctx, [found.root_id])
    ctx.describe(f"submission/{found.id}")


@act("submission.settle")
def dismiss_quarantined(ctx: ActContext, device_id: int, newest: int | None = None) -> int:
    """Take all that is kept aside of a phone off the list, and return how many; they stay kept.

    `newest`: the newest that was seen; what came later stays on the list. None means all.
    """
    ids = submissions.aside_of_device(ctx.session, ctx.centre_id, device_id, newest)
    submissions.mark_all_reviewed(ctx.session, ctx.centre_id, ids)
    delete_waiting_words(ctx, ids)
    ctx.session.expire_all()
    apply_unusable_refusals(ctx, submissions.roots_of_positions(ctx.session, ctx.centre_id, ids))
    ctx.describe(f"device/{device_id}", records=len(ids))
    return len(ids)


def record_revision(record: Record, reviewed: Sequence[Review]) -> str:
    """Return the mark of a record as its page shows it: its versions, what is contested, what was said about it."""
    return mark_of("record", record.instance_id, record.review, record.heads, record.contested, [one.id for one in reviewed])


def _check(ctx: ActContext, seen: str | None, record: Record) -> None:
    reviewed = reviews.of_record(ctx.session, ctx.centre_id, record.instance_id)
    now = record_revision(record, reviewed)
    require(ctx, seen, now, f"record/{record.instance_id}", ("record.review", "record.choose"))


def _of_centre(ctx: ActContext, instance_id: str) -> Record:
    found = records.lock_existing(ctx.session, ctx.centre_id, [instance_id]).get(instance_id)
    if found is None:
        raise make_not_found()
    return found


def _write(ctx: ActContext, record: Record, state: str, comment: str) -> None:
    assert ctx.actor.user_id is not None
    line = Review(
        centre_id=ctx.centre_id,
        root_id=record.instance_id,
        at=ctx.now,
        author_id=ctx.actor.user_id,
        state=state,
        comment=comment,
    )
    ctx.session.add(line)


def write_correction(ctx: ActContext, record: Record, changes: Mapping[str, Any]) -> list[AnswerProblem]:
    """Write a new version of a record with other answers (dotted path → answer); return what the form says against it.

    Raise TooSlow when the form's rules are: nothing of this transaction may be kept then.
    """
    definition = load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version)})[record.form, record.version]
    moment = _find_finished_time(ctx, record)
    answers = unflatten({**flatten(record.answers), **changes})
    completed = recalculate(definition, answers, local_time(moment), time_for(WHILE_LOCKED))
    if completed.problems:
        return completed.problems
    body = json.dumps(completed.answers, ensure_ascii=False, separators=(",", ":"))
    envelope = Envelope(
        str(uuid.uuid4()),
        record.form,
        record.version,
        moment,
        body,
        hashlib.sha256(body.encode()).hexdigest(),
        record.instance_id,
        tuple(record.heads),
    )
    store_submissions(ctx, [IncomingSubmission(envelope, via=OFFICE)])
    return []


def _find_finished_time(ctx: ActContext, record: Record) -> dt.datetime:
    """Return the time by whose clock the form judges: that of the record's own version, for its rules about days."""
    arrived = submissions.of_record(ctx.session, ctx.centre_id, record.instance_id)
    return max((one.finished_local for one in arrived if one.instance_id in record.heads), default=ctx.now)
