"""Accounts that an organization's sign-on provider opens, once they were linked here.

Nobody gets an account because the provider knows them, and no e-mail address is looked at: an administrator made the
account, and its person linked it, with their password or with a one-time code.
"""

import datetime as dt
from dataclasses import dataclass

from fieldapp.services.access import ADMIN, OFFICE_ROLES
from fieldapp.services.acts import ActContext, Actor, act, read_act, utcnow
from fieldapp.services.people import one_time_codes
from fieldapp.services.people.second_factor import has_own_factor, is_second_step_needed
from fieldapp.services.people.sign_on_trips import Identity
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit, centres
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import sign_on_links, users, web_sessions
from fieldapp.store.people.sign_on_links import SignOnLink
from fieldapp.store.people.users import User
from fieldapp.store.session import Session


@dataclass(frozen=True)
class OwnLink:
    """Whether the provider opens somebody's account, and what their centre believes of it."""

    is_linked: bool
    linked_at: dt.datetime | None
    last_used_at: dt.datetime | None
    is_trusted: bool  # its second step stands for ours

    @property
    def can_confirm(self) -> bool:
        """Say whether the provider may be asked, where a second step is asked for once more."""
        return self.is_linked and self.is_trusted


@read_act("sign_on.view")
def see_own_link(ctx: ActContext) -> OwnLink:
    """Return how the actor's own account is linked."""
    link = sign_on_links.of_user(ctx.session, ctx.actor.user_id or 0)
    is_trusted = centres.get(ctx.session, ctx.centre_id).trusts_sign_on
    if link is None:
        return OwnLink(False, None, None, is_trusted)
    return OwnLink(True, link.linked_at, link.last_used_at, is_trusted)


def find_person(session: Session, identity: Identity) -> User | None:
    """Return whose account is opened by whom the provider named; None for nobody's.

    The audit log tells of the try.
    """
    now = utcnow()
    with WriteTransaction(session):
        link = sign_on_links.by_subject(session, identity.subject_hash)
        user = session.get_one(User, link.user_id) if link else None
        is_admitted = user is not None and user.active and user.role in OFFICE_ROLES
        name = "sign_in.failed"
        if link is not None and user is not None and is_admitted:
            link.last_used_at = now
            is_more_asked = is_second_step_needed(session, user) and not is_second_step_done(session, user, identity)
            name = "sign_in.first_step" if is_more_asked else "sign_in.ok"
        centre_id = user.centre_id if user else None
        actor_id = user.id if user else None
        audit.add(session, [AuditLine(now, name, centre_id, actor_id, details={"by": "sign_on"})])
    return user if is_admitted else None


def is_second_step_done(session: Session, user: User, identity: Identity) -> bool:
    """Say whether the provider asked for a second step, and the centre believes it."""
    return identity.has_second_step and centres.get(session, user.centre_id).trusts_sign_on


@act("sign_on.link")
def link_account(ctx: ActContext, identity: Identity) -> None:
    """Let the provider's account open the actor's, in place of an earlier one.

    Raises ActProblem "sign_on.taken".
    """
    _link(ctx, identity)


def _link(ctx: ActContext, identity: Identity) -> None:
    user_id = ctx.actor.user_id or 0
    other = sign_on_links.by_subject(ctx.session, identity.subject_hash)
    if other is not None and other.user_id != user_id:
        raise ActProblem(
            "sign_on.taken", N_("The account there opens another account here already. Sign in there as yourself.")
        )
    link = sign_on_links.of_user(ctx.session, user_id)
    if link is None:
        link = SignOnLink(user_id=user_id, centre_id=ctx.centre_id)
        ctx.session.add(link)
    link.subject_hash = identity.subject_hash
    link.linked_at = ctx.now
    link.last_used_at = None
    ctx.describe(f"user/{user_id}")


def link_by_code(session: Session, username: str, code: str, identity: Identity) -> User:
    """Link an account with a one-time code that an administrator gave, and return whose it is.

    Raises ActProblem "person.code" or "sign_on.taken".
    """
    user = users.by_username(session, username.strip().lower()[:64])
    if user is None or not user.active or user.role not in OFFICE_ROLES:
        raise ActProblem("person.code", one_time_codes.PASSWORD_REFUSED)
    _link_by_code(session, Actor(user.centre_id, user.role, user.id), code=code, identity=identity)
    return user


@act("sign_on.link_by_code")
def _link_by_code(ctx: ActContext, code: str, identity: Identity) -> None:
    one_time_codes.use_sign_on_code(ctx, code)
    _link(ctx, identity)


@act("sign_on.check")
def check_identity(ctx: ActContext, identity: Identity) -> None:
    """Check that the provider has just asked the actor again, and for a second step.

    Raises ActProblem "sign_on.not_enough".
    """
    user_id = ctx.actor.user_id or 0
    link = sign_on_links.of_user(ctx.session, user_id)
    is_same = link is not None and link.subject_hash == identity.subject_hash
    if not is_same or not identity.has_second_step or not centres.get(ctx.session, ctx.centre_id).trusts_sign_on:
        text = N_("This does not count as a second step: it was somebody else, or no second step was asked for there.")
        raise ActProblem("sign_on.not_enough", text)
    ctx.describe(f"user/{user_id}")


@act("sign_on.unlink_own")
def unlink_own_account(ctx: ActContext) -> None:
    """Let no other account open the actor's any more. Raises ActProblem "sign_on.last"."""
    user_id = ctx.actor.user_id or 0
    if centres.get(ctx.session, ctx.centre_id).asks_second_factor and not has_own_factor(ctx.session, user_id):
        text = N_("You could not sign in any more. Set up two-step verification here first.")
        raise ActProblem("sign_on.last", text)
    _unlink(ctx, user_id)


@act("sign_on.unlink")
def unlink_account(ctx: ActContext, user_id: int) -> None:
    """Let no other account open a colleague's any more; they are signed out where it did."""
    if users.of_centre(ctx.session, ctx.centre_id, user_id) is None:
        raise make_not_found()
    if user_id == ctx.actor.user_id:
        raise ActProblem("person.self", N_("You do this under “My account”."))
    _unlink(ctx, user_id)


def _unlink(ctx: ActContext, user_id: int) -> None:
    link = sign_on_links.of_user(ctx.session, user_id)
    if link is None:
        ctx.skip_audit()
        return
    ctx.session.delete(link)
    one_time_codes.withdraw_sign_on_codes(ctx.session, user_id)
    web_sessions.delete_by_sign_on(ctx.session, user_id=user_id)
    ctx.describe(f"user/{user_id}")


@act("sign_on.trust")
def trust_second_step(ctx: ActContext, is_trusted: bool) -> None:
    """Let the provider's second step stand for ours at the centre, or end that.

    When it ends, people who came in by it are signed out, but not the actor. Raises ActProblem
    "second_factor.own_first" for an administrator who could not sign in while the provider does not answer.
    """
    if is_trusted and ctx.actor.user_id is not None and not has_own_factor(ctx.session, ctx.actor.user_id):
        text = N_("Set up two-step verification for yourself first, under “My account”.")
        raise ActProblem("second_factor.own_first", text)
    centre = centres.get(ctx.session, ctx.centre_id)
    if centre.trusts_sign_on == is_trusted:
        ctx.skip_audit()
        return
    centre.trusts_sign_on = is_trusted
    if not is_trusted:
        web_sessions.delete_by_sign_on(ctx.session, centre_id=ctx.centre_id, but_user_id=ctx.actor.user_id)
    ctx.describe(f"centre/{ctx.centre_id}", trusted=is_trusted)


def find_without_local_way(session: Session) -> list[str]:
    """Return the centres whose administrators cannot sign in without the provider."""
    slugs = []
    for centre in centres.list_all(session):
        people = users.list_for(session, centre.id)
        admins = [user for user in people if user.role == ADMIN and user.active]
        is_any = any(not is_second_step_needed(session, user) or has_own_factor(session, user.id) for user in admins)
        if admins and not is_any:
            slugs.append(centre.slug)
    return slugs
