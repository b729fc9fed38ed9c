"""The list of ended cards, outside the database: no restored copy brings anybody back.

A line is written, and read back, before anything is erased. It has the tag of a card, whose key is not in the database
either, and a moment. There is a list in the data folder; a second one may lie off this machine. Lines are only added.
What people lowered without ending their card stands on the same list (`lowered_list.py`).
"""

import datetime as dt
import functools
import hashlib
import hmac
import os
import weakref
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fieldapp.key_ring import get_first_secret
from fieldapp.services.consent.line_file import append_lines, parse_line, read_lines, write_line
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import KeyProblem, Settings
from fieldapp.store.session import Engine, Session

UNREACHABLE = "consent.list"  # the code of the problem that the list cannot be written
TAG_LENGTH = 36  # hexadecimal characters: 144 bits
NONCE_LENGTH = 12  # bytes, of AES-GCM
FOR_TAGS = b"fieldapp ended cards"
FOR_SEALING = b"fieldapp lowered consent"


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

    def tag_statement(self, centre_id: int, statement_id: str, tier: int) -> str:
        """Return what stands for a statement about consent that lowers to a tier."""
        return self._make_tag(f"{centre_id}|lowered|{statement_id}|{tier}")

    def _make_tag(self, text: str) -> str:
        return hmac.new(self._load_key(FOR_TAGS), text.encode(), hashlib.sha256).hexdigest()[:TAG_LENGTH]

    def _load_key(self, purpose: bytes) -> bytes:
        try:
            secret = self.settings.key()
        except KeyProblem:
            text = N_("Cards that ended cannot be recognized: the server's secret key is missing. Nothing was done.")
            raise ActProblem("consent.key", text) from None
        # Of the first root: the list is a file that is only ever added to.
        return _derive_key(get_first_secret(secret), purpose)

    def seal(self, text: str) -> bytes:
        """Return a text that only who has the server's secret key can read.

        Raises ActProblem "consent.key" when there is no key.
        """
        nonce = os.urandom(NONCE_LENGTH)
        return nonce + AESGCM(self._load_key(FOR_SEALING)).encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str | None:
        """Return a sealed text; None where this server's key does not open it."""
        nonce = sealed[:NONCE_LENGTH]
        body = sealed[NONCE_LENGTH:]
        try:
            return AESGCM(self._load_key(FOR_SEALING)).decrypt(nonce, body, None).decode()
        except (InvalidTag, ValueError):
            return None

    def add(self, line: ForgottenLine) -> bool:
        """Append the line of an end; return whether it is in a second place too.

        Raises ActProblem "consent.list" when the first place cannot be written.
        """
        self.add_text(_write_line(line))
        return self.is_safe(line.tag)

    def add_text(self, line: str) -> None:
        """Append a line and read it back; write it into the second place too, if that is there.

        Raises ActProblem "consent.list" when the first place cannot be written.
        """
        try:
            append_lines(self.first, [line])
        except OSError:
            raise _make_unreachable() from None
        if line not in read_lines(self.first):
            raise _make_unreachable()
        self.level()

    def level(self) -> bool:
        """Write into each place what only the other one has; return whether both could be used."""
        if self.second is None:
            return False
        try:
            # A folder that is missing is a disk that is not mounted: to make it would look like a second place.
            if not self.second.parent.is_dir():
                return False
            first = set(read_lines(self.first))
            second = set(read_lines(self.second))
            append_lines(self.second, first - second)
            append_lines(self.first, second - first)
        except OSError:
            return False
        return True

    def is_safe(self, tag: str) -> bool:
        """Say whether a second place was read, and has a tag."""
        if self.second is None:
            return False
        try:
            return any(line.tag == tag for line in _parse_ends(read_lines(self.second)))
        except OSError:
            return False

    def read(self) -> list[ForgottenLine]:
        """Return the first line of each card that ended, of any place, in the order of time."""
        ends = sorted(_parse_ends(self.read_texts()), key=lambda line: line.at, reverse=True)
        lines = {line.tag: line for line in ends}
        return sorted(lines.values(), key=lambda line: line.at)

    def read_texts(self) -> list[str]:
        """Return every line of any place, of whatever it is."""
        self.level()
        return read_lines(self.first)


def _make_unreachable() -> ActProblem:
    text = N_(
        "The list of what people took back cannot be written, so nothing was changed. Tell who looks after the server."
    )
    return ActProblem(UNREACHABLE, text)


def find_list_problem(settings: Settings, backed_up: Path) -> str:
    """Return a sentence about a place of the list that cannot count now; "" for none.

    `backed_up` is the list that a backup has, if it has one. The second list has all of its lines, as long as it is
    the right one: a folder in which it is not may be where its disk is not mounted.
    """
    second = settings.second_forgotten_file
    try:
        read_lines(settings.forgotten_file)
        if second is not None and not second.parent.is_dir():
            return f"The second list of what people took back is not there: {second.parent} is no folder now."
        if second is not None:
            return _compare_lists(second, backed_up)
    except OSError as error:
        return f"A list of what people took back cannot be read: {error.filename}: {error.strerror}."
    return ""


def _compare_lists(second: Path, backed_up: Path) -> str:
    """Return a sentence about what the second list lacks of that of a backup; "" for nothing."""
    lines = set(read_lines(second))
    before = set(read_lines(backed_up))
    missing = len(before - lines)
    if backed_up.exists() and not lines:
        return (
            f"The second list of what people took back is not in {second.parent}, and the backup shows that there was one."
        )
    if missing:
        return (
            f"The second list of what people took back lacks {missing} of the {len(before)} lines that the backup has of "
            f"it, so {second} is not the newest, or another one."
        )
    return ""


def merge_lists(target: Path, source: Path) -> None:
    """Add to a list the lines of another one: a restore never takes it back to an older one."""
    append_lines(target, set(read_lines(source)) - set(read_lines(target)))


def _write_line(line: ForgottenLine) -> str:
    return write_line({"centre": line.centre_id, "tag": line.tag, "at": line.at})


def _parse_ends(texts: list[str]) -> list[ForgottenLine]:
    """Return the lines that are of ends."""
    ends = []
    for text in texts:
        values = parse_line(text) or {}
        try:
            ends.append(ForgottenLine(int(values["centre"]), str(values["tag"]), str(values["at"])))
        except (ValueError, TypeError, KeyError):
            continue
    return ends


@functools.lru_cache(maxsize=8)
def _derive_key(secret: str, purpose: bytes) -> bytes:
    """Return the key of the tags of cards, or of what is sealed.

    Each is its own, so that no other use of the secret key gives it away.
    """
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret.encode())


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
