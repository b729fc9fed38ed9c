"""Who reads which question of a form: datasets for release, and the lists of the office."""

from typing import Any

from evaluator_export.yaml_text import read_yaml
from fieldapp.services.releases.datasets import load_program_datasets
from forms.definition import FormDefinition
from forms.problems import N_

LISTS = N_("lists of records")


def find_question_uses(definition: FormDefinition) -> dict[str, list[str]]:
    """Return what reads each question, by its column: names of datasets, or `LISTS`."""
    uses: dict[str, list[str]] = {}
    for name, text in load_program_datasets().items():
        body = read_yaml(text)
        if body["form"] != definition.id:
            continue
        for question in _list_questions(body):
            uses.setdefault(question, []).append(name)
    for path in definition.summary.values():
        element = definition.by_path.get(path)
        if element is not None:
            uses.setdefault(definition.column(element), []).append(LISTS)
    return uses


def _list_questions(dataset: dict[str, Any]) -> set[str]:
    """Return the columns of a form that a dataset's YAML names."""
    policy = dataset["policy"]
    consent = dataset.get("consent", {})
    questions = {field.get("from", column) for column, field in policy["fields"].items()}
    questions.add(policy.get("unit", {}).get("person", ""))
    questions.add(dataset.get("where", {}).get("question", ""))
    questions.add(consent.get("question", ""))
    questions.add(consent.get("unless", {}).get("question", ""))
    return {question for question in questions if question}
