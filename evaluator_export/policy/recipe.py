"""A recipe: what one recipient gets. Datasets and columns by name, tables, thresholds. What it does not name stays."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from evaluator_export.policy.dataset_spec import EVENTS, RECORDS, ConsentRule, DatasetSpec
from evaluator_export.policy.eligibility import has_consent, is_in_scope
from evaluator_export.policy.hierarchies import Hierarchy, make_choice_hierarchy
from evaluator_export.policy.policy import Role
from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import ExportProblem, Reason, make_yaml_reason
from forms.definition import FormDefinition

FORMAT = 2
EVALUATOR, CITY = "evaluator", "city"
AUDIENCES = (EVALUATOR, CITY)  # the City gets tables only: what it holds, others may ask for
PUBLIC, STAFF = CITY, "staff"  # of products: everybody; front-line staff, who also get tables that no recipe can choose
ROUND, SUPPRESS = "round", "suppress"
PUBLIC_TIER = 3  # the consent that counting people in public numbers needs
MOST_HEADINGS = 3

Menu = Sequence[Mapping[str, Any]]  # tables as they are written: name, dataset, by, title, counts, method


@dataclass(frozen=True)
class RecipientView:
    """What a recipient gets of a dataset: its columns, and the least level of some."""

    dataset: DatasetSpec
    columns: tuple[str, ...]
    coarser: dict[str, int]


@dataclass(frozen=True)
class TableSpec:
    """A protected table of counts: of events, or of persons; by up to three columns of a dataset at fixed levels."""

    name: str
    dataset: DatasetSpec
    by: tuple[tuple[str, int], ...]  # column name, level
    sources: tuple[tuple[str, Hierarchy, int], ...]  # question, hierarchy, level
    title: dict[str, str]
    person: str  # the question with the person's code where persons are counted, else ""
    consent: ConsentRule | None
    method: str
    threshold: int = 0  # counts under it do not show; 0: as the recipe says
    days: int = 0  # a cell with fewer different days does not show
    has_margins: bool = False  # sums by each of two columns are cells too, each rounded by itself

    def counts(self, row: Mapping[str, str]) -> bool:
        return (
            is_in_scope(self.dataset, row)
            and has_consent(self.consent, row)
            and (not self.person or bool(row.get(self.person)))
        )

    def min_count(self, threshold: int) -> int:
        """Return the count under which a cell does not show: the table's own, else the one given."""
        return self.threshold or threshold

    def step(self, threshold: int) -> int:
        """Return by how much a cell must have changed before a period is published again."""
        return self.threshold or max(threshold, self.dataset.policy.model.k)

    @property
    def is_by_records(self) -> bool:
        """Say whether persons are counted by how many records each has."""
        return self.dataset.made.get(self.sources[0][0]) == (RECORDS,)

    @cached_property
    def key(self) -> str:
        """What the centre remembers the table by: the same table is the same for every recipient."""
        names = [f"{question} {hierarchy.names[level]}" for question, hierarchy, level in self.sources]
        who = f"{self.person} {self.consent.minimum if self.consent else ''}"
        more = [f"{self.threshold} {self.days} {self.has_margins}"] if self.threshold or self.has_margins else []
        text = "\n".join([self.dataset.form, str(self.dataset.where), who, self.method, *names, *more])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Recipe:
    id: str
    text: str
    title: dict[str, str]
    purpose: dict[str, str]
    audience: str
    threshold: int
    views: tuple[RecipientView, ...]
    tables: tuple[TableSpec, ...]

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def datasets(self) -> dict[str, DatasetSpec]:
        """Every dataset that the recipe reads, for rows or for tables."""
        return {one.name: one for one in [*(view.dataset for view in self.views), *(table.dataset for table in self.tables)]}


def list_dataset_names(text: str, menu: Menu) -> list[str]:
    """Return the names of the datasets that a recipe reads."""
    body = _parse_body(text)
    of_table = {str(item["name"]): str(item["dataset"]) for item in menu}
    named = [item.get("use") for item in body.get("datasets") or ()]
    named += [of_table.get(str(name)) for name in body.get("tables") or ()]
    return list(dict.fromkeys(str(name) for name in named if name))


def _parse_body(text: str) -> dict[str, Any]:
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExportProblem(make_yaml_reason(error)) from None
    if not isinstance(body, dict) or body.get("recipe") != FORMAT:
        raise ExportProblem(Reason("recipe.format", {"format": FORMAT}))
    missing = [key for key in ("id", "title", "purpose", "audience", "threshold") if not body.get(key)]
    if missing:
        raise ExportProblem(Reason("recipe.lacks", {"keys": ", ".join(missing)}))
    return body


def read_recipe(
    text: str, datasets: Mapping[str, DatasetSpec], definitions: Mapping[str, FormDefinition], menu: Menu
) -> Recipe:
    """Return the recipe written in YAML; raise ExportProblem with everything wrong in it.

    `menu` are the tables that there are: a recipe can only choose among them.
    """
    body = _parse_body(text)
    problems: list[Reason] = []
    audience, threshold = str(body["audience"]), body["threshold"]
    if audience not in AUDIENCES:
        problems.append(Reason("recipe.audience", {"audience": audience, "known": ", ".join(AUDIENCES)}))
    if not isinstance(threshold, int) or threshold < HARD_FLOOR:
        problems.append(Reason("recipe.threshold", {"threshold": str(threshold), "least": HARD_FLOOR}))
        threshold = HARD_FLOOR
    if audience == CITY and body.get("datasets"):
        problems.append(Reason("recipe.city"))
    views = [_read_view(item, datasets, problems) for item in body.get("datasets") or ()]
    offered = {str(item["name"]): item for item in menu}
    chosen = [str(name) for name in body.get("tables") or ()]
    problems += _unknown_tables(chosen, offered)
    known = [offered[name] for name in chosen if name in offered]
    specs = [_read_table(item, audience, datasets, definitions, problems) for item in known]
    names = [view.dataset.name for view in views if view] + [spec.name for spec in specs if spec]
    problems += [Reason("recipe.twice", {"name": name}) for name in dict.fromkeys(names) if names.count(name) > 1]
    if problems:
        raise ExportProblem(*problems)
    return Recipe(
        id=str(body["id"]),
        text=text,
        title=body["title"],
        purpose=body["purpose"],
        audience=audience,
        threshold=threshold,
        views=tuple(view for view in views if view),
        tables=tuple(spec for spec in specs if spec),
    )


def _read_view(item: Mapping[str, Any], datasets: Mapping[str, DatasetSpec], problems: list[Reason]) -> RecipientView | None:
    dataset = datasets.get(str(item.get("use")))
    if dataset is None or not dataset.has_rows:
        known = ", ".join(sorted(name for name, one in datasets.items() if one.has_rows))
        problems.append(Reason("recipe.dataset", {"dataset": str(item.get("use")), "known": known}))
        return None
    fields = {field.name: field for field in dataset.policy.fields if field.role not in (Role.PERSON, Role.DROP)}
    default = [name for name, field in fields.items() if field.role != Role.PSEUDONYM]
    columns = [str(name) for name in item.get("columns") or default]
    coarser = {str(name): int(level) for name, level in (item.get("coarser") or {}).items()}
    only_counted = {field.name for field in dataset.policy.list_fields_with_role(Role.DROP)}
    problems += [
        Reason("recipe.only_counted", {"column": name}, (dataset.name,)) for name in columns if name in only_counted
    ]
    problems += [
        Reason("recipe.column", {"column": name, "dataset": dataset.name}, (dataset.name,))
        for name in dict.fromkeys([*columns, *coarser])
        if name not in fields and name not in only_counted
    ]
    for name, level in coarser.items():
        field = fields.get(name)
        if field and not (field.role == Role.QUASI_IDENTIFIER and field.hierarchy and 0 <= level <= field.hierarchy.top):
            problems.append(Reason("recipe.level", {"column": name, "level": level}, (dataset.name,)))
    return RecipientView(dataset, tuple(columns), coarser)


def _read_table(
    item: Mapping[str, Any],
    audience: str,
    datasets: Mapping[str, DatasetSpec],
    definitions: Mapping[str, FormDefinition],
    problems: list[Reason],
) -> TableSpec | None:
    name, dataset = str(item.get("name")), datasets.get(str(item.get("dataset")))
    if item.get("audience") == STAFF and audience != STAFF:
        problems.append(Reason("recipe.staff", where=(name,)))
    if dataset is None:
        details = {"dataset": str(item.get("dataset")), "known": ", ".join(sorted(datasets))}
        problems.append(Reason("recipe.dataset", details, (name,)))
        return None
    by = tuple((str(part["column"]), int(part.get("level", 0))) for part in item.get("by") or ())
    if not 1 <= len(by) <= MOST_HEADINGS:
        problems.append(Reason("recipe.headings", {"most": MOST_HEADINGS}, (name,)))
    sources = _read_sources(name, by, audience, dataset, definitions, problems)
    method, counts = str(item.get("method", ROUND)), str(item.get("counts", "events"))
    if method not in (ROUND, SUPPRESS) or counts not in ("events", "persons"):
        problems.append(Reason("recipe.method", where=(name,)))
    person = ""
    consent = None
    if counts == "persons":
        person, consent = dataset.columns[dataset.policy.person].question if dataset.policy.person else "", dataset.consent
        if not person or consent is None:
            problems.append(Reason("recipe.persons", where=(name,)))
        elif audience == CITY:
            consent = ConsentRule(consent.question, max(consent.minimum, PUBLIC_TIER))
    elif dataset.family != EVENTS and audience == CITY:
        problems.append(Reason("recipe.city_people", where=(name,)))
    threshold, days = int(item.get("threshold", 0)), int(item.get("days", 0))
    if threshold and threshold < HARD_FLOOR:
        problems.append(Reason("recipe.threshold", {"threshold": threshold, "least": HARD_FLOOR}, (name,)))
    if item.get("margins") and len(by) != 2:
        problems.append(Reason("recipe.margins", where=(name,)))
    title = item.get("title") or {"en": name, "fr": name}
    return TableSpec(
        name, dataset, by, tuple(sources), title, person, consent, method, threshold, days, bool(item.get("margins"))
    )


def _read_sources(
    name: str,
    by: Sequence[tuple[str, int]],
    audience: str,
    dataset: DatasetSpec,
    definitions: Mapping[str, FormDefinition],
    problems: list[Reason],
) -> list[tuple[str, Hierarchy, int]]:
    """Return the question, hierarchy and level of each of a table's columns; staff may see below a dataset's least level."""
    fields = {field.name: field for field in dataset.policy.fields if field.role != Role.PERSON}
    sources = []
    for column, asked in by:
        field = fields.get(column)
        if field is None:
            problems.append(Reason("recipe.column", {"column": column, "dataset": dataset.name}, (name,)))
            continue
        question = dataset.columns[column].question
        hierarchy = field.hierarchy or _find_choice_hierarchy(definitions[dataset.form], question)
        level = asked if audience == STAFF else max(asked, field.minimum)
        if not 0 <= level <= hierarchy.top:
            problems.append(Reason("recipe.level", {"column": column, "level": level}, (name,)))
            continue
        sources.append((question, hierarchy, level))
    return sources


def read_tables_for_audience(
    audience: str,
    names: Sequence[str],
    datasets: Mapping[str, DatasetSpec],
    definitions: Mapping[str, FormDefinition],
    menu: Menu,
) -> dict[str, TableSpec]:
    """Return tables of the menu as an audience gets them, by name; raise ExportProblem with everything wrong in them."""
    offered = {str(item["name"]): item for item in menu}
    problems = _unknown_tables(names, offered)
    specs = [_read_table(offered[name], audience, datasets, definitions, problems) for name in names if name in offered]
    if problems:
        raise ExportProblem(*problems)
    return {spec.name: spec for spec in specs if spec}


def _unknown_tables(names: Sequence[str], offered: Mapping[str, Any]) -> list[Reason]:
    known = ", ".join(offered)
    return [Reason("recipe.table", {"table": name, "known": known}) for name in names if name not in offered]


def _find_choice_hierarchy(definition: FormDefinition, question: str) -> Hierarchy:
    for element in definition.elements:
        if element.is_answered and definition.column(element) == question:
            return make_choice_hierarchy([choice.name for choice in definition.choices.get(element.choices, ())] or ["1"])
    raise ExportProblem(Reason("dataset.question", {"form": definition.id, "question": question}))
