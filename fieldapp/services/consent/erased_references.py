"""What other records say of one that is gone goes too: its number, and its day."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.body_cutter import BodyCutter
from fieldapp.services.consent.follow_up_links import leave_out_followed, take_out_of_answers, take_out_record_ids
from fieldapp.services.consent.refusals import read_answers
from fieldapp.services.definitions import list_follow_up_forms, load_definitions
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.definition import FormDefinition
from forms.roles import FormRole, QuestionRole
from sync.fold import flatten, unflatten


class FollowedCutter(BodyCutter):
    """Cuts which record is followed up, and that record's day, where it is gone."""

    def __init__(self, ctx: ActContext, root_ids: Collection[str]):
        super().__init__(ctx)
        self.root_ids = root_ids

    def cut_answers(self, form: str, version: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        return leave_out_followed(self.find_definition(form, version), answers, self.root_ids)

    def cut_any_body(self, submission: Submission) -> None:
        """Cut the body also where nobody can read it: it may have such a number anywhere."""
        self.cut_submissions([submission])
        submission.body = take_out_record_ids(submission.body, self.root_ids)

    def cut_record(self, record: Record) -> None:
        """Cut a record, and the answers among which somebody would have to choose."""
        definition = self.find_definition(record.form, record.version)
        record.answers = self.cut_answers(record.form, record.version, record.answers)
        if record.follows in self.root_ids:
            record.follows = ""
        followed_path = _find_dotted_path(definition, QuestionRole.FOLLOWS)
        day_path = _find_dotted_path(definition, QuestionRole.FOLLOWED_DAY)
        heads = _list_heads_naming(record.contested, followed_path, self.root_ids)
        contested = []
        for conflict in take_out_of_answers(record.contested, self.root_ids):
            if conflict["path"] == day_path:
                values = {head: "" if head in heads else value for head, value in conflict["values"].items()}
                contested.append({**conflict, "values": values})
            else:
                contested.append(conflict)
        record.contested = contested


class DayCutter(BodyCutter):
    """Cuts the day of an intake that is gone from later intakes of the same card."""

    def __init__(self, ctx: ActContext, days: Collection[str]):
        super().__init__(ctx)
        self.days = days

    def cut_answers(self, form: str, version: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        definition = self.find_definition(form, version)
        path = _find_dotted_path(definition, QuestionRole.INTAKE_DAY)
        leaves = flatten(answers)
        if str(leaves.get(path, ""))[:10] not in self.days:
            return dict(answers)
        del leaves[path]
        return unflatten(leaves)

    def cut_record(self, record: Record) -> None:
        """Cut a record, and the answers among which somebody would have to choose."""
        record.answers = self.cut_answers(record.form, record.version, record.answers)
        path = _find_dotted_path(self.find_definition(record.form, record.version), QuestionRole.INTAKE_DAY)
        contested = []
        for conflict in record.contested:
            values = [f"{value}"[:10] for value in conflict["values"].values()]
            if conflict["path"] != path or not set(values) & set(self.days):
                contested.append(conflict)
        record.contested = contested


def untie_follow_ups(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Take the numbers of records that are gone, and their days, out of what follows them up.

    Out of every version, and out of what phones are told of it. The follow-ups stay: they are work that was done.
    """
    if not root_ids:
        return
    cutter = FollowedCutter(ctx, root_ids)
    following = records.list_following(ctx.session, ctx.centre_id, root_ids)
    forms = {definition.id for definition in list_follow_up_forms(ctx.session, ctx.centre_id)}
    forms |= {record.form for record in following}
    naming = submissions.list_naming_records(ctx.session, ctx.centre_id, root_ids, forms)
    for submission in naming:
        cutter.cut_any_body(submission)
    touched = {submission.root_id for submission in naming} | {record.instance_id for record in following}
    for record in records.lock_existing(ctx.session, ctx.centre_id, touched).values():
        cutter.cut_record(record)
    cutter.cut_messages(sorted(touched))
    ctx.session.flush()


def list_intake_days_of(ctx: ActContext, root_id: str) -> set[str]:
    """Return the days that a record and its versions say, as YYYY-MM-DD.

    None where it is no intake: then nothing else was filled in from its day.
    """
    arrived = submissions.of_record(ctx.session, ctx.centre_id, root_id)
    forms = {(submission.form, submission.version) for submission in arrived}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    days: set[str] = set()
    for submission in arrived:
        definition = definitions.get((submission.form, submission.version))
        if definition is not None and definition.role == FormRole.PARTICIPANT:
            answers = read_answers(submission.body, definition)
            days.add(definition.read_role(answers, QuestionRole.DAY)[:10])
    if days:
        days |= {f"{record.occurred_on}" for record in records.list_by_ids(ctx.session, ctx.centre_id, [root_id])}
    return days - {""}


def take_out_day(ctx: ActContext, person: str, days: Collection[str]) -> None:
    """Take the days of an intake that is gone out of what else there is of its person."""
    if not person or not days:
        return
    cutter = DayCutter(ctx, days)
    stored = records.of_person(ctx.session, ctx.centre_id, {person})
    arrived: Iterable[Submission] = submissions.list_naming(ctx.session, ctx.centre_id, person)
    touched = {submission.root_id for submission in arrived} | {record.instance_id for record in stored}
    for root_id in sorted(touched):
        cutter.cut_submissions(submissions.of_record(ctx.session, ctx.centre_id, root_id))
    for record in records.lock_existing(ctx.session, ctx.centre_id, touched).values():
        if cutter.find_definition(record.form, record.version) is not None:
            cutter.cut_record(record)
    cutter.cut_messages(sorted(touched))
    ctx.session.flush()


def _find_dotted_path(definition: FormDefinition | None, role: QuestionRole) -> str:
    """Return where the answer with a role is; "" where the form has no such question."""
    return ".".join(definition.summary_names.get(role, ())) if definition else ""


def _list_heads_naming(contested: Iterable[Mapping[str, Any]], path: str, root_ids: Collection[str]) -> set[str]:
    """Return the versions that name one of these records at a place, where versions differ."""
    heads: set[str] = set()
    for conflict in contested:
        if conflict["path"] == path:
            heads.update(head for head, value in conflict["values"].items() if value in root_ids)
    return heads
