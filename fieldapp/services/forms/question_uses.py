"""Who reads which question of a form: datasets that may leave, and the lists of the office."""

from evaluator_export.yaml_text import read_yaml
from fieldapp.services.releases.datasets import programme_datasets
from forms.definition import FormDefinition
from forms.problems import N_

LISTS = N_("lists of records")


def uses_of(definition: FormDefinition) -> dict[str, list[str]]:
    """Return by the name of a question's column what reads it: the names of datasets, or `LISTS`."""
    uses: dict[str, list[str]] = {}
    for name, text in programme_datasets().items():
        body = read_yaml(text)
        if body["form"] != definition.id:
            continue
        policy, consent = body["policy"], body.get("consent", {})
        read = {field.get("from", column) for column, field in policy["fields"].items()}
        read |= {policy.get("unit", {}).get("person", ""), body.get("where", {}).get("question", "")}
        read |= {consent.get("question", ""), consent.get("unless", {}).get("question", "")}
        for question in filter(None, read):
            uses.setdefault(question, []).append(name)
    for path in definition.summary.values():
        if element := definition.by_path.get(path):
            uses.setdefault(definition.column(element), []).append(LISTS)
    return uses
