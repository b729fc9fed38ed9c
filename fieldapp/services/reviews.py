"""Review: a supervisor looks at records, sends them back with a word, approves them, chooses between two answers."""

import json
from collections.abc import Mapping, Sequence

from fieldapp.services.acts import Act, act
from fieldapp.services.caseload import correctable
from fieldapp.services.corrections import correct
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.revisions import check_revision, mark_of, require
from fieldapp.store import feed, records, reviews, submissions
from fieldapp.store.records import Record
from fieldapp.store.reviews import Review
from forms.budget import TooSlow

APPROVED, RETURNED, CHOSEN = "approved", "returned", "chosen"
MAX_COMMENT = 500


@act("record.review")
def review_record(a: Act, instance_id: str, state: str, comment: str, seen: str | None = None) -> None:
    """Approve a record, send it back to its worker, or only say something about it. `state`: approved, returned or ""."""
    record = _of_centre(a, instance_id)
    comment = comment.strip()
    if state not in (APPROVED, RETURNED, "") or len(comment) > MAX_COMMENT or not (state or comment):
        raise ActProblem("review.incomplete", N_("Write a comment of at most 500 signs, or choose what shall happen."))
    if state == RETURNED and not comment:
        raise ActProblem("review.no_comment", N_("Say what should be corrected: the worker sees nothing else."))
    if state:
        _check(a, seen, record)
    if record.review == "contested" and state:
        raise ActProblem("review.contested", N_("Two answers stand side by side. Choose between them first."))
    record.review = state or record.review
    _write(a, record, state, comment)
    body = ""
    if state == RETURNED:
        about = {"state": RETURNED, "day": record.occurred_on.isoformat(), "comment": comment}
        body = json.dumps(about | correctable(record.form, record.version, record.answers, record.heads))
    if state:
        feed.publish(a.session, {(record.author_id, f"rec/{instance_id}"): body})
    a.note(f"record/{instance_id}", state=state or "comment")


@act("record.choose")
def choose_answers(a: Act, instance_id: str, chosen: Mapping[str, str], comment: str = "", seen: str | None = None) -> None:
    """Settle a record with two answers: for each contested question, the hash of the submission whose answer shall hold."""
    record = _of_centre(a, instance_id)
    _check(a, seen, record)
    options = {one["path"]: one["values"] for one in record.contested}
    if not options or set(chosen) != set(options) or any(chosen[path] not in options[path] for path in options):
        raise ActProblem("review.choice", N_("Choose one answer for each question."))
    try:
        problems = correct(a, record, {path: options[path][chosen[path]] for path in options})
    except TooSlow:
        text = N_("The form's rules take too long over this record. Nothing was changed; mend the form first.")
        raise ActProblem("review.too_slow", text) from None
    if problems:
        text = N_("These answers do not go together: {where}. Choose otherwise.")
        raise ActProblem("review.mismatch", text, {"where": ", ".join(sorted({one.path for one in problems})[:5])})
    a.session.refresh(record)
    record.review = APPROVED
    submissions.settle(a.session, a.centre_id, instance_id)
    _write(a, record, CHOSEN, comment.strip()[:MAX_COMMENT])
    a.note(f"record/{instance_id}", questions=len(options))


@act("submission.settle")
def settle_submission(a: Act, submission_id: int, seen: str | None = None) -> None:
    """Take a submission off the list of those to look at; it stays kept."""
    found = submissions.get(a.session, a.centre_id, submission_id)
    if found is None:
        raise not_found()
    check_revision(a, seen, found, f"submission/{found.id}", ("submission.settle",))
    if found.state != submissions.ASIDE:  # what is aside never came back to a phone
        feed.publish(a.session, {(found.author_id, f"rec/{found.root_id}"): ""})
    if found.state in submissions.WAITING:
        found.state = "settled"
    a.note(f"submission/{found.id}")


@act("submission.settle")
def settle_aside(a: Act, device_id: int) -> int:
    """Take all that is kept aside of a phone off the list, and return how many; they stay kept."""
    ids = submissions.aside_of_device(a.session, a.centre_id, device_id)
    submissions.settle_all(a.session, a.centre_id, ids)
    a.note(f"device/{device_id}", records=len(ids))
    return len(ids)


def record_revision(record: Record, reviewed: Sequence[Review]) -> str:
    """Return the mark of a record as its page shows it: its versions, what is contested, what was said about it."""
    return mark_of("record", record.instance_id, record.review, record.heads, record.contested, [one.id for one in reviewed])


def _check(a: Act, seen: str | None, record: Record) -> None:
    reviewed = reviews.of_record(a.session, a.centre_id, record.instance_id)
    now = record_revision(record, reviewed)
    require(a, seen, now, f"record/{record.instance_id}", ("record.review", "record.choose"))


def _of_centre(a: Act, instance_id: str) -> Record:
    found = records.held(a.session, a.centre_id, [instance_id]).get(instance_id)
    if found is None:
        raise not_found()
    return found


def _write(a: Act, record: Record, state: str, comment: str) -> None:
    assert a.actor.user_id is not None
    line = Review(
        centre_id=a.centre_id, root_id=record.instance_id, at=a.now, author_id=a.actor.user_id, state=state, comment=comment
    )
    a.session.add(line)
