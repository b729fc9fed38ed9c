"""English or French: the visitor's choice, else their browser's."""

from pathlib import Path

from flask import Flask, request, session
from flask_babel import get_locale

LANGUAGES = {"en": "English", "fr": "Français"}
TRANSLATIONS = Path(__file__).parent.parent.parent / "translations"


def select() -> str:
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


def current() -> str:
    return str(get_locale() or "en")[:2]


def init(app: Flask) -> None:
    app.context_processor(lambda: {"language": current(), "languages": LANGUAGES})
