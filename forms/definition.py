"""A compiled form: frozen values, to and from the JSON that phones hold (definition.schema.json)."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forms.expressions.parser import Ast
from forms.problems import FormProblem

SCHEMA = 1

Words = dict[str, Any]  # language → text, or a list of texts and ASTs where a label shows an answer


@dataclass(frozen=True)
class Choice:
    name: str
    label: Words


@dataclass(frozen=True)
class Element:
    """A question, a group or a repeat. `path` is unique; `parent` is the path of what holds it."""

    path: str
    name: str
    kind: str  # "question" | "group" | "repeat"
    type: str  # text integer decimal date dateTime select_one select_multiple note calculate, "" for groups
    parent: str
    label: Words = dataclasses.field(default_factory=dict)
    hint: Words = dataclasses.field(default_factory=dict)
    appearance: str = ""
    choices: str = ""
    privacy: str = ""
    relevant: Ast | None = None
    required: Ast | None = None
    constraint: Ast | None = None
    calculate: Ast | None = None
    default: str = ""
    first_value: Ast | None = None  # a default that is computed when the form is opened
    readonly: bool = False
    required_message: Words = dataclasses.field(default_factory=dict)
    constraint_message: Words = dataclasses.field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return self.kind == "question" and self.type != "note"


@dataclass(frozen=True)
class FormDefinition:
    """A form as phones and the server run it. `order` and `reads` drive recalculation (see dependencies.py)."""

    id: str
    version: str
    title: Words
    languages: tuple[str, ...]
    style: str  # "pages": one group a screen; "": everything on one screen
    elements: tuple[Element, ...]
    choices: dict[str, tuple[Choice, ...]]
    order: tuple[str, ...]
    reads: dict[str, tuple[str, ...]]
    summary: dict[str, str]  # "day", "area", "kind" → path of the question that tells it

    @cached_property
    def by_path(self) -> dict[str, Element]:
        return {element.path: element for element in self.elements}

    @cached_property
    def children(self) -> dict[str, list[Element]]:
        children: dict[str, list[Element]] = {}
        for element in self.elements:
            children.setdefault(element.parent, []).append(element)
        return children

    @cached_property
    def choice_names(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(choice.name for choice in choices) for name, choices in self.choices.items()}

    def column(self, element: Element) -> str:
        """Return the name of a question in exports and recipes: its own where that is unique, else dotted from the root."""
        if sum(other.name == element.name for other in self.elements) == 1:
            return element.name
        return element.path.removeprefix("/data/").replace("/", ".")

    def choice_label(self, element: Element, name: str, language: str) -> str:
        for choice in self.choices.get(element.choices, ()):
            if choice.name == name:
                return in_language(choice.label, language) or name
        return name

    def to_json(self) -> str:
        """Return canonical JSON: the same form gives the same bytes."""
        body: dict[str, Any] = {"schema": SCHEMA}
        for key in ("id", "version", "title", "languages", "style", "order", "reads", "summary"):
            body[key] = getattr(self, key)
        body["elements"] = [_sparse(element) for element in self.elements]
        body["choices"] = {
            name: [{"name": choice.name, "label": choice.label} for choice in choices]
            for name, choices in self.choices.items()
        }
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "FormDefinition":
        body = json.loads(text)
        if body.pop("schema") != SCHEMA:
            raise ValueError("This form definition is of another schema version.")
        body["languages"] = tuple(body["languages"])
        body["order"] = tuple(body["order"])
        body["reads"] = {path: tuple(read) for path, read in body["reads"].items()}
        body["elements"] = tuple(Element(**element) for element in body["elements"])
        body["choices"] = {name: tuple(Choice(**choice) for choice in choices) for name, choices in body["choices"].items()}
        return cls(**body)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class Compiled:
    """A form that may be published, the XForm behind it, and what its author might want to know."""

    definition: FormDefinition
    xform: str
    warnings: list[FormProblem]


def in_language(words: Words, language: str) -> str:
    """Return the text in a language, else in any language there is, else "" (answers inside a label show as …)."""
    text = words.get(language) or next((value for value in words.values() if value), "")
    return text if isinstance(text, str) else "".join(part if isinstance(part, str) else "…" for part in text)


def _sparse(element: Element) -> dict[str, Any]:
    blank = Element(path="", name="", kind="", type="", parent="")
    return {
        field.name: value
        for field in dataclasses.fields(element)
        if (value := getattr(element, field.name)) != getattr(blank, field.name) or field.name in ("type", "parent")
    }
