"""Compiled forms, parsed once a process."""

import weakref
from collections.abc import Iterable

from fieldapp.services.earlier_roles import give_roles
from fieldapp.store.forms import versions
from fieldapp.store.forms.versions import FormVersion
from fieldapp.store.session import Engine, Session
from forms import consent
from forms.definition import FormDefinition
from forms.dependencies import CircularReference

MAX_KEPT = 200
_kept: dict[str, FormDefinition] = {}  # by the hash of the definition, so never stale
# What a database has published under a name stays so for ever; one dictionary for each database of this process.
_published: weakref.WeakKeyDictionary[Engine, dict[tuple[int, str, str], FormDefinition]] = weakref.WeakKeyDictionary()


def definition_of(version: FormVersion) -> FormDefinition:
    """Return the definition of a stored form; its text is read only when this process has not seen it.

    One that was published before there was a rule about a no gets that rule here, and one from before there were roles
    its roles: phones and the centre obey them alike.
    """
    found = _kept.get(version.sha256)
    if found is None:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        found = _kept[version.sha256] = _read(version.definition)
    return found


def _read(text: str) -> FormDefinition:
    definition = give_roles(FormDefinition.from_json(text))
    if definition.kept_after_no:
        return definition
    try:
        guarded, _ = consent.guard(definition)
    except CircularReference:
        return definition
    return guarded  # as it was where the rule cannot hold: then only the centre cuts


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
