"""English or French: the visitor's choice, else their browser's."""

from flask import Flask, request, session
from flask_babel import get_locale
from flask_security import current_user

from fieldapp.store.operations import centres
from fieldapp.web import sessions
from fieldapp.web.accept import best_language

LANGUAGES = {"en": "English", "fr": "Français"}


def select() -> str:
    """Return the language of this request: the visitor's choice, else their browser's."""
    chosen = session.get("language")
    # The cookie may be of a version with other languages.
    if chosen in LANGUAGES:
        return str(chosen)
    return preferred()


def preferred() -> str:
    """Return the language that the visitor's browser asks for."""
    return best_language(request.headers.get("Accept-Language", ""), list(LANGUAGES))


def time_zone() -> str | None:
    """Return the time zone of the visitor's centre, in which moments are shown."""
    if not current_user.is_authenticated:
        return None
    return centres.get(sessions.session(), current_user.centre_id).time_zone


def current() -> str:
    return str(get_locale() or "en")[:2]


def init(app: Flask) -> None:
    app.context_processor(lambda: {"language": current(), "languages": LANGUAGES})
