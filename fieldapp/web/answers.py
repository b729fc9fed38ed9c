"""The answers of a record as people read them, with questions, choices, files, problems."""

import datetime as dt
import re
from typing import Any, Protocol

from flask import Flask, url_for
from flask_babel import format_date, gettext, ngettext

from fieldapp.services.records.attachments import ATTACHMENT_ANSWER
from fieldapp.web import language
from fieldapp.web.formats import choose_language, format_day
from forms.definition import Element, FormDefinition
from forms.question_type import SEVERAL_NAMES, AnswerKind

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def write_answer(definition: FormDefinition, element: Element, value: str) -> str:
    """Return an answer as people read it: labels of choices, days in words, else as it is."""
    if element.answer_kind == AnswerKind.DATE:
        return _write_time(value, element.date_part)
    if not element.choices:
        return value
    # Names of choices have no spaces, which is why several can stand in one answer.
    names = value.split() if element.answer_kind in SEVERAL_NAMES else [value]
    labels = [definition.choice_label(element, name, language.current()) for name in names]
    return ", ".join(labels)


def _write_time(value: str, part: str) -> str:
    """Return a day, or a time of a day, in words; what is neither stays as it was answered.

    `part`: "month" or "year" where no more of it was asked.
    """
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    if part:
        return str(format_date(moment.date(), "MMMM y" if part == "month" else "y"))
    day = format_day(moment.date())
    # The phone's own clock, whose zone is not the reader's to change.
    return day if DAY.fullmatch(value) else f"{day}, {moment:%H:%M}"


def write_choice(definition: FormDefinition, role: str, name: str) -> str:
    """Return the label of a choice of the question that has this role (area, kind)."""
    element = definition.find_with_role(role)
    if element is None:
        return name
    return definition.choice_label(element, name, language.current())


class RecordAnswers(Protocol):
    """A record that is shown by the roles of its questions, such as an incident."""

    @property
    def definition(self) -> FormDefinition: ...
    def read_role(self, role: str) -> str: ...


def write_answer_with_role(record: RecordAnswers, role: str) -> str:
    """Return what a record answers to the question with a role; a dash where there is none."""
    element = record.definition.find_with_role(role)
    value = record.read_role(role)
    if element is None or not value:
        # A dash and not nothing, so that a reader sees that it was asked.
        return "–"
    return write_answer(record.definition, element, value)


def write_answer_at(definition: FormDefinition, path: str, value: Any) -> str:
    """Return the answer at a dotted path; of a whole repeat, how many entries it has."""
    if isinstance(value, list):
        return str(ngettext("%(num)d entry", "%(num)d entries", len(value)))
    element = _find_element(definition, path)
    if element and value:
        value = write_answer(definition, element, value)
    return value or "–"


def write_question(definition: FormDefinition, path: str) -> str:
    """Return the text of the question at a dotted path; the path where it has none."""
    return _find_question_text(_find_element(definition, path)) or path


def list_answers(definition: FormDefinition, answers: Any, parent: str = "/data") -> list[dict[str, Any]]:
    """Return what was answered, in the order of the form, for a page to show.

    Each item has a `label`. A group has `children`; a question has its privacy `class`, and `text`, or for a file
    `data` (its address) and `kind`.
    """
    items: list[dict[str, Any]] = []
    for element in definition.children.get(parent, []):
        # What was sent aside may be anything: a text where a group should be must not break the
        # page that shows it.
        value = answers.get(element.name) if isinstance(answers, dict) else None
        if element.kind == "question":
            items += _list_answer(definition, element, value)
        else:
            items += _list_group(definition, element, value)
    return items


def _list_answer(definition: FormDefinition, element: Element, value: Any) -> list[dict[str, Any]]:
    # A value of another kind cannot be an answer; what was wrong with it stands among the problems.
    if not value or not isinstance(value, str):
        return []
    item: dict[str, Any] = {"label": choose_language(element.label) or element.name, "class": element.privacy}
    if element.answer_kind == AnswerKind.MEDIA:
        return [{**item, "data": _find_address(value), "kind": element.type}]
    # What is computed and has no text is for the form only.
    if element.answer_kind == AnswerKind.COMPUTED and not element.label:
        return []
    return [{**item, "text": write_answer(definition, element, value)}]


def _list_group(definition: FormDefinition, element: Element, value: Any) -> list[dict[str, Any]]:
    label = choose_language(element.label) or element.name
    instances = value if isinstance(value, list) else [value]
    items = []
    for number, instance in enumerate(instances, 1):
        children = list_answers(definition, instance or {}, element.path)
        # An instance without answers is left out, but keeps its number: "Child 2" stays the second.
        if children:
            title = label
            if element.kind == "repeat":
                title = f"{label} {number}"
            items.append({"label": title, "children": children})
    return items


def _find_address(value: str) -> str:
    """Return where a picture, recording or file is: in the answer itself, or stored apart."""
    match = ATTACHMENT_ANSWER.fullmatch(value)
    if match is None:
        return value
    kind, subtype = match[1].split("/")
    # By the office's address, where who may see it is asked again.
    return url_for("office.attachment", kind=kind, subtype=subtype, sha256=match[2])


def write_problem_of_answer(definition: FormDefinition | None, problem: dict[str, Any]) -> str:
    """Return why an answer was refused: the form's own words where it has some."""
    element = _find_element_of_problem(definition, problem)
    # The form's own words help more than ours: the author knew what was asked.
    if element and problem.get("code") == "answers.constraint":
        message = choose_language(element.constraint_message)
        if message:
            return message
    text = str(problem.get("text", ""))
    if not text:  # gettext of nothing is the head of the catalogue
        return ""
    details: dict[str, str] = problem.get("details", {})
    return str(gettext(text)).format(**details)


def write_question_of_problem(definition: FormDefinition | None, problem: dict[str, Any]) -> str:
    """Return the text of the question that a problem is about, else its path."""
    return _find_question_text(_find_element_of_problem(definition, problem)) or str(problem.get("path", ""))


def _find_question_text(element: Element | None) -> str:
    if element:
        return choose_language(element.label)
    return ""


def _find_element(definition: FormDefinition, path: str) -> Element | None:
    return definition.by_path.get("/data/" + path.replace(".", "/"))


def _find_element_of_problem(definition: FormDefinition | None, problem: dict[str, Any]) -> Element | None:
    """Return the element that a problem is about; its path may have indexes: people[2].age."""
    if definition is None:
        return None
    # Indexes are dropped, since all entries of a repeat have the same questions.
    names = [part.split("[")[0] for part in str(problem.get("path", "")).split(".") if part]
    return definition.by_path.get("/data/" + "/".join(names))


def init(app: Flask) -> None:
    """Give templates the functions above, by the names that they use."""
    app.jinja_env.globals.update(
        answer_label=write_answer_at,
        answered=list_answers,
        choice=write_choice,
        answer_with_role=write_answer_with_role,
        problem_question=write_question_of_problem,
        problem_text=write_problem_of_answer,
        question_text=write_question,
    )
