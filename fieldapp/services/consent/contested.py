"""The consent of a record between whose answers nobody has chosen yet: the lowest."""

from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.consent import standing
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.fold import flatten, unflatten
from sync.notes import plain_code


def find_lowest_tier(
    definition: FormDefinition, answers: Mapping[str, Any], contested: Sequence[Mapping[str, Any]]
) -> int | None:
    """Return how far consent reaches by the version that allows least.

    None where no version says anything of consent. `contested` is as `Record.contested`.
    """
    words = [standing.read_consent(definition, version) for version in _list_versions(answers, contested)]
    return min((word[0] for word in words if word), default=None)


def find_people(definition: FormDefinition, answers: Mapping[str, Any], contested: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the card codes, without dashes, that any version names."""
    named = {
        plain_code(definition.read_role(version, QuestionRole.PERSON)) for version in _list_versions(answers, contested)
    }
    return named - {""}


def _list_versions(answers: Mapping[str, Any], contested: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the answers of each version that somebody has to choose from."""
    if not contested:
        return [answers]
    by_version: dict[str, dict[str, Any]] = {}
    for question in contested:
        for sha256, value in question["values"].items():
            by_version.setdefault(sha256, {})[question["path"]] = value
    flat = flatten(answers)
    return [unflatten({**flat, **differing}) for differing in by_version.values()]
