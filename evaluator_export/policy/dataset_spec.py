"""A dataset: which answers of which form become rows, who must have agreed, and the policy that makes them safe.

A centre has each dataset once, and every recipient gets rows of the same batches: so recipients who pool their packages
learn no more than the finest of them says. docs/policies.md describes the format.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from evaluator_export.policy import hierarchies
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.policy import (
    MAX_SINGLED_OUT,
    Field,
    Policy,
    Role,
    parse_policy,
)
from evaluator_export.problems import Detail, ExportProblem, Reason, make_yaml_reason
from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.privacy_classes import NEVER_LEAVES
from forms.question_type import AnswerKind

FORMAT = 1
SEVERAL = "several"
MINUTES, WEEKDAY, HOUR, CHOSEN, RECORDS = "minutes", "weekday", "hour", "chosen", "records"
RECEIVED = "received_on"  # the day on which the centre had the record: not a question of any form
MONTH, CONTACTS = "months_since_intake", "contacts"
EVENTS, PEOPLE = "events", "people"
FAMILIES = (EVENTS, PEOPLE)
# Lists that say who somebody is, and lists that say where and when: never in one dataset (governance §4.2, GR6).
WHO = frozenset({"age_band4", "age_band7", "gender", "race", "indig", "lang", "district"})
WHERE_AND_WHEN = frozenset({"nbhd158", "setting", "hour"})
COARSE_TIMES = frozenset({"half", "year", "all"})
BOTH_LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class ConsentRule:
    """Who must have said yes: the question with the tier, the least tier, and which rows are about no one person."""

    question: str
    minimum: int
    unless_question: str = ""
    unless_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """Where a field of the policy comes from, and what it is called.

    `is_multiple`: several choices, with ";" between; in a quasi-identifier more than one choice reads `SEVERAL`.
    """

    name: str
    question: str
    title: dict[str, str]
    is_multiple: bool = False


@dataclass(frozen=True)
class ParticipantMonthSpec:
    """Rows that are months of people, counted from intake: where its month stands, whose it is, what counts as contact.

    Relative time, so that no calendar stands beside who. A row has `MONTH` and `CONTACTS` beside the intake's questions.
    """

    since: str
    person: str
    form: str
    form_person: str
    form_day: str


@dataclass(frozen=True)
class DatasetSpec:
    name: str
    form: str
    family: str
    title: dict[str, str]
    consent: ConsentRule | None
    where: tuple[str, tuple[str, ...]] | None
    policy: Policy
    columns: dict[str, Column]
    sha256: str
    max_hold_months: int
    made: dict[str, tuple[str, ...]]  # questions that are made from others: (how, questions …), see eligibility.py
    months: ParticipantMonthSpec | None
    has_rows: bool = True  # else it is for tables only, and no recipe can hand out its rows

    @property
    def forms(self) -> set[str]:
        return {self.form, *([self.months.form] if self.months else [])}

    def hierarchy(self, name: str) -> Hierarchy:
        field = next(field for field in self.policy.fields if field.name == name)
        assert field.hierarchy is not None
        return field.hierarchy


def read_dataset(text: str, definition: FormDefinition | None, tables: Mapping[str, list[list[str]]]) -> DatasetSpec:
    """Return the dataset written in YAML; raise ExportProblem with everything wrong in it.

    `tables` are the programme's hierarchies by name, each a list of rows, its first the level names.
    """
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExportProblem(make_yaml_reason(error)) from None
    if not isinstance(body, dict) or body.get("dataset") != FORMAT:
        raise ExportProblem(Reason("dataset.format", {"format": FORMAT}))
    missing = [key for key in ("name", "form", "family", "title", "policy") if not body.get(key)]
    if missing:
        raise ExportProblem(Reason("dataset.lacks", {"keys": ", ".join(missing)}))
    name = str(body["name"])
    if definition is None:
        raise ExportProblem(Reason("dataset.form", {"form": str(body["form"])}, (name,)))
    problems: list[Reason] = []
    if body["family"] not in FAMILIES:
        problems.append(Reason("dataset.family", {"family": str(body["family"])}, (name,)))
    if not isinstance(body["policy"], dict):
        raise ExportProblem(Reason("dataset.policy", where=(name,)))
    reader = _DatasetReader(name, str(body["family"]), definition, tables, problems, body.get("rows", True) is not False)
    made = reader.made_of(body)
    months = reader.months(body.get("months"))
    policy_body = reader.completed(body["policy"])
    try:
        policy = parse_policy(policy_body, hashlib.sha256(text.encode()).hexdigest(), reader.named)
    except ExportProblem as problem:
        raise ExportProblem(*problems, *(reason.inside(name) for reason in problem.reasons)) from None
    reader.check_family(policy)
    consent = reader.consent(body.get("consent"))
    where = None
    if body.get("where"):
        reader.question(body["where"].get("question", ""))
        where = (str(body["where"]["question"]), tuple(str(value) for value in body["where"].get("values", ())))
    if policy.limits.is_local:
        problems.append(Reason("dataset.local", where=(name, "suppress")))
    if body["family"] == PEOPLE and consent is None:
        problems.append(Reason("dataset.consent", where=(name,)))
    if problems:
        raise ExportProblem(*problems)
    memory = body["policy"].get("memory") or {}
    return DatasetSpec(
        name, definition.id, str(body["family"]), body["title"], consent, where, policy, reader.columns,
        policy.sha256, int(memory.get("max_hold_months", 12)), made, months, reader.has_rows,
    )  # fmt: skip


class _DatasetReader:
    """Reads a dataset against its form."""

    def __init__(
        self,
        name: str,
        family: str,
        form: FormDefinition,
        tables: Mapping[str, list[list[str]]],
        problems: list[Reason],
        has_rows: bool,
    ):
        self.name, self.family, self.form, self.tables, self.problems = name, family, form, tables, problems
        self.has_rows = has_rows
        self.questions = {form.column(element): element for element in form.elements if element.is_answered}
        self.columns: dict[str, Column] = {}

    def made_of(self, body: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Return the questions that are made from others: minutes between two, a weekday, an hour, …"""
        wanted = {name: (MINUTES, *ends) for name, ends in (body.get("minutes_between") or {}).items()}
        wanted |= {name: (WEEKDAY, one) for name, one in (body.get("weekday_of") or {}).items()}
        wanted |= {name: (HOUR, one) for name, one in (body.get("hour_of") or {}).items()}
        wanted |= dict.fromkeys(body.get("records_a_person") or (), (RECORDS,))
        wanted |= {name: (CHOSEN, *one) for name, one in (body.get("was_chosen") or {}).items()}
        found = {}
        for name, (how, *parts) in wanted.items():
            for one in parts[:1] if how == CHOSEN else parts:
                if one != RECEIVED:
                    self.question(str(one))
            self.made(str(name))
            found[str(name)] = (how, *map(str, parts))
        return found

    def months(self, body: Any) -> ParticipantMonthSpec | None:
        if not body:
            return None
        self.question(str(body.get("since")))
        self.made(MONTH)
        self.made(CONTACTS)
        contact = body.get("contacts") or {}
        parts = [str(contact.get(part, "")) for part in ("form", "person", "day")]
        return ParticipantMonthSpec(str(body["since"]), str(body.get("person", "")), *parts)

    def made(self, name: str) -> None:
        """Add a question that is made from others; it can only leave made coarser."""
        self.questions[name] = Element(
            f"/made/{name}", name, "question", "integer", "", privacy=Role.QUASI_IDENTIFIER, export="generalise"
        )

    def column(self, element: Element) -> str:
        return element.name if element.path.startswith("/made/") else self.form.column(element)

    def refuse(self, code: str, details: dict[str, Detail]) -> None:
        self.problems.append(Reason(code, details, (self.name,)))

    def question(self, name: str) -> Element | None:
        if name not in self.questions:
            self.refuse("dataset.question", {"form": self.form.id, "question": name})
        return self.questions.get(name)

    def named(self, name: str) -> Hierarchy:
        if name not in self.tables:
            known = ", ".join(sorted(self.tables))
            raise ExportProblem(Reason("dataset.hierarchy", {"hierarchy": name, "known": known}))
        return hierarchies.make_hierarchy(self.tables[name])

    def completed(self, policy: dict[str, Any]) -> dict[str, Any]:
        """Return the policy with what follows from the form: titles, and the hierarchies of plain choices."""
        fields = {}
        for name, item in (policy.get("fields") or {}).items():
            body = dict(item) if isinstance(item, dict) else {"role": item}
            element = self.question(str(body.get("from", name)))
            if element is not None and self.may_leave(element, body):
                fields[name] = body
                many = element.answer_kind == AnswerKind.CHOICES
                title = body.get("title") or {code: in_language(element.label, code) or str(name) for code in BOTH_LANGUAGES}
                self.columns[str(name)] = Column(str(name), self.column(element), title, many)
        person = (policy.get("unit") or {}).get("person")
        if person and self.question(str(person)) is not None:
            self.columns[str(person)] = Column(str(person), str(person), {})
        suppress = policy.get("suppress") or {}
        if isinstance(suppress, dict):
            suppress = {"max_singled_out": MAX_SINGLED_OUT, **suppress}
        return {**policy, "suppress": suppress, "fields": fields}

    def may_leave(self, element: Element, body: dict[str, Any]) -> bool:
        column, role = self.column(element), body.get("role")
        if role == Role.PERSON or (role == Role.PSEUDONYM and element.privacy == "identifier"):
            return True
        if not element.privacy:
            self.refuse("dataset.unclassified", {"column": column})
        elif element.privacy in {str(privacy) for privacy in NEVER_LEAVES}:
            self.refuse("dataset.never", {"column": column, "privacy": element.privacy})
        elif element.export == "drop" or (element.export == "count" and self.has_rows):
            self.refuse("dataset.export", {"column": column, "export": element.export})
        elif element.export == "generalise" and "hierarchy" not in body:
            self.refuse("dataset.generalize", {"column": column})
        elif element.privacy == Role.QUASI_IDENTIFIER and role not in ("qi", Role.QUASI_IDENTIFIER):
            self.refuse("dataset.identifier", {"column": column, "role": str(role or "drop")})
        else:
            return True
        return False

    def check_family(self, policy: Policy) -> None:
        for field in policy.fields:
            if field.role == Role.PERSON or field.name not in self.columns:
                continue
            element = self.questions[self.columns[field.name].question]
            if self.family == EVENTS and (element.choices in WHO or field.role == Role.PSEUDONYM):
                self.refuse("dataset.who", {"column": field.name})
            if self.family == PEOPLE and element.choices in WHERE_AND_WHEN:
                self.refuse("dataset.where_when", {"column": field.name})
            is_time = element.answer_kind == AnswerKind.DATE and field.hierarchy is not None
            if self.family == PEOPLE and is_time and self.level_of(field) not in COARSE_TIMES:
                self.refuse("dataset.time", {"column": field.name})

    @staticmethod
    def level_of(field: Field) -> str:
        return field.hierarchy.names[field.minimum] if field.hierarchy else ""

    def consent(self, body: Any) -> ConsentRule | None:
        if not body:
            return None
        unless = body.get("unless", {})
        self.question(str(body.get("question", "")))
        return ConsentRule(
            str(body.get("question", "")),
            int(body.get("minimum", 2)),
            str(unless.get("question", "")),
            tuple(str(value) for value in unless.get("values", ())),
        )
