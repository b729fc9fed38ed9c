"""Phones: invite one, enrol it, recognize it by its token, lock or wipe it from afar."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fieldapp.key_ring import get_first_secret
from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import devices, invitations
from fieldapp.store.phones.invitations import Invitation
from fieldapp.store.session import Session
from sync.sealed import parse_public_key

# Orders that a phone carries out at its next contact; both are stored and sent.
LOCK = "lock"
WIPE = "wipe"
# Kinds of phones: our app, or ODK Collect, which neither seals nor signs.
APP = "app"
COLLECT = "collect"
SILENT_AFTER_DAYS = 7
INVITATION_LIFETIME = dt.timedelta(minutes=30)
INVITATION_EXPIRED = ActProblem(
    "sync.invitation",
    N_("This invitation was used, is too old, or your centre made a newer one. Use the newest, or ask your centre for one."),
)


@dataclass(frozen=True)
class Enrolment:
    """What a phone is told when it joins: its token, and its number, which its messages carry."""

    token: str
    uid: str


@act("device.enrol")
def enrol_device(ctx: ActContext, label: str, public_key: str = "") -> Enrolment:
    """Enrol a worker's phone; return its token, of which only the hash is stored."""
    return _create_device(ctx, label, public_key)


@act("device.invite")
def invite_device(ctx: ActContext, user_id: int) -> str:
    """Return the token of a QR code with which one phone can join as this worker.

    It works once, within INVITATION_LIFETIME; an earlier one that was not used is cancelled.
    """
    user = _get_active_worker(ctx, user_id)
    assert ctx.actor.user_id is not None
    # An old QR code that somebody photographed is of no use then.
    invitations.cancel_open_invitations(ctx.session, user.id)
    token = secrets.token_urlsafe(24)
    invitation = Invitation(
        centre_id=ctx.centre_id,
        user_id=user.id,
        token_hash=_hash_token(token),
        made_by=ctx.actor.user_id,
        # Only the hash: who reads the database cannot join with it.
        expires_at=ctx.now + INVITATION_LIFETIME,
        used_at=None,
    )
    ctx.session.add(invitation)
    ctx.session.flush()
    ctx.describe(f"user/{user.id}", invitation=invitation.id)
    return token


def find_actor_for_invitation(session: Session, token: str) -> Actor:
    """Return the actor of an unused invitation.

    Raises ActProblem "sync.invitation" if the token is unknown, used, over 30 minutes old, or its
    worker is inactive.
    """
    invitation = _get_open_invitation(session, token, utcnow())
    user = session.get(users.User, invitation.user_id)
    if user is None or not user.active:
        raise INVITATION_EXPIRED
    return Actor(invitation.centre_id, WORKER, user.id)


def _get_open_invitation(session: Session, token: str, now: dt.datetime) -> Invitation:
    invitation = invitations.by_token_hash(session, _hash_token(token))
    if invitation is None or invitation.used_at or invitation.expires_at <= now:
        raise INVITATION_EXPIRED
    return invitation


@act("device.join")
def join_device(ctx: ActContext, token: str, label: str, public_key: str) -> Enrolment:
    """Enrol a phone with its invitation, which is used up in the same transaction.

    Raises ActProblem "sync.invitation" or, for a key that is missing or malformed,
    "sync.public_key".
    """
    invitation = _get_open_invitation(ctx.session, token, ctx.now)
    # The token says whose phone it is, not the request: a token of somebody else enrols nobody
    # here.
    if invitation.user_id != ctx.actor.user_id:
        raise INVITATION_EXPIRED
    if not public_key:
        raise ActProblem("sync.public_key", N_("The phone's key cannot be read."))
    invitation.used_at = ctx.now  # its row is locked, so a second phone waits and is refused
    return _create_device(ctx, label, public_key)


@act("device.set_up_collect")
def set_up_collect(ctx: ActContext, user_id: int) -> str:
    """Return the token with which ODK Collect sends as this worker.

    What it sends is neither sealed nor signed, and its records say so. Raises ActProblem
    "collect.off" where the centre does not allow it.
    """
    user = _get_active_worker(ctx, user_id)
    if not centres.get(ctx.session, ctx.centre_id).allows_collect:
        text = N_("This centre does not allow ODK Collect. Switch it on under Rules for phones first.")
        raise ActProblem("collect.off", text)
    return _create_device(ctx, "ODK Collect", "", user.id, COLLECT).token


def _get_active_worker(ctx: ActContext, user_id: int) -> users.User:
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if user is None or user.role != WORKER or not user.active:
        raise make_not_found()
    return user


def _create_device(ctx: ActContext, label: str, public_key: str, user_id: int | None = None, kind: str = APP) -> Enrolment:
    if public_key:
        try:
            # Tried now: a key that cannot be read later would lose what the phone seals.
            parse_public_key(public_key)
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
    """End a phone's access now, with the order to lock or wipe itself.

    At its next contact it first hands over what is finished, then carries out the order. `seen` is
    the revision that the page showed.
    """
    device = devices.of_centre(ctx.session, ctx.centre_id, device_id)
    if device is None or order not in (LOCK, WIPE):
        raise make_not_found()
    check_revision(ctx, seen, device, f"device/{device.id}", ("device.revoke",))
    # The first time counts: a second order must not make the phone look as if it had access until
    # now.
    device.revoked_at = device.revoked_at or ctx.now
    device.order = order
    ctx.describe(f"device/{device.id}", order=order)


def choose_pending_order(device: devices.Device, owner: users.User | None) -> str:
    """Return what a phone must do once its finished records are here: "", "lock" or "wipe"."""
    if device.order:
        return device.order
    if owner and owner.active:
        return ""
    # The order follows from the person, so that nobody has to remember each of their phones.
    return LOCK


def find_actor_for_token(session: Session, token: str, kind: str = APP) -> Actor | None:
    """Return the worker and phone that a token stands for.

    None when the token is unknown or revoked, belongs to another kind, or its owner is inactive.
    """
    holder = devices.find_token_holder(session, _hash_token(token))
    # A token of one kind is worth nothing for the other: Collect's travels without a seal.
    if holder is None or holder.is_revoked or holder.kind != kind:
        return None
    if not holder.is_active or holder.role != WORKER:
        return None
    return Actor(holder.centre_id, WORKER, holder.user_id, holder.device_id)


def recovery_secret(key: str, user_id: int) -> str:
    """Return the secret that opens a worker's own sealed work on their phone.

    For a forgotten PIN: callers hand it out only after the right password.
    """
    # Derived and not stored: it is the same whenever it is asked for, and no row can be stolen.
    # Of the first root: phones that joined long ago have sealed to it.
    return hmac.new(get_first_secret(key).encode(), f"recovery:{user_id}".encode(), "sha256").hexdigest()


def was_seen_this_week(device: devices.Device) -> bool:
    return (utcnow() - device.last_seen_at).days < SILENT_AFTER_DAYS


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
