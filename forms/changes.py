"""Compare two versions of a form, and say what each change does to what reads its records.

Exports, lists and drafts on phones read them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.problems import N_
from forms.question_type import AnswerKind

LOGIC = ("relevant", "required", "constraint", "calculate", "count", "items", "default", "first_value", "triggers")
# Answers of these kinds are plain text, so one can take over what was written for another.
TEXTS = {AnswerKind.TEXT, AnswerKind.CODE}


@dataclass(frozen=True)
class FormChange:
    """One difference between two versions of a form, about one question.

    `affects`: the parts of the centre that notice it.
    """

    kind: str  # "added" | "removed" | "type" | "choices" | "words" | "logic" | "privacy" | "moved"
    name: str
    text: str
    details: dict[str, str] = field(default_factory=dict)
    blocks_drafts: bool = False  # a draft that answered this finishes under its own version
    affects: tuple[str, ...] = ()


def compare_versions(before: FormDefinition | None, after: FormDefinition, uses: dict[str, list[str]]) -> list[FormChange]:
    """Return every change from one version of a form to the next.

    `uses` tells by the name of a question's column who reads it: releases, lists.
    """
    if before is None:
        return []
    old = before.by_path
    new = after.by_path
    changes: list[FormChange] = []
    for path, element in old.items():
        if path not in new:
            changes += _describe_removed(before, element, new, uses)
    for path, element in new.items():
        if path not in old:
            if element.is_answered or element.kind != "question":
                text = N_("New: “{name}”. Records from before have no answer to it.")
                # Words without an answer leave no trace in records.
                changes.append(FormChange("added", element.name, text, {"name": _get_label(after, element)}))
        else:
            changes += _describe_changed(before, after, old[path], element, uses)
    for key in sorted(set(before.summary) | set(after.summary)):
        if before.summary.get(key) != after.summary.get(key):
            text = N_("Lists of records show another question as “{key}”.")
            changes.append(FormChange("moved", key, text, {"key": key}))
    order = [element.path for element in before.elements if element.path in new]
    if order != [element.path for element in after.elements if element.path in old]:
        changes.append(FormChange("moved", "", N_("Questions come in another order.")))
    return changes


def _describe_removed(
    before: FormDefinition, element: Element, new: dict[str, Element], uses: dict[str, list[str]]
) -> Iterator[FormChange]:
    if not element.is_answered and element.kind == "question":
        return
    touches = tuple(uses.get(before.column(element), ()))
    elsewhere = next((candidate for candidate in new.values() if candidate.name == element.name), None)
    details = {"name": _get_label(before, element)}
    text = N_("Gone: “{name}”. Its answers in earlier records stay.")
    if elsewhere is not None:
        text = N_("“{name}” is in another group now; for exports it is another question.")
    # A calculation is computed again under any version; it keeps no draft from moving on.
    blocks = element.calculate is None
    yield FormChange("removed", element.name, text, details, blocks, touches)


def _describe_changed(
    before: FormDefinition, after: FormDefinition, old: Element, new: Element, uses: dict[str, list[str]]
) -> Iterator[FormChange]:
    touches = tuple(uses.get(before.column(old), ()))
    name = {"name": _get_label(after, new)}
    if (old.kind, old.type) != (new.kind, new.type):
        details = {**name, "old": old.type or old.kind, "new": new.type or new.kind}
        blocks = not (old.answer_kind in TEXTS and new.answer_kind in TEXTS)
        text = N_("“{name}” was {old} and is {new}: old and new answers cannot be put in one column.")
        yield FormChange("type", new.name, text, details, blocks, touches)
    if new.is_select and old.type == new.type:
        yield from _compare_choices(before, after, old, new, touches)
    if (old.label, old.hint) != (new.label, new.hint):
        yield FormChange("words", new.name, N_("“{name}” is worded differently."), name)
    if (old.privacy, old.export) != (new.privacy, new.export):
        details = {**name, "old": _describe_class(old), "new": _describe_class(new)}
        text = N_("“{name}” was classed {old} and is {new}.")
        yield FormChange("privacy", new.name, text, details, False, touches)
    if any(getattr(old, field) != getattr(new, field) for field in LOGIC):
        yield FormChange("logic", new.name, N_("“{name}” follows other rules."), name)


def _compare_choices(
    before: FormDefinition, after: FormDefinition, old: Element, new: Element, touches: tuple[str, ...]
) -> Iterator[FormChange]:
    was = {choice.name: choice.label for choice in before.choices.get(old.choices, ())}
    now = {choice.name: choice.label for choice in after.choices.get(new.choices, ())}
    name = {"name": _get_label(after, new)}
    # A draft may have chosen it; under the new version nothing would show that answer.
    gone = [choice for choice in was if choice not in now]
    if gone:
        details = {**name, "choices": ", ".join(gone)}
        text = N_("“{name}” no longer offers: {choices}. Earlier answers stay.")
        yield FormChange("choices", new.name, text, details, True, touches)
    added = [choice for choice in now if choice not in was]
    if added:
        details = {**name, "choices": ", ".join(added)}
        text = N_("“{name}” also offers: {choices}.")
        yield FormChange("choices", new.name, text, details, False, touches)
    renamed = [choice for choice in now if choice in was and was[choice] != now[choice]]
    if renamed:
        details = {**name, "choices": ", ".join(renamed)}
        yield FormChange("words", new.name, N_("“{name}” words these choices differently: {choices}."), details)


def _describe_class(element: Element) -> str:
    """Return the class of a question with what becomes of its column: `sensitive (drop)`."""
    written = element.privacy or "–"
    if element.export:
        written += f" ({element.export})"
    return written


def _get_label(form: FormDefinition, element: Element) -> str:
    return in_language(element.label, form.languages[0]) or element.name
