"""Import a sealed copy that a phone saved as a file."""

import contextlib
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.phones.limits import DEFAULT, Limits
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.attachments import MAX_PIECE, receive_piece
from fieldapp.services.records.deliveries import receive_delivery
from fieldapp.store.phones import devices
from fieldapp.store.session import Session
from sync.intake import Status
from sync.sealed import (
    MAX_COPIED,
    MAX_SEALED,
    SealedDelivery,
    SealedRecord,
    parse_copied_attachments,
    parse_delivery,
)


def import_copy(session: Session, actor: Actor, data: bytes, secret: str, limits: Limits = DEFAULT) -> list[dict[str, Any]]:
    """Return an answer for each record of a sealed copy that an admin brings; another centre's are left alone.

    Raise BatchRefused when it is no sealed copy. Each phone's records are taken in by an act of that phone's worker.
    """
    ours, strangers = _read_copy(session, actor, data=data)
    phones = {item.device for item in ours}
    for one in parse_copied_attachments(data):
        with contextlib.suppress(ActProblem):  # what is not that phone's stays out, and its record waits for it
            for start in range(0, len(one.data) if one.device in phones else 0, MAX_PIECE):
                piece = one.data[start : start + MAX_PIECE]
                receive_piece(session, one.device, one.sha256, start, len(one.data), one.proof, piece, limits)
    found = [{"id": item.id, "status": str(Status.RETRY)} for item in strangers]
    for start in range(0, len(ours), MAX_SEALED):
        found += receive_delivery(session, SealedDelivery([], ours[start : start + MAX_SEALED]), secret, limits)["items"]
    return found


@act("copy.bring")
def _read_copy(ctx: ActContext, data: bytes) -> tuple[list[SealedRecord], list[SealedRecord]]:
    """Return the records of a copy that this centre's phones made, and the others."""
    items = parse_delivery(data, MAX_COPIED).items
    known = devices.by_uids(ctx.session, {item.device for item in items})
    ours = {uid for uid, device in known.items() if device.centre_id == ctx.centre_id}
    ctx.describe("copy", records=len(items))
    return [item for item in items if item.device in ours], [item for item in items if item.device not in ours]
