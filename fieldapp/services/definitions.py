"""Compiled forms, parsed once a process."""

import weakref
from collections.abc import Iterable

from fieldapp.store.forms import versions
from fieldapp.store.forms.versions import FormVersion
from fieldapp.store.session import Engine, Session
from forms.definition import FormDefinition

MAX_KEPT = 200
_kept: dict[str, FormDefinition] = {}  # by the hash of the definition, so never stale
# What a database has published under a name stays so for ever; one dictionary for each database of this process.
_published: weakref.WeakKeyDictionary[Engine, dict[tuple[int, str, str], FormDefinition]] = weakref.WeakKeyDictionary()


def definition_of(version: FormVersion) -> FormDefinition:
    """Return the definition of a stored form; its text is read only when this process has not seen it."""
    found = _kept.get(version.sha256)
    if found is None:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        found = _kept[version.sha256] = FormDefinition.from_json(version.definition)
    return found


def find_definitions(
    session: Session, centre_id: int, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], FormDefinition]:
    """Return the definitions of those (form, version) that the centre has published."""
    held = _published.setdefault(session.get_bind().engine, {})
    found = {}
    for form, version in wanted:
        definition = held.get((centre_id, form, version))
        if definition is None and (stored := versions.find(session, centre_id, form, version)):
            if len(held) >= MAX_KEPT:
                held.clear()
            definition = held[centre_id, form, version] = definition_of(stored)
        if definition:
            found[form, version] = definition
    return found
