"""A submission as it arrives: parsed, bounded, frozen. Nothing here looks at the answers themselves."""

import datetime as dt
import hashlib
import json
import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sync.problems import N_, BatchRefused, SyncProblem

MAX_ITEMS = 100
MAX_BODY = 650_000  # characters of answers in one submission: three pictures and all the words
MAX_PREV = 16  # submissions that one builds on
MAX_CARDS = 10
MAX_CODE = 12  # characters
MAX_DUE = 47  # characters: an id, a stroke, a day
ATTACHED = "\n<!--attachments "  # behind an OpenRosa client's XML: what its attachments were kept as
NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds no NUL, and neither database half a surrogate pair


@dataclass(frozen=True)
class Envelope:
    """One finished submission. `body` is the answers as the phone wrote them; `sha256` is its hash, made on the phone."""

    instance_id: str
    form: str
    version: str
    finished_at: dt.datetime  # the phone's local time with its offset
    body: str
    sha256: str
    root: str = ""  # the record that it corrects; "" for the first submission of a record
    prev: tuple[str, ...] = ()  # the submissions that it builds on
    due: str = ""  # the follow-up that it settles: <record>/<day>
    cards: tuple[str, ...] = ()  # codes of new cards that this phone made for it
    refused_by: str = ""  # the card code of a person who said no to being written about; it is no part of the answers

    @property
    def record(self) -> str:
        """Return the id of the record that it is part of."""
        return self.root or self.instance_id

    @property
    def is_intact(self) -> bool:
        """Say whether the body is what was sent; what was put behind an OpenRosa client's XML is none of it."""
        sent = self.body.partition(ATTACHED)[0] if self.body.startswith("<") else self.body
        return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest() == self.sha256


def parse_batch(data: bytes) -> list[Envelope]:
    """Return the submissions in a batch; raise BatchRefused with every problem when any part is malformed."""
    try:
        batch = json.loads(data)
    except (ValueError, RecursionError):
        raise BatchRefused([SyncProblem("sync.not_json", N_("The message is not JSON."))]) from None
    items = batch.get("items") if isinstance(batch, dict) else None
    if not isinstance(items, list) or not items:
        raise BatchRefused([SyncProblem("sync.no_items", N_("The message has no submissions in “items”."))])
    if len(items) > MAX_ITEMS:
        raise BatchRefused([SyncProblem("sync.too_many", N_("Send at most 100 submissions at a time."))])
    problems: list[SyncProblem] = []
    envelopes = [_parse_envelope(item, f"items[{index}]", problems) for index, item in enumerate(items)]
    ids = [envelope.instance_id for envelope in envelopes if envelope]
    if len(set(ids)) != len(ids):
        problems.append(SyncProblem("sync.twice", N_("Two submissions in this message have the same id.")))
    if problems:
        raise BatchRefused(problems)
    return [envelope for envelope in envelopes if envelope]


def parse_item(item: Any) -> Envelope | None:
    """Return one submission; None when any part of it is malformed."""
    return _parse_envelope(item, "", [])


def _parse_envelope(item: Any, where: str, problems: list[SyncProblem]) -> Envelope | None:
    if not isinstance(item, dict):
        problems.append(SyncProblem("sync.item", N_("Each submission is an object."), where))
        return None
    before = len(problems)

    def text(key: str, pattern: re.Pattern[str]) -> str:
        value = item.get(key)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.{key}"))
        return ""

    form, version, sha256 = text("form", NAME), text("version", NAME), text("sha256", SHA256)
    body = item.get("body")
    if not isinstance(body, str) or len(body) > MAX_BODY:
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.body"))
    instance_id, finished_at = _read_uuid(item.get("id")), parse_moment(item.get("finished_at"))
    root, prev, due, cards = item.get("root", ""), item.get("prev", []), item.get("due", ""), item.get("cards", [])
    if root and (not _read_uuid(root) or root == instance_id):
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.root"))
    if not isinstance(prev, list) or len(prev) > MAX_PREV or not all(map(_read_uuid, prev)) or bool(prev) != bool(root):
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.prev"))
    if not isinstance(due, str) or len(due) > MAX_DUE or not _is_storable(due):
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.due"))
    if not isinstance(cards, list) or len(cards) > MAX_CARDS or not all(_is_short(card) for card in cards):
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.cards"))
    refused_by = _refused_by(item, where, problems)
    if not instance_id:
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.id"))
    if not finished_at:
        problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.finished_at"))
    if len(problems) > before:
        return None
    assert finished_at is not None and isinstance(body, str)
    linked = (root, tuple(prev), due, tuple(cards), refused_by)
    return Envelope(instance_id, form, version, finished_at, body, sha256, *linked)


def storable(envelope: Envelope) -> Envelope:
    """Return a submission with a body that both databases hold; its hash stays that of what was sent.

    A NUL and half a surrogate pair are put in JSON's spelling of them: nothing of what was sent is lost.
    """
    return replace(envelope, body=UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", envelope.body))


def _refused_by(item: dict[str, Any], where: str, problems: list[SyncProblem]) -> str:
    code = item.get("refused_by", "")
    if isinstance(code, str) and (not code or _is_short(code)):
        return code
    problems.append(SyncProblem("sync.field", N_("This part is missing or malformed."), f"{where}.refused_by"))
    return ""


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_CODE and _is_storable(value)


def is_random_uuid(value: Any) -> bool:
    return bool(_read_uuid(value))


def _read_uuid(value: Any) -> str:
    """Return a random (version 4) UUID in its one spelling, else "": other versions tell when or where they were made."""
    try:
        parsed = uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    return str(parsed) if parsed and parsed.version == 4 and str(parsed) == value else ""


def parse_moment(value: Any) -> dt.datetime | None:
    """Return a moment with its offset from its ISO 8601 text; None when it is none, or before 2000."""
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment if moment and moment.utcoffset() is not None and moment.astimezone(dt.UTC).year >= 2000 else None
    except (ValueError, OverflowError):
        return None


def _is_storable(text: str) -> bool:
    """Say whether both databases can hold the text."""
    return not UNSTORABLE.search(text)
