"""The answers in a submission's body: JSON as phones write it, or XML as OpenRosa clients do, kept as it came."""

import json
from typing import Any

from forms.definition import FormDefinition
from sync.envelope import ATTACHED
from sync.openrosa import InstanceRefused, parse_instance, read_answers


def read_body(body: str, definition: FormDefinition | None) -> Any:
    """Return the answers as they came; raise ValueError when the body is neither."""
    if not body.startswith("<"):
        try:
            return json.loads(body)
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


def insert_names(xml: str, names: dict[str, str]) -> str:
    """Return the XML as it came, with what its attachments were kept as, by the names that the client gave them."""
    return xml + ATTACHED + json.dumps(names).replace("-", "\\u002d") + "-->" if names else xml


def _insert_names_in(answers: Any, names: dict[str, str]) -> Any:
    if isinstance(answers, dict):
        return {key: _insert_names_in(value, names) for key, value in answers.items()}
    if isinstance(answers, list):
        return [_insert_names_in(one, names) for one in answers]
    return names.get(answers, answers)
