"""Lay out the picture of a chart: it has no style sheet and breaks no lines by itself."""

import textwrap
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from fieldapp.web.editions import IndicatorView

WIDE = 84  # characters of a line under the number
SOURCE = 104  # characters of a line at the foot
LINE = 22  # units of the picture between two lines
HEAD = 114  # where the first line under the number stands
CHART = 256  # height of a chart with its labels
PANEL = 64  # height of a group's own small chart
FOOT = 72


@dataclass(frozen=True)
class Lead:
    """The number of a picture, and the sentences under it."""

    number: str
    lines: list[str]


def lay_out(view: IndicatorView, centre: str, period: str, address: str) -> dict[str, Any]:
    """Return what the template chart.svg needs beside the indicator."""
    lead = _make_lead(view)
    panels = view.panels if view.is_by_group and view.points else []
    top = HEAD + LINE * len(lead.lines)
    chart = PANEL * len(panels) if panels else CHART * bool(view.bars)
    return {
        "lead": lead,
        "panels": panels,
        "top": top,
        "height": top + chart + FOOT,
        "source": _write_source(centre, period, address),
    }


def _make_lead(view: IndicatorView) -> Lead:
    if view.year:
        sentences = [view.year.more, view.year.span, view.year.comparison]
        number = view.year.number
    else:
        sentences = [view.finding]
        number = view.last.text if view.last else gettext("none yet")
    lines: list[str] = []
    for sentence in sentences:
        if sentence:
            lines += textwrap.wrap(sentence, WIDE, break_long_words=False)
    return Lead(number, lines)


def _write_source(centre: str, period: str, address: str) -> list[str]:
    """Return whose numbers these are and of when, under which licence, and where they stand."""
    text = gettext(
        "%(centre)s, %(period)s. Small numbers are hidden, others rounded. Licence: CC BY 4.0.", centre=centre, period=period
    )
    return [textwrap.shorten(text, SOURCE, placeholder=" …"), address]
