"""Phones: invite one, enrol it, know it by its token, lock or wipe it from afar."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import devices, invitations
from fieldapp.store.phones.invitations import Invitation
from fieldapp.store.session import Session
from sync.sealed import public_key_of

LOCK, WIPE = "lock", "wipe"
APP, COLLECT = "app", "collect"
INVITATION_LIFETIME = dt.timedelta(minutes=30)
INVITATION_EXPIRED = ActProblem(
    "sync.invitation", N_("This invitation was used or is too old. Ask your centre for a new one.")
)


@dataclass(frozen=True)
class Enrolment:
    token: str
    uid: str


@act("device.enrol")
def enrol_device(ctx: ActContext, label: str, public_key: str = "") -> Enrolment:
    """Enrol a worker's phone: its token, of which only the hash is kept, and its number, which what it signs carries."""
    return _create_device(ctx, label, public_key)


@act("device.invite")
def invite_device(ctx: ActContext, user_id: int) -> str:
    """Return what a picture says that lets one phone join as this worker, once, within half an hour."""
    user = _get_active_worker(ctx, user_id)
    assert ctx.actor.user_id is not None
    invitations.cancel_open_invitations(ctx.session, user.id)
    token = secrets.token_urlsafe(24)
    invitation = Invitation(
        centre_id=ctx.centre_id,
        user_id=user.id,
        token_hash=_hash_token(token),
        made_by=ctx.actor.user_id,
        expires_at=ctx.now + INVITATION_LIFETIME,
        used_at=None,
    )
    ctx.session.add(invitation)
    ctx.session.flush()
    ctx.describe(f"user/{user.id}", invitation=invitation.id)
    return token


def find_actor_for_invitation(session: Session, token: str) -> Actor:
    """Return the worker whom an invitation is for; raise ActProblem when it is unknown, used or too old."""
    found = invitations.by_token_hash(session, _hash_token(token))
    user = session.get(users.User, found.user_id) if found else None
    if found is None or found.used_at or found.expires_at <= utcnow() or user is None or not user.active:
        raise INVITATION_EXPIRED
    return Actor(found.centre_id, WORKER, user.id)


@act("device.join")
def join_device(ctx: ActContext, token: str, label: str, public_key: str) -> Enrolment:
    """Enrol the phone that an invitation brought; the invitation is used up in the same moment."""
    found = invitations.by_token_hash(ctx.session, _hash_token(token))
    if found is None or found.used_at or found.expires_at <= ctx.now or found.user_id != ctx.actor.user_id:
        raise INVITATION_EXPIRED
    if not public_key:
        raise ActProblem("sync.public_key", N_("The phone's key cannot be read."))
    found.used_at = ctx.now
    return _create_device(ctx, label, public_key)


@act("device.collect")
def set_up_collect(ctx: ActContext, user_id: int) -> str:
    """Return the token with which ODK Collect sends as this worker: unsealed and unsigned, so its records say so."""
    user = _get_active_worker(ctx, user_id)
    if not centres.get(ctx.session, ctx.centre_id).allows_collect:
        raise ActProblem(
            "collect.off", N_("This centre does not allow ODK Collect. Switch it on under Rules for phones first.")
        )
    return _create_device(ctx, "ODK Collect", "", user.id, COLLECT).token


def _get_active_worker(ctx: ActContext, user_id: int) -> users.User:
    found = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if found is None or found.role != WORKER or not found.active:
        raise make_not_found()
    return found


def _create_device(ctx: ActContext, label: str, public_key: str, user_id: int | None = None, kind: str = APP) -> Enrolment:
    if public_key:
        try:
            public_key_of(public_key)
        except ValueError:
            raise ActProblem("sync.public_key", N_("The phone's key cannot be read.")) from None
    token = secrets.token_urlsafe(32)
    device = devices.Device(
        centre_id=ctx.centre_id,
        user_id=user_id or ctx.actor.user_id,
        kind=kind,
        label=label[:80] or "phone",
        public_key=public_key,
        token_hash=_hash_token(token),
        created_at=ctx.now,
        last_seen_at=ctx.now,
        revoked_at=None,
    )
    ctx.session.add(device)
    ctx.session.flush()
    ctx.describe(f"device/{device.id}")
    return Enrolment(token, device.uid)


@act("device.revoke")
def revoke_device(ctx: ActContext, device_id: int, order: str = LOCK, seen: str | None = None) -> None:
    """Shut a phone out now; at its next contact it hands over what is finished, then locks or wipes itself."""
    device = devices.of_centre(ctx.session, ctx.centre_id, device_id)
    if device is None or order not in (LOCK, WIPE):
        raise make_not_found()
    check_revision(ctx, seen, device, f"device/{device.id}", ("device.revoke",))
    device.revoked_at = device.revoked_at or ctx.now
    device.order = order
    ctx.describe(f"device/{device.id}", order=order)


def choose_pending_order(device: devices.Device, owner: users.User | None) -> str:
    """Return what a phone must do once its finished records are here: "", "lock" or "wipe"."""
    return device.order or ("" if owner and owner.active else LOCK)


def find_actor_for_token(session: Session, token: str, kind: str = APP) -> Actor | None:
    """Return the worker and phone that a token stands for; None when it is unknown, revoked or its owner inactive."""
    found = devices.find_token_holder(session, _hash_token(token))
    if found is None or found.is_revoked or found.kind != kind or not found.is_active or found.role != WORKER:
        return None
    return Actor(found.centre_id, WORKER, found.user_id, found.device_id)


def recovery_secret(key: str, user_id: int) -> str:
    """Return what opens a worker's own sealed work on their phone after a forgotten PIN; given only after the password."""
    return hmac.new(key.encode(), f"recovery:{user_id}".encode(), "sha256").hexdigest()


def was_seen_this_week(device: devices.Device) -> bool:
    return (utcnow() - device.last_seen_at).days < 7


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
