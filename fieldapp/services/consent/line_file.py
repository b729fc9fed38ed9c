"""A file of lines of JSON, to which lines are only ever added, each durably."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from fieldapp.settings import sync_folder


def write_line(values: Mapping[str, Any]) -> str:
    """Return a line with these values; equal values give an equal line."""
    return json.dumps(values, sort_keys=True)


def parse_line(text: str) -> dict[str, Any] | None:
    """Return the values of a line; None for one that is damaged."""
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file, in their order; none when there is no file.

    One that is damaged is left out, since every other one must count.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if parse_line(line) is not None]


def append_lines(path: Path, lines: Collection[str]) -> None:
    """Add lines durably; half a line, left by a power cut, is ended first.

    Raises OSError when they could not be written whole.
    """
    if not lines:
        return
    text = "".join(f"{line}\n" for line in sorted(lines))
    is_new = not path.exists()
    if is_new:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            text = f"\n{text}"
        data = text.encode()
        if os.write(descriptor, data) != len(data):
            raise OSError("the list was not written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)
