"""Read the answers in a submission's body: JSON of our phones, XML of OpenRosa clients."""

import json
import math
from typing import Any

from forms.definition import FormDefinition
from sync.envelope import ATTACHED, UNSTORABLE
from sync.openrosa import InstanceRefused, parse_instance, read_answers


def read_body(body: str, definition: FormDefinition | None) -> Any:
    """Return the answers in a body; raise ValueError when it is neither JSON nor XML.

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
    if not rest:
        return answers
    names = json.loads(rest.removesuffix("-->").replace("\\u002d", "-"))
    return _insert_names_in(answers, names)


def replace_unstorable(answers: Any) -> Any:
    """Return answers with U+FFFD for characters that no database stores.

    Those are NUL and half a surrogate pair.

    Two halves that JSON spells one after the other are one character and arrive here as one. Raise ValueError for a
    number that is too large for JSON.
    """
    if isinstance(answers, str):
        return UNSTORABLE.sub("\ufffd", answers)
    if isinstance(answers, dict):
        return {replace_unstorable(key): replace_unstorable(value) for key, value in answers.items()}
    if isinstance(answers, list):
        return [replace_unstorable(value) for value in answers]
    if isinstance(answers, float) and not math.isfinite(answers):
        raise ValueError("a number too large")  # written out again it would be no JSON, and no phone could read it
    return answers


def _refuse_constant(name: str) -> Any:
    raise ValueError("not a number of JSON")


def append_attachment_names(xml: str, names: dict[str, str]) -> str:
    """Return the XML as it came, followed by the answers that its attachments became.

    `names`: the client's name of each attachment → its answer, "attachment:<type>:<SHA-256>".
    """
    if not names:
        return xml
    # A dash is escaped: two of them would end the XML comment.
    return xml + ATTACHED + json.dumps(names).replace("-", "\\u002d") + "-->"


def _insert_names_in(answers: Any, names: dict[str, str]) -> Any:
    if isinstance(answers, dict):
        return {key: _insert_names_in(value, names) for key, value in answers.items()}
    if isinstance(answers, list):
        return [_insert_names_in(answer, names) for answer in answers]
    return names.get(answers, answers)
