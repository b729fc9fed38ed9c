"""Second factors for tests: an authenticator app that is set up without a page."""

import time

from passlib.totp import TOTP
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.people.second_factor import begin_app, confirm_app, make_app_address


def code_of(key: str, ahead: float = 0) -> str:
    """Return the code that an app shows now, or in some seconds."""
    return str(TOTP(key=key, format="base32").generate(time.time() + ahead).token)


def set_up_app(session: Session, actor: Actor, secret: str, ahead: float = -30, grant: int | None = None) -> str:
    """Give somebody an authenticator app; return its key. The code of now is not used up by it."""
    wrapped = begin_app(actor.user_id or 0, secret)
    address = make_app_address(wrapped, actor.user_id or 0, secret, "somebody")
    key = address.split("secret=")[1].split("&")[0]
    confirm_app(session, actor, wrapped=wrapped, code=code_of(key, ahead), secret=secret, grant=grant)
    return key
