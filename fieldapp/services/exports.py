"""Records as CSV for the centre itself. A process of its own writes the file: phones notice nothing of it."""

import csv
import datetime as dt
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import IO, Any

from sqlalchemy.orm import Session

from fieldapp.services.acts import Act, act
from fieldapp.services.definitions import definition_of
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.settings import Settings
from fieldapp.store import forms, records, users
from fieldapp.store.records import Filter
from forms.definition import FormDefinition

FIXED = ("record", "day", "worker", "received", "changed", "version", "via", "review")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
PATIENCE = 600  # seconds
_one_at_a_time = threading.Lock()


@act("records.export")
def allow_export(a: Act, wanted: Filter) -> str:
    """Note that somebody takes a form's records away as a file, and return what to call it."""
    if not wanted.form or forms.latest(a.session, a.centre_id, wanted.form) is None:
        raise not_found()
    a.note(f"form/{wanted.form}")
    return f"{wanted.form}-{a.now:%Y-%m-%d}.csv"


def export_in_process(settings: Settings, centre_id: int, wanted: Filter) -> IO[bytes]:
    """Return the CSV as an open file that nobody else can name; raise ActProblem while another one is being written."""
    given = {"area": wanted.area, "worker": wanted.author_id, "since": wanted.since, "until": wanted.until}
    options = [f"--{name}={value}" for name, value in given.items() if value]
    return run_in_process(settings, ["export", wanted.form, f"--centre-id={centre_id}", *options])


def run_in_process(settings: Settings, arguments: list[str]) -> IO[bytes]:
    """Return what a command of ours writes, as an open file; raise ActProblem while another one is at it."""
    if not _one_at_a_time.acquire(blocking=False):
        raise ActProblem("records.export_busy", N_("Another file is being written. Try again in a minute."))
    try:
        file = tempfile.TemporaryFile(dir=settings.folder)  # noqa: SIM115  whoever sends it closes it
        command = [sys.executable, "-m", "fieldapp", *arguments]
        subprocess.run(command, stdout=file, check=True, timeout=PATIENCE, env=_environment(settings))
        file.seek(0)
        return file
    finally:
        _one_at_a_time.release()


def _environment(settings: Settings) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("FIELDAPP_")}
    return others | settings.environment()


def write_csv(session: Session, centre_id: int, wanted: Filter, file: IO[str]) -> int:
    """Write a form's records, a row each, and return how many; memory does not grow with them."""
    version = forms.latest(session, centre_id, wanted.form)
    if version is None:
        raise not_found()
    columns = columns_of(definition_of(version))
    labels = users.labels(session, centre_id)
    writer = csv.writer(file)
    writer.writerow([*FIXED, *columns])
    count = 0
    for record_id, day, author_id, received, changed, form_version, via, review, answers in records.for_export(
        session, centre_id, wanted
    ):
        row = [record_id, day, labels[author_id], _moment(received), _moment(changed), form_version, via, review]
        row += [_cell(answers, names) for names in columns.values()]
        writer.writerow(row)
        count += 1
    return count


def columns_of(definition: FormDefinition) -> dict[str, tuple[str, ...]]:
    """Return the columns of a form's answers, and where in the answers each is; a repeat is a count of its entries."""
    found = {}
    within: set[str] = set()
    for element in definition.elements:
        if element.parent in within or element.kind == "repeat":
            within.add(element.path)
        is_own = element.kind == "question" and element.parent not in within and element.type != "note"
        if is_own or (element.kind == "repeat" and element.parent not in within):
            found[definition.column(element)] = tuple(element.path.split("/")[2:])
    return found


def _cell(answers: Any, names: tuple[str, ...]) -> str:
    value = answers
    for name in names:
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    if isinstance(value, list):
        return str(len(value))
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else str(value)


def _moment(value: dt.datetime) -> str:
    return value.isoformat(timespec="seconds")
