"""Phones: enrol one at sign-in, know it by its token, lock or wipe it from afar."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Act, Actor, act, utcnow
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.store import devices, users
from sync.sealed import public_key_of

LOCK, WIPE = "lock", "wipe"


@dataclass(frozen=True)
class Enrolled:
    token: str
    uid: str


@act("device.enrol")
def enrol_device(a: Act, label: str, public_key: str = "") -> Enrolled:
    """Enrol a worker's phone: its token, of which only the hash is kept, and its number, which what it signs carries."""
    if public_key:
        try:
            public_key_of(public_key)
        except ValueError:
            raise ActProblem("sync.public_key", N_("The phone's key cannot be read.")) from None
    token = secrets.token_urlsafe(32)
    device = devices.Device(
        centre_id=a.centre_id,
        user_id=a.actor.user_id,
        label=label[:80] or "phone",
        public_key=public_key,
        token_hash=_hash(token),
        created_at=a.now,
        last_seen_at=a.now,
        revoked_at=None,
    )
    a.session.add(device)
    a.session.flush()
    a.note(f"device/{device.id}")
    return Enrolled(token, device.uid)


@act("device.revoke")
def revoke_device(a: Act, device_id: int, order: str = LOCK) -> None:
    """Shut a phone out now; at its next contact it hands over what is finished, then locks or wipes itself."""
    device = devices.of_centre(a.session, a.centre_id, device_id)
    if device is None or order not in (LOCK, WIPE):
        raise not_found()
    device.revoked_at = device.revoked_at or a.now
    device.order = order
    a.note(f"device/{device.id}", order=order)


def order_for(device: devices.Device, owner: users.User | None) -> str:
    """Return what a phone must do once its finished records are here: "", "lock" or "wipe"."""
    return device.order or ("" if owner and owner.active else LOCK)


def actor_of_token(session: Session, token: str) -> Actor | None:
    """Return the worker and phone that a token stands for; None when it is unknown, revoked or its owner inactive."""
    device = devices.by_token_hash(session, _hash(token))
    if device is None or device.revoked_at is not None:
        return None
    user = session.get(users.User, device.user_id)
    if user is None or not user.active or user.role != WORKER:
        return None
    return Actor(device.centre_id, WORKER, user.id, device.id)


def recovery_secret(key: str, user_id: int) -> str:
    """Return what opens a worker's own sealed work on their phone after a forgotten PIN; given only after the password."""
    return hmac.new(key.encode(), f"recovery:{user_id}".encode(), "sha256").hexdigest()


def has_been_seen_lately(device: devices.Device) -> bool:
    return (utcnow() - device.last_seen_at).days < 7


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
