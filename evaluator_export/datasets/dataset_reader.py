"""Read a dataset from YAML against its form, with everything that is wrong in it at once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from evaluator_export.datasets.dataset_checks import check_consent, check_family, find_reason_to_stay
from evaluator_export.datasets.dataset_spec import (
    CONTACTS,
    MONTH,
    RECEIVED,
    Column,
    ConsentRule,
    DatasetSpec,
    Derivation,
    DerivedQuestion,
    Family,
    ParticipantMonthSpec,
)
from evaluator_export.policy import hierarchies
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.policy import Policy, Role
from evaluator_export.policy.policy_reader import parse_policy
from evaluator_export.problems import Detail, ExportProblem, Reason, make_yaml_reason
from evaluator_export.yaml_text import read_yaml
from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.question_type import AnswerKind

FORMAT = 1
KEYS = ("name", "form", "family", "title", "policy")
MAX_SINGLED_OUT = 0.05  # of a dataset that says nothing else
MAX_HOLD_MONTHS = 12
BOTH_LANGUAGES = ("en", "fr")
DERIVED = "/derived/"  # begins the path of an element that no form has


def read_dataset(
    text: str,
    definition: FormDefinition | None,
    tables: Mapping[str, list[list[str]]],
) -> DatasetSpec:
    """Return the dataset written in YAML.

    `definition`: of its form; None when there is no such form. `tables`: the program's hierarchies
    by name, each a list of rows whose first one names the levels. Raises ExportProblem with
    everything that is wrong.
    """
    try:
        body = read_yaml(text)
    except yaml.YAMLError as error:
        raise ExportProblem(make_yaml_reason(error)) from None
    if not isinstance(body, dict) or body.get("dataset") != FORMAT:
        # Read with a loader that builds plain values only: a YAML tag must not be able to make
        # objects.
        raise ExportProblem(Reason("dataset.format", {"format": FORMAT}))
    missing = [key for key in KEYS if not body.get(key)]
    if missing:
        raise ExportProblem(Reason("dataset.lacks", {"keys": ", ".join(missing)}))
    name = str(body["name"])
    if definition is None:
        raise ExportProblem(Reason("dataset.form", {"form": str(body["form"])}, (name,)))
    if not isinstance(body["policy"], dict):
        raise ExportProblem(Reason("dataset.policy", where=(name,)))
    # The hash is over the text as written, comments included: any change of it stops the series
    # until somebody decides (see frozen_levels).
    return _DatasetReader(body, definition, tables).read(hashlib.sha256(text.encode()).hexdigest())


class _DatasetReader:
    """Reads one dataset; what is wrong with it is collected in `problems`."""

    def __init__(
        self,
        body: Mapping[str, Any],
        form: FormDefinition,
        tables: Mapping[str, list[list[str]]],
    ):
        self.body = body
        self.form = form
        self.tables = tables
        self.name = str(body["name"])
        self.family = str(body["family"])
        # Only a plain false: a typo must not turn rows off in silence, nor on.
        self.has_rows = body.get("rows", True) is not False
        self.problems: list[Reason] = []
        self.columns: dict[str, Column] = {}
        answered = [element for element in form.elements if element.is_answered]
        self.questions = {form.column(element): element for element in answered}

    def read(self, sha256: str) -> DatasetSpec:
        """Return the dataset; raise ExportProblem with everything that is wrong in it."""
        if self.family not in list(Family):
            self.refuse("dataset.family", {"family": self.family})
        # Before the policy: its fields may name derived questions.
        derived = self.read_derived_questions()
        months = self.read_months()
        policy = self.read_policy(sha256)
        choices = self.form.choices
        for reason in check_family(self.family, policy, self.columns, self.questions, choices):
            self.problems.append(reason.inside(self.name))
        consent = self.read_consent()
        for reason in check_consent(consent, self.form, self.list_column_sources(derived)):
            self.problems.append(reason.inside(self.name))
        where = self.read_scope()
        # Passes give rows of one batch different levels, and the levels of a series are frozen as
        # one.
        if policy.limits.is_local:
            self.problems.append(Reason("dataset.local", where=(self.name, "suppress")))
        # A dataset about people without a rule of consent would publish those who said no.
        if self.family == Family.PEOPLE and consent is None:
            self.refuse("dataset.consent", {})
        if self.problems:
            raise ExportProblem(*self.problems)
        memory = self.body["policy"].get("memory") or {}
        return DatasetSpec(
            name=self.name,
            form=self.form.id,
            family=Family(self.family),
            title=self.body["title"],
            consent=consent,
            where=where,
            policy=policy,
            columns=self.columns,
            sha256=policy.sha256,
            max_hold_months=int(memory.get("max_hold_months", MAX_HOLD_MONTHS)),
            derived=derived,
            months=months,
            has_rows=self.has_rows,
        )

    def refuse(self, code: str, details: dict[str, Detail]) -> None:
        self.problems.append(Reason(code, details, (self.name,)))

    def find_question(self, name: str) -> Element | None:
        """Return a question of the form, or a derived one; report it when there is none."""
        if name not in self.questions:
            self.refuse("dataset.question", {"form": self.form.id, "question": name})
        return self.questions.get(name)

    def read_derived_questions(self) -> dict[str, DerivedQuestion]:
        """Return the questions that are derived from others, and let fields use them."""
        derived: dict[str, DerivedQuestion] = {}
        for name in self.body.get("followed_up") or ():
            # Asked by the form that follows up such records. A centre without that form has no answers to it.
            if str(name) not in self.questions:
                self.add_derived(str(name))
        for name, sources in (self.body.get("minutes_between") or {}).items():
            derived[str(name)] = self.derive(str(name), Derivation.MINUTES, sources, sources)
        for name, source in (self.body.get("weekday_of") or {}).items():
            derived[str(name)] = self.derive(str(name), Derivation.WEEKDAY, [source], [source])
        for name, source in (self.body.get("hour_of") or {}).items():
            derived[str(name)] = self.derive(str(name), Derivation.HOUR, [source], [source])
        for name in self.body.get("records_a_person") or ():
            derived[str(name)] = self.derive(str(name), Derivation.RECORDS, [], [])
        for name, sources in (self.body.get("was_chosen") or {}).items():
            # The first source is the question, the others are choices.
            derived[str(name)] = self.derive(str(name), Derivation.CHOSEN, sources[:1], sources)
        for name, sources in (self.body.get("latest_of") or {}).items():
            derived[str(name)] = self.derive(str(name), Derivation.LATEST, sources, sources)
        for name, body in (self.body.get("strongest_of") or {}).items():
            sources = body.get("questions") or ()
            question = self.derive(str(name), Derivation.STRONGEST, sources, sources)
            derived[str(name)] = replace(question, answers=tuple(map(str, body.get("answers") or ())))
        return derived

    def derive(
        self,
        name: str,
        how: Derivation,
        questions: Sequence[Any],
        sources: Sequence[Any],
    ) -> DerivedQuestion:
        """Return a derived question after checking that the `questions` it is from are there."""
        for question in questions:
            if question != RECEIVED:  # which no form asks
                self.find_question(str(question))
        self.add_derived(name)
        return DerivedQuestion(how, tuple(str(source) for source in sources))

    def add_derived(self, name: str) -> None:
        """Add a question that no form has; it can only leave generalized."""
        # As an indirect identifier, so that a derived value cannot be declared harmless, however
        # plain it looks.
        self.questions[name] = Element(
            f"{DERIVED}{name}",
            name,
            "question",
            "integer",
            "",
            privacy=Role.QUASI_IDENTIFIER,
            export="generalise",
        )

    def read_months(self) -> ParticipantMonthSpec | None:
        body = self.body.get("months")
        if not body:
            return None
        self.find_question(str(body.get("since")))
        self.add_derived(MONTH)
        self.add_derived(CONTACTS)
        contacts = body.get("contacts") or {}
        return ParticipantMonthSpec(
            since=str(body["since"]),
            person=str(body.get("person", "")),
            form=str(contacts.get("form", "")),
            form_person=str(contacts.get("person", "")),
            form_day=str(contacts.get("day", "")),
        )

    def read_policy(self, sha256: str) -> Policy:
        try:
            return parse_policy(self.complete_policy(), sha256, self.find_hierarchy)
        # The rest cannot be read without a policy; all that was wrong so far goes along.
        except ExportProblem as problem:
            reasons = [reason.inside(self.name) for reason in problem.reasons]
            raise ExportProblem(*self.problems, *reasons) from None

    def find_hierarchy(self, name: str) -> Hierarchy:
        if name not in self.tables:
            details = {"hierarchy": name, "known": ", ".join(sorted(self.tables))}
            raise ExportProblem(Reason("dataset.hierarchy", details))
        return hierarchies.make_hierarchy(self.tables[name])

    def complete_policy(self) -> dict[str, Any]:
        """Return the policy without fields that may not leave, noting where the others are from."""
        policy = self.body["policy"]
        fields = {}
        for name, item in (policy.get("fields") or {}).items():
            body = dict(item) if isinstance(item, dict) else {"role": item}
            element = self.find_question(str(body.get("from", name)))
            if element is None:
                continue
            column = self.name_column(element)
            reason = find_reason_to_stay(element, column, body, self.has_rows)
            # Left out of the policy and read on: the problem is noted, and what is wrong with the
            # other fields should be said as well.
            if reason is not None:
                self.problems.append(reason.inside(self.name))
                continue
            fields[name] = body
            self.columns[str(name)] = self.make_column(str(name), element, body)
        # The person is a column, too, whatever its class: it counts persons, and never leaves.
        person = (policy.get("unit") or {}).get("person")
        if person and self.find_question(str(person)) is not None:
            self.columns[str(person)] = Column(str(person), str(person), {})
        # A table may be published without this limit; a dataset may not leave it out by silence.
        suppress = policy.get("suppress") or {}
        if isinstance(suppress, dict):
            suppress = {"max_singled_out": MAX_SINGLED_OUT, **suppress}
        return {**policy, "suppress": suppress, "fields": fields}

    def list_column_sources(self, derived: Mapping[str, DerivedQuestion]) -> dict[str, list[Element]]:
        """Return the questions that each column is made of, without the column of the person."""
        person = str((self.body["policy"].get("unit") or {}).get("person", ""))
        sources: dict[str, list[Element]] = {}
        for name, column in self.columns.items():
            # The person's code never leaves as a column, so no purpose has to cover it.
            if name == person:
                continue
            asked: Sequence[str] = [column.question]
            if column.question in derived:
                asked = derived[column.question].questions
            sources[name] = [self.questions[question] for question in asked if question in self.questions]
        return sources

    def make_column(self, name: str, element: Element, body: Mapping[str, Any]) -> Column:
        """Return the column of a field; its title is the question's text unless it has its own."""
        title = body.get("title")
        if not title:
            title = {}
            for language in BOTH_LANGUAGES:
                title[language] = in_language(element.label, language) or name
        is_multiple = element.answer_kind == AnswerKind.CHOICES
        return Column(name, self.name_column(element), title, is_multiple)

    def name_column(self, element: Element) -> str:
        if element.path.startswith(DERIVED):
            return element.name
        return self.form.column(element)

    def read_consent(self) -> ConsentRule | None:
        body = self.body.get("consent")
        if not body:
            return None
        unless = body.get("unless", {})
        self.find_question(str(body.get("question", "")))
        return ConsentRule(
            question=str(body.get("question", "")),
            # Without a number in the file the higher consent is asked for, not the lower.
            minimum=int(body.get("minimum", 2)),
            unless_question=str(unless.get("question", "")),
            unless_values=tuple(str(value) for value in unless.get("values", ())),
        )

    def read_scope(self) -> tuple[str, tuple[str, ...]] | None:
        """Return the question and the values that rows of the dataset must have; None for all."""
        body = self.body.get("where")
        if not body:
            return None
        self.find_question(body.get("question", ""))
        values = tuple(str(value) for value in body.get("values", ()))
        return (str(body["question"]), values)


def read_unit(text: str) -> tuple[str, bool]:
    """Return the form of a dataset's YAML, and whether its rows are months of people."""
    body = read_yaml(text) or {}
    return str(body.get("form", "")), bool(body.get("months"))
