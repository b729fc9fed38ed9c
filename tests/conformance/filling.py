"""Forms filled in by the phone's engine."""

import json
from typing import Any

from forms.definition import FormDefinition
from tests.conformance.harness import (
    run_on_phone,
)


def filled(forms: list[FormDefinition], cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    given = {"vectors": [], "forms": cases, "definitions": [json.loads(form.to_json()) for form in forms]}
    found: list[dict[str, Any]] = run_on_phone(given)["forms"]
    return found
