"""Erase what rules of retention name, and keep what receipts and counts of gaps need.

Each rule finds its subjects, and erases those of them that are still due.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterator

from fieldapp.services.acts import ActContext
from fieldapp.services.consent import standing
from fieldapp.services.consent.due_rules import MOST_PLANNED, DueRule, Subject
from fieldapp.services.consent.retention_rules import month_end, month_start
from fieldapp.services.consent.unusable_refusals import compute_tier
from fieldapp.services.definitions import load_definitions
from fieldapp.store.consent import retention as store
from fieldapp.store.operations import audit
from fieldapp.store.phones import pull
from fieldapp.store.records import attachments, submissions, tombstones
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.roles import QuestionRole

NAMED = re.compile(r"attachment:[^:\"\s]+:([0-9a-f]{64})")

# Submissions that are part of no record.


def find_not_taken_in(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    for page in store.iterate_not_taken_in(ctx.session, ctx.centre_id, due.before(due.rule.least_days)):
        present = store.list_records_present(ctx.session, ctx.centre_id, {submission.root_id for submission in page})
        for submission in page:
            if _is_due(ctx, due, submission, submission.root_id in present):
                yield submission.id, submission.instance_id


def _is_due(ctx: ActContext, due: DueRule, submission: Submission, has_record: bool) -> bool:
    """Say whether a submission may be erased.

    It is old enough, not preserved, and no refusal that keeps its record from leaving depends on it.
    """
    days = due.rule.days_of(submission.form)
    if submission.state == "settled" and due.rule.settled_days:
        days = min(days, due.rule.settled_days)
    is_kept = submission.is_part or submission.state not in (*submissions.WAITING, "settled") or not submission.body
    if is_kept or submission.root_id in due.preserved or submission.received_at > due.before(days):
        return False
    if submission.is_refusal and submission.is_of_shut_out_phone:
        return False  # it holds no answers, and what it says still waits for somebody
    return not (has_record and _says_less(ctx, submission))


def _says_less(ctx: ActContext, submission: Submission) -> bool:
    """Say whether a submission says less than the highest level of consent."""
    return compute_tier(ctx, submission) < standing.HIGHEST


def erase_not_taken_in(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    locked = store.lock_submissions(ctx.session, ctx.centre_id, ids)
    present = store.list_records_present(ctx.session, ctx.centre_id, {submission.root_id for submission in locked})
    for submission in locked:
        has_record = submission.root_id in present
        if not _is_due(ctx, due, submission, has_record):
            continue
        instance_id = submission.instance_id
        root_id = submission.root_id
        body = submission.body
        submission.is_refusal = submission.is_refusal or _says_less(ctx, submission)
        empty_submission(submission)
        if not has_record and not submission.is_refusal:
            bury_submission(key, submission)
        ctx.session.flush()
        if not has_record:
            pull.remove_items(ctx.session, [submission.author_id], [f"rec/{root_id}"])
        take_out_files(ctx, instance_id, body, submission.device_id)
        erased.add(submission.id)
    return erased


def erase_version(ctx: ActContext, submission: Submission) -> None:
    """Erase what was refused of a record that stays, and the attachments that only it names."""
    body = submission.body
    submission.is_refusal = submission.is_refusal or _says_less(ctx, submission)
    empty_submission(submission)
    ctx.session.flush()
    take_out_files(ctx, submission.instance_id, body, submission.device_id)


def empty_submission(submission: Submission) -> None:
    """Erase the answers of a submission, and keep what its record or a refusal needs.

    That is its ids, its links, and that it was a no.
    """
    submission.body = ""
    submission.cards = []
    submission.due = ""
    submission.state = "settled"
    submission.finished_at = month_end(submission.finished_at)
    submission.utc_offset = 0
    submission.clock = ""
    submission.received_at = month_start(submission.received_at)


def bury_submission(key: bytes, submission: Submission) -> None:
    """Leave a tombstone: only with its ids can anybody find out what it was."""
    submission.sha256 = tombstones.mask_hash(key, submission.instance_id, submission.sha256)
    submission.root_id = tombstones.make_tag(key, "record", submission.root_id)
    submission.instance_id = tombstones.make_tag(key, tombstones.SUBMISSION, submission.instance_id)
    submission.prev = []
    submission.problems = []
    submission.form = tombstones.ERASED_FORM
    submission.version = ""


def take_out_files(ctx: ActContext, instance_id: str, body: str, device_id: int | None) -> None:
    """Delete the attachments that only an erased submission names."""
    if device_id is not None and (named := set(NAMED.findall(body))):
        attachments.take_out(ctx.session, ctx.centre_id, named, device_id)
    attachments.take_out_named(ctx.session, ctx.centre_id, [instance_id])


# Attachments.


def find_attachments(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    before = due.before(due.rule.days)
    preserved = _list_preserved_hashes(ctx, due)
    for blob in store.list_attachments(ctx.session, ctx.centre_id, before, MOST_PLANNED + len(preserved)):
        if blob.sha256 not in preserved:
            yield blob.id, blob.sha256


def _list_preserved_hashes(ctx: ActContext, due: DueRule) -> set[str]:
    """Return the hashes of attachments that a preserved record names."""
    hashes: set[str] = set()
    for body in store.list_bodies(ctx.session, ctx.centre_id, due.preserved):
        hashes.update(NAMED.findall(body))
    return hashes


def erase_attachments(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    preserved = _list_preserved_hashes(ctx, due)
    erased: set[int] = set()
    for blob in store.lock_attachments(ctx.session, ctx.centre_id, ids):
        if blob.created_at <= due.before(due.rule.days) and blob.sha256 not in preserved:
            erased.add(blob.id)
            _erase_attachment(ctx, blob)
    ctx.session.flush()
    return erased


def _erase_attachment(ctx: ActContext, blob: Blob) -> None:
    """Delete the content of an attachment.

    The row of a whole one stays, so that a phone that sends it again is answered that it came.
    """
    attachments.drop_pieces(ctx.session, blob)
    if blob.received < blob.size:
        ctx.session.delete(blob)


# The times of noes.


def find_refusal_times(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    before = due.before(due.rule.days)
    most = MOST_PLANNED + len(due.preserved)
    for submission in store.list_refusals(ctx.session, ctx.centre_id, due.rule.key, before, most):
        if submission.root_id not in due.preserved:
            yield submission.id, submission.instance_id


def erase_refusal_times(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    for submission in store.lock_submissions(ctx.session, ctx.centre_id, ids):
        is_alone = len(submissions.of_record(ctx.session, ctx.centre_id, submission.root_id)) == 1
        is_old = submission.received_at <= due.before(due.rule.days)
        if not (is_alone and is_old and submission.is_refusal) or submission.root_id in due.preserved:
            continue
        submission.finished_at = month_end(submission.finished_at)
        submission.utc_offset = 0
        submission.clock = ""
        submission.received_at = month_start(submission.received_at)
        record = store.find_record(ctx.session, ctx.centre_id, submission.root_id)
        if record is not None:
            _cut_times(ctx, record, submission.finished_at.date())
        store.put_mark(ctx.session, ctx.centre_id, due.rule.key, submission.id, due.now)
        erased.add(submission.id)
    ctx.session.flush()
    return erased


def _cut_times(ctx: ActContext, record: Record, day: dt.date) -> None:
    record.received_at = month_start(record.received_at)
    record.changed_at = month_start(record.changed_at)
    key = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {key}).get(key)
    if definition is None or not definition.read_role(record.answers, QuestionRole.DAY):
        record.occurred_on = day


# The audit log.


def find_audit(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    before = due.before(due.rule.days)
    for number, target in store.list_audit_lines(ctx.session, ctx.centre_id, before, MOST_PLANNED * 2):
        if not _is_about_preserved(due, target):
            yield number, str(number)


def _is_about_preserved(due: DueRule, target: str) -> bool:
    return target.rpartition("/")[2] in due.preserved


def erase_audit(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    for number, at, target in store.select_audit_lines(ctx.session, ctx.centre_id, ids):
        if at <= due.before(due.rule.days) and not _is_about_preserved(due, target):
            erased.add(number)
    ranges = store.list_audit_ranges(ctx.session, ctx.centre_id, erased)
    store.delete_audit_lines(ctx.session, ctx.centre_id, erased)
    if ranges:
        ctx.add_line(audit.ERASED, "audit", ranges=ranges)
    return erased
