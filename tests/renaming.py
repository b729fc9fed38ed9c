"""The program's forms with every question, group, list and form under another name, and what is about them likewise."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluator_export.datasets.dataset_spec import RECEIVED
from forms.definition import Compiled, FormDefinition
from forms.sheets import Sheets, read_sheets
from forms.xlsform import compile_workbook
from tests.programme import workbook_of

REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")


def rename(name: str) -> str:
    """Return the other name; of a dotted place, of each of its parts."""
    return ".".join(f"zz_{part}" for part in name.split("."))


@functools.cache
def renamed_workbook_of(form: str) -> bytes:
    """Return the workbook of a form with every name changed, and nothing else."""
    sheets = read_sheets(workbook_of(form), ".xlsx").sheets
    survey, choices, settings = sheets["survey"], sheets["choices"], sheets["settings"]
    type_at, name_at = survey[0].index("type"), survey[0].index("name")
    for row in survey[1:]:
        row[:] = [REFERENCE.sub(lambda match: "${" + rename(match[1]) + "}", cell) for cell in row]
        if len(row) > name_at and row[name_at]:
            row[name_at] = rename(row[name_at])
        kind, _, list_name = row[type_at].partition(" ")
        if kind.startswith("select_"):
            row[type_at] = f"{kind} {rename(list_name)}"
    for row in choices[1:]:
        row[0] = rename(row[0])
    form_at = settings[0].index("form_id")
    settings[1][form_at] = rename(settings[1][form_at])
    return Sheets(sheets).to_xlsx()


@functools.cache
def renamed_compiled_of(form: str) -> Compiled:
    return compile_workbook(renamed_workbook_of(form))


def renamed_definition_of(form: str) -> FormDefinition:
    return renamed_compiled_of(form).definition


def rename_answers(answers: Any) -> Any:
    """Return answers under the other names of their questions."""
    if isinstance(answers, Mapping):
        return {rename(name): rename_answers(value) for name, value in answers.items()}
    if isinstance(answers, list):
        return [rename_answers(item) for item in answers]
    return answers


def rename_datasets(source: Path, target: Path) -> None:
    """Write the program's datasets into a folder with the other names in them; columns keep theirs."""
    for folder in ("datasets", "counts"):
        (target / folder).mkdir(parents=True)
        for path in (source / folder).glob("*.yaml"):
            body = rename_dataset(yaml.safe_load(path.read_text(encoding="utf-8")))
            (target / folder / path.name).write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")


def rename_dataset(body: dict[str, Any]) -> dict[str, Any]:
    """Return a dataset with the other names of its form and questions."""
    form = body["form"]
    derived = {RECEIVED, *_list_derived(body)}

    def rename_question(name: str) -> str:
        return name if name in derived else rename(name)

    changed = {**body, "form": rename(form)}
    for key in ("where", "consent"):
        if key in body:
            changed[key] = _rename_condition(body[key])
    for key in ("weekday_of", "hour_of"):
        if key in body:
            changed[key] = {name: rename_question(question) for name, question in body[key].items()}
    if "followed_up" in body:
        changed["followed_up"] = list(map(rename, body["followed_up"]))
    for key in body.keys() & {"minutes_between", "latest_of"}:
        changed[key] = {name: list(map(rename_question, questions)) for name, questions in body[key].items()}
    if "was_chosen" in body:
        picks = body["was_chosen"].items()
        changed["was_chosen"] = {name: [rename(question), *values] for name, (question, *values) in picks}
    if "strongest_of" in body:
        changed["strongest_of"] = {
            name: {**each, "questions": list(map(rename_question, each["questions"]))}
            for name, each in body["strongest_of"].items()
        }
    if "months" in body:
        months = body["months"]
        contacts = {key: rename(name) for key, name in months["contacts"].items()}
        changed["months"] = {"since": rename(months["since"]), "person": rename(months["person"]), "contacts": contacts}
    policy = dict(body["policy"])
    if "unit" in policy:
        policy["unit"] = {"person": rename(policy["unit"]["person"])}
    policy["fields"] = {name: _rename_field(name, field, rename_question) for name, field in policy["fields"].items()}
    changed["policy"] = policy
    return changed


def _list_derived(body: Mapping[str, Any]) -> set[str]:
    names = set(body.get("records_a_person") or ())
    for key in ("minutes_between", "weekday_of", "hour_of", "was_chosen", "latest_of", "strongest_of"):
        names.update(body.get(key) or {})
    if "months" in body:
        names |= {"months_since_intake", "contacts"}
    return names


def _rename_condition(body: Mapping[str, Any]) -> dict[str, Any]:
    changed = {**body, "question": rename(body["question"])}
    if "unless" in body:
        changed["unless"] = _rename_condition(body["unless"])
    return changed


def _rename_field(name: str, field: Any, rename_question: Any) -> dict[str, Any]:
    body = dict(field) if isinstance(field, dict) else {"role": field}
    return {**body, "from": rename_question(body.get("from", name))}
