"""Lists of records, one record with its history, and the review queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, act, view_act
from fieldapp.services.caseload.record_state import RecordState, load_states
from fieldapp.services.consent.refusals import read_answers
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.services.problems import make_not_found
from fieldapp.services.records.time_limits import WHILE_LOCKED, time_for
from fieldapp.services.records.versions import validate_answers
from fieldapp.store.forms import versions
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record, RecordFilter, RecordPage
from fieldapp.store.records.reviews import Review
from fieldapp.store.records.submissions import HELD, SEALED, AsideOfPhone, Submission
from forms.budget import TooSlow
from forms.definition import FormDefinition
from sync.fold import flatten
from sync.notes import PREFIX


@dataclass(frozen=True)
class RecordsPage:
    """A page of the list of records, with the choices of its filter."""

    page: RecordPage
    workers: dict[int, str]  # name by id
    areas: Sequence[str]  # codes
    definitions: dict[str, FormDefinition]  # the newest of each form, for its texts
    needing_attention: int  # length of the review queue
    other_forms: Sequence[str]  # that the centre does not have, and that something was sent for


@dataclass(frozen=True)
class VersionChange:
    """One submission of a record, and what it changed: (dotted path, before, after)."""

    submission: Submission
    changes: list[tuple[str, Any, Any]]


@dataclass(frozen=True)
class RecordDetails:
    """A record with its versions, reviews and audit lines."""

    record: Record
    definition: FormDefinition
    worker: User
    steps: Sequence[VersionChange]
    reviews: Sequence[Review]
    history: Sequence[AuditEvent]
    people: dict[int, str]  # name by id
    followed: Sequence[RecordState]  # the record that it follows up
    follow_ups: Sequence[RecordState]  # the records that follow it up


@dataclass(frozen=True)
class SubmissionDetails:
    """A submission that became no part of a record, with its answers as they came."""

    submission: Submission
    definition: FormDefinition | None
    worker: User
    answers: dict[str, Any]


@view_act("records.browse")
def list_records(ctx: ActContext, record_filter: RecordFilter, cursor: str = "", size: int = 25) -> RecordsPage:
    """Return one page of records, newest first; `cursor` is that of the page before."""
    definitions = load_latest_definitions(ctx)
    page = records.list_page(ctx.session, ctx.centre_id, record_filter, cursor, size)
    ctx.describe("records", **_describe_filter(record_filter), shown=len(page.records))
    return RecordsPage(
        page,
        users.labels(ctx.session, ctx.centre_id),
        _list_area_codes(definitions),
        definitions,
        count_review_queue(ctx),
        _list_other_forms(ctx, definitions),
    )


def _describe_filter(record_filter: RecordFilter) -> dict[str, str]:
    """Return what a list is limited to, for the audit log."""
    return {name: str(value) for name, value in vars(record_filter).items() if value}


def _list_other_forms(ctx: ActContext, definitions: Mapping[str, FormDefinition]) -> list[str]:
    """Return the forms that the centre does not have and that something was sent for.

    Caseload notes and records that no key opens are no forms.
    """
    other_forms = []
    for form in submissions.forms_not_taken_in(ctx.session, ctx.centre_id):
        if form not in definitions and form != SEALED and not form.startswith(PREFIX):
            other_forms.append(form)
    return other_forms


def _list_area_codes(definitions: Mapping[str, FormDefinition]) -> list[str]:
    """Return the codes of the areas that the centre's forms offer, each once, in their order."""
    codes: dict[str, None] = {}
    for definition in definitions.values():
        element = definition.by_path.get(definition.summary.get("area", ""))
        if element:
            codes.update(dict.fromkeys(choice.name for choice in definition.choices.get(element.choices, ())))
    return list(codes)


def load_latest_definitions(ctx: ActContext) -> dict[str, FormDefinition]:
    """Return the newest version of each form of the centre, by form."""
    definitions: dict[str, FormDefinition] = {}
    for version in versions.list_for(ctx.session, ctx.centre_id):
        # The newest first, so the first of each form is the one to show.
        if version.form not in definitions:
            definitions[version.form] = load_definition(version)
    return definitions


@act("record.open")
def open_record(ctx: ActContext, instance_id: str) -> RecordDetails:
    """Return a record with its history; opening one leaves an audit line itself."""
    record = records.get(ctx.session, ctx.centre_id, instance_id)
    if record is None:
        raise make_not_found()
    # Older releases let corrections under another form in: such a record has a version that its form does not.
    version = versions.find(ctx.session, ctx.centre_id, record.form, record.version)
    version = version or versions.latest(ctx.session, ctx.centre_id, record.form)
    worker = users.of_centre(ctx.session, ctx.centre_id, record.author_id)
    assert version is not None and worker is not None
    target = f"record/{instance_id}"
    history = audit.list_for_target(ctx.session, ctx.centre_id, target)
    ctx.describe(target)
    return RecordDetails(
        record,
        load_definition(version),
        worker,
        _list_version_changes(ctx, instance_id),
        reviews.of_record(ctx.session, ctx.centre_id, instance_id),
        history,
        users.labels(ctx.session, ctx.centre_id),
        load_states(ctx, records.list_by_ids(ctx.session, ctx.centre_id, [record.follows] if record.follows else [])),
        load_states(ctx, records.list_following(ctx.session, ctx.centre_id, [instance_id])),
    )


def _list_version_changes(ctx: ActContext, instance_id: str) -> list[VersionChange]:
    """Return every submission of a record with what it changed in the one that it builds on."""
    arrived = submissions.of_record(ctx.session, ctx.centre_id, instance_id)
    answers_by_id = _flatten_answers(ctx, arrived)
    by_instance: dict[str, dict[str, Any]] = {}
    for submission in reversed(arrived):  # of two under one id, the first that arrived
        by_instance[submission.instance_id] = answers_by_id.get(submission.id, {})
    return [
        VersionChange(submission, _list_changes(submission, by_instance, answers_by_id.get(submission.id, {})))
        for submission in arrived
    ]


def _flatten_answers(ctx: ActContext, arrived: Sequence[Submission]) -> dict[int, dict[str, Any]]:
    """Return the answers of submissions by dotted path, without computed ones.

    Submissions whose form is too slow are left out: what they changed is not shown.
    """
    forms = {(submission.form, submission.version) for submission in arrived}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    budget = time_for(WHILE_LOCKED)  # opening a record writes an audit line, so it locks too
    answers_by_id = {}
    for submission in arrived:
        definition = definitions.get((submission.form, submission.version))
        if definition is None:
            continue
        try:
            answers = flatten(validate_answers(submission, definition, budget))
        except TooSlow:
            continue
        # Computed answers follow from the others; showing them would double each change.
        for path in definition.computed & answers.keys():
            del answers[path]
        answers_by_id[submission.id] = answers
    return answers_by_id


def _list_changes(
    submission: Submission, by_instance: Mapping[str, Mapping[str, Any]], after: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """Return what a submission changed in the one that it builds on; [] without one."""
    # The first that is here: of several that a version merges, one is enough to compare with.
    for earlier in submission.prev:
        if earlier in by_instance:
            before = by_instance[earlier]
            break
    else:
        return []
    changes = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path, "") != after.get(path, ""):
            changes.append((path, before.get(path, ""), after.get(path, "")))
    return changes


@dataclass(frozen=True)
class ReviewQueue:
    """What a supervisor has to review."""

    records: Sequence[Record]
    submissions: Sequence[Submission]
    aside: Sequence[Submission]  # quarantined, until somebody accepts them
    aside_by_phone: dict[int, AsideOfPhone]
    phones: dict[int, Device]
    definitions: dict[str, FormDefinition]
    workers: dict[int, str]


@view_act("records.browse")
def list_review_queue(ctx: ActContext) -> ReviewQueue:
    """Return the records and submissions to review, newest first."""
    to_review = records.to_review(ctx.session, ctx.centre_id)
    ctx.describe("review queue", shown=len(to_review))
    return ReviewQueue(
        to_review,
        submissions.needing_attention(ctx.session, ctx.centre_id),
        submissions.aside(ctx.session, ctx.centre_id),
        submissions.count_aside(ctx.session, ctx.centre_id),
        {device.id: device for device in devices.list_for(ctx.session, ctx.centre_id)},
        load_latest_definitions(ctx),
        users.labels(ctx.session, ctx.centre_id),
    )


def count_review_queue(ctx: ActContext) -> int:
    """Return how many records and submissions are to review."""
    to_review = records.count_to_review(ctx.session, ctx.centre_id)
    return to_review + submissions.count_needing_attention(ctx.session, ctx.centre_id)


@act("submission.open")
def open_submission(ctx: ActContext, submission_id: int) -> SubmissionDetails:
    """Return a submission that became no part of a record, with its answers as they came."""
    submission = submissions.get(ctx.session, ctx.centre_id, submission_id)
    # Of an ended card under a legal hold: nobody opens it.
    if submission is None or submission.state == HELD:
        raise make_not_found()
    version = versions.find(ctx.session, ctx.centre_id, submission.form, submission.version)
    worker = users.of_centre(ctx.session, ctx.centre_id, submission.author_id)
    assert worker is not None
    ctx.describe(f"submission/{submission.id}")
    definition = load_definition(version) if version else None
    return SubmissionDetails(submission, definition, worker, read_answers(submission.body, definition))
