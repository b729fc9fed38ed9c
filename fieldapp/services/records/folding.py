"""Bring records up to date with the submissions that were accepted.

Most submissions are the first and only one of their record. The others are folded again from all
that arrived, so that the order of arrival changes nothing.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.caseload.record_state import AcceptedSubmission, RecordState, find_followed, find_role_answer
from fieldapp.services.consent import slips, standing
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.consent.unasked import find_reason
from fieldapp.services.records.consent_statements import read_record_statement, read_release_right, read_statement
from fieldapp.services.records.doubtful_times import DOUBTFUL, is_doubtful
from fieldapp.services.records.time_limits import AT_REVIEW, WHILE_LOCKED, time_for
from fieldapp.services.records.versions import AnswersByKey, FoldedRecord, fold_versions, is_of_office
from fieldapp.store.consent.standing import PersonStanding
from fieldapp.store.phones import devices
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.expressions.values import parse_date
from forms.problems import AnswerProblem
from forms.roles import ChoiceRole, QuestionRole
from sync.notes import PREFIX, plain_code
from sync.problems import N_

Foreign = dict[tuple[str, str], AnswerProblem]  # (id, SHA-256) of a submission that is no part of its record → why
OTHER_FORM = AnswerProblem(submissions.OTHER_FORM, N_("The record that it corrects is of another form."), "")
NOT_THE_AUTHOR = AnswerProblem(submissions.NOT_THE_AUTHOR, N_("The record that it corrects belongs to somebody else."), "")


@dataclass(frozen=True)
class UpdatedRecords:
    """What came of submissions that were just stored."""

    states: list[RecordState]  # of the records that changed
    foreign: Foreign  # submissions that turned out to be of another form or not by the author of the record
    standings: Mapping[str, PersonStanding]  # what stands now for those who said something, by card code


@dataclass(frozen=True)
class RefoldedRecord:
    """What became of a record that was folded again."""

    state: RecordState
    foreign: Foreign
    statements: list[ConsentStatement]


def update_records(
    ctx: ActContext, accepted: Sequence[AcceptedSubmission], answers_by_key: AnswersByKey | None = None
) -> UpdatedRecords:
    """Bring records up to date with submissions that were just stored.

    The forms' rules are not run again over submissions in `answers_by_key`.
    """
    by_record: dict[str, list[AcceptedSubmission]] = {}
    for submission in accepted:
        by_record.setdefault(submission.envelope.record, []).append(submission)
    # Locked before reading: two messages about one record have to come one after the other.
    existing = records.lock_existing(ctx.session, ctx.centre_id, by_record)
    minutes_off = devices.read_minutes_off(ctx.session, ctx.actor.device_id)
    budget = time_for(WHILE_LOCKED)
    rows: list[dict[str, Any]] = []
    states: list[RecordState] = []
    statements: list[ConsentStatement] = []
    foreign: Foreign = {}
    for record_id, batch in by_record.items():
        first = batch[0]
        record = existing.get(record_id)
        # The common case costs no look at other submissions and no running of rules.
        if record is None and len(batch) == 1 and not first.envelope.root:
            row, state = _make_first_version(ctx, first, minutes_off)
            rows.append(row)
            states.append(state)
            statements += read_statement(first)
            continue
        # Compared with the state afterwards: what may leave in a release can fall though nobody
        # touched consent itself.
        before = read_release_right(ctx, record) if record else None
        refolded = _refold_record(ctx, record_id, record, batch, answers_by_key or {}, budget)
        states.append(refolded.state)
        foreign |= refolded.foreign
        statements += refolded.statements
        record = records.lock_existing(ctx.session, ctx.centre_id, [record_id])[record_id]
        if before:
            after = read_release_right(ctx, record)
            # A fall is a statement of its own, so that a release that is being built meanwhile
            # starts again.
            if before.has_fallen_to(after):
                statements.append(standing.make_fall(batch[-1].envelope.finished_at, batch[-1].position))
            # A slip shows the consent of the person whom the record names; when that changes, the
            # slip goes along. A no names nobody, and leaves what was said before, and who may take it back.
            is_no = refolded.state.is_refusal
            if not is_no and after.is_settled and (after.person != before.person or not before.is_settled):
                slips.follow_record(ctx.session, ctx.centre_id, record_id, after.person)
    records.add_all(ctx.session, rows)
    saved = standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    # The cards of those whom the records name are written with the rest of the caseload.
    show_standing(ctx, saved.changes.keys() - {state.person for state in states})
    return UpdatedRecords(states, foreign, saved.standings)


def _list_cards(batch: Sequence[AcceptedSubmission]) -> tuple[str, ...]:
    cards: list[str] = []
    for submission in batch:
        cards += submission.envelope.cards
    return tuple(cards)


def refold(ctx: ActContext, record_id: str) -> None:
    """Fold a record again because its submissions changed.

    One whose form is too slow stays as it was.
    """
    record = records.lock_existing(ctx.session, ctx.centre_id, [record_id]).get(record_id)
    if record is None:
        return
    # A savepoint: of a record that is too slow nothing must be half written.
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        refolded = _refold_record(ctx, record_id, record, (), {}, time_for(AT_REVIEW))
        update.forget_refused(ctx, [refolded.state])


def _make_first_version(
    ctx: ActContext, submission: AcceptedSubmission, minutes_off: int
) -> tuple[dict[str, Any], RecordState]:
    """Return the row of a new record with one submission, and its state.

    `minutes_off`: how far the phone's clock is ahead.
    """
    envelope = submission.envelope
    definition = submission.definition
    assert definition is not None and ctx.actor.user_id is not None
    finished_on = envelope.finished_at.date()
    list_columns = _compute_list_columns(definition, submission.answers, finished_on, finished_on)
    review = ""
    if is_doubtful(envelope.finished_at, list_columns["occurred_on"], ctx.now, minutes_off):
        review = DOUBTFUL
    if _needs_debrief(definition, submission.answers):
        review = "alert"
    row = {
        "centre_id": ctx.centre_id,
        "instance_id": envelope.instance_id,
        "form": envelope.form,
        "version": envelope.version,
        "via": submission.channel,  # the column's name: rows go in past the mapped class
        "author_id": ctx.actor.user_id,
        "received_at": ctx.now,
        "changed_at": ctx.now,
        "heads": [envelope.instance_id],
        "contested": [],
        "review": review,
        "answers": submission.answers,
        **list_columns,
    }
    state = RecordState(
        envelope.instance_id,
        envelope.form,
        envelope.version,
        ctx.actor.user_id,
        list_columns["occurred_on"],
        submission.answers,
        [envelope.instance_id],
        definition,
        envelope.cards,
        envelope.finished_at.date(),
        submission.is_refusal,
    )
    return row, state


def _needs_debrief(definition: FormDefinition, answers: Mapping[str, Any]) -> bool:
    """Say whether a worker asks for a talk, as after a hard shift."""
    return definition.is_chosen(answers, QuestionRole.KIND, ChoiceRole.CALL_FOR_HELP)


def _compute_list_columns(
    definition: FormDefinition, answers: Mapping[str, Any], finished_on: dt.date, first_finished_on: dt.date
) -> dict[str, Any]:
    """Return the columns of a record that lists are made from.

    `first_finished_on`: the day on which the first of its versions was finished.
    """
    # A record without the question is listed under the day on which it was finished.
    occurred_on = finished_on
    day = parse_date(find_role_answer(definition, answers, QuestionRole.DAY))
    if day:
        occurred_on = _find_day(definition, answers, day.moment().date(), first_finished_on)
    return {
        "occurred_on": occurred_on,
        # Cut to the column: a hostile or broken client must not be able to make storing fail.
        "area": find_role_answer(definition, answers, QuestionRole.AREA)[:20],
        "kind": find_role_answer(definition, answers, QuestionRole.KIND)[:40],
        "person": plain_code(find_role_answer(definition, answers, QuestionRole.PERSON)),
        "follows": find_followed(definition, answers),
    }


def _find_day(definition: FormDefinition, answers: Mapping[str, Any], day: dt.date, finished_on: dt.date) -> dt.date:
    """Return the day under which a record with an answer about it is listed.

    Where only the month is asked, what was due of a person until the day of a review is done by it, so that day
    counts. Of a record that names nobody, as after a no, nothing but the month does. The twin of `findDay` in the
    client's caseload_updates.ts.
    """
    question = definition.find_with_role(QuestionRole.DAY)
    is_month = question is not None and question.date_part == "month"
    is_about_somebody = find_role_answer(definition, answers, QuestionRole.PERSON) != ""
    if is_month and is_about_somebody and day.replace(day=1) == finished_on.replace(day=1):
        return finished_on
    return day


def _refold_record(
    ctx: ActContext,
    record_id: str,
    record: Record | None,
    batch: Sequence[AcceptedSubmission],
    answers_by_key: AnswersByKey,
    budget: Budget,
) -> RefoldedRecord:
    """Recompute a record from all its submissions and save it.

    `record` is None when it has no row yet, `batch` what was just stored of it. Raises TooSlow when the forms' rules
    take more than the budget.
    """
    arrived = submissions.of_record(ctx.session, ctx.centre_id, record_id)
    # A caseload note is no version of a record, whatever record it names.
    parts = [submission for submission in arrived if submission.is_part and not submission.form.startswith(PREFIX)]
    form = _find_form(record_id, parts)
    stored_versions = [part for part in parts if part.form == form]
    version_ids = {submission.id for submission in stored_versions}
    # What is no version still says what others build on: without these links a correction could
    # look like a rival.
    links = {submission.instance_id: submission.prev for submission in arrived if submission.id not in version_ids}
    folded = fold_versions(ctx, record_id, stored_versions, answers_by_key, budget, links)
    followed_before = record.follows if record else ""
    person_before = record.person if record else ""
    foreign = _find_foreign(parts, form, folded)
    _mark_foreign(parts, foreign)
    was_there = record is not None
    first_finished_on = min((version.finished_local.date() for version in stored_versions), default=None)
    record = _save_record(ctx, record_id, record, folded, first_finished_on)
    state = RecordState(
        record_id,
        record.form,
        record.version,
        record.author_id,
        record.occurred_on,
        record.answers,
        record.heads,
        folded.definition,
        _list_cards(batch),
        folded.current.finished_local.date(),
        folded.current.is_refusal,
        followed_before,
        person_before,
        first_finished_on=first_finished_on,
    )
    statements = read_record_statement(ctx, record_id, arrived, stored_versions, folded)
    speaking = record_id
    if not was_there and any(item.instance_id == record_id and find_reason(item.problems) for item in arrived):
        # Nobody was asked in the first one, so nothing of it was stored; this one asked.
        speaking = batch[0].envelope.instance_id
    spoken = next((part.envelope.consent for part in batch if part.envelope.instance_id == speaking), None)
    return RefoldedRecord(state, foreign, [replace(statement, spoken=spoken) for statement in statements])


def _find_form(record_id: str, parts: Sequence[Submission]) -> str:
    """Return the form of a record's first submission; until it arrives, of the earliest.

    A correction under another form is none: nobody could read the record by either.
    """
    # By the author's clock and then by id: the same form whatever order they arrive in.
    by_age = sorted(parts, key=lambda part: (part.finished_at, part.instance_id, part.sha256))
    by_workers = [part for part in by_age if not is_of_office(part)] or by_age
    for part in by_workers:
        if part.instance_id == record_id:
            return part.form
    return by_workers[0].form


def _find_foreign(parts: Sequence[Submission], form: str, folded: FoldedRecord) -> Foreign:
    """Return which parts do not belong to the record after all, and why."""
    foreign: Foreign = {}
    for part in parts:
        if part.form != form:
            foreign[part.instance_id, part.sha256] = OTHER_FORM
    for version in folded.result.rejected:
        foreign[version.key] = NOT_THE_AUTHOR
    return foreign


def _mark_foreign(parts: Sequence[Submission], foreign: Foreign) -> None:
    """Mark parts that do not belong to the record; an earlier arrival may change that."""
    for part in parts:
        problem = foreign.get((part.instance_id, part.sha256))
        was_foreign = part.is_foreign
        if problem:
            part.problems = [problem.to_json()]
            # The state is written once: a submission that a supervisor has dealt with stays so.
            if not was_foreign:
                part.state = "rejected"
        # What was foreign may become a part when the record's first submission arrives late.
        elif was_foreign:
            part.problems = []
            part.state = "stored"


def _save_record(
    ctx: ActContext, record_id: str, record: Record | None, folded: FoldedRecord, first_finished_on: dt.date | None
) -> Record:
    """Write the state that a record folded to; a record without a row gets one."""
    result = folded.result
    current = folded.current
    finished_on = current.finished_local.date()
    list_columns = _compute_list_columns(folded.definition, result.answers, finished_on, first_finished_on or finished_on)
    if record is None:
        record = Record(centre_id=ctx.centre_id, instance_id=record_id, received_at=ctx.now, form=current.form, review="")
        ctx.session.add(record)
    elif list(result.heads) != record.heads:
        # Only where the heads changed: folding the same again must not undo a review.
        record.review = _choose_review_after_change(ctx, record, current)
    # A wish for a talk is never covered up by another mark that says less.
    if not record.review and _needs_debrief(folded.definition, result.answers):
        record.review = "alert"
    if not record.review and is_doubtful(current.finished_local, list_columns["occurred_on"], current.received_at, 0):
        record.review = DOUBTFUL
    # Two answers first of all: a record that is contested cannot be approved.
    if result.contested:
        record.review = "contested"
    elif record.review == "contested":
        record.review = ""
    record.form = current.form
    record.version = current.version
    record.channel = current.channel
    record.author_id = result.author
    record.heads = list(result.heads)
    record.contested = [{"path": conflict.path, "values": dict(conflict.values)} for conflict in result.contested]
    record.answers = dict(result.answers)
    record.changed_at = ctx.now
    for column, value in list_columns.items():
        setattr(record, column, value)
    ctx.session.flush()
    return record


def _choose_review_after_change(ctx: ActContext, record: Record, current: Submission) -> str:
    """Return "corrected" for a record that was reviewed before; else ""."""
    is_reviewed = record.review in ("returned", "approved")
    is_reviewed = is_reviewed or bool(reviews.of_record(ctx.session, ctx.centre_id, record.instance_id))
    return "corrected" if is_reviewed and not is_of_office(current) else ""
