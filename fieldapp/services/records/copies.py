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
    CopiedAttachment,
    SealedDelivery,
    SealedRecord,
    parse_copied_attachments,
    parse_delivery,
)


def import_copy(session: Session, actor: Actor, data: bytes, secret: str, limits: Limits = DEFAULT) -> list[dict[str, Any]]:
    """Import a sealed copy; return an answer for each of its records.

    Each phone's records are stored by an act of that phone's worker. The records of another centre's phones are not
    stored: their status is "retry". Raises BatchRefused when `data` is no sealed copy.
    """
    ours, foreign = _read_copy(session, actor, data=data)
    phones = {record.device for record in ours}
    for attachment in parse_copied_attachments(data):
        if attachment.device in phones:
            _import_attachment(session, attachment, limits)
    answers = [{"id": record.id, "status": str(Status.RETRY)} for record in foreign]
    for start in range(0, len(ours), MAX_SEALED):
        delivery = SealedDelivery([], ours[start : start + MAX_SEALED])
        answers += receive_delivery(session, delivery, secret, limits)["items"]
    return answers


def _import_attachment(session: Session, attachment: CopiedAttachment, limits: Limits) -> None:
    size = len(attachment.data)
    # An attachment that is not that phone's is not stored; its record waits for it.
    with contextlib.suppress(ActProblem):
        for start in range(0, size, MAX_PIECE):
            piece = attachment.data[start : start + MAX_PIECE]
            receive_piece(session, attachment.device, attachment.sha256, start, size, attachment.proof, piece, limits)


@act("copy.import")
def _read_copy(ctx: ActContext, data: bytes) -> tuple[list[SealedRecord], list[SealedRecord]]:
    """Return the records of a copy that this centre's phones made, and the others."""
    records = parse_delivery(data, MAX_COPIED).items
    devices_by_uid = devices.by_uids(ctx.session, {record.device for record in records})
    ours: list[SealedRecord] = []
    foreign: list[SealedRecord] = []
    for record in records:
        device = devices_by_uid.get(record.device)
        is_ours = device is not None and device.centre_id == ctx.centre_id
        if is_ours:
            ours.append(record)
        else:
            foreign.append(record)
    ctx.describe("copy", records=len(records))
    return ours, foreign
