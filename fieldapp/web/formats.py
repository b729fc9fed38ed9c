"""Days, times, sizes and shares in the reader's language: the filters of templates."""

import datetime as dt
from typing import Any

from flask import Flask
from flask_babel import format_date, format_datetime, format_decimal, gettext

from fieldapp.services.board.ages import write_age
from fieldapp.services.revisions import revision_of
from fieldapp.version import VERSION
from fieldapp.web import language
from forms.lists import in_language

KILOBYTE = 1024


def choose_language(text: Any) -> str:
    """Return a text that is there in several languages in the reader's."""
    return in_language(text, language.current())


def format_size(count: int) -> str:
    """Return a number of bytes in words; from a kilobyte on, in whole kilobytes."""
    if count < KILOBYTE:
        return str(gettext("%(number)s bytes", number=format_decimal(count)))
    return str(gettext("%(number)s KB", number=format_decimal(round(count / KILOBYTE))))


def format_percent(share: float) -> str:
    """Return a share from 0 to 1 as a whole percentage."""
    return str(gettext("%(number)s%%", number=round(share * 100)))


def format_exact_percent(share: float) -> str:
    """Return a share from 0 to 1 as a percentage with one decimal."""
    return str(gettext("%(number)s%%", number=format_decimal(round(share * 100, 1))))


def format_day(value: dt.date | str) -> str:
    """Return a day as people write it; products and answers have days as texts: 2026-11-30."""
    day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    return str(format_date(day, "medium"))


def format_moment(value: dt.datetime | None) -> str:
    """Return day and time at the reader's centre; None is a dash."""
    if value is None:
        return "–"
    # The order of the parts is a translator's to choose.
    return str(format_datetime(value, gettext("MMM d, y, HH:mm")))


def format_clock(value: dt.datetime) -> str:
    """Return the time of day at the reader's centre."""
    return str(format_datetime(value, "HH:mm"))


def format_age(seconds: float) -> str:
    """Return how long something has lasted: 12 min, 3 hr, 2 days."""
    return write_age(max(int(seconds // 60), 0), language.current())


def write_colon() -> str:
    """Return a colon as the reader's language sets it: French has a space before it."""
    return "\u00a0:" if language.current() == "fr" else ":"


def init(app: Flask) -> None:
    """Give templates their filters, and what every page may ask for."""
    app.jinja_env.filters.update(
        words_of=choose_language,
        size=format_size,
        percent=format_percent,
        exact_percent=format_exact_percent,
        day=format_day,
        moment=format_moment,
        age=format_age,
        clock=format_clock,
    )
    app.jinja_env.globals.update(product_version=VERSION, revision_of=revision_of, colon=write_colon)
