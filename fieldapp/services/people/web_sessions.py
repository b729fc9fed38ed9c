"""Sessions in web browsers, which end by themselves and when their person says so.

They end when nobody uses them for a while, and after a working day.

A browser's cookie holds a random token; the database has its hash. Ending a session deletes the row, so a cookie that
somebody copied before is worth nothing afterwards.

Source: OWASP ASVS 5.0, chapter 7 (session management).
"""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from fieldapp.key_ring import SESSIONS_LAST
from fieldapp.services.acts import ActContext, Actor, act, read_act, utcnow
from fieldapp.services.problems import make_not_found
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import web_sessions
from fieldapp.store.people.users import User
from fieldapp.store.people.web_sessions import WebSession
from fieldapp.store.session import Session, SQLAlchemyError

IDLE = dt.timedelta(minutes=45)
# For so long a second factor shows that it is still the same person.
CONFIRMED_FOR = dt.timedelta(minutes=10)
# A use is written down at most this often: reading pages must not become writing.
NOTED_EVERY = dt.timedelta(minutes=5)

SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}
# In this order: Edge's name also says Chrome, and Chrome's also says Safari.
BROWSERS = {
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Edg": "Edge",
    "OPR/": "Opera",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}


def start_session(
    session: Session, user: User, user_agent: str, *, has_second_factor: bool = False, by_sign_on: bool = False
) -> str:
    """Begin a session of a person who has just signed in, and return its token.

    `has_second_factor`: whether they proved with a second factor, too, who they are. `by_sign_on`: whether a sign-on
    provider let them in.
    """
    token = secrets.token_urlsafe(32)
    now = utcnow()
    with WriteTransaction(session):
        web_sessions.delete_over(session, now - SESSIONS_LAST, now - IDLE)
        row = WebSession(
            centre_id=user.centre_id,
            user_id=user.id,
            token_hash=_hash_token(token),
            browser=describe_browser(user_agent),
            started_at=now,
            last_used_at=now,
            second_factor_at=now if has_second_factor else None,
            by_sign_on=by_sign_on,
        )
        session.add(row)
        if has_second_factor:
            details = {"second_step": True}
            audit.add(session, [AuditLine(now, "sign_in.ok", user.centre_id, user.id, details=details)])
    return token


def has_fresh_factor(row: WebSession) -> bool:
    """Say whether a second factor has shown in the last minutes who uses a session."""
    return row.second_factor_at is not None and utcnow() - row.second_factor_at < CONFIRMED_FOR


def is_confirmed(row: WebSession) -> bool:
    """Say whether grave acts may be done in a session.

    One that began with a password alone is one of a person of whom no second factor is asked: when that changes, it ends.
    """
    return row.second_factor_at is None or has_fresh_factor(row)


def note_second_factor(session: Session, user_id: int, token: str) -> None:
    """Write down that a second factor has just shown who uses a session.

    Others of this person that began with a password alone end: from now on more is asked.
    """
    with WriteTransaction(session):
        for row in web_sessions.of_user(session, user_id):
            if row.token_hash == _hash_token(token):
                row.second_factor_at = utcnow()
            elif row.second_factor_at is None:
                session.delete(row)


def find_session(session: Session, user_id: int, token: str) -> WebSession | None:
    """Return the session of a token; None when it is over, unknown, or another person's."""
    row = web_sessions.by_token_hash(session, _hash_token(token))
    if row is None or row.user_id != user_id:
        return None
    now = utcnow()
    if now - row.last_used_at >= IDLE or now - row.started_at >= SESSIONS_LAST:
        return None
    return row


def is_use_due(row: WebSession) -> bool:
    """Say whether it is time to write down that a session was used."""
    return utcnow() - row.last_used_at >= NOTED_EVERY


def note_use(session: Session, token: str) -> None:
    """Write down that a session was used just now.

    A full disk or a busy database is no reason to refuse the page that was asked for.
    """
    try:
        with WriteTransaction(session):
            row = web_sessions.by_token_hash(session, _hash_token(token))
            if row is not None:
                row.last_used_at = utcnow()
    except SQLAlchemyError:
        session.rollback()


def end_session(session: Session, actor: Actor, token: str) -> None:
    """End the session of a token, because its person leaves."""
    with WriteTransaction(session):
        row = web_sessions.by_token_hash(session, _hash_token(token))
        if row is None or row.user_id != actor.user_id:
            return
        session.delete(row)
        audit.add(session, [AuditLine(utcnow(), "sign_out", actor.centre_id, actor.user_id)])


@dataclass(frozen=True)
class OwnSession:
    """One line of the list of one's own sessions."""

    id: int
    browser: str
    started_at: dt.datetime
    last_used_at: dt.datetime
    is_this: bool  # the one that asks


@read_act("session.list")
def list_own_sessions(ctx: ActContext, token: str) -> list[OwnSession]:
    """Return the actor's own sessions that are not over, the one used last first."""
    this = _hash_token(token)
    lines = []
    for row in web_sessions.of_user(ctx.session, ctx.actor.user_id or 0):
        if ctx.now - row.last_used_at < IDLE and ctx.now - row.started_at < SESSIONS_LAST:
            line = OwnSession(row.id, row.browser, row.started_at, row.last_used_at, row.token_hash == this)
            lines.append(line)
    return lines


@act("session.end_own")
def end_own_session(ctx: ActContext, token: str, session_id: int) -> None:
    """End one of the actor's own sessions, but not the one of `token`.

    Raises ActProblem "not_found" for that one, and for another person's.
    """
    this = _hash_token(token)
    for row in web_sessions.of_user(ctx.session, ctx.actor.user_id or 0):
        if row.id == session_id and row.token_hash != this:
            ctx.session.delete(row)
            ctx.describe(f"user/{ctx.actor.user_id}", sessions=1)
            return
    raise make_not_found()


@act("session.end_others")
def end_other_sessions(ctx: ActContext, token: str) -> int:
    """End the actor's own sessions but the one of `token`; return how many they were."""
    this = _hash_token(token)
    others = [row for row in web_sessions.of_user(ctx.session, ctx.actor.user_id or 0) if row.token_hash != this]
    for row in others:
        ctx.session.delete(row)
    ctx.describe(f"user/{ctx.actor.user_id}", sessions=len(others))
    return len(others)


def describe_browser(user_agent: str) -> str:
    """Return a browser's kind and system, enough to know one's own again.

    Example: "Firefox, Windows"; "" for one that is not known.
    """
    parts = [_find_first(BROWSERS, user_agent), _find_first(SYSTEMS, user_agent)]
    return ", ".join(part for part in parts if part)


def _find_first(names: dict[str, str], user_agent: str) -> str:
    for piece, name in names.items():
        if piece in user_agent:
            return name
    return ""


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
