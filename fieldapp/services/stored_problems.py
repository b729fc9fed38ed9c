"""Why something failed in the background, stored as codes and details.

So each reader sees it in their own language.
"""

import errno
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator_export.problems import SENTENCES, Detail, ExportProblem, write_in_english
from fieldapp.services.keys import KeyUnavailable
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.session import InterfaceError, OperationalError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
MOST_DETAIL = 80  # characters of a detail, where a column is too short for all of it


@dataclass(frozen=True)
class StoredProblem:
    """One reason: its code, sentence and details, and where it is.

    What an older version kept has no code.
    """

    code: str
    text: str
    details: Mapping[str, Detail] = field(default_factory=dict)
    where: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return write_in_english(self.text, self.details, self.where)


def to_stored(error: ExportProblem | ActProblem) -> list[StoredProblem]:
    """Return the reasons of a problem that is to be kept."""
    if isinstance(error, ActProblem):
        return [StoredProblem(error.code, error.text, error.details)]
    return [StoredProblem(reason.code, reason.text, reason.details, reason.where) for reason in error.reasons]


FORESEEN = (ExportProblem, ActProblem, KeyUnavailable, OSError, OperationalError, InterfaceError)


def is_foreseen(error: Exception) -> bool:
    """Say whether there are words for why something failed."""
    return isinstance(error, FORESEEN)


def explain(error: Exception, number: str = "") -> list[StoredProblem]:
    """Return why something failed, to be kept.

    Of what nobody foresaw only its class, since its text can hold answers. `number` is the one
    under which the frames of an unforeseen error are in the log.
    """
    if isinstance(error, ExportProblem | ActProblem):
        return to_stored(error)
    if isinstance(error, KeyUnavailable):
        text = N_("The signing key was stored with another secret key. Start the server with that one.")
        return [StoredProblem("release.key", text)]
    # Before other file errors: a full disk is something that an operator can do something about at
    # once.
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return [StoredProblem("release.disk_full", N_("No space left on the disk of the server."))]
    if isinstance(error, OSError):
        text = N_("The server could not read or write a file. Check its disk, and who may write there.")
        return [StoredProblem("release.file", text)]
    if isinstance(error, OperationalError | InterfaceError):
        return [StoredProblem("release.database", N_("The database did not answer, or its disk is full."))]
    details = {"kind": type(error).__name__, "number": number or "–"}
    text = N_("A software error ({kind}). Give this number to the person who looks after the server: {number}.")
    return [StoredProblem("release.fault", text, details)]


def write_problems(problems: Iterable[StoredProblem], most: int | None = None) -> str:
    """Return problems as JSON of at most `most` characters.

    What is too long loses its last problems, then the ends of its details.
    """
    bodies = [_to_json(problem) for problem in problems]
    text = json.dumps(bodies, ensure_ascii=False)
    # Whole problems are dropped first: three reasons in full help more than five cut short.
    while most is not None and len(text) > most and len(bodies) > 1:
        bodies.pop()
        text = json.dumps(bodies, ensure_ascii=False)
    if most is not None and len(text) > most:
        text = json.dumps([_shorten(body) for body in bodies], ensure_ascii=False)
    return text


def read_problems(text: str) -> list[StoredProblem]:
    """Return what `write_problems` wrote; an older version's sentence comes back as it is."""
    try:
        bodies = json.loads(text)
    except ValueError:
        return [StoredProblem("", text)] if text else []
    if not isinstance(bodies, list):
        return [StoredProblem("", text)]
    return [_from_json(body) for body in bodies]


def _to_json(problem: StoredProblem) -> dict[str, Any]:
    body: dict[str, Any] = {"code": problem.code, "details": dict(problem.details)}
    if problem.where:
        body["where"] = list(problem.where)
    if problem.code not in SENTENCES:  # else the register has it
        body["text"] = problem.text
    return body


def _from_json(body: Mapping[str, Any]) -> StoredProblem:
    code = str(body.get("code", ""))
    # The register's sentence wins over a stored one: it is the one that is translated today.
    text = SENTENCES.get(code, str(body.get("text", code)))
    return StoredProblem(code, text, body.get("details") or {}, tuple(body.get("where") or ()))


def _shorten(body: dict[str, Any]) -> dict[str, Any]:
    details = {name: _cut(value) for name, value in body["details"].items()}
    return {**body, "details": details, "where": [_cut(place) for place in body.get("where", ())]}


def _cut(value: Detail) -> Detail:
    if isinstance(value, str):
        return value[:MOST_DETAIL]
    return value


def write_lines(problems: Iterable[StoredProblem]) -> str:
    """Return problems as English lines, for the command line and the log."""
    return "\n".join(str(problem) for problem in problems)
