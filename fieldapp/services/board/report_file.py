"""The shift report as a PDF, in the reader's language and the centre's time."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from babel.dates import format_date, format_datetime
from babel.support import Translations

from evaluator_export.products import shift_report
from fieldapp.paths import TRANSLATIONS
from fieldapp.services.board.ages import write_age
from fieldapp.services.board.board import Incident
from fieldapp.services.board.shifts import ShiftReport
from fieldapp.services.board.words import (
    INCIDENT,
    NEEDS,
    NEXT_STEPS,
    NOBODY,
    NOT_SEEN,
    NOT_YET,
    REPORT_HEADINGS,
    REQUEST,
    STEPS,
)
from fieldapp.store.board.board import BoardItem
from forms.roles import QuestionRole

Line = Sequence[str]


def make_report_file(report: ShiftReport, language: str) -> bytes:
    """Return a shift report as a tagged PDF; `language` is "en" or "fr"."""
    writer = _LineWriter(report, language)
    page = report.board
    counts = {
        "arrived": len(report.arrived),
        "closed": report.closed,
        "incidents": len(page.incidents),
        "requests": len(page.requests),
        "due": page.due_today + page.due_late,
    }
    sections = {
        "open": writer.write_open(),
        "new": writer.write_arrived(),
        "requests": writer.write_requests(),
        "out": writer.write_out(),
        "done": writer.write_done(),
    }
    span = f"{writer.write_time(report.first)} – {writer.write_time(report.last)}"
    return shift_report.draw(page.centre, span, counts, sections, language)


class _LineWriter:
    """Writes what the report says as lines of words in one language."""

    def __init__(self, report: ShiftReport, language: str):
        self.report = report
        self.language = language
        self.zone = zoneinfo.ZoneInfo(report.board.zone)
        # No request is at hand here, so the catalogue is read instead of asking the pages' gettext.
        self.translate = Translations.load(TRANSLATIONS, [language]).gettext

    def write_time(self, time: dt.datetime | None) -> str:
        if time is None:
            return "–"
        return str(format_datetime(time, "d MMM y, HH:mm", tzinfo=self.zone, locale=self.language))

    def _write_head(self, *names: str) -> Line:
        return [self.translate(REPORT_HEADINGS[name]) for name in names]

    def _write_owner(self, item: BoardItem | None) -> str:
        """Return whose an item is, and whether they have not seen it yet."""
        name = self.report.people.get(item.assigned_to or 0, "") if item else ""
        giving = self.report.board.find_giving(item)
        if giving and not giving.answer:
            name = f"{name} ({self.translate(NOT_SEEN)})"
        return name or self.translate(NOBODY)

    def _write_role(self, incident: Incident, role: str) -> str:
        element = incident.definition.find_with_role(role)
        name = incident.read_role(role)
        return str(incident.definition.choice_label(element, name, self.language)) if element and name else "–"

    def _write_what(self, incident: Incident) -> str:
        return f"{self._write_role(incident, QuestionRole.KIND)}, {self._write_role(incident, QuestionRole.AREA)}"

    def _write_first_action(self, incident: Incident) -> str:
        minutes = incident.minutes_to_first
        if minutes is None:
            return str(self.translate(NOT_YET))
        return write_age(minutes, self.language)

    def write_open(self) -> list[Line]:
        lines = [self._write_head("what", "since", "whose", "next_step", "due", "first_action")]
        for incident in self.report.board.incidents:
            due = self.report.due.get(incident.root_id)
            day = str(format_date(due, "d MMM", locale=self.language)) if due else "–"
            owner = self._write_owner(incident.item)
            step = self.translate(NEXT_STEPS[incident.next_step])
            since = self.write_time(incident.alerted_at)
            lines.append([self._write_what(incident), since, owner, step, day, self._write_first_action(incident)])
        return lines

    def write_arrived(self) -> list[Line]:
        lines = [self._write_head("what", "received", "told", "first_action", "state")]
        for incident in self.report.arrived:
            state = self.translate(REPORT_HEADINGS["is_open" if incident.is_open else "is_closed"])
            received = self.write_time(incident.received_at)
            happened = self.write_time(incident.alerted_at)
            lines.append([self._write_what(incident), received, happened, self._write_first_action(incident), state])
        return lines

    def write_requests(self) -> list[Line]:
        lines = [self._write_head("what", "since", "whose", "next_step")]
        for request in self.report.board.requests:
            owner = self._write_owner(request.item)
            what = self.translate(NEEDS[request.item.need])
            step = self.translate(NEXT_STEPS[request.next_step])
            lines.append([what, self.write_time(request.item.opened_at), owner, step])
        return lines

    def write_out(self) -> list[Line]:
        out = self.report.board.workers_out
        return [self._write_head("who", "since"), *([worker.worker, self.write_time(worker.since)] for worker in out)]

    def write_done(self) -> list[Line]:
        lines = [self._write_head("when", "step", "subject", "who")]
        for step in self.report.steps:
            item = self.report.items.get(step.item_id)
            if item is None:
                continue
            what = self.translate(STEPS[step.kind])
            if step.to_id:
                what += f" ({self.report.people.get(step.to_id, '')})"
            about = f"{self.translate(INCIDENT)} {step.item_id}"
            if not item.root_id:
                about = f"{self.translate(REQUEST)} {step.item_id}: {self.translate(NEEDS[item.need])}"
            lines.append([self.write_time(step.at), what, about, self.report.people.get(step.author_id, "")])
        return lines
