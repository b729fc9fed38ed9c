"""Fold the stored submissions of a record into its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.definitions import load_definitions
from fieldapp.store.people import users
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.validation import recalculate, validate
from sync.ancestors import Ancestors
from sync.bodies import read_body
from sync.fold import FoldResult, Links, RecordVersion, find_ancestors, fold
from sync.intake import local_time

Ready = dict[tuple[str, str], dict[str, Any]]  # (id, hash) of a submission → its answers as the form's logic leaves them


def _is_office(one: Submission) -> bool:
    return one.via == submissions.OFFICE


@dataclass(frozen=True)
class FoldedRecord:
    """The fold of submissions, the definition that its state has, and what it was made of."""

    state: FoldResult
    definition: FormDefinition
    definitions: Mapping[tuple[str, str], FormDefinition]
    versions: Mapping[tuple[str, str], RecordVersion]
    before: Ancestors


def fold_versions(
    ctx: ActContext,
    root_id: str,
    kept: Sequence[Submission],
    ready: Ready,
    budget: Budget,
    links: Links | None = None,
) -> FoldedRecord:
    """Return the fold of these submissions. Raise TooSlow when the rules are."""
    definitions = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in kept})
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == "admin"}
    by_place = {(one.instance_id, one.sha256): one for one in kept}

    def version(one: Submission) -> RecordVersion:
        answers = None if one.is_cut else ready.get((one.instance_id, one.sha256))
        return RecordVersion(
            one.instance_id,
            one.sha256,
            frozenset(one.prev),
            one.author_id,
            _is_office(one) and one.author_id in admins,
            one.finished_at,
            one.version,
            validate_answers(one, definitions[one.form, one.version], budget) if answers is None else answers,
            one.is_refusal,
        )

    def completed(latest: RecordVersion, answers: Mapping[str, Any]) -> Mapping[str, Any] | None:
        one = by_place[latest.id, latest.sha256]
        try:
            found = recalculate(definitions[one.form, one.version], answers, local_time(one.finished_local), budget)
        except TooSlow:
            return None
        is_whole = not (found.problems or found.is_refusal)  # what makes a no only together, somebody has to choose
        return found.answers if is_whole else None

    computed = {path for definition in definitions.values() for path in definition.computed}
    versions = {part.key: part for part in map(version, kept)}
    folded = fold(root_id, versions.values(), completed, computed, links)
    shown = by_place[folded.current.id, folded.current.sha256]
    strangers = {stranger.key for stranger in folded.rejected}
    ours = [part for part in versions.values() if part.key not in strangers]
    before = find_ancestors(ours, links)
    return FoldedRecord(folded, definitions[shown.form, shown.version], definitions, versions, before)


def validate_answers(one: Submission, definition: FormDefinition, budget: Budget) -> dict[str, Any]:
    """Return a submission's answers as the form's logic leaves them; {} when it has none that can be read.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        given = read_body(one.body, definition)
    except ValueError:
        return {}
    if one.is_cut:  # it is what the logic left, or counts no more
        return given if isinstance(given, dict) else {}
    return validate(definition, given, local_time(one.finished_local), budget).answers
