"""Export a form's records for the centre's own work, or for checking the program.

For work the archive has every answer ever given, also the versions that were replaced.
A process of its own writes it, so that phones do not wait.
"""

import contextlib
import datetime as dt
import json
import zipfile
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from fieldapp.services.acts import ActContext, act
from fieldapp.services.consent.unasked import find_reason
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.services.problems import make_not_found
from fieldapp.services.records.export_columns import (
    CODEBOOK_COLUMNS,
    ENTRY_COLUMNS,
    RECORD_COLUMNS,
    AnswerPath,
    AnswerSheet,
    list_sheets,
    make_codebook,
)
from fieldapp.services.records.export_consent import ConsentFilter, DayDetail, ExportPurpose, find_day_detail, may_leave
from fieldapp.services.records.export_days import cut_for_evaluation
from fieldapp.services.records.export_files import CsvMember, SpoolFiles
from fieldapp.services.subprocesses import run_in_process
from fieldapp.settings import Settings
from fieldapp.store.forms import versions as forms
from fieldapp.store.people import users
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import ExportedRecord, RecordFilter
from fieldapp.store.records.submissions import Submission
from fieldapp.store.session import Session
from forms.definition import FormDefinition
from sync.bodies import read_body

HISTORY_COLUMNS = (
    "record", "submission", "state", "is_current", "finished", "received", "worker", "via", "version", "column", "answer",
)  # fmt: skip
BATCH_SIZE = 500  # records whose history is looked up together


@act("records.export")
def authorize_export(
    ctx: ActContext, record_filter: RecordFilter, purpose: ExportPurpose = ExportPurpose.WORK, by: str = "office"
) -> str:
    """Write the audit line of an export, with its filter and purpose; return its name."""
    if not _is_exportable(ctx.session, ctx.centre_id, record_filter.form):
        raise make_not_found()
    narrowed = {name: str(value) for name, value in _list_options(record_filter).items()}
    count = records.count(ctx.session, ctx.centre_id, record_filter)
    ctx.describe(f"form/{record_filter.form}", by=by, purpose=str(purpose), records=count, **narrowed)
    suffix = "-evaluation" if purpose is ExportPurpose.EVALUATION else ""
    return f"{record_filter.form}{suffix}-{ctx.now:%Y-%m-%d}.zip"


def _list_options(record_filter: RecordFilter) -> dict[str, object]:
    """Return what narrows an export beside its form, by the name of the command's option."""
    options = {
        "area": record_filter.area,
        "worker": record_filter.author_id,
        "since": record_filter.since,
        "until": record_filter.until,
    }
    return {name: value for name, value in options.items() if value}


def _is_exportable(session: Session, centre_id: int, form: str) -> bool:
    """Say whether the centre has a form, or something that was sent for it."""
    return forms.latest(session, centre_id, form) is not None or submissions.is_any_of(session, centre_id, form)


def export_records(
    settings: Settings, centre_id: int, record_filter: RecordFilter, purpose: ExportPurpose = ExportPurpose.WORK
) -> IO[bytes]:
    """Return the archive as an open file without a name.

    Raises ActProblem "records.export_busy" while another one is being written.
    """
    options = [f"--{name}={value}" for name, value in _list_options(record_filter).items()]
    return run_in_process(
        settings, ["export", record_filter.form, f"--purpose={purpose}", f"--centre-id={centre_id}", *options]
    )


@dataclass(frozen=True)
class _Export:
    """What the writing of one archive knows."""

    session: Session
    centre_id: int
    record_filter: RecordFilter
    definitions: Sequence[FormDefinition]  # of the form, newest first
    sheets: Mapping[AnswerPath, AnswerSheet]
    workers: Mapping[int, str]  # name by id
    entries: Mapping[AnswerPath, CsvMember]  # of each repeat
    history: CsvMember
    consent: ConsentFilter

    def is_of_days(self, day: dt.date) -> bool:
        """Say whether the file was asked for about this day."""
        since = self.record_filter.since or dt.date.min
        until = self.record_filter.until or dt.date.max
        return since <= day <= until

    def find_day_detail(self, version: str) -> DayDetail:
        return find_day_detail(self.consent.purpose, self.consent.definitions.get(version))

    @property
    def has_history(self) -> bool:
        return self.consent.purpose is ExportPurpose.WORK


def write_records_archive(
    session: Session,
    centre_id: int,
    record_filter: RecordFilter,
    file: IO[bytes],
    folder: Path,
    purpose: ExportPurpose = ExportPurpose.WORK,
) -> int:
    """Write a form's archive (ZIP); return how many records it has.

    Memory does not grow with the records.

    The records go into the archive as they are read; what belongs to them is spooled in files without a name in the
    folder.
    """
    form = record_filter.form
    if not _is_exportable(session, centre_id, form):
        raise make_not_found()
    definitions = [load_definition(version) for version in forms.versions_of(session, centre_id, form)]
    sheets = list_sheets(definitions, form, lambda element: may_leave(purpose, element))
    by_version = {definition.version: definition for definition in definitions}
    consent = ConsentFilter(session, centre_id, purpose, by_version)
    workers = users.labels(session, centre_id)
    # Spooled on disk: a ZIP takes one member at a time, and all tables grow together.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, SpoolFiles(folder) as spool:
        entries = {}
        for repeat, sheet in sheets.items():
            if repeat:
                entries[repeat] = spool.open_table((*ENTRY_COLUMNS, *sheet.header()))
        history = spool.open_table(HISTORY_COLUMNS)
        export = _Export(session, centre_id, record_filter, definitions, sheets, workers, entries, history, consent)
        count = _write_records(export, archive)
        if export.has_history:
            stored = submissions.without_record(session, centre_id, record_filter)
            # A no of which no record came has its day and hour here, and names nobody.
            _write_history(export, [part for part in stored if not part.is_refusal and not find_reason(part.problems)])
        for repeat, table in entries.items():
            spool.copy(table, archive, sheets[repeat].filename)
        if export.has_history:
            spool.copy(history, archive, f"{form}-history.csv")
        with archive.open(f"{form}-codebook.csv", "w") as member:
            codebook = CsvMember(member, CODEBOOK_COLUMNS)
            for row in make_codebook(definitions, sheets):
                codebook.write(row)
            codebook.flush()
    return count


def _write_records(export: _Export, archive: zipfile.ZipFile) -> int:
    """Write the records into the archive; spool entries of repeats and the history."""
    count = 0
    sheet = export.sheets[()]
    rows = records.iterate_for_export(export.session, export.centre_id, _widen_to_months(export.record_filter))
    with archive.open(sheet.filename, "w", force_zip64=True) as member:
        table = CsvMember(member, (*RECORD_COLUMNS, *sheet.header()))
        while batch := list(islice(rows, BATCH_SIZE)):
            allowed = [
                record for record in export.consent.narrow(batch) if export.is_of_days(_find_sorting_day(export, record))
            ]
            for record in allowed:
                detail = export.find_day_detail(record.version)
                day = _format_day(record.day, detail)
                times = (_cut_time(record.received_at, detail), _cut_time(record.changed_at, detail))
                about = (record.version, record.channel, record.review)
                columns = (record.record_id, day, export.workers[record.author_id], *times, *about)
                answers = _cut_answers(export, record)
                table.write((*columns, *_make_cells(export, (), answers)))
                _write_entries(export, record.record_id, record.record_id, answers, ())
                count += 1
            if export.has_history:
                record_ids = [record.record_id for record in allowed]
                _write_history(export, submissions.of_many(export.session, export.centre_id, record_ids))
        count += _write_talks(export, table)
        table.flush()
    return count


def _find_sorting_day(export: _Export, record: ExportedRecord) -> dt.date:
    """Return the day by which a record is in a file about days.

    Where its line does not say the day, the file must not say it either.
    """
    if export.find_day_detail(record.version) is DayDetail.DAY:
        return record.day
    return record.day.replace(day=1)


def _format_day(day: dt.date, detail: DayDetail) -> str:
    formats = {DayDetail.DAY: day.isoformat(), DayDetail.MONTH: f"{day:%Y-%m}", DayDetail.NONE: ""}
    return formats[detail]


def _cut_time(moment: dt.datetime, detail: DayDetail) -> str:
    """Return when a record came or changed, no more exactly than its day.

    Most come on that day.
    """
    if detail is DayDetail.DAY:
        return _format_time(moment)
    return _format_day(moment.date(), detail)


def _cut_answers(export: _Export, record: ExportedRecord) -> Mapping[str, Any]:
    """Return what the file may say of a record's answers: for work all."""
    if export.consent.purpose is ExportPurpose.WORK:
        return record.answers
    return cut_for_evaluation(export.consent.definitions.get(record.version), record.answers)


def _widen_to_months(record_filter: RecordFilter) -> RecordFilter:
    """Return a filter for whole months: what has no day is in or out by its month."""
    since = record_filter.since
    until = record_filter.until
    if since:
        since = since.replace(day=1)
    if until:
        until = until.replace(day=monthrange(until.year, until.month)[1])
    return replace(record_filter, since=since, until=until)


def _write_talks(export: _Export, table: CsvMember) -> int:
    """Write what is left of people who said no, in no order of days; return how many talks.

    A file about one area has none: it would say where they were. In one about days are those of the months that
    begin in it.
    """
    if export.record_filter.area:
        return 0
    count = 0
    for talk, times in sorted(export.consent.talks.items()):
        if not export.is_of_days(dt.date.fromisoformat(f"{talk.month}-01")):
            continue
        columns = ("", talk.month, export.workers[talk.author_id], "", "", "", "", "")
        row = (*columns, *_make_cells(export, (), json.loads(talk.kind)))
        for _ in range(times):
            table.write(row)
        count += times
    return count


def _make_cells(export: _Export, place: AnswerPath, answers: Mapping[str, Any]) -> list[str]:
    """Return the cells of one record, or of one entry of a repeat.

    They are its answers, how many entries each repeat has, and for work all other answers as JSON.
    """
    sheet = export.sheets[place]
    answers_by_path = dict(_iterate_answers(answers, place))
    cells = [_format_answer(answers_by_path.pop(path, "")) for path in sheet.columns]
    for path in sheet.repeats:
        entries = answers_by_path.pop(path, [])
        cells.append(str(len(entries)) if isinstance(entries, list) else _format_answer(entries))
    # Answers to questions that no version of the form has any more are kept as one cell, not lost.
    others = {".".join(path): value for path, value in answers_by_path.items() if value not in ("", [], {})}
    if not export.has_history:
        others = {}
    cells.append(json.dumps(others, ensure_ascii=False, sort_keys=True) if others else "")
    return cells


def _iterate_answers(answers: Mapping[str, Any], within: AnswerPath) -> Iterator[tuple[AnswerPath, Any]]:
    """Yield answers with their path; a whole repeat is one of them."""
    for name, value in answers.items():
        if isinstance(value, Mapping) and value:
            yield from _iterate_answers(value, (*within, name))
        else:
            yield (*within, name), value


def _format_answer(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_entries(export: _Export, record_id: str, parent: str, answers: Mapping[str, Any], within: AnswerPath) -> None:
    """Write the entries of every repeat in a record or an entry, and those within them."""
    answers_by_path = dict(_iterate_answers(answers, within))
    for path in export.sheets[within].repeats:
        entries = answers_by_path.get(path, [])
        if not isinstance(entries, list):
            continue
        for index, entry in enumerate(entries, start=1):
            entry_id = f"{parent}/{path[-1]}/{index}"
            entry_answers = entry if isinstance(entry, Mapping) else {"": entry}
            cells = _make_cells(export, path, entry_answers)
            export.entries[path].write((record_id, parent, entry_id, index, *cells))
            _write_entries(export, record_id, entry_id, entry_answers, path)


def _write_history(export: _Export, stored: Sequence[Submission]) -> None:
    """Write stored submissions, one row per answer."""
    versions = {(submission.form, submission.version) for submission in stored}
    definitions = load_definitions(export.session, export.centre_id, versions)
    replaced: set[str] = set()
    # What another part builds on is no current one, whatever its state.
    for submission in stored:
        if submission.is_part:
            replaced.update(submission.prev)
    refused = _find_refused(export, stored, definitions)
    for submission in stored:
        if submission.id in refused:
            continue
        is_current = submission.is_part and submission.instance_id not in replaced
        columns = (
            submission.root_id,
            submission.instance_id,
            submission.state,
            "yes" if is_current else "no",
            _format_time(submission.finished_at),
            _format_time(submission.received_at),
            export.workers.get(submission.author_id, ""),
            submission.channel,
            submission.version,
        )
        definition = definitions.get((submission.form, submission.version))
        for path, answer in _list_answers(submission, definition):
            export.history.write((*columns, path, answer))


def _find_refused(
    export: _Export, stored: Sequence[Submission], definitions: Mapping[tuple[str, str], FormDefinition | None]
) -> Collection[int]:
    """Return the submissions that name somebody who stands at a no."""
    answers = {}
    forms_by_id = {}
    for submission in stored:
        definition = definitions.get((submission.form, submission.version))
        with contextlib.suppress(ValueError):
            answers[submission.id] = read_body(submission.body, definition)
            forms_by_id[submission.id] = definition
    return export.consent.find_refused(answers, forms_by_id)


def _list_answers(submission: Submission, definition: FormDefinition | None) -> list[tuple[str, str]]:
    """Return every answer of a submission as it came; the whole body where it cannot be read."""
    try:
        answers = read_body(submission.body, definition)
    except ValueError:
        return [("", submission.body)]
    if not isinstance(answers, dict):
        return [("", submission.body)]
    return list(_iterate_paths(answers, ""))


def _iterate_paths(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every answer with its dotted path; the entries of a repeat are numbered from 1."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _iterate_paths(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value, start=1):
            yield from _iterate_paths(inner, f"{path}[{index}]")
    elif value not in ("", None):
        yield path, _format_answer(value)


def _format_time(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")
