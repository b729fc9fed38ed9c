"""What may be kept of a person who did not say yes.

Nothing but that there was a contact, its kind, and the answer itself.

A form asks for consent with the question that has the role `tier`. The group of that question says whom
it is about: while the group is relevant and the tier is under 1, the record is a refusal. The rule becomes part of what
makes other questions relevant: what may not be kept is not asked, and is erased if it was. Only the card code needs
more: it must be known whose "no" it is, so it is taken out when the record is finished.

A question may ask for more than a yes, or stay after a no, with the column `consent::keep` (forms/keep.py): that becomes
part of the same rule.
"""

import dataclasses
import hashlib
import html
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from forms import dependencies
from forms.definition import HIGHER_KEEPS, Element, FormDefinition
from forms.expressions.nodes import Ast, Call, Operation, Origin, Path, TextLiteral, walk, write_json
from forms.keep import AFTER_NO, make_path, make_yes, write_yes
from forms.problems import N_, FormProblem
from forms.roles import ChoiceRole, QuestionRole


def guard(definition: FormDefinition) -> tuple[FormDefinition, list[FormProblem]]:
    """Return the form with the rule in its conditions, and what stands in the way.

    As it was where no tier is asked.
    """
    tier = definition.by_path.get(definition.summary.get("tier", ""))
    if tier is None:
        return definition, []
    if problems := _obstacles(definition, tier):
        return definition, problems
    kept_paths = kept_after_no(definition)
    rules = {keep: _allowed(definition, tier, keep) for keep in {"", *(HIGHER_KEEPS & definition.keeps_used)}}
    allowed = rules[""]
    person = definition.summary.get("person", "")
    # What the phone fills in decides by itself how consent was asked, so it cannot wait for that.
    standing = definition.summary.get(QuestionRole.CONSENT_STANDING, "")
    asked = kept_paths | _checks(definition, person) | ({standing} - {""})
    covered: set[str] = set()  # groups that carry the rule for all that is in them
    elements = list(definition.elements)
    for index, element in enumerate(elements):
        if element.path == person:
            if element.required is not None:
                elements[index] = dataclasses.replace(element, required=_both(element.required, allowed))
        elif element.parent in covered or not _leads_to(element, asked):
            if element.keep in HIGHER_KEEPS or element.parent not in covered:
                rule = rules.get(element.keep, allowed)
                elements[index] = dataclasses.replace(element, relevant=_both(element.relevant, rule))
            covered.add(element.path)
    guarded = dataclasses.replace(
        definition,
        elements=tuple(elements),
        order=dependencies.order_calculations(tuple(elements), definition.children),
        kept_after_no=tuple(sorted(kept_paths)),
        consent_wording=hash_wording(definition, tier),
    )
    return guarded, []


def hash_wording(definition: FormDefinition, tier: Element) -> str:
    """Return the hash of what people are asked about consent: 16 hexadecimal characters.

    The beginning of the SHA-256 of the words of all questions of the group and of what these offer, in all
    languages. Conditions are no part of it, nor what the phone fills in, so forms that ask in the same words have the
    same hash.
    """
    beside = definition.children.get(tier.parent, ())
    questions = [element for element in beside if element.calculate is None and element.type != "hidden"]
    words = [[element.name, element.label, element.hint] for element in questions]
    for name in sorted({element.choices for element in questions if element.choices}):
        for choice in definition.choices.get(name, ()):
            if ChoiceRole.STANDING not in choice.roles:
                words.append([name, choice.name, choice.label])
    text = json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=write_json)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_statement(definition: FormDefinition, tier: str) -> bool:
    """Say whether a no holds from now on, and not only for its record.

    A form that offers “nothing today” has two answers: that one leaves what the person said before as it was, as does
    a person who was not asked or did not understand. “No more” takes everything back. In a form without them any no
    holds from now on. `tier`: the answer to the question with that role, "" where it was not asked.
    """
    if not definition.list_choices_with_role(QuestionRole.TIER, ChoiceRole.NOTHING_TODAY):
        return True
    ends = definition.list_choices_with_role(QuestionRole.TIER, ChoiceRole.NO_MORE)
    return tier in {choice.name for choice in ends}


def goes_on_as_before(definition: FormDefinition, answers: Mapping[str, Any]) -> bool:
    """Say whether nobody was asked: the phone knew what stands. It is no statement then."""
    return definition.is_chosen(answers, QuestionRole.CONSENT_ASKED, ChoiceRole.STANDING)


def write_rules(definition: FormDefinition, xform: str) -> str:
    """Return an XForm in which what needs more than a yes is not asked without it.

    After a no the centre cuts what ODK Collect sends; to more than a yes, Collect itself must keep.
    """
    tier = definition.by_path.get(definition.summary.get("tier", ""))
    if tier is None or not definition.keeps:
        return xform
    conditions = []
    for parent in _ancestors(definition, tier):
        own = _find_bind(xform, parent.path)
        if own is not None and own[2]:
            conditions.append(f"not({own[2].strip()})")
    for element in definition.elements:
        if element.keep not in HIGHER_KEEPS:
            continue
        bind = _find_bind(xform, element.path)
        yes = html.escape(write_yes(definition, tier, element.keep), quote=True)
        rule = " or ".join([*conditions, f"({yes})"])
        if bind is None:  # a group without a condition of its own
            xform = xform.replace("<bind ", f'<bind nodeset="{element.path}" relevant="{rule}"/><bind ', 1)
        elif bind[2]:
            xform = xform.replace(bind[0], bind[0].replace(bind[1], f' relevant="({bind[2]}) and ({rule})"'), 1)
        else:
            xform = xform.replace(bind[0], bind[0].replace("<bind ", f'<bind relevant="{rule}" ', 1), 1)
    return xform


def _find_bind(xform: str, path: str) -> tuple[str, str, str] | None:
    """Return the bind of a path, its attribute `relevant`, and what that says."""
    bind = re.search(rf'<bind [^>]*nodeset="{re.escape(path)}"[^>]*>', xform)
    if bind is None:
        return None
    relevant = re.search(r' relevant="([^"]*)"', bind[0])
    if relevant is None:
        return bind[0], "", ""
    return bind[0], relevant[0], relevant[1]


def kept_after_no(definition: FormDefinition) -> frozenset[str]:
    """Return the paths of the answers that stay after a no.

    The kind of contact, the tier, what decides if it is asked.
    """
    tier = definition.by_path.get(definition.summary.get("tier", ""))
    if tier is None:
        return frozenset()
    paths = {tier.path, *_decides(definition, tier)}
    for element in definition.children.get(tier.parent, ()):
        reads = {path for path, _ in dependencies.find_element_reads(element, definition.children)} - {tier.parent}
        if element.calculate is not None and reads <= paths:
            paths.add(element.path)
    kind = definition.summary.get("kind")
    if kind:
        paths.add(kind)
    paths.update(element.path for element in definition.elements if element.keep == AFTER_NO)
    return frozenset(paths)


def kept_places(definition: FormDefinition) -> set[str]:
    """Return the dotted paths of the answers that stay after a no.

    Only what is wrong there is wrong with a refusal.
    """
    return {".".join(path.split("/")[2:]) for path in definition.kept_after_no}


def without_person(definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept of the answers of a refusal."""
    return _only(definition, answers, "/data", frozenset(definition.kept_after_no) or kept_after_no(definition))


def is_answered(definition: FormDefinition, answers: Mapping[str, Any]) -> bool:
    """Say whether any question about consent has an answer.

    Before that, the rule asks for nothing less.
    """
    tier = definition.by_path[definition.summary["tier"]]
    answers_kept = without_person(definition, answers)
    for name in tier.parent.split("/")[2:]:
        answers_kept = answers_kept.get(name, {})
    return any(answers_kept.get(question.name) for question in list_consent_questions(definition, tier))


def consent_questions(definition: FormDefinition) -> FormDefinition:
    """Return the form with nothing but what tells a no.

    So little of it can be run where the whole takes too long.
    """
    kept_paths = set(kept_after_no(definition))
    elements = tuple(
        element for element in definition.elements if element.path in kept_paths or _leads_to(element, kept_paths)
    )
    paths = {element.path for element in elements}
    return dataclasses.replace(
        definition, elements=elements, order=tuple(path for path in definition.order if path in paths)
    )


def consent_answers(definition: FormDefinition, answers: Any) -> Any:
    """Return the part of answers, as they came, that those questions read.

    Nothing else can stand in their way.
    """
    asked = [definition.by_path[path] for path in kept_after_no(definition)]
    in_repeats = any(_is_in_repeat(definition, question) for question in asked)
    if in_repeats or not isinstance(answers, Mapping):
        return answers
    return without_person(definition, answers)


def _is_in_repeat(definition: FormDefinition, element: Element) -> bool:
    return any(parent.kind == "repeat" for parent in _ancestors(definition, element))


def is_clear_yes(definition: FormDefinition, answers: Any) -> bool:
    """Say whether answers as they came hold a yes, where no rule could be run.

    All else must be taken for a no.
    """
    tier = definition.by_path.get(definition.summary.get("tier", ""))
    if tier is None:
        return True  # the form is not about anybody's consent
    page = answers
    for name in tier.parent.split("/")[2:]:
        if not isinstance(page, Mapping):
            return False
        page = page.get(name)
    if not isinstance(page, Mapping) or page.get(tier.name) not in ("1", "2", "3"):
        return False
    return all(page.get(question.name) != "no" for question in list_consent_questions(definition, tier))


def person_in(definition: FormDefinition, answers: Any) -> str:
    """Return the card code in answers as they came; "" when there is none."""
    value = answers
    for name in definition.summary_names.get("person", ("",)):
        if not isinstance(value, Mapping):
            return ""
        value = value.get(name)
    if isinstance(value, str):
        return value
    return ""


def _only(definition: FormDefinition, answers: Mapping[str, Any], path: str, paths: frozenset[str]) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for element in definition.children.get(path, ()):
        value = answers.get(element.name)
        if element.kind == "group" and isinstance(value, Mapping):
            inner = _only(definition, value, element.path, paths)
            if inner:
                part[element.name] = inner
        elif element.path in paths and isinstance(value, str):
            part[element.name] = value
    return part


def _decides(definition: FormDefinition, tier: Element) -> set[str]:
    """Return the questions that decide, directly or through others, whether the tier is asked."""
    paths: set[str] = set()
    waiting = [tier.path]
    while waiting:
        element = definition.by_path[waiting.pop()]
        reads = {path for path, _ in dependencies.find_element_reads(element, definition.children)}
        for path in reads & definition.by_path.keys() - paths:
            paths.add(path)
            waiting.append(path)
    return {path for path in paths if definition.by_path[path].kind == "question"}


def _checks(definition: FormDefinition, path: str) -> set[str]:
    """Return a question and the calculations that tell whether its answer is right."""
    paths: set[str] = set()
    waiting = []
    if path in definition.by_path:
        waiting.append(path)
    while waiting:
        element = definition.by_path[waiting.pop()]
        paths.add(element.path)
        for ast in element.expressions.values():
            for read, _ in dependencies.find_references(ast, element.path, definition.children):
                reader = definition.by_path.get(read)
                if reader is not None and reader.calculate is not None and read not in paths:
                    waiting.append(read)
    return paths


def _obstacles(definition: FormDefinition, tier: Element) -> list[FormProblem]:
    """Return why the rule cannot hold in this form."""
    problems = []
    if _is_in_repeat(definition, tier):
        text = N_("The question with the role “tier” is in a repeat. Ask for consent once in a record.")
        problems.append(("consent.repeat", text))
    paths = itertools.chain.from_iterable(map(_list_paths, _conditions(definition, tier)))
    if not all(map(_is_whole, paths)):
        text = N_("The condition of the group with the consent questions must name its questions like ${name}.")
        problems.append(("consent.shape", text))
    if all(question.required is None for question in list_consent_questions(definition, tier)):
        text = N_("The question with the role “tier” must need an answer: set “required” to yes.")
        problems.append(("consent.required", text))
    if tier.parent not in definition.by_path and tier.relevant is not None:
        # Beside such a tier every question would count as one about consent, and hide all others once it is answered.
        text = N_(
            "The question with the role “tier” has a condition and is in no group. Put the consent questions into a group."
        )
        problems.append(("consent.group", text))
    if definition.summary.get("person") in _decides(definition, tier):
        text = N_(
            "The consent questions depend on the card code. After a no the code is not stored, so let them "
            "depend on another question."
        )
        problems.append(("consent.code", text))
    return [FormProblem(code, text, sheet="settings", row=2, column="summary_tier") for code, text in problems]


def _allowed(definition: FormDefinition, tier: Element, keep: str = "") -> Ast:
    """Return when other questions are asked, those with a keep.

    Nobody is to be asked for consent, or they were not asked yet, or said yes to so much.
    """
    said_yes = make_yes(definition, tier, keep)
    asked = [make_path(question) for question in list_consent_questions(definition, tier)]
    not_yet = Operation("=", Call("concat", tuple(asked)), TextLiteral(""))
    # The yes comes first, since most records have it: evaluators stop at the first true part.
    allowed = Operation("or", said_yes, not_yet)
    for condition in _conditions(definition, tier):
        allowed = Operation("or", allowed, Call("not", (condition,)))
    return allowed


def list_consent_questions(definition: FormDefinition, tier: Element) -> list[Element]:
    """Return the questions about consent.

    The tier, and those beside it that decide whether it is asked.

    While none of them is relevant, nobody is to be asked, and the record is no refusal.
    """
    beside = {tier.path, *_decides(definition, tier)}
    return [element for element in definition.children[tier.parent] if element.path in beside and element.calculate is None]


def _conditions(definition: FormDefinition, tier: Element) -> list[Ast]:
    return [parent.relevant for parent in _ancestors(definition, tier) if parent.relevant is not None]


def _ancestors(definition: FormDefinition, element: Element) -> list[Element]:
    parents = []
    parent = definition.by_path.get(element.parent)
    while parent is not None:
        parents.append(parent)
        parent = definition.by_path.get(parent.parent)
    return parents


def _leads_to(element: Element, paths: Iterable[str]) -> bool:
    return any(path == element.path or path.startswith(f"{element.path}/") for path in paths)


def _both(own: Ast | None, rule: Ast) -> Ast:
    if own is None:
        return rule
    return Operation("and", own, rule)


def _list_paths(ast: Ast) -> list[Path]:
    return [part for part in walk(ast) if isinstance(part, Path)]


def _is_whole(path: Path) -> bool:
    return path.origin == Origin.ROOT
