"""A year of an indicator in sentences: the number, and how it compares.

The words were chosen when the edition was built, from the published numbers (evaluator_export/products/change.py).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import gettext

from evaluator_export.products.change import Word
from evaluator_export.products.indicators import State, read_state
from evaluator_export.products.shares import RANGE_FIRST

MONTHS_OF_A_YEAR = 12
MONTHS_OF_A_QUARTER = 3
WHOLE = 100  # percent
CAUTION = (Word.PERHAPS_MORE, Word.PERHAPS_FEWER)

Indicator = Mapping[str, Any]  # as an edition keeps it


@dataclass(frozen=True)
class YearView:
    """What a page says of a year. `more`: the range of a share, "" where there is none."""

    number: str
    more: str
    span: str
    comparison: str
    is_shown: bool

    @property
    def sentence(self) -> str:
        """Return the number with its span, as a sentence."""
        words = {"number": f"{self.number} {self.more}".strip(), "span": self.span}
        text = str(gettext("%(number)s %(span)s.", **words))
        return text[:1].upper() + text[1:]


def make_year_view(indicator: Indicator, language: str) -> YearView | None:
    """Return the year of an indicator in words; None where an edition has none."""
    year = indicator.get("year")
    if not year:
        return None
    number, more = write_number(indicator, year, language)
    is_shown = read_state(year["state"]) in (State.VALUE, State.ZERO)
    return YearView(number, more, write_span(year, language), _write_comparison(indicator, year, language), is_shown)


def write_number(indicator: Indicator, number: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Return a number with its unit, and the range of a share or "".

    Of a small whole the range stands in place of the number: it would say more than is known.
    """
    state = read_state(number["state"])
    if state == State.FEW:
        return _write_few(indicator, number, language), ""
    if state not in (State.VALUE, State.ZERO):
        return _write_not_yet(number, language), ""
    text = str(format_decimal(number["value"], locale=language))
    unit = indicator["unit"]
    if unit == "percent":
        return _write_share(text, number)
    if unit == "minutes":
        return _write_minutes(number), ""
    if unit == "hours":
        return str(gettext("about %(number)s hours", number=text)), ""
    return text, ""


def _write_not_yet(number: Mapping[str, Any], language: str) -> str:
    if not number.get("ripe_on"):
        return str(gettext("none yet"))
    day = format_date(dt.date.fromisoformat(number["ripe_on"]), "medium", locale=language)
    return str(gettext("not yet, on %(day)s", day=day))


def _write_few(indicator: Indicator, number: Mapping[str, Any], language: str) -> str:
    most = number.get("at_most")
    if indicator["unit"] == "percent" and most is not None and most < WHOLE:
        bounds = {"low": f"{number['at_least']:g}", "high": f"{most:g}"}
        return str(gettext("between %(low)s%% and %(high)s%%", **bounds))
    if most is None or indicator["unit"] != "count":
        return str(gettext("too few to show"))
    return str(gettext("fewer than %(number)s", number=format_decimal(most + 1, locale=language)))


def _write_share(text: str, number: Mapping[str, Any]) -> tuple[str, str]:
    low = number.get("at_least")
    high = number.get("at_most")
    if low is None or high is None:  # of an edition of before there were ranges
        return str(gettext("%(number)s%%", number=text)), ""
    bounds = {"low": f"{low:g}", "high": f"{high:g}"}
    whole = str(number.get("whole") or "")
    if whole.isdecimal() and int(whole) < RANGE_FIRST:
        return str(gettext("between %(low)s%% and %(high)s%%", **bounds)), ""
    return str(gettext("%(number)s%%", number=text)), str(gettext("(between %(low)s%% and %(high)s%%)", **bounds))


def _write_minutes(number: Mapping[str, Any]) -> str:
    low = number.get("at_least")
    high = number.get("at_most")
    if high is None:
        return str(gettext("%(low)s minutes or more", low=f"{low or 0:g}"))
    return str(gettext("between %(low)s and %(high)s minutes", low=f"{low or 0:g}", high=f"{high:g}"))


def write_span(year: Mapping[str, Any], language: str) -> str:
    """Return when a year was, to stand after a number: in the twelve months to October 2026."""
    first, last = (dt.date.fromisoformat(year[name]) for name in ("first", "last"))
    months = count_months(year)
    month = format_date(last, "LLLL y", locale=language)
    if months == MONTHS_OF_A_YEAR:
        return str(gettext("in the twelve months to %(month)s", month=month))
    if months == MONTHS_OF_A_QUARTER and first.month % MONTHS_OF_A_QUARTER == 1:
        return str(gettext("in the %(quarter)s", quarter=format_date(first, "QQQQ y", locale=language)))
    if months == 1:
        return str(gettext("in %(month)s", month=month))
    since = format_date(first, "LLLL y", locale=language)
    return str(gettext("in %(months)s months, from %(since)s to %(month)s", months=months, since=since, month=month))


def count_months(year: Mapping[str, Any]) -> int:
    first, last = (dt.date.fromisoformat(year[name]) for name in ("first", "last"))
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _write_comparison(indicator: Indicator, year: Mapping[str, Any], language: str) -> str:
    """Return how a year compares with the one before, and how sure that is."""
    word = Word(year["word"])
    if word == Word.NOT_YET:
        month = format_date(dt.date.fromisoformat(year["compare_from"]), "LLLL y", locale=language)
        return str(gettext("It can be compared with a year before from %(month)s on.", month=month))
    before = _write_before(indicator, year["before"], language)
    # Of exact numbers the difference says it all; of the middle of bands no word is sure.
    if indicator.get("exact") or indicator["unit"] in ("hours", "minutes"):
        return str(gettext("A year before: %(before)s.", before=before))
    return _choose_sentence(word, indicator["unit"] == "percent", before)


def _write_before(indicator: Indicator, before: Mapping[str, Any], language: str) -> str:
    number, _ = write_number(indicator, before, language)
    return number


def _choose_sentence(word: Word, is_share: bool, before: str) -> str:
    if word == Word.UNSURE:
        return str(gettext("Too few to say whether it changed in a year (%(before)s then).", before=before))
    if word == Word.SAME and is_share:
        return str(gettext("About the same as a year before (%(before)s): within 15 points.", before=before))
    if word == Word.SAME:
        return str(gettext("About the same as a year before (%(before)s): within a fifth.", before=before))
    sentences = {
        (Word.MORE, False): gettext("More than a year before (%(before)s).", before=before),
        (Word.FEWER, False): gettext("Fewer than a year before (%(before)s).", before=before),
        (Word.PERHAPS_MORE, False): gettext(
            "Perhaps more than a year before (%(before)s); it could be chance.", before=before
        ),
        (Word.PERHAPS_FEWER, False): gettext(
            "Perhaps fewer than a year before (%(before)s); it could be chance.", before=before
        ),
        (Word.MORE, True): gettext("A higher share than a year before (%(before)s).", before=before),
        (Word.FEWER, True): gettext("A lower share than a year before (%(before)s).", before=before),
        (Word.PERHAPS_MORE, True): gettext(
            "Perhaps a higher share than a year before (%(before)s); it could be chance.", before=before
        ),
        (Word.PERHAPS_FEWER, True): gettext(
            "Perhaps a lower share than a year before (%(before)s); it could be chance.", before=before
        ),
    }
    return str(sentences[word, is_share])


def write_headline(body: Mapping[str, Any], language: str) -> list[str]:
    """Return what may be said of the public page as a whole, in sentences.

    Only what is beyond chance over the whole page: of twenty numbers that did not change, one is beyond its own.
    """
    indicators = [indicator for indicator in body["indicators"] if _has_public_year(indicator)]
    compared = [indicator for indicator in indicators if indicator["year"]["word"] not in (Word.NOT_YET, Word.UNSURE)]
    sure = [indicator for indicator in compared if indicator["id"] in body.get("sure", ())]
    if not indicators:
        return []
    if not compared:
        return [str(gettext("Nothing on this page can be compared with a year before yet."))]
    if not sure:
        return [str(gettext("Compared with a year before, nothing on this page changed by more than chance."))]
    return [str(gettext("Compared with a year before, more changed than chance explains:")), *_list_changes(sure, language)]


def _has_public_year(indicator: Indicator) -> bool:
    return indicator["audience"] == "public" and bool(indicator.get("year"))


def _list_changes(indicators: Sequence[Indicator], language: str) -> list[str]:
    changes = []
    for indicator in indicators:
        view = make_year_view(indicator, language)
        if view is not None:
            words = {"title": indicator["title"][language], "number": view.number, "comparison": view.comparison}
            changes.append(str(gettext("%(title)s: %(number)s. %(comparison)s", **words)))
    return changes
