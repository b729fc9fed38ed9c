"""What a phone holds: the list of forms and areas, the centre's key and rules, and each form and set of areas itself."""

import datetime as dt
import json
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.caseload.messages import make_correction_message
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.products.maps import maps_mark
from fieldapp.store.forms import areas, versions
from fieldapp.store.operations import centres
from fieldapp.store.operations.keys import CentreKey
from fieldapp.store.people import users
from fieldapp.store.phones import epochs
from fieldapp.store.phones import pull as feed
from fieldapp.store.records import records
from sync.cursor import Cursor
from sync.manifest import PROTOCOL, make_manifest

CORRECTABLE_FOR = dt.timedelta(days=14)


@read_act("manifest.fetch")
def fetch_manifest(ctx: ActContext, key: CentreKey, receipts: CentreKey) -> dict[str, Any]:
    """Return what this worker's phone should hold now, the key that it seals to, and the rules that it keeps."""
    user = ctx.session.get_one(users.User, ctx.actor.user_id)
    centre = centres.get(ctx.session, ctx.centre_id)
    return {
        **make_manifest(definition_of(version) for version in versions.current(ctx.session, ctx.centre_id)),
        "areas": [{"key": key, "sha256": hash_} for key, hash_ in areas.hashes(ctx.session, ctx.centre_id).items()],
        "centre": centre.name,
        "worker": user.label,
        "key": {"kid": key.kid, "public": key.public_key},
        "receipts": {"kid": receipts.kid, "public": receipts.public_key},
        "team": [
            {"user": one.id, "label": one.label}
            for one in users.list_for(ctx.session, ctx.centre_id)
            if one.role == WORKER and one.active and one.id != user.id
        ],
        "rules": {
            "lock_minutes": centre.lock_minutes,
            "shred_days": centre.shred_days,
            "voice_notes": centre.has_voice_notes,
        },
        "map": maps_mark(ctx),
        "now": ctx.now.isoformat(),
    }


@read_act("areas.fetch")
def fetch_areas(ctx: ActContext, key: str) -> str:
    """Return the outlines of a set of areas as JSON."""
    found = areas.get(ctx.session, ctx.centre_id, key)
    if found is None:
        raise make_not_found()
    return found.outlines


@read_act("form.fetch")
def fetch_form(ctx: ActContext, form: str, version: str) -> str:
    """Return the definition of one form as canonical JSON."""
    found = versions.find(ctx.session, ctx.centre_id, form, version)
    if found is None:
        raise make_not_found()
    return definition_of(found).to_json()


MAX_PULLED = 5000


@read_act("feed.fetch")
def pull(ctx: ActContext, cursor: int | str) -> str:
    """Return as JSON what this worker's phones should know that changed after a cursor; bodies are spliced in as stored.

    A phone that knows more than this database has given out, or knows it from before a copy was put back, hears it all
    again from the beginning (`reset`).
    """
    assert ctx.actor.user_id is not None
    epoch, head = epochs.current(ctx.session), feed.head(ctx.session, ctx.actor.user_id)
    known = Cursor.parse(str(cursor))
    is_known = known.is_known_to(epoch, head)
    last, count, items = feed.after(ctx.session, ctx.actor.user_id, known.number if is_known else 0, MAX_PULLED)
    more = "true" if count == MAX_PULLED else "false"
    reset = "" if is_known else '"reset":true,'
    place = json.dumps(Cursor(last, epoch).to_json())
    return f'{{"protocol":{PROTOCOL},{reset}"cursor":{place},"more":{more},"items":[{items}]}}'


@act("record.fetch_own")
def fetch_own_record(ctx: ActContext, instance_id: str) -> dict[str, Any]:
    """Return a worker's own record for correcting it: its answers and what a correction builds on; for two weeks only."""
    record = records.get(ctx.session, ctx.centre_id, instance_id)
    if record is None or record.author_id != ctx.actor.user_id or ctx.now - record.received_at > CORRECTABLE_FOR:
        raise make_not_found()
    if record.contested:
        raise ActProblem("record.contested", N_("Two versions of this record wait for your supervisor's choice."))
    ctx.describe(f"record/{instance_id}")
    return {"id": instance_id, **make_correction_message(record.form, record.version, record.answers, record.heads)}
