"""Take answers out of a record and of all that it is made of.

The record stays without them, and so does each submission of it: whatever is folded again later is the same.
"""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.erasing import NAMED
from fieldapp.services.definitions import load_definitions
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import attachments, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.bodies import read_body


class BodyCutter(ABC):
    """Cuts answers from records and from all that they are made of; which, its subclasses say."""

    def __init__(self, ctx: ActContext):
        self.ctx = ctx

    @abstractmethod
    def cut_answers(self, form: str, version: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return answers to a form without those that go; equal ones where there are none."""

    def find_definition(self, form: str, version: str) -> FormDefinition | None:
        key = form, version
        return load_definitions(self.ctx.session, self.ctx.centre_id, {key}).get(key)

    def read_role(self, submission: Submission, role: QuestionRole) -> str:
        """Return a submission's answer to the question with a role; "" where none can be read."""
        definition = self.find_definition(submission.form, submission.version)
        answers = None
        if definition is not None:
            with contextlib.suppress(ValueError):
                answers = read_body(submission.body, definition)
        return definition.read_role(answers, role) if definition is not None and isinstance(answers, dict) else ""

    def has_any(self, record: Record) -> bool:
        """Say whether a record, or a submission of it, has any such answer."""
        if self.cut_answers(record.form, record.version, record.answers) != record.answers:
            return True
        arrived = submissions.of_record(self.ctx.session, self.ctx.centre_id, record.instance_id)
        return any(self.cut_body(submission) is not None for submission in arrived)

    def cut_body(self, submission: Submission) -> str | None:
        """Return a submission's body without such answers; None when it has none.

        Also None when the body cannot be read.
        """
        definition = self.find_definition(submission.form, submission.version)
        if definition is None or not submission.body:
            return None
        try:
            answers = read_body(submission.body, definition)
        except ValueError:
            return None
        if not isinstance(answers, dict):
            return None
        cut = self.cut_answers(submission.form, submission.version, answers)
        if cut == answers:
            return None
        return json.dumps(cut, ensure_ascii=False, separators=(",", ":"))

    def cut(self, record: Record) -> None:
        """Cut such answers from a record, its submissions, and what phones are told of it."""
        arrived = submissions.of_record(self.ctx.session, self.ctx.centre_id, record.instance_id)
        record.answers = self.cut_answers(record.form, record.version, record.answers)
        self.cut_submissions(arrived)
        self.cut_messages([record.instance_id])

    def cut_submissions(self, arrived: Iterable[Submission]) -> int:
        """Cut such answers from submissions, with the attachments; return from how many."""
        count = 0
        files: dict[int, set[str]] = {}
        for submission in arrived:
            body = self.cut_body(submission)
            if body is None:
                continue
            count += 1
            gone = set(NAMED.findall(submission.body)) - set(NAMED.findall(body))
            submission.body = body
            if gone and submission.device_id is not None:
                files.setdefault(submission.device_id, set()).update(gone)
        self.ctx.session.flush()
        for device_id, hashes in files.items():
            attachments.take_out(self.ctx.session, self.ctx.centre_id, hashes, device_id)
        return count

    def cut_messages(self, root_ids: Iterable[str]) -> None:
        """Cut such answers from what phones are sent to correct records, or to follow them up."""
        everybody = [user.id for user in users.list_for(self.ctx.session, self.ctx.centre_id)]
        keys = [f"rec/{root_id}" for root_id in root_ids]
        keys += [key.replace("rec/", "ref/", 1) for key in keys]
        changed: dict[tuple[int, str], str] = {}
        for place, body in pull.list_bodies(self.ctx.session, everybody, keys).items():
            message = json.loads(body)
            answers = message.get("answers")
            if isinstance(answers, dict):
                cut = self.cut_answers(message["form"], message["version"], answers)
                if cut != answers:
                    message["answers"] = cut
                    changed[place] = json.dumps(message)
        pull.upsert_items(self.ctx.session, changed)
