"""What a phone should hold now."""

from collections.abc import Iterable
from typing import Any

from forms.definition import FormDefinition

PROTOCOL = 1


def make_manifest(forms: Iterable[FormDefinition]) -> dict[str, Any]:
    """Return the list of forms for a phone, as JSON data.

    Each has the SHA-256 of its definition, so that phones fetch only what changed. The forms come by id.
    """
    listed = [
        {"id": form.id, "role": form.role, "version": form.version, "title": form.title, "sha256": form.sha256}
        for form in sorted(forms, key=lambda form: form.id)
    ]
    return {"protocol": PROTOCOL, "forms": listed}
