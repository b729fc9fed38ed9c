"""Answers that follow up another record do not say any more which, once that is gone."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from fieldapp.services.consent.refusals import read_answers
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.fold import flatten, unflatten

RECORD_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_record_ids(body: str) -> set[str]:
    """Return what may be numbers of records in the body of a submission."""
    return set(RECORD_ID.findall(body))


def take_out_record_ids(body: str, ids: Collection[str]) -> str:
    for number in ids:
        body = body.replace(number, "")
    return body


def take_out_of_answers(answers: Any, ids: Collection[str]) -> Any:
    """Return JSON values without these numbers of records."""
    return json.loads(take_out_record_ids(json.dumps(answers), ids))


def leave_out_followed(
    definition: FormDefinition | None, answers: Mapping[str, Any], ids: Collection[str]
) -> dict[str, Any]:
    """Return a follow-up without the record that it follows up, where that is gone.

    Neither its number is left nor the day that the phone filled in from it.
    """
    cut = dict(answers)
    if definition is not None and definition.read_role(answers, QuestionRole.FOLLOWS) in ids:
        leaves = flatten(answers)
        day_path = ".".join(definition.summary_names.get(QuestionRole.FOLLOWED_DAY, ()))
        if leaves.pop(day_path, None) is not None:
            cut = unflatten(leaves)
    without_ids: dict[str, Any] = take_out_of_answers(cut, ids)
    return without_ids


def leave_out_intake_day(definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return an intake without the day of an earlier one, which the phone filled in."""
    leaves = flatten(answers)
    leaves.pop(".".join(definition.summary_names.get(QuestionRole.INTAKE_DAY, ())), None)
    return unflatten(leaves)


def leave_out_of_body(body: str, definition: FormDefinition | None, ids: Collection[str]) -> str:
    """Return a body without records that are gone, as `leave_out_followed` does with answers."""
    if not ids:
        return body
    answers = read_answers(body, definition)
    cut = leave_out_followed(definition, answers, ids)
    if cut == take_out_of_answers(answers, ids):  # only numbers: the body stays as it was written
        return take_out_record_ids(body, ids)
    return write_body(cut)


def write_body(answers: Mapping[str, Any]) -> str:
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":"))
