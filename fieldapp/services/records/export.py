"""A form's records as files, for the centre itself: every answer ever given, also to versions that are replaced.

A process of its own writes the archive: phones notice nothing of it.
"""

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from evaluator_export.formulas import RISKY
from fieldapp.services.acts import ActContext, act
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.settings import Settings
from fieldapp.store.forms import versions as forms
from fieldapp.store.people import users
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import RecordFilter
from fieldapp.store.records.submissions import Submission
from fieldapp.store.session import Session
from forms.definition import Element, FormDefinition
from forms.lists import in_language
from sync.bodies import read_body

FIXED = ("record", "day", "worker", "received", "changed", "version", "via", "review")
OTHER = "other_answers"  # what no version of the form names, as JSON
ENTRY = ("record", "parent", "entry", "index")
HISTORY = (
    "record", "submission", "state", "is_current", "finished", "received", "worker", "via", "version", "column", "answer",
)  # fmt: skip
CODEBOOK = (
    "file", "column", "type", "privacy", "label_en", "label_fr", "choice", "choice_label_en", "choice_label_fr", "versions",
)  # fmt: skip
AT_ONCE = 500  # records whose history is looked up together
PATIENCE = 600  # seconds
_one_at_a_time = threading.Lock()

Path_ = tuple[str, ...]  # the names from the outermost group inwards


@act("records.export")
def allow_export(ctx: ActContext, wanted: RecordFilter, by: str = "office") -> str:
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


def export_in_process(settings: Settings, centre_id: int, wanted: RecordFilter) -> IO[bytes]:
    """Return the archive as an open file that nobody else can name; raise ActProblem while another one is being written."""
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


# ── the columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Sheet:
    """One file of answers: the records themselves, or the entries of a repeat."""

    filename: str
    columns: dict[Path_, str] = field(default_factory=dict)  # where an answer is → its column
    repeats: dict[Path_, str] = field(default_factory=dict)  # repeats right within → the column with how many entries

    def header(self) -> list[str]:
        return [*self.columns.values(), *self.repeats.values(), OTHER]


def sheets_of(definitions: Sequence[FormDefinition], form: str = "") -> dict[Path_, Sheet]:
    """Return the files of a form by the repeat that each is about, () for the records; the newest version comes first.

    `form` names it where the centre has no version of it: then all its answers stand in one column.
    A column is one place in the form. Where an older version has the name at another place, that is dotted from the root.
    """
    form = definitions[0].id if definitions else form
    sheets: dict[Path_, Sheet] = {(): Sheet(f"{form}.csv")}
    taken: dict[str, Path_] = {}
    for definition in definitions:
        for element in definition.elements:
            place, within = _names(element), _repeat_around(definition, element)
            if element.kind == "repeat":
                name = _free(definition.column(element), place, taken)
                sheets[within].repeats.setdefault(place, name)
                sheets.setdefault(place, Sheet(f"{form}.{name}.csv"))
            elif element.is_answered:
                sheets[within].columns.setdefault(place, _free(definition.column(element), place, taken))
    return sheets


def _names(element: Element) -> Path_:
    return tuple(element.path.split("/")[2:])


def _repeat_around(definition: FormDefinition, element: Element) -> Path_:
    """Return the innermost repeat that an element is in."""
    parent = definition.by_path.get(element.parent)
    while parent is not None and parent.kind != "repeat":
        parent = definition.by_path.get(parent.parent)
    return _names(parent) if parent else ()


def _free(name: str, place: Path_, taken: dict[str, Path_]) -> str:
    """Return the name of a place's column: no two places have the same one."""
    for wanted in (name, ".".join(place)):
        if wanted not in (*FIXED, *ENTRY, OTHER) and taken.setdefault(wanted, place) == place:
            return wanted
    return f"answers.{'.'.join(place)}"


# ── the rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_export(session: Session, centre_id: int, wanted: RecordFilter, file: IO[bytes], folder: Path) -> int:
    """Write a form's archive and return how many records it has; memory does not grow with them.

    The records go into the archive as they are read; what belongs to them waits in nameless files in the folder.
    """
    if not _is_exportable(session, centre_id, wanted.form):
        raise make_not_found()
    definitions = [load_definition(version) for version in forms.versions_of(session, centre_id, wanted.form)]
    sheets = sheets_of(definitions, wanted.form)
    labels = users.labels(session, centre_id)
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, _Waiting(folder) as waiting:
        entries = {place: waiting.table((*ENTRY, *sheet.header())) for place, sheet in sheets.items() if place}
        history = waiting.table(HISTORY)
        with archive.open(sheets[()].filename, "w", force_zip64=True) as member:
            table = Table(member, (*FIXED, *sheets[()].header()))
            found = records.iterate_for_export(session, centre_id, wanted)
            while some := list(islice(found, AT_ONCE)):
                for record_id, day, author_id, received, changed, version, via, review, answers in some:
                    fixed = (record_id, day, labels[author_id], _moment(received), _moment(changed), version, via, review)
                    table.write((*fixed, *_row(sheets, (), answers)))
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
            table = Table(member, CODEBOOK)
            for row in codebook(definitions, sheets):
                table.write(row)
            table.flush()
    return count


class Table:
    """A CSV file that is being written: UTF-8 as spreadsheets know it, and nothing in it that they would run."""

    def __init__(self, file: IO[bytes], header: Sequence[str]):
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        self.writer = csv.writer(self.text)
        self.write(header)

    def write(self, row: Sequence[object]) -> None:
        self.writer.writerow([_safe(cell) for cell in row])

    def flush(self) -> None:
        """Write what waits, and leave the file open for whoever opened it."""
        self.text.flush()
        self.text.detach()


def _safe(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RISKY) else text


class _Waiting:
    """Files without a name that wait until the archive can take them; gone when this ends, whatever happens."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> "_Waiting":
        return self

    def __exit__(self, *error: object) -> None:
        for file in self.files.values():
            file.close()

    def table(self, header: Sequence[str]) -> Table:
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  closed at the end
        table = Table(file, header)
        self.files[id(table)] = file
        return table

    def copy(self, table: Table, archive: zipfile.ZipFile, name: str) -> None:
        table.flush()
        file = self.files[id(table)]
        file.seek(0)
        with archive.open(name, "w", force_zip64=True) as member:
            while piece := file.read(1 << 20):
                member.write(piece)


def _row(sheets: Mapping[Path_, Sheet], place: Path_, answers: Mapping[str, Any]) -> list[str]:
    """Return the cells of one record, or of one entry of a repeat: answers, how many entries repeats have, all others."""
    sheet = sheets[place]
    found = dict(_leaves(answers, place))
    cells = [_text(found.pop(where, "")) for where in sheet.columns]
    for where in sheet.repeats:
        entries = found.pop(where, [])
        cells.append(str(len(entries)) if isinstance(entries, list) else _text(entries))
    others = {".".join(where): value for where, value in found.items() if value not in ("", [], {})}
    return [*cells, json.dumps(others, ensure_ascii=False, sort_keys=True) if others else ""]


def _leaves(answers: Mapping[str, Any], within: Path_) -> Iterator[tuple[Path_, Any]]:
    """Yield answers with their place; a whole repeat is one of them."""
    for name, value in answers.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*within, name))
        else:
            yield (*within, name), value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_entries(
    sheets: Mapping[Path_, Sheet],
    tables: Mapping[Path_, Table],
    record_id: str,
    parent: str,
    answers: Mapping[str, Any],
    within: Path_,
) -> None:
    """Write the entries of every repeat right within a record or an entry, and what is within those."""
    found = dict(_leaves(answers, within))
    for place in sheets[within].repeats:
        entries = found.get(place, [])
        for index, one in enumerate(entries if isinstance(entries, list) else [], start=1):
            entry = f"{parent}/{place[-1]}/{index}"
            inner = one if isinstance(one, Mapping) else {"": one}
            tables[place].write((record_id, parent, entry, index, *_row(sheets, place, inner)))
            _write_entries(sheets, tables, record_id, entry, inner, place)


# ── the history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_history(
    session: Session, centre_id: int, table: Table, labels: Mapping[int, str], found: Sequence[Submission]
) -> None:
    """Write, an answer a row, all versions of records that have several, and what was kept aside and is no record."""
    definitions = load_definitions(session, centre_id, {(one.form, one.version) for one in found})
    replaced = {before for one in found if one.is_part for before in one.prev}
    for one in found:
        is_current = "yes" if one.is_part and one.instance_id not in replaced else "no"
        fixed = (
            one.root_id, one.instance_id, one.state, is_current, _moment(one.finished_at), _moment(one.received_at),
            labels.get(one.author_id, ""), one.via, one.version,
        )  # fmt: skip
        for column, answer in _said(one, definitions.get((one.form, one.version))):
            table.write((*fixed, column, answer))


def _said(one: Submission, definition: FormDefinition | None) -> list[tuple[str, str]]:
    """Return every answer of a submission as it came; all of it in one where it cannot be read."""
    try:
        answers = read_body(one.body, definition)
    except ValueError:
        return [("", one.body)]
    return list(_every(answers, "")) if isinstance(answers, dict) else [("", one.body)]


def _every(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every answer with its dotted path; the entries of a repeat are numbered from 1."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _every(inner, f"{where}.{name}" if where else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value, start=1):
            yield from _every(inner, f"{where}[{index}]")
    elif value not in ("", None):
        yield where, _text(value)


# ── the codebook ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def codebook(definitions: Sequence[FormDefinition], sheets: Mapping[Path_, Sheet]) -> list[tuple[str, ...]]:
    """Return what each column and each choice means, and in which versions of the form it does: a row for each wording."""
    versions: dict[tuple[str, ...], list[str]] = {}
    for definition in definitions:
        for element in definition.elements:
            place, sheet = _names(element), sheets[_repeat_around(definition, element)]
            name = sheet.columns.get(place) or sheet.repeats.get(place)
            if name is None:
                continue
            about = (sheet.filename, name, element.type or element.kind, element.privacy, *_both(element.label))
            for choice in [("", "", ""), *_choices(definition, element)]:
                versions.setdefault((*about, *choice), []).append(definition.version)
    rows = [(*meaning, ", ".join(told)) for meaning, told in versions.items()]
    order = {name: number for number, name in enumerate(dict.fromkeys(row[0] + "/" + row[1] for row in rows))}
    return sorted(rows, key=lambda row: order[row[0] + "/" + row[1]])


def _both(words: Mapping[str, Any]) -> tuple[str, str]:
    return in_language(dict(words), "en"), in_language(dict(words), "fr")


def _choices(definition: FormDefinition, element: Element) -> Iterator[tuple[str, str, str]]:
    """Yield the choices of a question with their labels, from the form or from the file that came with it."""
    for choice in definition.choices.get(element.choices, ()):
        yield (choice.name, *_both(choice.label))
    table = definition.tables.get(element.choices)
    name, label = element.item_value or "name", element.item_label or "label"
    if table is None or name not in table.columns:
        return
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=False))
        yield cells.get(name, ""), cells.get(label, ""), cells.get(label, "")


def _moment(value: dt.datetime) -> str:
    return value.isoformat(timespec="seconds")
