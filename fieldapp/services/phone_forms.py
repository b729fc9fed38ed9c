"""What a phone holds: the list of forms and areas, the centre's key and rules, and each form and set of areas itself."""

from typing import Any

from fieldapp.services.acts import Act, reading
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import not_found
from fieldapp.store import areas, centres, forms, users
from fieldapp.store.centre_keys import CentreKey
from sync.manifest import manifest


@reading("manifest.fetch")
def fetch_manifest(a: Act, key: CentreKey) -> dict[str, Any]:
    """Return what this worker's phone should hold now, the key that it seals to, and the rules that it keeps."""
    user = a.session.get_one(users.User, a.actor.user_id)
    centre = centres.get(a.session, a.centre_id)
    return {
        **manifest(definition_of(version) for version in forms.current(a.session, a.centre_id)),
        "areas": [{"key": key, "sha256": hash_} for key, hash_ in areas.hashes(a.session, a.centre_id).items()],
        "centre": centre.name,
        "worker": user.label,
        "key": {"kid": key.kid, "public": key.public_key},
        "rules": {
            "lock_minutes": centre.lock_minutes,
            "shred_days": centre.shred_days,
            "voice_notes": centre.has_voice_notes,
        },
        "now": a.now.isoformat(),
    }


@reading("areas.fetch")
def fetch_areas(a: Act, key: str) -> str:
    """Return the outlines of a set of areas as JSON."""
    found = areas.get(a.session, a.centre_id, key)
    if found is None:
        raise not_found()
    return found.outlines


@reading("form.fetch")
def fetch_form(a: Act, form: str, version: str) -> str:
    """Return the definition of one form as canonical JSON."""
    found = forms.find(a.session, a.centre_id, form, version)
    if found is None:
        raise not_found()
    return definition_of(found).to_json()
