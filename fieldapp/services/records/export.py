"""A form's records as files, for the centre itself: every answer ever given, also to versions that are replaced.

A process of its own writes the archive: phones notice nothing of it.
"""

import datetime as dt
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from fieldapp.services.acts import ActContext, act
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
from fieldapp.services.records.export_files import CsvMember, _SpoolFiles
from fieldapp.services.subprocesses import run_in_process
from fieldapp.settings import Settings
from fieldapp.store.forms import versions as forms
from fieldapp.store.people import users
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import RecordFilter
from fieldapp.store.records.submissions import Submission
from fieldapp.store.session import Session
from forms.definition import FormDefinition
from sync.bodies import read_body

HISTORY_COLUMNS = (
    "record", "submission", "state", "is_current", "finished", "received", "worker", "via", "version", "column", "answer",
)  # fmt: skip
BATCH_SIZE = 500  # records whose history is looked up together


@act("records.export")
def authorize_export(ctx: ActContext, wanted: RecordFilter, by: str = "office") -> str:
    """Note that somebody takes a form's records away, which and how many, and return what to call the file."""
    if not _is_exportable(ctx.session, ctx.centre_id, wanted.form):
        raise make_not_found()
    chosen = {"area": wanted.area, "worker": wanted.author_id, "since": wanted.since, "until": wanted.until}
    narrowed = {name: str(value) for name, value in chosen.items() if value}
    ctx.describe(f"form/{wanted.form}", by=by, records=records.count(ctx.session, ctx.centre_id, wanted), **narrowed)
    return f"{wanted.form}-{ctx.now:%Y-%m-%d}.zip"


def _is_exportable(session: Session, centre_id: int, form: str) -> bool:
    """Say whether the centre has a form, or something that was sent for it: what is kept must be possible to take out."""
    return forms.latest(session, centre_id, form) is not None or submissions.is_any_of(session, centre_id, form)


def export_records(settings: Settings, centre_id: int, wanted: RecordFilter) -> IO[bytes]:
    """Return the archive as an open file that nobody else can name; raise ActProblem while another one is being written."""
    given = {"area": wanted.area, "worker": wanted.author_id, "since": wanted.since, "until": wanted.until}
    options = [f"--{name}={value}" for name, value in given.items() if value]
    return run_in_process(settings, ["export", wanted.form, f"--centre-id={centre_id}", *options])


# ── the columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


# ── the rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_records_archive(session: Session, centre_id: int, wanted: RecordFilter, file: IO[bytes], folder: Path) -> int:
    """Write a form's archive and return how many records it has; memory does not grow with them.

    The records go into the archive as they are read; what belongs to them waits in nameless files in the folder.
    """
    if not _is_exportable(session, centre_id, wanted.form):
        raise make_not_found()
    definitions = [load_definition(version) for version in forms.versions_of(session, centre_id, wanted.form)]
    sheets = list_sheets(definitions, wanted.form)
    labels = users.labels(session, centre_id)
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, _SpoolFiles(folder) as waiting:
        entries = {place: waiting.table((*ENTRY_COLUMNS, *sheet.header())) for place, sheet in sheets.items() if place}
        history = waiting.table(HISTORY_COLUMNS)
        with archive.open(sheets[()].filename, "w", force_zip64=True) as member:
            table = CsvMember(member, (*RECORD_COLUMNS, *sheets[()].header()))
            found = records.iterate_for_export(session, centre_id, wanted)
            while some := list(islice(found, BATCH_SIZE)):
                for record_id, day, author_id, received, changed, version, via, review, answers in some:
                    fixed = (
                        record_id,
                        day,
                        labels[author_id],
                        _format_time(received),
                        _format_time(changed),
                        version,
                        via,
                        review,
                    )
                    table.write((*fixed, *_make_cells(sheets, (), answers)))
                    _write_entries(sheets, entries, record_id, record_id, answers, ())
                    count += 1
                ids = [row[0] for row in some]
                _write_history(session, centre_id, history, labels, submissions.of_many(session, centre_id, ids))
            table.flush()
        _write_history(session, centre_id, history, labels, submissions.without_record(session, centre_id, wanted))
        for place, entry in entries.items():
            waiting.copy(entry, archive, sheets[place].filename)
        waiting.copy(history, archive, f"{wanted.form}-history.csv")
        with archive.open(f"{wanted.form}-codebook.csv", "w") as member:
            table = CsvMember(member, CODEBOOK_COLUMNS)
            for row in make_codebook(definitions, sheets):
                table.write(row)
            table.flush()
    return count


def _make_cells(sheets: Mapping[AnswerPath, AnswerSheet], place: AnswerPath, answers: Mapping[str, Any]) -> list[str]:
    """Return the cells of one record, or of one entry of a repeat: answers, how many entries repeats have, all others."""
    sheet = sheets[place]
    found = dict(_iterate_answers(answers, place))
    cells = [_format_answer(found.pop(where, "")) for where in sheet.columns]
    for where in sheet.repeats:
        entries = found.pop(where, [])
        cells.append(str(len(entries)) if isinstance(entries, list) else _format_answer(entries))
    others = {".".join(where): value for where, value in found.items() if value not in ("", [], {})}
    return [*cells, json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""]


def _iterate_answers(answers: Mapping[str, Any], within: AnswerPath) -> Iterator[tuple[AnswerPath, Any]]:
    """Yield answers with their place; a whole repeat is one of them."""
    for name, value in answers.items():
        if isinstance(value, Mapping) and value:
            yield from _iterate_answers(value, (*within, name))
        else:
            yield (*within, name), value


def _format_answer(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_entries(
    sheets: Mapping[AnswerPath, AnswerSheet],
    tables: Mapping[AnswerPath, CsvMember],
    record_id: str,
    parent: str,
    answers: Mapping[str, Any],
    within: AnswerPath,
) -> None:
    """Write the entries of every repeat right within a record or an entry, and what is within those."""
    found = dict(_iterate_answers(answers, within))
    for place in sheets[within].repeats:
        entries = found.get(place, [])
        for index, one in enumerate(entries if isinstance(entries, list) else [], start=1):
            entry = f"{parent}/{place[-1]}/{index}"
            inner = one if isinstance(one, Mapping) else {"": one}
            tables[place].write((record_id, parent, entry, index, *_make_cells(sheets, place, inner)))
            _write_entries(sheets, tables, record_id, entry, inner, place)


# ── the history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_history(
    session: Session, centre_id: int, table: CsvMember, labels: Mapping[int, str], found: Sequence[Submission]
) -> None:
    """Write, an answer a row, all versions of records that have several, and what was kept aside and is no record."""
    definitions = load_definitions(session, centre_id, {(one.form, one.version) for one in found})
    replaced = {before for one in found if one.is_part for before in one.prev}
    for one in found:
        is_current = "yes" if one.is_part and one.instance_id not in replaced else "no"
        fixed = (
            one.root_id, one.instance_id, one.state, is_current,
            _format_time(one.finished_at), _format_time(one.received_at),
            labels.get(one.author_id, ""), one.via, one.version,
        )  # fmt: skip
        for column, answer in _list_answers(one, definitions.get((one.form, one.version))):
            table.write((*fixed, column, answer))


def _list_answers(one: Submission, definition: FormDefinition | None) -> list[tuple[str, str]]:
    """Return every answer of a submission as it came; all of it in one where it cannot be read."""
    try:
        answers = read_body(one.body, definition)
    except ValueError:
        return [("", one.body)]
    return list(_iterate_paths(answers, "")) if isinstance(answers, dict) else [("", one.body)]


def _iterate_paths(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every answer with its dotted path; the entries of a repeat are numbered from 1."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _iterate_paths(inner, f"{where}.{name}" if where else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value, start=1):
            yield from _iterate_paths(inner, f"{where}[{index}]")
    elif value not in ("", None):
        yield where, _format_answer(value)


# ── the codebook ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _format_time(value: dt.datetime) -> str:
    return value.isoformat(timespec="seconds")
