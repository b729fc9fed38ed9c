"""A compiled form: frozen values, to and from the JSON that phones have.

The JSON is described in definition.schema.json.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forms.expressions.functions import BY_CHANCE
from forms.expressions.nodes import Ast, Call, list_called_functions, read_json, write_json
from forms.lists import FormLists, in_language
from forms.problems import FormProblem
from forms.question_type import AnswerKind, QuestionType
from forms.roles import ROLE_COLUMN
from forms.types import TYPES

SCHEMA = 2
READABLE = (1, 2)  # 1: before lists with columns, files, triggers and counted repeats

HIGHER_KEEPS = frozenset({"2", "3", "+4", "+5"})  # more than the yes that every other answer needs (keep.py)

Words = dict[str, Any]  # language → text, or a list of texts and ASTs where a label shows an answer


@dataclass(frozen=True)
class Choice:
    """A choice of a list.

    `data` holds the other columns of the choices sheet, which filters look at.
    """

    name: str
    label: Words
    data: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def roles(self) -> list[str]:
        """Return the ChoiceRoles of the choice."""
        return self.data.get(ROLE_COLUMN, "").split()


@dataclass(frozen=True)
class CsvTable:
    """A list that came with the form as a CSV file."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Element:
    """A question, a group or a repeat.

    `path` is unique; `parent` is the path of what holds it.
    """

    path: str
    name: str
    kind: str  # "question" | "group" | "repeat"
    type: str  # a name of forms/types; "" for groups
    parent: str
    label: Words = dataclasses.field(default_factory=dict)
    hint: Words = dataclasses.field(default_factory=dict)
    guidance: Words = dataclasses.field(default_factory=dict)
    appearance: str = ""
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)
    choices: str = ""  # the list of a select
    items: Ast | None = None  # the rows of it that may be chosen now; None: all
    item_value: str = ""  # the columns that name and label a row, where the list is a file or a repeat
    item_label: str = ""
    privacy: str = ""
    hierarchy: str = ""  # how its answers may be made coarser
    export: str = ""  # "keep" | "generalise" | "count" | "drop": the most that may leave
    keep: str = ""  # the least consent under which it may be kept: "" any yes, "0" "2" "3" "+4" "+5" (keep.py)
    retain_months: int = 0  # how long the answer is kept (retention.py); 0: as the form says
    relevant: Ast | None = None
    required: Ast | None = None
    constraint: Ast | None = None
    calculate: Ast | None = None
    count: Ast | None = None  # how many instances a repeat has
    default: str = ""
    first_value: Ast | None = None  # a default that is computed when the form, or a new instance, is opened
    triggers: dict[str, Ast] = dataclasses.field(default_factory=dict)  # question whose change sets this one → to what
    preload: str = ""  # what the phone fills in: "start" "end" "today" "username" "deviceid"
    readonly: Ast | None = None
    required_message: Words = dataclasses.field(default_factory=dict)
    constraint_message: Words = dataclasses.field(default_factory=dict)

    @property
    def question_type(self) -> QuestionType | None:
        """Return what is known of the type of a question; None for a group or repeat."""
        if self.type:
            return TYPES[self.type]
        return None

    @property
    def answer_kind(self) -> AnswerKind:
        """Return what answers hold; NOTHING for a group or repeat."""
        if self.type:
            return TYPES[self.type].answer
        return AnswerKind.NOTHING

    @property
    def is_answered(self) -> bool:
        """Say whether phones send an answer to it."""
        return self.kind == "question" and self.answer_kind != AnswerKind.NOTHING

    @property
    def is_select(self) -> bool:
        """Say whether answers are names of choices."""
        return bool(self.type) and TYPES[self.type].is_select

    @property
    def is_on_screen(self) -> bool:
        """Say whether people see it.

        Every group, and each question that is not computed or filled in by the phone.
        """
        return not self.type or TYPES[self.type].is_on_screen

    @property
    def date_part(self) -> str:
        """Return what is asked of a day: "month", "year"; "" for the whole of it, or no day."""
        looks = self.appearance.split() if self.type == "date" else []
        if "month-year" in looks:
            return "month"
        return "year" if "year" in looks else ""

    @property
    def expressions(self) -> dict[str, Ast]:
        """Return every expression of the element by the name of its field."""
        fields = {name: getattr(self, name) for name in EXPRESSIONS}
        return {name: ast for name, ast in fields.items() if ast is not None}


EXPRESSIONS = ("relevant", "required", "constraint", "calculate", "count", "first_value", "readonly", "items")
WORDS = {"label", "hint", "guidance", "required_message", "constraint_message"}  # fields that hold Words


@dataclass(frozen=True)
class FormDefinition:
    """A form as phones and the server run it.

    `order` is the order to compute in (see dependencies.py).
    """

    id: str
    version: str
    title: Words
    languages: tuple[str, ...]
    style: str  # "pages": one group a screen; "": everything on one screen
    elements: tuple[Element, ...]
    choices: dict[str, tuple[Choice, ...]]
    order: tuple[str, ...]
    summary: dict[str, str]  # QuestionRole → path of the question that has it
    tables: dict[str, CsvTable] = dataclasses.field(default_factory=dict)
    kept_after_no: tuple[str, ...] = ()  # paths of what stays when a person did not say yes (consent.py)
    role: str = ""  # FormRole; "" for a form that has none
    consent_wording: str = ""  # 16 hexadecimal characters of the hash of what people are asked (consent.py)
    retain_months: int = 0  # how long answers without a time of their own are kept (retention.py); 0: with the record

    @cached_property
    def by_path(self) -> dict[str, Element]:
        """Return the elements by path."""
        return {element.path: element for element in self.elements}

    @cached_property
    def children(self) -> dict[str, list[Element]]:
        """Return the elements of each group or repeat by its path, in the order of the form."""
        children: dict[str, list[Element]] = {}
        for element in self.elements:
            children.setdefault(element.parent, []).append(element)
        return children

    @cached_property
    def answered(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the columns of the answers, and where in the answers each is."""
        return tuple(
            (self.column(element), tuple(element.path.split("/")[2:])) for element in self.elements if element.is_answered
        )

    @cached_property
    def lists(self) -> FormLists:
        """Return the lists that expressions look into, read when first used."""
        return FormLists(self)

    @cached_property
    def randomized_paths(self) -> frozenset[str]:
        """Return the paths of calculations that roll dice: the centre cannot compute them again."""
        return frozenset(e.path for e in self.elements if e.calculate and list_called_functions(e.calculate) & BY_CHANCE)

    @cached_property
    def dates_in_part(self) -> frozenset[str]:
        """Return the paths of the questions that ask for a month or a year."""
        return frozenset(element.path for element in self.elements if element.date_part)

    @cached_property
    def counts(self) -> bool:
        """Say whether a calculation gives the number of a repeat's instances."""
        return any(element.count is not None for element in self.elements)

    @cached_property
    def deciding(self) -> tuple[tuple[str, Element], ...]:
        """Return the elements that each answer may change, in the order to compute in.

        They are those that are computed, those that may be irrelevant, and all inside the latter.
        """
        decided: set[str] = set()
        for element in self.elements:  # a group stands before what is in it
            is_open = element.relevant is None and element.calculate is None and element.count is None
            if not is_open or element.parent in decided:
                decided.add(element.path)
        return tuple((path, self.by_path[path]) for path in self.order if path in decided)

    @cached_property
    def keeps_used(self) -> frozenset[str]:
        """Return the values of `keep` that the form has."""
        return frozenset(element.keep for element in self.elements)

    @cached_property
    def keeps(self) -> dict[str, frozenset[str]]:
        """Return the higher keeps of elements by path, with those of their groups."""
        keeps: dict[str, frozenset[str]] = {}
        for element in self.elements:  # a group stands before what is in it
            together = keeps.get(element.parent, frozenset()) | ({element.keep} & HIGHER_KEEPS)
            if together:
                keeps[element.path] = together
        return keeps

    @cached_property
    def summary_names(self) -> dict[str, tuple[str, ...]]:
        """Return where the answer with each role is: names from the outermost group inwards."""
        return {key: tuple(path.split("/")[2:]) for key, path in self.summary.items()}

    @cached_property
    def computed(self) -> frozenset[str]:
        """Return the dotted paths of answers that the form computes."""
        return frozenset(".".join(e.path.split("/")[2:]) for e in self.elements if e.calculate is not None)

    @cached_property
    def choice_names(self) -> dict[str, frozenset[str]]:
        """Return the names of the choices of each list, to look up an answer in."""
        names = {}
        for list_name, choices in self.choices.items():
            names[list_name] = frozenset(choice.name for choice in choices)
        return names

    def find_with_role(self, role: str) -> Element | None:
        """Return the question with a QuestionRole; None when the form has none."""
        return self.by_path.get(self.summary.get(role, ""))

    def read_role(self, answers: Mapping[str, Any], role: str) -> str:
        """Return the answer to the question with a QuestionRole; "" when there is none."""
        value: Any = answers
        for name in self.summary_names.get(role, ("",)):
            # Step by step, as a wrong or hostile body may have a text where the form has a group.
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""

    def is_repeated(self, element: Element) -> bool:
        """Say whether an element is in a repeat, so that a record can answer it several times."""
        parent = self.by_path.get(element.parent)
        return parent is not None and (parent.kind == "repeat" or self.is_repeated(parent))

    def list_choices_of(self, role: str) -> tuple[Choice, ...]:
        """Return the choices of the question with a QuestionRole."""
        question = self.find_with_role(role)
        return self.choices.get(question.choices, ()) if question else ()

    def list_choices_with_role(self, role: str, choice_role: str) -> list[Choice]:
        """Return the choices with a ChoiceRole that the question with a QuestionRole offers."""
        return [choice for choice in self.list_choices_of(role) if choice_role in choice.roles]

    def is_chosen(self, answers: Mapping[str, Any], role: str, choice_role: str) -> bool:
        """Say whether the question with a QuestionRole is answered with a ChoiceRole's choice."""
        chosen = self.read_role(answers, role).split()
        return any(choice.name in chosen for choice in self.list_choices_with_role(role, choice_role))

    def column(self, element: Element) -> str:
        """Return the name of a question in exports and recipes.

        Its own where that is unique, else dotted from the root.
        """
        # A form may use one name in two groups; only then does the column need the whole path,
        # which is harder to read in exports.
        if sum(other.name == element.name for other in self.elements) == 1:
            return element.name
        return element.path.removeprefix("/data/").replace("/", ".")

    def choice_label(self, element: Element, name: str, language: str) -> str:
        """Return the label of a choice in a language; its name where it has none."""
        label = self._labels(element.choices).get(name)
        if label:
            return in_language(label, language) or name
        rows = self.lists.rows_with(element.choices, element.item_value or "name", name)
        if rows:
            return (rows[0].cells or {}).get(element.item_label or "label") or name
        return name

    @cached_property
    def _labels_of_lists(self) -> dict[str, dict[str, Words]]:
        return {}

    # Once a list: labels of one list are asked for by every row of an export.
    def _labels(self, name: str) -> dict[str, Words]:
        labels = self._labels_of_lists
        if name not in labels:
            labels[name] = {choice.name: choice.label for choice in self.choices.get(name, ())}
        return labels[name]

    def to_json(self) -> str:
        """Return canonical JSON: the same form gives the same bytes."""
        return self._json

    # Once: each phone that fetches the form, and each centre that publishes it, is given the same text.
    @cached_property
    def _json(self) -> str:
        body: dict[str, Any] = {"schema": SCHEMA}
        for key in ("id", "version", "title", "languages", "style", "order", "summary"):
            body[key] = getattr(self, key)
        body["elements"] = [_omit_defaults(element) for element in self.elements]
        body["choices"] = {name: list(map(_write_choice, choices)) for name, choices in self.choices.items()}
        if self.tables:
            body["tables"] = {name: {"columns": table.columns, "rows": table.rows} for name, table in self.tables.items()}
        # Written only where there is something: forms from before keep the bytes, and so the hash,
        # by which phones know them.
        if self.kept_after_no:
            body["kept_after_no"] = self.kept_after_no
        if self.role:
            body["role"] = self.role
        if self.consent_wording:
            body["consent_wording"] = self.consent_wording
        if self.retain_months:
            body["retain_months"] = self.retain_months
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=write_json)

    @classmethod
    def from_json(cls, text: str) -> "FormDefinition":
        """Return the definition in a JSON text that to_json wrote.

        Raises ValueError for a schema version that is not in READABLE.
        """
        body = json.loads(text)
        if body.pop("schema") not in READABLE:
            raise ValueError("This form definition is of another schema version.")
        body.pop("reads", None)  # of schema 1; computed where it is needed since
        body["languages"] = tuple(body["languages"])
        body["order"] = tuple(body["order"])
        body["kept_after_no"] = tuple(body.get("kept_after_no", ()))
        body["elements"] = tuple(_make_element(element) for element in body["elements"])
        body["title"] = _read_words(body["title"])
        body["choices"] = {name: tuple(map(_make_choice, choices)) for name, choices in body["choices"].items()}
        tables = body.get("tables", {})
        body["tables"] = {
            name: CsvTable(tuple(table["columns"]), tuple(map(tuple, table["rows"]))) for name, table in tables.items()
        }
        return cls(**body)

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the JSON, in hexadecimal: phones ask for a form by it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class Compiled:
    """A form that may be published, its XForm, and advice for its author."""

    definition: FormDefinition
    xform: str
    warnings: list[FormProblem]


def _make_element(body: dict[str, Any]) -> Element:
    is_readonly = body.get("readonly") is True  # schema 1
    for name in EXPRESSIONS:
        if isinstance(body.get(name), list):
            body[name] = read_json(body[name])
    if is_readonly:
        body["readonly"] = Call("true", ())
    if "triggers" in body:
        body["triggers"] = {path: read_json(ast) for path, ast in body["triggers"].items()}
    for name in WORDS & body.keys():
        body[name] = _read_words(body[name])
    return Element(**body)


def _write_choice(choice: Choice) -> dict[str, Any]:
    body: dict[str, Any] = {"name": choice.name, "label": choice.label}
    if choice.data:
        return body | {"data": choice.data}
    return body


def _make_choice(body: dict[str, Any]) -> Choice:
    return Choice(body["name"], _read_words(body["label"]), body.get("data", {}))


def _read_words(body: Words) -> Words:
    """Return words by language as they are in memory.

    The answers that a label shows are expressions.
    """
    words: Words = {}
    for language, text in body.items():
        words[language] = text
        if isinstance(text, list):
            words[language] = [_read_part(part) for part in text]
    return words


def _read_part(part: Any) -> Any:
    if isinstance(part, list):
        return read_json(part)
    return part


def _omit_defaults(element: Element) -> dict[str, Any]:
    blank = Element(path="", name="", kind="", type="", parent="")
    body = {}
    for field in dataclasses.fields(element):
        value = getattr(element, field.name)
        # Defaults are left out, so that a new field does not change the hash of every form that was
        # ever published.
        if value != getattr(blank, field.name) or field.name in ("type", "parent"):
            body[field.name] = value
    return body
