"""Attachments: received in pieces before their record, and opened in the office."""

import hashlib
import re
import uuid

from cryptography.exceptions import InvalidTag

from fieldapp.services import keys
from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.phones.limits import DEFAULT, Limits, Meter
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.operations import keys as centre_keys
from fieldapp.store.phones import devices
from fieldapp.store.records import attachments
from fieldapp.store.records.attachments import Blob
from fieldapp.store.session import Session
from sync.sealed import SUITE, is_signed_by

MAX_SIZE = 2_000_000  # bytes of one attachment, sealed
MAX_UNFINISHED = 20_000_000  # bytes of incomplete attachments of one phone
MAX_PIECE = 512 * 1024
MIN_PIECE = 16 * 1024  # but for the last
SEALED = b"fieldapp attachment 1|"  # before the sealed ones: then the key they are sealed to, the phone, what is sealed
ATTACHMENT_ANSWER = re.compile(r"attachment:([a-z]+/[a-z0-9.+-]+):([0-9a-f]{64})")
MALFORMED = ActProblem(
    "sync.attachment", N_("The attachment is malformed or not from this phone; nothing of it was stored.")
)


def make_signature_text(sha256: str, size: int) -> bytes:
    """Return the text under which a phone's signature says that an attachment is its own."""
    return f"fieldapp attachment 1|{sha256}|{size}".encode()


def receive_piece(
    session: Session,
    uid: str,
    sha256: str,
    start: int,
    size: int,
    proof: bytes,
    data: bytes,
    limits: Limits = DEFAULT,
) -> int:
    """Store one piece of a phone's attachment; return how many of its bytes are here.

    `start` and `size` are in bytes, `size` of the whole; `proof` is the phone's signature under make_signature_text. A
    piece that came before changes nothing. Like a record, a piece needs no more than the signature: it also comes while
    the app is locked. Raises ActProblem when it is malformed, not signed by the phone `uid`, or too much of that phone.
    """
    device = devices.by_uids(session, [uid]).get(uid)
    is_bounded = 0 < size <= MAX_SIZE and 0 < len(data) <= MAX_PIECE and 0 <= start <= size - len(data)
    if device is None or not is_bounded:
        raise MALFORMED
    if not is_signed_by(device.public_key, proof, make_signature_text(sha256, size)):
        raise MALFORMED
    actor = Actor(device.centre_id, WORKER, device.user_id, device.id)
    return _receive(session, actor, sha256=sha256, start=start, size=size, data=data, limits=limits)


@act("attachment.receive")
def _receive(ctx: ActContext, sha256: str, start: int, size: int, data: bytes, limits: Limits) -> int:
    ctx.skip_audit()  # one line for the whole, not for each piece, which may come again and again
    whole = attachments.find_whole(ctx.session, ctx.centre_id, sha256)
    if whole:
        return whole.received
    blob = attachments.find_own(ctx.session, ctx.centre_id, sha256, ctx.actor.device_id)
    if blob is None and attachments.is_gone(ctx.session, ctx.centre_id, sha256, ctx.actor.device_id):
        return size  # the person said no: neither the phone nor the centre stores it
    if blob is None:
        assert ctx.actor.device_id is not None
        if attachments.unfinished_bytes(ctx.session, ctx.actor.device_id) + size > MAX_UNFINISHED:
            text = N_("Too much of this phone's attachments is half sent. The phone tries again later.")
            raise ActProblem("sync.attachment_full", text)
        blob = create_blob(ctx, sha256, size, limits)
    if blob.size != size:
        raise MALFORMED
    if start != blob.received:
        return blob.received
    if len(data) < MIN_PIECE and start + len(data) < size:
        raise MALFORMED  # each piece is a row: many small ones would take far more space than their bytes
    attachments.add_piece(ctx.session, blob, start, data)
    blob.received += len(data)
    ctx.session.flush()
    if blob.received == size and hashlib.sha256(attachments.content(ctx.session, blob)).hexdigest() != sha256:
        attachments.drop_pieces(ctx.session, blob)  # damaged on the way: it starts again
        blob.received = 0
    if blob.received == size:
        ctx.describe(f"device/{ctx.actor.device_id}", size=size)
        ctx.is_audited = True
    return blob.received


def create_blob(ctx: ActContext, sha256: str, size: int, limits: Limits) -> Blob:
    """Add the row of a new attachment; raise ActProblem when it is too much of its phone."""
    meter = Meter(ctx, limits)
    meter.admit_file(size)
    meter.write()
    blob = Blob(
        centre_id=ctx.centre_id, sha256=sha256, size=size, received=0, device_id=ctx.actor.device_id, created_at=ctx.now
    )
    ctx.session.add(blob)
    ctx.session.flush()
    return blob


def store_attachment(ctx: ActContext, data: bytes, limits: Limits = DEFAULT) -> str:
    """Store an attachment that came in one piece, within an act; return its SHA-256."""
    sha256 = hashlib.sha256(data).hexdigest()
    blob = attachments.find_whole(ctx.session, ctx.centre_id, sha256)
    blob = blob or attachments.find_own(ctx.session, ctx.centre_id, sha256, ctx.actor.device_id)
    blob = blob or create_blob(ctx, sha256, len(data), limits)
    if blob.received < blob.size:
        attachments.drop_pieces(ctx.session, blob)
        attachments.add_piece(ctx.session, blob, 0, data)
        blob.received = len(data)
        ctx.session.flush()
    return sha256


@act("attachment.open")
def open_attachment(ctx: ActContext, sha256: str, secret: str) -> bytes:
    """Return the bytes of an attachment, decrypted; opening one leaves an audit line itself."""
    blob = attachments.find_whole(ctx.session, ctx.centre_id, sha256)
    if blob is None:
        raise make_not_found()
    ctx.describe(f"attachment/{blob.id}")
    data = attachments.content(ctx.session, blob)
    if not data:  # erased by a rule of retention
        raise make_not_found()
    return _decrypt(ctx, data, secret) if data.startswith(SEALED) else data


def _decrypt(ctx: ActContext, data: bytes, secret: str) -> bytes:
    """Open an attachment that a phone sealed.

    After the prefix come the id of the key and of the phone, 36 characters each.
    """
    after_kid = len(SEALED) + 36
    after_uid = after_kid + 36
    kid = data[len(SEALED) : after_kid].decode("ascii", "replace")
    uid = data[after_kid:after_uid].decode("ascii", "replace")
    key = centre_keys.by_kids(ctx.session, ctx.centre_id, [kid]).get(kid)
    try:
        uuid.UUID(uid)
        if key is None:
            raise make_not_found()
        info = SEALED + f"{kid}{uid}".encode()
        return SUITE.decrypt(data[after_uid:], keys.private_key(key, secret), info=info)
    except (InvalidTag, ValueError, keys.KeyUnavailable):
        raise make_not_found() from None
