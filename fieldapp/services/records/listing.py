"""Encounters and other records at the centre: list, open one with its history, and see what needs a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, act, read_act
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
from fieldapp.store.records.submissions import SEALED, AsideOfPhone, Submission
from forms.budget import TooSlow
from forms.definition import FormDefinition
from sync.bodies import read_body
from sync.fold import flatten
from sync.notes import PREFIX


@dataclass(frozen=True)
class RecordsPage:
    page: RecordPage
    workers: dict[int, str]
    areas: Sequence[str]
    definitions: dict[str, FormDefinition]  # the newest of each form, for words
    needing_attention: int
    other_forms: Sequence[str]  # that the centre does not have, and that something was sent for


@dataclass(frozen=True)
class VersionChange:
    """One submission of a record, and what it changed: (dotted path, before, after)."""

    submission: Submission
    changes: list[tuple[str, Any, Any]]


@dataclass(frozen=True)
class RecordDetails:
    record: Record
    definition: FormDefinition
    worker: User
    steps: Sequence[VersionChange]
    reviews: Sequence[Review]
    history: Sequence[AuditEvent]
    people: dict[int, str]


@dataclass(frozen=True)
class SubmissionDetails:
    submission: Submission
    definition: FormDefinition | None
    worker: User
    answers: dict[str, Any]


@read_act("records.browse")
def list_records(ctx: ActContext, wanted: RecordFilter, cursor: str = "", size: int = 25) -> RecordsPage:
    definitions = latest_definitions(ctx)
    return RecordsPage(
        records.page(ctx.session, ctx.centre_id, wanted, cursor, size),
        users.labels(ctx.session, ctx.centre_id),
        _list_area_codes(definitions),
        definitions,
        count_review_queue(ctx),
        _list_other_forms(ctx, definitions),
    )


def _list_other_forms(ctx: ActContext, definitions: Mapping[str, FormDefinition]) -> list[str]:
    """Return the forms that the centre does not have and that something was sent for; notes and boxes are no forms."""
    sent = submissions.forms_not_taken_in(ctx.session, ctx.centre_id)
    return [form for form in sent if form not in definitions and form != SEALED and not form.startswith(PREFIX)]


def _list_area_codes(definitions: Mapping[str, FormDefinition]) -> list[str]:
    """Return the codes of the areas that the centre's forms offer, each once, in their order."""
    found: dict[str, None] = {}
    for definition in definitions.values():
        element = definition.by_path.get(definition.summary.get("area", ""))
        for choice in definition.choices.get(element.choices, ()) if element else ():
            found[choice.name] = None
    return list(found)


def latest_definitions(ctx: ActContext) -> dict[str, FormDefinition]:
    found: dict[str, FormDefinition] = {}
    for version in versions.list_for(ctx.session, ctx.centre_id):
        if version.form not in found:
            found[version.form] = load_definition(version)
    return found


@act("record.open")
def open_record(ctx: ActContext, instance_id: str) -> RecordDetails:
    """Return a record with its history; opening one is itself written down."""
    record = records.get(ctx.session, ctx.centre_id, instance_id)
    if record is None:
        raise make_not_found()
    # Older versions let corrections under another form in; such a record has a version that its form does not.
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
    )


def _list_version_changes(ctx: ActContext, instance_id: str) -> list[VersionChange]:
    """Return every submission of a record with what it changed in the one that it builds on."""
    arrived = submissions.of_record(ctx.session, ctx.centre_id, instance_id)
    definitions = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in arrived})
    leaves = {}
    budget = time_for(WHILE_LOCKED)  # opening is written down, so it locks too
    for one in arrived:
        if definition := definitions.get((one.form, one.version)):
            try:
                answers = flatten(validate_answers(one, definition, budget))
            except TooSlow:
                continue  # what it changed is not shown
            leaves[one.id] = {path: value for path, value in answers.items() if path not in definition.computed}
    by_id = {one.instance_id: leaves.get(one.id, {}) for one in reversed(arrived)}
    steps = []
    for one in arrived:
        before = next((by_id[prev] for prev in one.prev if prev in by_id), None)
        after = leaves.get(one.id, {})
        paths = sorted(before.keys() | after.keys()) if before is not None else []
        changes = [(path, (before or {}).get(path, ""), after.get(path, "")) for path in paths]
        steps.append(VersionChange(one, [change for change in changes if change[1] != change[2]]))
    return steps


@dataclass(frozen=True)
class ReviewQueue:
    """What a supervisor should look at."""

    records: Sequence[Record]
    submissions: Sequence[Submission]
    aside: Sequence[Submission]  # until somebody lets them in
    aside_by_phone: dict[int, AsideOfPhone]
    phones: dict[int, Device]
    definitions: dict[str, FormDefinition]
    workers: dict[int, str]


@read_act("records.browse")
def list_review_queue(ctx: ActContext) -> ReviewQueue:
    return ReviewQueue(
        records.to_review(ctx.session, ctx.centre_id),
        submissions.needing_attention(ctx.session, ctx.centre_id),
        submissions.aside(ctx.session, ctx.centre_id),
        submissions.count_aside(ctx.session, ctx.centre_id),
        {device.id: device for device in devices.list_for(ctx.session, ctx.centre_id)},
        latest_definitions(ctx),
        users.labels(ctx.session, ctx.centre_id),
    )


def count_review_queue(ctx: ActContext) -> int:
    return submissions.count_needing_attention(ctx.session, ctx.centre_id) + records.count_to_review(
        ctx.session, ctx.centre_id
    )


@act("submission.open")
def open_submission(ctx: ActContext, submission_id: int) -> SubmissionDetails:
    """Return a submission that was kept aside, with its reasons and answers as they came."""
    submission = submissions.get(ctx.session, ctx.centre_id, submission_id)
    if submission is None:
        raise make_not_found()
    version = versions.find(ctx.session, ctx.centre_id, submission.form, submission.version)
    worker = users.of_centre(ctx.session, ctx.centre_id, submission.author_id)
    assert worker is not None
    ctx.describe(f"submission/{submission.id}")
    definition = load_definition(version) if version else None
    try:
        answers = read_body(submission.body, definition)
    except ValueError:
        answers = {}
    return SubmissionDetails(submission, definition, worker, answers if isinstance(answers, dict) else {})
