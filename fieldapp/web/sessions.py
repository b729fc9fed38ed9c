"""Who is signed in. What they may do is decided by the services."""

from typing import Any

from flask import Flask, Request, Response, g, request
from flask import session as cookie
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_security import Security, current_user, login_user, logout_user
from flask_security.datastore import UserDatastore
from flask_sqlalchemy import SQLAlchemy
from itsdangerous import URLSafeTimedSerializer

from fieldapp.services.acts import Actor
from fieldapp.services.people import web_sessions
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.base import Base
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.people.web_sessions import WebSession
from fieldapp.store.session import Session
from fieldapp.web import server_keys

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


def session() -> Session:
    """Return this request's database session."""
    return db.session  # type: ignore[return-value]


# Pages for everybody and for machines: the same for all, so caches may keep them.
WITHOUT_COOKIES = {"dashboards", "odata", "slips"}


SESSION_TOKEN = "session"  # in the cookie  # noqa: S105


class _Cookies(SecureCookieSessionInterface):
    """Flask's own sessions; no cookie is set by pages that never depend on one.

    A request keeps the key with which it began: one that runs while the key changes must not bring its session over to
    the new key, or nobody could be signed out.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        server_keys.look(app)
        g.session_serializer = super().get_signing_serializer(app)
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        serializer: URLSafeTimedSerializer | None = g.session_serializer
        return serializer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.blueprint not in WITHOUT_COOKIES:
            super().save_session(app, session, response)


class _Role:
    """Flask-Security wants a class for roles; ours are words in services/access.py."""


class _Datastore(UserDatastore):  # type: ignore[misc]
    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> User | None:
        # The cookie holds this random text and not the id: a new one ends all sessions of a person.
        user = users.by_uniquifier(session(), str(kwargs.get("fs_uniquifier", "")))
        if user is None:
            return None
        web_session = web_sessions.find_session(session(), user.id, token())
        if web_session is None:
            return None
        g.is_use_due = web_sessions.is_use_due(web_session)
        _remember_state(web_session)
        return user


def init(app: Flask) -> None:
    app.session_interface = _Cookies()
    app.config.update(
        SECURITY_PASSWORD_SALT="unused: hashes carry their own salt",  # noqa: S106
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[{"username": {"mapper": lambda value: value}}],
    )
    Security(app, _Datastore(User, _Role), register_blueprint=False)
    # After the answer was made, so that no page waits for it with a transaction open.
    app.after_request(_note_use)


def actor() -> Actor:
    """Return who acts in this request; raise ActProblem "sign_in.needed" for a stranger."""
    if not current_user.is_authenticated:
        raise ActProblem("sign_in.needed", N_("Sign in first."))
    return Actor(current_user.centre_id, current_user.role, current_user.id, is_confirmed=g.is_confirmed)


def has_fresh_factor() -> bool:
    """Say whether a second factor has shown in the last minutes who uses this browser."""
    return bool(current_user.is_authenticated and g.has_fresh_factor)


def note_second_factor() -> None:
    """Keep that a second factor has just shown who uses this browser."""
    web_sessions.note_second_factor(session(), current_user.id, token())
    _look_at_state(current_user.id)


def _look_at_state(user_id: int) -> None:
    web_session = web_sessions.find_session(session(), user_id, token())
    if web_session is not None:
        _remember_state(web_session)


def _remember_state(web_session: WebSession) -> None:
    g.by_sign_on = web_session.by_sign_on
    g.is_confirmed = web_sessions.is_confirmed(web_session)
    g.has_fresh_factor = web_sessions.has_fresh_factor(web_session)


def is_by_sign_on() -> bool:
    """Say whether a sign-on provider let in who uses this browser."""
    return bool(current_user.is_authenticated and g.by_sign_on)


def start(user: User, *, has_second_factor: bool = False, by_sign_on: bool = False) -> None:
    """Sign a person in, in this browser."""
    forget_who_was_here()
    cookie.permanent = True
    agent = request.user_agent.string
    cookie[SESSION_TOKEN] = web_sessions.start_session(
        session(), user, agent, has_second_factor=has_second_factor, by_sign_on=by_sign_on
    )
    _look_at_state(user.id)
    # No second cookie: it would sign a person in again when the session's own time is over.
    login_user(user, remember=False)


def forget_who_was_here() -> None:
    """End the session that this browser had, and forget all that it kept but the language.

    Somebody else may have put it here.
    """
    if current_user.is_authenticated:
        end()
    language = cookie.get("language")
    cookie.clear()
    if language:
        cookie["language"] = language


def end() -> None:
    """End this browser's session; a copy of its cookie is worth nothing from now on."""
    if current_user.is_authenticated:
        web_sessions.end_session(session(), actor(), token())
    cookie.pop(SESSION_TOKEN, None)
    logout_user()


def token() -> str:
    """Return the token of this browser's session; "" where there is none."""
    return str(cookie.get(SESSION_TOKEN, ""))


def _note_use(response: Response) -> Response:
    if g.get("is_use_due"):
        web_sessions.note_use(session(), token())
    return response
