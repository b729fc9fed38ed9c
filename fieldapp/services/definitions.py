"""Compiled forms, parsed once a process."""

from fieldapp.store.forms import FormVersion
from forms.definition import FormDefinition

MAX_KEPT = 200
_kept: dict[str, FormDefinition] = {}  # by the hash of the definition, so never stale


def definition_of(version: FormVersion) -> FormDefinition:
    """Return the definition of a stored form; its text is read only when this process has not seen it."""
    found = _kept.get(version.sha256)
    if found is None:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        found = _kept[version.sha256] = FormDefinition.from_json(version.definition)
    return found
