"""Review: approve records, send them back, decide conflicts, dismiss submissions."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext, act
from fieldapp.services.caseload.handed_over import find_keeper
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

# What a supervisor decides; the values are stored.
APPROVED = "approved"
RETURNED = "returned"
CHOSEN = "chosen"
MAX_COMMENT = 500


@act("record.review")
def review_record(ctx: ActContext, instance_id: str, state: str, comment: str, seen: str | None = None) -> None:
    """Approve a record, send it back to its worker, or only comment on it.

    `state` is "approved", "returned" (sent back, with a comment) or "" for a comment alone. A record that is sent
    back goes to the author's phones, with its answers and the comment; a correction makes it "corrected" (see
    folding). `seen`: the revision that the supervisor had on screen. Raises ActProblem "review.incomplete",
    "review.no_comment" or "review.contested".
    """
    record = _get_record(ctx, instance_id)
    comment = comment.strip()
    if state not in (APPROVED, RETURNED, "") or len(comment) > MAX_COMMENT or not (state or comment):
        raise ActProblem("review.incomplete", N_("Write a comment of at most 500 characters, or choose what will happen."))
    if state == RETURNED and not comment:
        raise ActProblem("review.no_comment", N_("Say what should be corrected: the worker sees nothing else."))
    # A comment alone decides nothing, so it cannot overwrite what a colleague decided meanwhile.
    if state:
        _require_revision(ctx, seen, record)
    if record.review == "contested" and state:
        raise ActProblem("review.contested", N_("There are two different answers. Choose the answer first."))
    record.review = state or record.review
    _add_review(ctx, record, state, comment)
    if state:
        # An empty message takes the record off the phones again.
        message = _make_return_message(ctx, record, comment) if state == RETURNED else ""
        messages = {(record.author_id, f"rec/{instance_id}"): ""}
        messages[find_keeper(ctx, record), f"rec/{instance_id}"] = message
        pull.upsert_items(ctx.session, messages)
    ctx.describe(f"record/{instance_id}", state=state or "comment")


def _make_return_message(ctx: ActContext, record: Record, comment: str) -> str:
    """Return what the author's phones get, so that the worker can correct the record there."""
    message = {"state": RETURNED, "day": record.occurred_on.isoformat(), "comment": comment}
    clock = submissions.find_judged_time(ctx.session, ctx.centre_id, record.heads)
    message |= make_correction_message(record.form, record.version, record.answers, record.heads, clock)
    return json.dumps(message)


@act("record.resolve")
def resolve_conflict(
    ctx: ActContext, instance_id: str, chosen: Mapping[str, str], comment: str = "", seen: str | None = None
) -> None:
    """Decide between two answers.

    `chosen`: for each contested question, the SHA-256 of the submission whose answer counts.

    Writes a new version of the record. Raises ActProblem "review.choice" when a question is left out,
    "review.mismatch" when the form refuses the answers together, or "review.too_slow".
    """
    record = _get_record(ctx, instance_id)
    _require_revision(ctx, seen, record)
    options = {conflict["path"]: conflict["values"] for conflict in record.contested}
    # All questions at once: half a decision would be a third version of the record.
    if not options or set(chosen) != set(options) or any(chosen[path] not in options[path] for path in options):
        raise ActProblem("review.choice", N_("Choose one answer for each question."))
    try:
        problems = write_correction(ctx, record, {path: options[path][chosen[path]] for path in options})
    except TooSlow:
        text = N_("The form's rules take too long over this record. Nothing was changed; correct the form first.")
        raise ActProblem("review.too_slow", text) from None
    if problems:
        text = N_("These answers do not go together: {where}. Choose otherwise.")
        paths = sorted({problem.path for problem in problems})
        raise ActProblem("review.mismatch", text, {"where": ", ".join(paths[:5])})
    # Storing the correction has folded the record again; what is in memory is from before.
    ctx.session.refresh(record)
    record.review = APPROVED
    submissions.mark_reviewed(ctx.session, ctx.centre_id, instance_id)
    _add_review(ctx, record, CHOSEN, comment.strip()[:MAX_COMMENT])
    ctx.describe(f"record/{instance_id}", questions=len(options))


def write_correction(ctx: ActContext, record: Record, changes: Mapping[str, Any]) -> list[AnswerProblem]:
    """Write a new version of a record, made at the centre; return its problems.

    `changes`: dotted path → answer. Nothing is written when there is any problem. Raises TooSlow when the form's rules
    are: then the transaction has to be rolled back.
    """
    form = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form})[form]
    finished_at = submissions.find_judged_time(ctx.session, ctx.centre_id, record.heads) or ctx.now
    answers = unflatten({**flatten(record.answers), **changes})
    # By the time at which its form judged it: today() in a rule must mean what it meant then.
    result = recalculate(definition, answers, local_time(finished_at), time_for(WHILE_LOCKED))
    if result.problems:
        return result.problems
    body = json.dumps(result.answers, ensure_ascii=False, separators=(",", ":"))
    envelope = Envelope(
        str(uuid.uuid4()),
        record.form,
        record.version,
        finished_at,
        body,
        hashlib.sha256(body.encode()).hexdigest(),
        record.instance_id,
        tuple(record.heads),
    )
    store_submissions(ctx, [IncomingSubmission(envelope, channel=OFFICE)])
    return []


@act("submission.dismiss")
def dismiss_submission(ctx: ActContext, submission_id: int, seen: str | None = None) -> None:
    """Take a submission off the review queue; it stays stored."""
    submission = submissions.get(ctx.session, ctx.centre_id, submission_id)
    if submission is None:
        raise make_not_found()
    check_revision(ctx, seen, submission, f"submission/{submission.id}", ("submission.dismiss",))
    if submission.state != submissions.ASIDE:  # a quarantined submission never came back to a phone
        pull.upsert_items(ctx.session, {(submission.author_id, f"rec/{submission.root_id}"): ""})
    if submission.state in submissions.WAITING:
        submission.state = "settled"
    delete_waiting_words(ctx, [submission.id])
    ctx.session.flush()
    apply_unusable_refusals(ctx, [submission.root_id])
    ctx.describe(f"submission/{submission.id}")


@act("submission.dismiss")
def dismiss_quarantined(ctx: ActContext, device_id: int, newest: int | None = None) -> int:
    """Take everything that is quarantined of a phone off the review queue; return how many.

    They stay stored. `newest`: the newest that was seen; what came later stays in the queue. None means all.
    """
    ids = submissions.aside_of_device(ctx.session, ctx.centre_id, device_id, newest)
    submissions.mark_all_reviewed(ctx.session, ctx.centre_id, ids)
    delete_waiting_words(ctx, ids)
    # The rows were changed in the database, past the objects in memory.
    ctx.session.expire_all()
    apply_unusable_refusals(ctx, submissions.roots_of_positions(ctx.session, ctx.centre_id, ids))
    ctx.describe(f"device/{device_id}", records=len(ids))
    return len(ids)


def record_revision(record: Record, reviewed: Sequence[Review]) -> str:
    """Return the revision of a record as its page shows it: versions, conflicts and reviews."""
    review_ids = [review.id for review in reviewed]
    return mark_of("record", record.instance_id, record.review, record.heads, record.contested, review_ids)


def _require_revision(ctx: ActContext, seen: str | None, record: Record) -> None:
    reviewed = reviews.of_record(ctx.session, ctx.centre_id, record.instance_id)
    revision = record_revision(record, reviewed)
    require(ctx, seen, revision, f"record/{record.instance_id}", ("record.review", "record.resolve"))


def _get_record(ctx: ActContext, instance_id: str) -> Record:
    record = records.lock_existing(ctx.session, ctx.centre_id, [instance_id]).get(instance_id)
    if record is None or not record.heads:  # a tally: its card ended, so nothing is built on it
        raise make_not_found()
    return record


def _add_review(ctx: ActContext, record: Record, state: str, comment: str) -> None:
    assert ctx.actor.user_id is not None
    review = Review(
        centre_id=ctx.centre_id,
        root_id=record.instance_id,
        at=ctx.now,
        author_id=ctx.actor.user_id,
        state=state,
        comment=comment,
    )
    ctx.session.add(review)
