"""The list of ended cards, outside the database: no restored copy brings anybody back.

A line is written, and read back, before anything is erased. It has the tag of a card, whose key is not in the database
either, and a moment. There is a list in the data folder; a second one may lie off this machine. Lines are only added.
"""

import datetime as dt
import functools
import hashlib
import hmac
import json
import os
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fieldapp.key_ring import get_first_secret
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import KeyProblem, Settings, sync_folder
from fieldapp.store.session import Engine, Session

TAG_LENGTH = 36  # hexadecimal characters: 144 bits


@dataclass(frozen=True, order=True)
class ForgottenLine:
    """That a card of a centre ended at a moment (ISO 8601, UTC)."""

    centre_id: int
    tag: str
    at: str


class ForgottenList:
    """The list in each of its places, and the key of its tags."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.first = settings.forgotten_file
        self.second = settings.second_forgotten_file

    def tag_card(self, centre_id: int, person: str) -> str:
        """Return what stands for a card code, 36 hexadecimal characters.

        Without the server's secret key nobody can find out which card it is.
        Raises ActProblem "consent.key" when there is no key.
        """
        return self._make_tag(f"{centre_id}|{person}")

    def tag_intake(self, centre_id: int, person: str, day: str) -> str:
        """Return what stands for the day of an intake of a card, as `tag_card` does for the card."""
        return self._make_tag(f"{centre_id}|{person}|{day}")

    def _make_tag(self, text: str) -> str:
        return hmac.new(self._load_key(), text.encode(), hashlib.sha256).hexdigest()[:TAG_LENGTH]

    def _load_key(self) -> bytes:
        try:
            secret = self.settings.key()
        except KeyProblem:
            text = N_("Cards that ended cannot be recognized: the server's secret key is missing. Nothing was done.")
            raise ActProblem("consent.key", text) from None
        # Of the first root: the list is a file that is only ever added to.
        return _derive_key(get_first_secret(secret))

    def add(self, line: ForgottenLine) -> bool:
        """Append a line and read it back; return whether it is in a second place too.

        Raises ActProblem "consent.list" when the first place cannot be written.
        """
        try:
            _append(self.first, [line])
        except OSError:
            raise _make_unreachable() from None
        if line not in _read(self.first):
            raise _make_unreachable()
        return self.level() and self.is_safe(line.tag)

    def level(self) -> bool:
        """Write into each place what only the other one has; return whether both could be used."""
        if self.second is None:
            return False
        try:
            # A folder that is missing is a disk that is not mounted: to make it would look like a second place.
            if not self.second.parent.is_dir():
                return False
            lines = {path: set(_read(path)) for path in (self.first, self.second)}
            _append(self.second, lines[self.first] - lines[self.second])
            _append(self.first, lines[self.second] - lines[self.first])
        except OSError:
            return False
        return True

    def is_safe(self, tag: str) -> bool:
        """Say whether a second place was read, and has a tag."""
        if self.second is None:
            return False
        try:
            return any(line.tag == tag for line in _read(self.second))
        except OSError:
            return False

    def read(self) -> list[ForgottenLine]:
        """Return what any place has, the first line of each card, in the order of time."""
        self.level()
        lines = {line.tag: line for line in sorted(_read(self.first), key=lambda line: line.at, reverse=True)}
        return sorted(lines.values(), key=lambda line: line.at)


def _make_unreachable() -> ActProblem:
    text = N_("The list of ended cards cannot be written, so nothing was ended. Tell who looks after the server.")
    return ActProblem("consent.list", text)


def merge_lists(target: Path, source: Path) -> None:
    """Add to a list the lines of another one: a restore never takes it back to an older one."""
    _append(target, set(_read(source)) - set(_read(target)))


def _append(path: Path, lines: Iterable[ForgottenLine]) -> None:
    """Add lines durably; half a line, left by a power cut, is ended first."""
    text = "".join(f"{_write_line(line)}\n" for line in sorted(lines))
    if not text:
        return
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


def _write_line(line: ForgottenLine) -> str:
    return json.dumps({"centre": line.centre_id, "tag": line.tag, "at": line.at}, sort_keys=True)


def _read(path: Path) -> list[ForgottenLine]:
    """Return the lines of a list.

    One that is damaged is left out, since every other one must count.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = []
    for raw in text.splitlines():
        line = _read_line(raw)
        if line is not None:
            lines.append(line)
    return lines


def _read_line(text: str) -> ForgottenLine | None:
    try:
        values: dict[str, Any] = json.loads(text)
        return ForgottenLine(int(values["centre"]), str(values["tag"]), str(values["at"]))
    except (ValueError, TypeError, KeyError):
        return None


@functools.lru_cache(maxsize=8)
def _derive_key(secret: str) -> bytes:
    """Return the key of the tags of cards.

    It is their own, so that no other use of the secret key gives it away.
    """
    return HKDF(SHA256(), 32, salt=None, info=b"fieldapp ended cards").derive(secret.encode())


_lists: weakref.WeakKeyDictionary[Engine, ForgottenList] = weakref.WeakKeyDictionary()


def attach(engine: Engine, settings: Settings) -> None:
    """Say where the list of a database is; each process does so before it uses the database."""
    _lists[engine] = ForgottenList(settings)


def find_list(session: Session) -> ForgottenList:
    """Return the list of a session's database.

    Raises ActProblem "consent.list" when nobody said where it is.
    """
    forgotten = _lists.get(session.get_bind().engine)
    if forgotten is None:
        raise _make_unreachable()
    return forgotten


def make_line(centre_id: int, tag: str, at: dt.datetime) -> ForgottenLine:
    return ForgottenLine(centre_id, tag, at.astimezone(dt.UTC).isoformat(timespec="seconds"))
