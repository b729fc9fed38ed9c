"""The answers in a submission's body: JSON as phones write it, or XML as OpenRosa clients do, kept as it came."""

import json
import math
from typing import Any

from forms.definition import FormDefinition
from sync.envelope import ATTACHED, UNSTORABLE
from sync.openrosa import InstanceRefused, parse_instance, read_answers


def read_body(body: str, definition: FormDefinition | None) -> Any:
    """Return the answers, as far as a database can hold them; raise ValueError when the body is neither.

    The body itself is kept as it came, so what is mended here is not lost.
    """
    if not body.startswith("<"):
        try:
            return replace_unstorable(json.loads(body, parse_constant=_refuse_constant))
        except RecursionError:
            raise ValueError("nested too deeply") from None
    if definition is None:
        raise ValueError("no form to read it by")
    xml, _, rest = body.partition(ATTACHED)
    try:
        answers = read_answers(parse_instance(xml.encode()), definition)
    except InstanceRefused:
        raise ValueError("not the XML of a form") from None
    names = json.loads(rest.removesuffix("-->").replace("\\u002d", "-")) if rest else {}
    return _insert_names_in(answers, names) if names else answers


def replace_unstorable(given: Any) -> Any:
    """Return answers with U+FFFD for each character that no database holds: a NUL, half a surrogate pair.

    Two halves that JSON spells one after the other are one character and arrive here as one. Raise ValueError for a
    number that is too large for JSON.
    """
    if isinstance(given, str):
        return UNSTORABLE.sub("\ufffd", given)
    if isinstance(given, dict):
        return {replace_unstorable(key): replace_unstorable(value) for key, value in given.items()}
    if isinstance(given, list):
        return [replace_unstorable(value) for value in given]
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("a number too large")  # written out again it would be no JSON, and no phone could read it
    return given


def _refuse_constant(name: str) -> Any:
    raise ValueError("not a number of JSON")


def append_attachment_names(xml: str, names: dict[str, str]) -> str:
    """Return the XML as it came, with what its attachments were kept as, by the names that the client gave them."""
    return xml + ATTACHED + json.dumps(names).replace("-", "\\u002d") + "-->" if names else xml


def _insert_names_in(answers: Any, names: dict[str, str]) -> Any:
    if isinstance(answers, dict):
        return {key: _insert_names_in(value, names) for key, value in answers.items()}
    if isinstance(answers, list):
        return [_insert_names_in(one, names) for one in answers]
    return names.get(answers, answers)
