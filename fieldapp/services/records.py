"""Encounters and other records at the centre: list, open one with its history, and see what needs a look."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import Act, act, reading
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import not_found
from fieldapp.store import audit, forms, records, submissions, users
from fieldapp.store.audit import AuditLine
from fieldapp.store.records import Filter, Page, Record
from fieldapp.store.submissions import Submission
from fieldapp.store.users import User
from forms.definition import FormDefinition


@dataclass(frozen=True)
class Listing:
    page: Page
    workers: dict[int, str]
    areas: Sequence[str]
    definitions: dict[str, FormDefinition]  # the newest of each form, for words
    needing_attention: int


@dataclass(frozen=True)
class OpenedRecord:
    record: Record
    definition: FormDefinition
    worker: User
    submissions: Sequence[Submission]
    history: Sequence[AuditLine]
    people: dict[int, str]


@dataclass(frozen=True)
class OpenedSubmission:
    submission: Submission
    definition: FormDefinition | None
    worker: User
    answers: dict[str, Any]


@reading("records.browse")
def browse_records(a: Act, wanted: Filter, cursor: str = "") -> Listing:
    return Listing(
        records.page(a.session, a.centre_id, wanted, cursor),
        users.labels(a.session, a.centre_id),
        records.areas(a.session, a.centre_id),
        latest_definitions(a),
        submissions.count_needing_attention(a.session, a.centre_id),
    )


def latest_definitions(a: Act) -> dict[str, FormDefinition]:
    found: dict[str, FormDefinition] = {}
    for version in forms.list_for(a.session, a.centre_id):
        if version.form not in found:
            found[version.form] = definition_of(version)
    return found


@act("record.open")
def open_record(a: Act, instance_id: str) -> OpenedRecord:
    """Return a record with its history; opening one is itself written down."""
    record = records.get(a.session, a.centre_id, instance_id)
    if record is None:
        raise not_found()
    version = forms.find(a.session, a.centre_id, record.form, record.version)
    worker = users.of_centre(a.session, a.centre_id, record.author_id)
    assert version is not None and worker is not None
    target = f"record/{instance_id}"
    history = audit.of_target(a.session, a.centre_id, target)
    a.note(target)
    arrived = submissions.of_record(a.session, a.centre_id, instance_id)
    return OpenedRecord(record, definition_of(version), worker, arrived, history, users.labels(a.session, a.centre_id))


@reading("records.browse")
def list_needing_attention(a: Act) -> tuple[Sequence[Submission], dict[int, str]]:
    return submissions.needing_attention(a.session, a.centre_id), users.labels(a.session, a.centre_id)


@act("submission.open")
def open_submission(a: Act, submission_id: int) -> OpenedSubmission:
    """Return a submission that was kept aside, with its reasons and answers as they came."""
    submission = submissions.get(a.session, a.centre_id, submission_id)
    if submission is None:
        raise not_found()
    version = forms.find(a.session, a.centre_id, submission.form, submission.version)
    worker = users.of_centre(a.session, a.centre_id, submission.author_id)
    assert worker is not None
    a.note(f"submission/{submission.id}")
    try:
        answers = json.loads(submission.body)
    except ValueError:
        answers = {}
    shown = answers if isinstance(answers, dict) else {}
    return OpenedSubmission(submission, definition_of(version) if version else None, worker, shown)
