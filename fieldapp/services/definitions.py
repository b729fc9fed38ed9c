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
from forms.roles import FOLLOWED, FormRole

CACHE_SIZE = 200
_cache: dict[str, FormDefinition] = {}  # by the hash of the definition, so never stale
# What a database has published under a name stays so for ever; one dictionary for each database of this process.
_published: weakref.WeakKeyDictionary[Engine, dict[tuple[int, str, str], FormDefinition]] = weakref.WeakKeyDictionary()

_roles: weakref.WeakKeyDictionary[Engine, dict[tuple[int, str], str]] = weakref.WeakKeyDictionary()


def load_definition(version: FormVersion) -> FormDefinition:
    """Return the definition of a stored form, parsed once by each process.

    A form that was published before there was a rule about a refused consent gets that rule here,
    so that phones and the centre follow the same rule. One from before
    there were roles gets its roles.
    """
    definition = _cache.get(version.sha256)
    if definition is None:
        if len(_cache) >= CACHE_SIZE:
            _cache.clear()
        definition = _parse(version.definition)
        _cache[version.sha256] = definition
    return definition


def _parse(text: str) -> FormDefinition:
    definition = give_roles(FormDefinition.from_json(text))
    if definition.kept_after_no:
        return definition
    try:
        guarded, _ = consent.guard(definition)
    except CircularReference:
        return definition
    return guarded  # as it was where the rule cannot hold: then only the centre cuts


def load_definitions(
    session: Session, centre_id: int, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], FormDefinition]:
    """Return the definitions of those (form, version) that the centre has published."""
    published = _published.setdefault(session.get_bind().engine, {})
    definitions = {}
    for form, version in names:
        key = (centre_id, form, version)
        if key not in published:
            stored = versions.find(session, centre_id, form, version)
            if stored is None:
                continue
            if len(published) >= CACHE_SIZE:
                published.clear()
            published[key] = load_definition(stored)
        definitions[form, version] = published[key]
    return definitions


def find_form_role(session: Session, centre_id: int, form: str) -> str:
    """Return the role of a form; "" when it has none, or the centre has no such form."""
    roles = _roles.setdefault(session.get_bind().engine, {})
    if (centre_id, form) not in roles:
        latest = versions.latest(session, centre_id, form)
        if latest is None:
            return ""
        # A role stays with its form once it has one.
        role = load_definition(latest).role
        if not role:
            return ""
        roles[centre_id, form] = role
    return roles[centre_id, form]


def list_follow_up_forms(session: Session, centre_id: int) -> list[FormDefinition]:
    """Return the forms of a centre whose records follow up those of another form."""
    newest = [load_definition(version) for version in versions.newest(session, centre_id)]
    return [definition for definition in newest if definition.role in FOLLOWED]


def find_follow_up_form(session: Session, centre_id: int, role: str) -> FormDefinition | None:
    """Return the form that follows up records of a role; None where the centre has none."""
    for definition in list_follow_up_forms(session, centre_id):
        if FOLLOWED[FormRole(definition.role)] == role:
            return definition
    return None
