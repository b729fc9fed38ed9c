"""Phones: enrol one at sign-in, know it by its token, revoke it."""

import hashlib
import hmac
import secrets

from sqlalchemy.orm import Session

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Act, Actor, act, utcnow
from fieldapp.services.problems import not_found
from fieldapp.store import devices, users


@act("device.enrol")
def enrol_device(a: Act, label: str) -> str:
    """Return a new token for a worker's phone; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    device = devices.Device(
        centre_id=a.centre_id,
        user_id=a.actor.user_id,
        label=label[:80] or "phone",
        token_hash=_hash(token),
        created_at=a.now,
        last_seen_at=a.now,
        revoked_at=None,
    )
    a.session.add(device)
    a.session.flush()
    a.note(f"device/{device.id}")
    return token


@act("device.revoke")
def revoke_device(a: Act, device_id: int) -> None:
    device = devices.of_centre(a.session, a.centre_id, device_id)
    if device is None:
        raise not_found()
    device.revoked_at = a.now
    a.note(f"device/{device.id}")


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
