"""Parse submissions as they arrive, within limits; their answers are not read here."""

import datetime as dt
import hashlib
import json
import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sync.consent import MAX_KNEW
from sync.problems import N_, BatchRefused, SyncProblem
from sync.slips import parse_slip

MAX_ITEMS = 100
MAX_BODY = 650_000  # characters of answers in one submission: three pictures and all texts
MAX_PREV = 16  # submissions that one builds on
MAX_CARDS = 10
MAX_CODE = 12  # characters
MAX_DUE = 47  # characters: an id, a stroke, a day
ATTACHED = "\n<!--attachments "  # after an OpenRosa client's XML: the answers that its attachments became
NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
STATEMENT_ID = re.compile(r"[0-9a-zA-Z\-]{1,36}")
WORDING = re.compile(r"(?:[0-9a-f]{16})?")
LANGUAGE = re.compile(r"[A-Za-z0-9\-]{0,35}")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds no NUL, and neither database half a surrogate pair


@dataclass(frozen=True)
class SpokenConsent:
    """How a person was asked for consent in a record; it is no part of the answers."""

    knew: tuple[str, ...] = ()  # ids of what the person said before, as far as the phone had heard of it
    wording: str = ""  # the text that was read out: the first 16 hexadecimal characters of its SHA-256
    language: str = ""
    is_asked: bool = True  # False: the person was not asked again, and what stood goes on


@dataclass(frozen=True)
class Envelope:
    """One finished submission.

    `body` has the answers as the phone wrote them; `sha256` is its hash, made on the phone.
    """

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
    slip: str = ""  # with which the person of this record sees their consent; it is no part of the answers
    consent: SpokenConsent | None = None  # None from phones and clients that do not say
    clock: dt.datetime | None = None  # by which its form judged it: of the version that it corrects; None: when finished

    @property
    def record(self) -> str:
        """Return the id of the record that it is part of."""
        return self.root or self.instance_id

    @property
    def judged_at(self) -> dt.datetime:
        """Return what today() and now() meant in the form: as a rule when it was finished."""
        return self.clock or self.finished_at

    @property
    def is_intact(self) -> bool:
        """Say whether the body is what was sent.

        What the centre appended to an OpenRosa client's XML does not count.
        """
        sent = self.body.partition(ATTACHED)[0] if self.body.startswith("<") else self.body
        return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest() == self.sha256


def parse_batch(data: bytes) -> list[Envelope]:
    """Return the submissions in a message, in their order.

    Raises BatchRefused with every problem when any part is malformed.

    Example:
        parse_batch(b'{"items": []}')  # raises BatchRefused: no submissions in "items"
    """
    try:
        batch = json.loads(data)
    except (ValueError, RecursionError):
        raise BatchRefused([SyncProblem("sync.not_json", N_("The message is not JSON."))]) from None
    if not isinstance(batch, dict):
        batch = {}
    items = batch.get("items")
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


MALFORMED = N_("This part is missing or malformed.")


def _parse_envelope(item: Any, where: str, problems: list[SyncProblem]) -> Envelope | None:
    """Return the submission in an item; None when it is malformed.

    Every malformed part is added to `problems`.
    """
    if not isinstance(item, dict):
        problems.append(SyncProblem("sync.item", N_("Each submission is an object."), where))
        return None
    malformed = _find_malformed(item)
    problems.extend(SyncProblem("sync.field", MALFORMED, f"{where}.{key}") for key in malformed)
    finished_at = parse_moment(item.get("finished_at"))
    if malformed or finished_at is None:
        return None
    return Envelope(
        item["id"],
        item["form"],
        item["version"],
        finished_at,
        item["body"],
        item["sha256"],
        root=item.get("root", ""),
        prev=tuple(item.get("prev", [])),
        due=item.get("due", ""),
        cards=tuple(item.get("cards", [])),
        refused_by=item.get("refused_by", ""),
        slip=item.get("slip", ""),
        consent=_read_consent(item.get("consent")),
        clock=parse_clock(item.get("clock"), finished_at),
    )


def _read_consent(value: dict[str, Any] | None) -> SpokenConsent | None:
    if value is None:
        return None
    return SpokenConsent(
        tuple(value.get("knew", [])),
        value.get("wording", ""),
        value.get("language", ""),
        value.get("asked", True),
    )


def _find_malformed(item: dict[str, Any]) -> list[str]:
    """Return the keys of the parts of a submission that are missing or malformed."""
    root = item.get("root", "")
    instance_id = _read_uuid(item.get("id"))
    is_good = {
        "form": _matches(item.get("form"), NAME),
        "version": _matches(item.get("version"), NAME),
        "sha256": _matches(item.get("sha256"), SHA256),
        "body": _is_body(item.get("body")),
        "root": not root or (bool(_read_uuid(root)) and root != instance_id),
        "prev": _are_links(item.get("prev", [])) and bool(item.get("prev", [])) == bool(root),
        "due": _is_due(item.get("due", "")),
        "cards": _are_cards(item.get("cards", [])),
        "refused_by": item.get("refused_by", "") == "" or _is_short(item.get("refused_by")),
        "slip": _is_slip(item.get("slip", "")),
        "consent": item.get("consent") is None or _is_consent(item["consent"]),
        "id": bool(instance_id),
        "finished_at": parse_moment(item.get("finished_at")) is not None,
    }
    return [key for key, is_valid in is_good.items() if not is_valid]


def _matches(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_body(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_BODY


def _is_due(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_DUE and _is_storable(value)


def _are_links(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_PREV and all(map(_read_uuid, value))


def _are_cards(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_CARDS and all(map(_is_short, value))


def _is_consent(value: Any) -> bool:
    """Say whether a value tells how a person was asked; what it may name besides is not read."""
    if not isinstance(value, dict):
        return False
    knew = value.get("knew", [])
    if not isinstance(knew, list) or len(knew) > MAX_KNEW:
        return False
    return (
        all(_matches(number, STATEMENT_ID) for number in knew)
        and _matches(value.get("wording", ""), WORDING)
        and _matches(value.get("language", ""), LANGUAGE)
        and isinstance(value.get("asked", True), bool)
    )


def make_storable(envelope: Envelope) -> Envelope:
    """Return a submission with a body that both databases can store.

    Its SHA-256 stays that of what was sent.

    A NUL and half a surrogate pair are put in JSON's spelling of them: nothing of what was sent is lost.
    """
    return replace(envelope, body=UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", envelope.body))


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_CODE and _is_storable(value)


def _is_slip(value: Any) -> bool:
    """Say whether it is a slip in its one spelling, or "" for none."""
    return isinstance(value, str) and parse_slip(value) == value


def is_random_uuid(value: Any) -> bool:
    return bool(_read_uuid(value))


def _read_uuid(value: Any) -> str:
    """Return a random (version 4) UUID in its one spelling, else "".

    Other versions tell when or where they were made.
    """
    try:
        parsed = uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if parsed and parsed.version == 4 and str(parsed) == value:
        return str(parsed)
    return ""


def parse_moment(value: Any) -> dt.datetime | None:
    """Return a time with its offset from ISO 8601; None when malformed or before 1970.

    Example:
        parse_moment("2026-08-01T17:58:00-04:00")  # datetime with its offset
        parse_moment("2026-08-01T17:58:00")  # None: it has no offset
    """
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
        # A phone whose battery was empty begins at 1970: that is a wrong clock, which somebody is asked about.
        is_usable = moment.utcoffset() is not None and moment.astimezone(dt.UTC).year >= 1970
    except (ValueError, OverflowError):
        return None
    if is_usable:
        return moment
    return None


def parse_clock(value: Any, finished_at: dt.datetime) -> dt.datetime | None:
    """Return the time by which a form judged what was finished at another, later one.

    None where there is none, or one that no phone gives: then it is judged by when it was finished.
    """
    clock = parse_moment(value)
    if clock is None or clock >= finished_at:
        return None
    offset = clock.utcoffset()
    if offset is None or offset % dt.timedelta(minutes=1):
        return None
    return clock


def format_clock(clock: dt.datetime | None) -> str:
    """Return a time as phones and the store write it; "" for none."""
    if clock is None:
        return ""
    return clock.isoformat(timespec="milliseconds")


def _is_storable(text: str) -> bool:
    """Say whether both databases can hold the text."""
    return not UNSTORABLE.search(text)
