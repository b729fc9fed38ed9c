"""Fold the stored versions of a record into one state, by the rules of their forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.access import ADMIN
from fieldapp.services.acts import ActContext
from fieldapp.services.definitions import load_definitions
from fieldapp.store.people import users
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.retention import find_times
from forms.validation import REQUIRED, recalculate
from sync.ancestors import Ancestors
from sync.apart import EarlierBody, read_answers
from sync.envelope import Envelope, parse_clock
from sync.fold import FoldResult, Links, RecordVersion, find_ancestors, fold
from sync.intake import local_time

AnswersByKey = dict[tuple[str, str], dict[str, Any]]  # (id, SHA-256) → answers as the form's logic leaves them


@dataclass(frozen=True)
class FoldedRecord:
    """The state that the versions of a record fold to, and what it was computed from."""

    result: FoldResult
    current: Submission  # whose form version and time the state has
    definitions: Mapping[tuple[str, str], FormDefinition]
    versions: Mapping[tuple[str, str], RecordVersion]  # by (id, SHA-256)
    ancestors: Ancestors

    @property
    def definition(self) -> FormDefinition:
        return self.definitions[self.current.form, self.current.version]


def fold_versions(
    ctx: ActContext,
    root_id: str,
    stored_versions: Sequence[Submission],
    answers_by_key: AnswersByKey,
    budget: Budget,
    links: Links | None = None,
) -> FoldedRecord:
    """Fold submissions into the state of their record.

    The rules are run only over those whose answers are not in `answers_by_key`. `links`: what submissions build on
    that are no versions. Raises TooSlow when the rules take more than the budget.
    """
    forms = {(submission.form, submission.version) for submission in stored_versions}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    by_key = {(submission.instance_id, submission.sha256): submission for submission in stored_versions}
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == ADMIN}
    versions: dict[tuple[str, str], RecordVersion] = {}
    computed: set[str] = set()
    for definition in definitions.values():
        computed.update(definition.computed)
    for key, submission in by_key.items():
        answers = None if submission.is_cut else answers_by_key.get(key)
        if answers is None:
            answers = validate_answers(submission, definitions[submission.form, submission.version], budget)
        versions[key] = _make_version(submission, answers, admins)

    def complete(latest: RecordVersion, answers: Mapping[str, Any]) -> Mapping[str, Any] | None:
        submission = by_key[latest.key]
        return _complete(submission, definitions[submission.form, submission.version], answers, budget)

    result = fold(root_id, versions.values(), complete, computed, links)
    rejected = {version.key for version in result.rejected}
    ancestors = find_ancestors([version for key, version in versions.items() if key not in rejected], links)
    return FoldedRecord(result, by_key[result.current.key], definitions, versions, ancestors)


def _make_version(submission: Submission, answers: Mapping[str, Any], admins: set[int]) -> RecordVersion:
    return RecordVersion(
        submission.instance_id,
        submission.sha256,
        frozenset(submission.prev),
        submission.author_id,
        is_of_office(submission) and submission.author_id in admins,
        submission.finished_at,
        submission.version,
        answers,
        submission.is_refusal,
        submission.is_by_holder,
    )


def _complete(
    submission: Submission, definition: FormDefinition, answers: Mapping[str, Any], budget: Budget
) -> Mapping[str, Any] | None:
    """Return merged answers with what the form computes; None when somebody has to choose."""
    try:
        result = recalculate(definition, answers, local_time(submission.judged_local), budget)
    except TooSlow:
        return None
    if result.is_refusal:
        return None  # a no only together: nobody said it, so somebody has to choose
    if any(not _is_over(definition, problem) for problem in result.problems):
        return None
    return result.answers


def _is_over(definition: FormDefinition, problem: AnswerProblem) -> bool:
    """Say whether an answer is only missing, as its time was over or consent fell."""
    element = definition.by_path.get("/data/" + problem.path.replace(".", "/"))
    if problem.code != REQUIRED or element is None:
        return False
    return element.path in definition.keeps or bool(find_times(definition).get(element))


def validate_answers(submission: Submission, definition: FormDefinition, budget: Budget) -> dict[str, Any]:
    """Return a submission's answers as the form's logic leaves them; {} when unreadable.

    Raises TooSlow when that takes more than the budget.
    """
    key = submission.instance_id, submission.sha256
    earlier = EarlierBody(key, submission.body, submission.is_cut, submission.judged_local, definition)
    return read_answers(earlier, budget)


def make_envelope(submission: Submission, due: str | None = None, cards: Sequence[str] | None = None) -> Envelope:
    """Return a stored submission as it arrived; `due` and `cards` replace its own."""
    return Envelope(
        submission.instance_id,
        submission.form,
        submission.version,
        submission.finished_local,
        submission.body,
        submission.sha256,
        # A first submission has nothing that it builds on; its record is its own.
        submission.root_id if submission.prev else "",
        tuple(submission.prev),
        submission.due if due is None else due,
        tuple(submission.cards if cards is None else cards),
        clock=parse_clock(submission.clock, submission.finished_local),
    )


def is_of_office(submission: Submission) -> bool:
    return submission.channel == submissions.OFFICE
