"""The shift report as a PDF, in the reader's language and the centre's time."""

import datetime as dt
import zoneinfo

from babel.dates import format_datetime
from babel.support import Translations

from evaluator_export.products import shift_report
from fieldapp.paths import TRANSLATIONS
from fieldapp.services.board.board import ShiftReport
from fieldapp.services.board.words import INCIDENT, NEEDS, REQUEST, STEPS
from fieldapp.store.board.board import BoardItem, BoardStep

Line = tuple[str, str, str, str]  # when, what was done, about what, by whom


def make_report_file(report: ShiftReport, language: str) -> bytes:
    """Return a shift report as a tagged PDF; `language` is "en" or "fr"."""
    writer = _LineWriter(report, language)
    lines = []
    for step in report.steps:
        item = report.items.get(step.item_id)
        if item is not None:
            lines.append(writer.write_line(step, item))
    span = f"{writer.write_time(report.first)} – {writer.write_time(report.last)}"
    return shift_report.draw(
        report.centre,
        span,
        report.open_incidents,
        report.open_requests,
        report.due,
        lines,
        language,
    )


class _LineWriter:
    """Writes what was done as lines of words in one language."""

    def __init__(self, report: ShiftReport, language: str):
        self.people = report.people
        self.language = language
        self.zone = zoneinfo.ZoneInfo(report.zone)
        # No request is at hand here, so the catalogue is read instead of asking the pages' gettext.
        self.translate = Translations.load(TRANSLATIONS, [language]).gettext

    def write_time(self, time: dt.datetime) -> str:
        return str(format_datetime(time, "d MMM y, HH:mm", tzinfo=self.zone, locale=self.language))

    def write_line(self, step: BoardStep, item: BoardItem) -> Line:
        what = self.translate(STEPS[step.kind])
        if step.to_id:
            what += f" ({self.people.get(step.to_id, '')})"
        about = f"{self.translate(INCIDENT)} {step.item_id}"
        if not item.root_id:
            about = f"{self.translate(REQUEST)} {step.item_id}: {self.translate(NEEDS[item.need])}"
        return self.write_time(step.at), what, about, self.people.get(step.author_id, "")
