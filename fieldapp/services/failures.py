"""What an unexpected error leaves in the log: its frames and a number, never its message.

A message can hold what somebody wrote down, such as a name in a refused value.
"""

import contextlib
import datetime as dt
import logging
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType

from fieldapp.paths import ROOT

PREFIX = f"{ROOT}{os.sep}"
CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without 0, 1, I and O, which are mixed up when read out
LENGTH = 6
# Of a deep error, such as endless recursion, only the outermost and the innermost frames.
FIRST_FRAMES = 10
LAST_FRAMES = 40
MOST_LINKS = 10  # of a chain of causes


def note_failure(log: logging.Logger, what: str, error: BaseException) -> str:
    """Write an unexpected error's frames and a new number to the log; return the number.

    The number is for the person who meets the failure. `what` says what was tried; it holds ids and codes only.
    An error that was noted before keeps its number and is not written out again.

        number = note_failure(log, f"could not build {name}", error)
    """
    earlier_number: str | None = getattr(error, "failure_number", None)
    if earlier_number is not None:
        log.error("%s: %s, number %s, see above", what, type(error).__name__, earlier_number)
        return earlier_number
    number = "".join(secrets.choice(CHARACTERS) for _ in range(LENGTH))
    with contextlib.suppress(AttributeError):  # some libraries' errors take nothing more
        error.failure_number = number  # type: ignore[attr-defined]
    log.error("%s: %s, number %s\n%s", what, type(error).__name__, number, frames_of(error))
    return number


def frames_of(error: BaseException) -> str:
    """Return the classes and frames of an error and of its causes.

    A frame is file, line and function; no message, source line or value is in it.
    """
    return "\n".join(_lines(error, set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    yield f"  {_class_of(error)}"
    yield from _frames(error.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions[:MOST_LINKS]:
            yield "  one of the group:"
            yield from _lines(part, seen)
    for link, cause in (("caused by:", error.__cause__), ("while handling:", error.__context__)):
        if cause is not None and id(cause) not in seen and len(seen) < MOST_LINKS:
            yield f"  {link}"
            yield from _lines(cause, seen)


def _class_of(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> Iterator[str]:
    listed = [
        f"    {_place(frame.f_code.co_filename)}:{line}:{frame.f_code.co_qualname}"
        for frame, line in traceback.walk_tb(trace)
    ]
    left_out = len(listed) - FIRST_FRAMES - LAST_FRAMES
    if left_out > 0:
        listed[FIRST_FRAMES:-LAST_FRAMES] = [f"    … {left_out} more …"]
    yield from listed


def _place(name: str) -> str:
    """Return a file's name as it stands in the project, or in its package."""
    if "site-packages" in name:
        return name.rpartition(f"site-packages{os.sep}")[2]
    return name.removeprefix(PREFIX)


class LogFormatter(logging.Formatter):
    """Lines with time (UTC), level and logger; of an error that a library logs, frames only."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  logging's own name
        return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatException(self, ei: object) -> str:  # noqa: N802  logging's own name
        if isinstance(ei, tuple) and isinstance(ei[1], BaseException):
            return frames_of(ei[1])
        return ""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have written it out in full
        return super().format(record)


def _hide_address(record: logging.LogRecord) -> bool:
    """Take the address of a failed request out of the web server's line: it may hold a token.

    Returns True always, so that the line is written.
    """
    if " while serving " in str(record.msg) or str(record.msg).startswith("Error handling request"):
        record.msg = "a client left before its answer was sent"
        if record.exc_info:
            record.msg = "a request could not be served"
        record.args = ()
    return True


def set_up_logs(level: int = logging.INFO) -> None:
    """Make this process write its log to standard error, and never the values in an error."""
    root = logging.getLogger()
    root.setLevel(level)
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(LogFormatter())
        root.addHandler(handler)
    # They tell of each step and each tick, which would hide what matters.
    for name in ("alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("waitress", "gunicorn.error"):
        web_server = logging.getLogger(name)
        if _hide_address not in web_server.filters:
            web_server.addFilter(_hide_address)
    threading.excepthook = _note_thread
    # Python would print the error's message; a developer wants to see it.
    if not sys.flags.dev_mode:
        sys.excepthook = _note_crash


def _note_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        note_failure(logging.getLogger("fieldapp"), "a thread ended", failed.exc_value)


def _note_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        note_failure(logging.getLogger("fieldapp"), "the process ended", error)
