"""English or French: the visitor's choice, else their browser's."""

from pathlib import Path

from flask import Flask, request, session
from flask_babel import get_locale
from flask_security import current_user

from fieldapp.store import centres
from fieldapp.web import sessions

LANGUAGES = {"en": "English", "fr": "Français"}
TRANSLATIONS = Path(__file__).parent.parent.parent / "translations"


def select() -> str:
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


def time_zone() -> str | None:
    """Return the time zone of the visitor's centre, in which moments are shown."""
    if not current_user.is_authenticated:
        return None
    return centres.get(sessions.session(), current_user.centre_id).time_zone


def current() -> str:
    return str(get_locale() or "en")[:2]


def init(app: Flask) -> None:
    app.context_processor(lambda: {"language": current(), "languages": LANGUAGES})
