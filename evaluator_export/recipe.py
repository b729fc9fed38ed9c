"""A recipe: how data is made safe for one recipient. What it does not name does not leave."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from evaluator_export.generalise import Hierarchy, bins, by_date, from_choices, from_table
from evaluator_export.problems import ExportProblem
from forms.definition import Element, FormDefinition
from forms.privacy import NEVER_LEAVES

HARD_FLOOR = 3  # no setting can go lower (governance GR4)
ROLES = ("quasi-identifier", "sensitive", "keep")


@dataclass(frozen=True)
class Column:
    """A column that leaves: where it comes from, its role, and how far it may and must be generalised."""

    name: str
    question: str
    role: str
    hierarchy: Hierarchy
    minimum: int
    maximum: int
    title: dict[str, str]
    many: bool = False  # a select_multiple: its chosen names, sorted, with ";" between


@dataclass(frozen=True)
class Consent:
    """Who must have said yes: the question with the tier, the least tier, and which rows are about no one person."""

    question: str
    minimum: int
    unless_question: str = ""
    unless_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    name: str
    form: str
    title: dict[str, str]
    columns: tuple[Column, ...]
    consent: Consent | None
    person: str  # the question with the person's code; k counts persons, a row without one counts as one
    distinct: tuple[str, int] | None  # l-diversity: a sensitive column and its least number of values a class

    @property
    def quasi_identifiers(self) -> list[Column]:
        return [column for column in self.columns if column.role == "quasi-identifier"]


@dataclass(frozen=True)
class TableSpec:
    """A protected table of counts of events: one or two columns of a dataset, at fixed levels."""

    name: str
    dataset: str
    by: tuple[tuple[str, int], ...]  # column name, level
    title: dict[str, str]


@dataclass(frozen=True)
class Recipe:
    id: str
    text: str
    title: dict[str, str]
    purpose: dict[str, str]
    k: int
    max_suppressed: float
    threshold: int
    datasets: tuple[Dataset, ...]
    tables: tuple[TableSpec, ...]

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def forms_of(text: str) -> list[str]:
    """Return the forms that a recipe reads."""
    return [dataset["form"] for dataset in yaml.safe_load(text)["datasets"]]


def read(text: str, definitions: dict[str, FormDefinition], tables: dict[str, list[list[str]]]) -> Recipe:
    """Return the recipe written in YAML; raise ExportProblem with everything wrong in it.

    `definitions` are the forms by id; `tables` the hierarchies by name, each a list of rows, its first the level names.
    """
    body = yaml.safe_load(text)
    problems: list[str] = []
    k = int(body["k"])
    if k < HARD_FLOOR:
        problems.append(f"k is {k}; it may never be under {HARD_FLOOR}.")
    datasets = []
    for item in body["datasets"]:
        definition = definitions.get(item["form"])
        if definition is None:
            problems.append(f"{item['name']}: there is no form “{item['form']}”.")
        else:
            datasets.append(_dataset(item, definition, tables, problems))
    columns = {dataset.name: {column.name for column in dataset.columns} for dataset in datasets}
    specs = []
    for item in body.get("tables", ()):
        by = tuple((str(part["column"]), int(part.get("level", 0))) for part in item["by"])
        unknown = [name for name, _ in by if name not in columns.get(item["dataset"], ())]
        problems += [f"{item['name']}: there is no column “{name}” in {item['dataset']}." for name in unknown]
        specs.append(TableSpec(item["name"], item["dataset"], by, item["title"]))
    if problems:
        raise ExportProblem(problems)
    return Recipe(
        id=body["id"],
        text=text,
        title=body["title"],
        purpose=body["purpose"],
        k=k,
        max_suppressed=float(body["max_suppressed"]),
        threshold=max(int(body["threshold"]), HARD_FLOOR),
        datasets=tuple(datasets),
        tables=tuple(specs),
    )


def _dataset(
    item: dict[str, Any], definition: FormDefinition, tables: dict[str, list[list[str]]], problems: list[str]
) -> Dataset:
    questions = {definition.column(element): element for element in definition.elements if element.is_answered}

    def question(name: str) -> Element | None:
        if name not in questions:
            problems.append(f"{item['name']}: the form {definition.id} has no question “{name}”.")
        return questions.get(name)

    columns = []
    for row in item["columns"]:
        element = question(row["from"])
        if element is None:
            continue
        if element.privacy in {str(privacy) for privacy in NEVER_LEAVES} or not element.privacy:
            problems.append(f"{item['name']}: “{row['from']}” is {element.privacy or 'unclassified'} and never leaves.")
            continue
        if element.export in ("drop", "count"):
            problems.append(f"{item['name']}: the form says that “{row['from']}” leaves only as: {element.export}.")
            continue
        if element.export == "generalise" and "hierarchy" not in row:
            problems.append(f"{item['name']}: the form says that “{row['from']}” must be made coarser; give a hierarchy.")
            continue
        if row["role"] not in ROLES:
            problems.append(f"{item['name']}: “{row['role']}” is not a role.")
            continue
        if element.privacy == "quasi-identifier" and row["role"] == "keep":
            problems.append(f"{item['name']}: “{row['from']}” is a quasi-identifier and cannot be kept as it is.")
            continue
        hierarchy = _hierarchy(row.get("hierarchy"), element, definition, tables)
        minimum = int(row.get("minimum", 0))
        top = hierarchy.top if row["role"] == "quasi-identifier" else minimum
        title = row.get("title") or {language: str(text) for language, text in element.label.items()}
        many = element.type == "select_multiple"
        columns.append(Column(row["name"], row["from"], row["role"], hierarchy, minimum, top, title, many))
    consent = None
    if "consent" in item:
        about = item["consent"]
        unless = about.get("unless", {})
        question(about["question"])
        consent = Consent(
            about["question"], int(about["minimum"]), unless.get("question", ""), tuple(unless.get("values", ()))
        )
    distinct = (item["l"]["column"], int(item["l"]["distinct"])) if "l" in item else None
    return Dataset(item["name"], item["form"], item["title"], tuple(columns), consent, item.get("person", ""), distinct)


def _hierarchy(spec: Any, element: Element, definition: FormDefinition, tables: dict[str, list[list[str]]]) -> Hierarchy:
    if spec == "date":
        return by_date()
    if isinstance(spec, dict) and "bins" in spec:
        return bins([int(start) for start in spec["bins"]])
    if isinstance(spec, str):
        return from_table(tables[spec])
    return from_choices([choice.name for choice in definition.choices.get(element.choices, ())])
