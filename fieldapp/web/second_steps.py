"""What pages need for a second step.

Whose first step was right just now, what passkeys were asked, a new authenticator app.
"""

import base64
import binascii
import datetime as dt
import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import request
from flask import session as cookie
from flask_security import current_user

from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.people import passkeys, second_factor
from fieldapp.services.people.passkeys import Challenge
from fieldapp.services.people.second_factor import Factors
from fieldapp.services.people.second_step import Answer, Where
from fieldapp.store.people.users import User
from fieldapp.web import sessions
from fieldapp.web.server_keys import server_secret

# Names in the cookie, which is signed. None of these opens anything without the second step itself.
WAITING = "first_step"
BY_SIGN_ON = "by_sign_on"  # the first step was not a password but a sign-on provider
NEW_APP = "new_app"
CHALLENGES = {"get": "passkey_asked", "create": "passkey_new"}
LASTS = 10 * 60  # seconds between a right password and the second step
KNOWN = "known"  # the cookie of a browser where somebody has signed in before


@dataclass(frozen=True)
class Waiting:
    """Somebody whose first step was right, and whose second one is awaited."""

    user: User
    grant: int | None  # the one-time code for setting up that they gave
    by_sign_on: bool = False

    @property
    def actor(self) -> Actor:
        # With a one-time code they may set up what they have not yet: `begin_factor` looks at it again.
        return Actor(self.user.centre_id, self.user.role, self.user.id, is_confirmed=self.grant is not None)


def remember(user: User, *, by_sign_on: bool = False) -> None:
    """Keep in this browser that somebody's first step was right; nobody is signed in by it."""
    sessions.forget_who_was_here()
    if by_sign_on:
        cookie[BY_SIGN_ON] = True
    cookie[WAITING] = [user.id, _mark(user), time.time(), None]


def remember_grant(grant: int) -> None:
    """Keep that the one who waits gave a right one-time code."""
    cookie[WAITING] = [*cookie[WAITING][:3], grant]


def forget_grant(waiting: Waiting) -> Waiting:
    """Forget the one-time code of the one who waits, which counts no more."""
    cookie[WAITING] = [*cookie[WAITING][:3], None]
    return replace(waiting, grant=None)


def find_waiting() -> Waiting | None:
    """Return whose first step was right in this browser in the last minutes."""
    user_id, mark, since, grant = cookie.get(WAITING, (0, "", 0, None))
    if not user_id or time.time() - since > LASTS:
        return None
    user = sessions.session().get(User, user_id)
    # A new password, or the end of somebody's access, ends this too.
    if user is None or not user.active or mark != _mark(user):
        return None
    return Waiting(user, grant, by_sign_on=cookie.get(BY_SIGN_ON, False))


def _mark(user: User) -> str:
    return hashlib.sha256(user.fs_uniquifier.encode()).hexdigest()[:32]


def read_where() -> Where:
    """Return where the answer to a second step comes from."""
    if current_user.is_authenticated:
        return Where(token=sessions.token())
    return Where(address=request.remote_addr or "", marks=read_marks())


def read_marks() -> list[str]:
    """Return what this browser keeps of earlier sign-ins."""
    return request.cookies.get(KNOWN, "").split(",")


def read_answer(code: str = "code", passkey: str = "passkey") -> Answer:
    """Return what was given as a second step, in the fields of these names."""
    return Answer(code=request.form.get(code, ""), passkey=request.form.get(passkey, ""), challenge=_find_challenge("get"))


def _ask(kind: str) -> Challenge:
    """Draw what a passkey is to sign, and keep it in this browser."""
    nonce = passkeys.draw_nonce()
    now = utcnow()
    cookie[CHALLENGES[kind]] = [base64.b64encode(nonce).decode(), now.isoformat()]
    return _make_challenge(nonce, now)


def _find_challenge(kind: str) -> Challenge | None:
    try:
        nonce, asked_at = cookie[CHALLENGES[kind]]
        return _make_challenge(base64.b64decode(nonce), dt.datetime.fromisoformat(asked_at))
    except (KeyError, ValueError, TypeError, binascii.Error):
        return None


def _make_challenge(nonce: bytes, asked_at: dt.datetime) -> Challenge:
    host = urlsplit(f"//{request.host}").hostname or ""
    return Challenge(host=host, origin=f"{request.scheme}://{request.host}", nonce=nonce, asked_at=asked_at)


def find_new_challenge() -> Challenge | None:
    """Return what a new passkey was asked to sign."""
    return _find_challenge("create")


def list_for_page(actor: Actor) -> dict[str, Any]:
    """Return what a page that asks for a second step needs.

    These are `factors`, and `options` for a passkey, "" where there is none for this host.
    """
    factors = second_factor.list_factors(sessions.session(), actor)
    options = ""
    host = _make_challenge(b"", utcnow()).host
    if any(passkey.host == host for passkey in factors.passkeys):
        options = passkeys.make_sign_in_options(factors.passkeys, _ask("get"))
    return {"factors": factors, "options": options}


def make_new_passkey_options(factors: Factors, user: User) -> str:
    """Return what the browser needs to make a passkey for somebody, as JSON."""
    return passkeys.make_new_options(factors.passkeys, _ask("create"), user.id, user.username)


def read_new_app(user: User) -> bytes:
    """Return the wrapped secret of the app that somebody sets up in this browser."""
    # Kept, so that a page that is loaded twice does not change the QR code. It is encrypted.
    owner, wrapped = cookie.get(NEW_APP, (0, ""))
    if owner != user.id:
        wrapped = base64.b64encode(second_factor.begin_app(user.id, server_secret())).decode()
        cookie[NEW_APP] = [user.id, wrapped]
    return base64.b64decode(wrapped)


def forget_new_app() -> None:
    cookie.pop(NEW_APP, None)


def draw_new_app(user: User) -> dict[str, str]:
    """Return the QR code for an authenticator app as an image, and its key as text."""
    import segno  # noqa: PLC0415  QR codes: rare, and heavy to load

    address = second_factor.make_app_address(read_new_app(user), user.id, server_secret(), user.username)
    picture = segno.make(address, error="m").svg_data_uri(scale=4, border=2)
    return {"picture": picture, "key": parse_qs(urlsplit(address).query)["secret"][0]}
