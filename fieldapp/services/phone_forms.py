"""What a phone holds: the list of forms, and each form's definition."""

from typing import Any

from fieldapp.services.acts import Act, reading
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import not_found
from fieldapp.store import centres, forms, users
from sync.manifest import manifest


@reading("manifest.fetch")
def fetch_manifest(a: Act) -> dict[str, Any]:
    """Return what this worker's phone should hold now."""
    user = a.session.get_one(users.User, a.actor.user_id)
    listed = manifest(definition_of(version) for version in forms.current(a.session, a.centre_id))
    return {**listed, "centre": centres.get(a.session, a.centre_id).name, "worker": user.label}


@reading("form.fetch")
def fetch_form(a: Act, form: str, version: str) -> str:
    """Return the definition of one form as canonical JSON."""
    found = forms.find(a.session, a.centre_id, form, version)
    if found is None:
        raise not_found()
    return definition_of(found).to_json()
