"""What a phone holds: the list of forms and areas, the centre's key and rules, and each form and set of areas itself."""

import datetime as dt
import json
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Act, act, reading
from fieldapp.services.caseload import correctable
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.spots import maps_mark
from fieldapp.store import areas, centres, epochs, feed, forms, records, users
from fieldapp.store.centre_keys import CentreKey
from sync.cursor import Cursor
from sync.manifest import PROTOCOL, manifest

CORRECTABLE_FOR = dt.timedelta(days=14)


@reading("manifest.fetch")
def fetch_manifest(a: Act, key: CentreKey, receipts: CentreKey) -> dict[str, Any]:
    """Return what this worker's phone should hold now, the key that it seals to, and the rules that it keeps."""
    user = a.session.get_one(users.User, a.actor.user_id)
    centre = centres.get(a.session, a.centre_id)
    return {
        **manifest(definition_of(version) for version in forms.current(a.session, a.centre_id)),
        "areas": [{"key": key, "sha256": hash_} for key, hash_ in areas.hashes(a.session, a.centre_id).items()],
        "centre": centre.name,
        "worker": user.label,
        "key": {"kid": key.kid, "public": key.public_key},
        "receipts": {"kid": receipts.kid, "public": receipts.public_key},
        "team": [
            {"user": one.id, "label": one.label}
            for one in users.list_for(a.session, a.centre_id)
            if one.role == WORKER and one.active and one.id != user.id
        ],
        "rules": {
            "lock_minutes": centre.lock_minutes,
            "shred_days": centre.shred_days,
            "voice_notes": centre.has_voice_notes,
        },
        "map": maps_mark(a),
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


MAX_PULLED = 5000


@reading("feed.fetch")
def pull(a: Act, cursor: int | str) -> str:
    """Return as JSON what this worker's phones should know that changed after a cursor; bodies are spliced in as stored.

    A phone that knows more than this database has given out, or knows it from before a copy was put back, hears it all
    again from the beginning (`reset`).
    """
    assert a.actor.user_id is not None
    epoch, head = epochs.current(a.session), feed.head(a.session, a.actor.user_id)
    known = Cursor.parse(str(cursor))
    is_known = known.is_known_to(epoch, head)
    last, count, items = feed.after(a.session, a.actor.user_id, known.number if is_known else 0, MAX_PULLED)
    more = "true" if count == MAX_PULLED else "false"
    reset = "" if is_known else '"reset":true,'
    place = json.dumps(Cursor(last, epoch).to_json())
    return f'{{"protocol":{PROTOCOL},{reset}"cursor":{place},"more":{more},"items":[{items}]}}'


@act("record.fetch_own")
def fetch_own_record(a: Act, instance_id: str) -> dict[str, Any]:
    """Return a worker's own record for correcting it: its answers and what a correction builds on; for two weeks only."""
    record = records.get(a.session, a.centre_id, instance_id)
    if record is None or record.author_id != a.actor.user_id or a.now - record.received_at > CORRECTABLE_FOR:
        raise not_found()
    if record.contested:
        raise ActProblem("record.contested", N_("Two versions of this record wait for your supervisor's choice."))
    a.note(f"record/{instance_id}")
    return {"id": instance_id, **correctable(record.form, record.version, record.answers, record.heads)}
