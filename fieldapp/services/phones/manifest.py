"""What a phone should have: a manifest with its keys and rules, forms and areas."""

import datetime as dt
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.definitions import load_definition
from fieldapp.services.problems import make_not_found
from fieldapp.services.products.maps import read_maps_version
from fieldapp.store.forms import areas, versions
from fieldapp.store.operations import centres
from fieldapp.store.operations.keys import CentreKey
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.phones import devices
from sync.manifest import make_manifest

# For so long a worker's other phones are told of one that joined in their name, unless the worker has seen it.
JOINED_SHOWN = dt.timedelta(days=14)


@read_act("manifest.fetch")
def fetch_manifest(ctx: ActContext, key: CentreKey, receipts: CentreKey) -> dict[str, Any]:
    """Return what this worker's phone should have now, as JSON for the phone.

    `key` is the one that the phone seals to, `receipts` the one for receipts.
    """
    user = ctx.session.get_one(User, ctx.actor.user_id)
    centre = centres.get(ctx.session, ctx.centre_id)
    current = versions.current(ctx.session, ctx.centre_id)
    return {
        **make_manifest(load_definition(version) for version in current),
        "areas": _list_areas(ctx),
        "centre": centre.name,
        "worker": user.label,
        # With its id, so that a phone knows when the key has changed and seals to the new one.
        "key": {"kid": key.kid, "public": key.public_key},
        "receipts": {"kid": receipts.kid, "public": receipts.public_key},
        "team": _list_colleagues(ctx, user),
        "rules": {
            "lock_minutes": centre.lock_minutes,
            "shred_days": centre.shred_days,
            "voice_notes": centre.has_voice_notes,
        },
        "joined": _list_joined(ctx),
        # A version only: the map itself is fetched when it differs from what the phone has.
        "map": read_maps_version(ctx),
        # The centre's clock: a phone whose own is wrong can say so before it dates a record.
        "now": ctx.now.isoformat(),
    }


def _list_joined(ctx: ActContext) -> list[dict[str, str]]:
    """Return the phones that joined in this worker's name lately, after this one."""
    if ctx.actor.device_id is None or ctx.actor.user_id is None:
        return []
    since = ctx.now - JOINED_SHOWN
    joined = devices.list_joined_after(ctx.session, ctx.actor.user_id, ctx.actor.device_id, since)
    return [{"device": phone.uid, "label": phone.label, "at": phone.created_at.isoformat()} for phone in joined]


def _list_areas(ctx: ActContext) -> list[dict[str, str]]:
    # Hashes only: outlines are large, and a phone fetches those that it lacks.
    hashes = areas.hashes(ctx.session, ctx.centre_id)
    return [{"key": key, "sha256": sha256} for key, sha256 in hashes.items()]


def _list_colleagues(ctx: ActContext, user: User) -> list[dict[str, Any]]:
    """Return the other active workers of the centre, to whom a card can be handed over."""
    colleagues = []
    # By label and id, no more of them: this list is stored on every phone of the team.
    for colleague in users.list_for(ctx.session, ctx.centre_id):
        if colleague.role == WORKER and colleague.active and colleague.id != user.id:
            colleagues.append({"user": colleague.id, "label": colleague.label})
    return colleagues


@read_act("areas.fetch")
def fetch_areas(ctx: ActContext, key: str) -> str:
    """Return the outlines of a set of areas as JSON."""
    area_set = areas.get(ctx.session, ctx.centre_id, key)
    if area_set is None:
        raise make_not_found()
    return area_set.outlines


@read_act("form.fetch")
def fetch_form(ctx: ActContext, form: str, version: str) -> str:
    """Return the definition of one version of a form as canonical JSON."""
    stored = versions.find(ctx.session, ctx.centre_id, form, version)
    if stored is None:
        raise make_not_found()
    # Through the definition and not the stored text, so that an older form gets the roles that it
    # was published without.
    return load_definition(stored).to_json()
