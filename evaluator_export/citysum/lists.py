"""The letters of a round in the box, and the City's lists of which of them count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluator_export.citysum.letters import CITY, compute_hash, read_letter
from evaluator_export.citysum.registry import Registry, RoundCall
from evaluator_export.problems import ExportProblem, Reason

# Kinds of letters, in the order of a round. After each of the first three the City lists whose count.
KEYS = "keys"
SHARES = "shares"
NUMBERS = "numbers"
AGREEMENT = "agreement"
OPENING = "opening"
TABLE = "table"
KINDS = (KEYS, SHARES, NUMBERS, AGREEMENT, OPENING, TABLE)
LISTS = {KEYS: "keys-list", SHARES: "shares-list", NUMBERS: "roster"}
BEFORE = {SHARES: KEYS, NUMBERS: SHARES}  # which list the letters of a kind rest on

# By kind and sender: the letters of one round.
Inbox = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Listed:
    """What the City listed: the hash of its list, and the letters by sender."""

    hash: str
    letters: Mapping[str, Mapping[str, Any]]


def read_of_round(text: str, kind: str, sender: str, registry: Registry, call: RoundCall) -> dict[str, Any]:
    """Return a letter of this round. Raise ExportProblem "city.letter" for any other."""
    key = registry.city_key if sender == CITY else registry.keys.get(sender, "")
    body = read_letter(text, kind, sender, key)
    if body.get("round") != call.id:
        raise ExportProblem(Reason("city.letter", {"kind": kind, "sender": sender}))
    return body


def read_listed(inbox: Inbox, kind: str, registry: Registry, call: RoundCall) -> Listed | None:
    """Return the letters that the City listed; None before it did, or while one has not come.

    Raise ExportProblem for too few, for a letter that is not the listed one, or that rests on another list.
    """
    text = inbox.get((LISTS[kind], CITY))
    if text is None:
        return None
    body = read_of_round(text, LISTS[kind], CITY, registry, call)
    hashes = body.get("letters")
    if not isinstance(hashes, dict) or not set(hashes) <= set(registry.keys):
        raise ExportProblem(Reason("city.list", {"kind": kind}))
    if len(hashes) < registry.least:
        raise ExportProblem(Reason("city.few", {"number": len(hashes), "least": registry.least}))
    letters = {}
    for name, digest in sorted(hashes.items()):
        letter = inbox.get((kind, name))
        if letter is None:
            return None
        if compute_hash(letter) != digest:
            raise ExportProblem(Reason("city.list", {"kind": kind}))
        letters[name] = read_of_round(letter, kind, name, registry, call)
    _check_rests_on(letters, kind, inbox)
    return Listed(compute_hash(text), letters)


def _check_rests_on(letters: Mapping[str, Mapping[str, Any]], kind: str, inbox: Inbox) -> None:
    """Raise ExportProblem unless all letters rest on the same list.

    The City could tell each centre another.
    """
    if kind not in BEFORE:
        return
    before = compute_hash(inbox.get((LISTS[BEFORE[kind]], CITY), ""))
    if any(letter.get("list") != before for letter in letters.values()):
        raise ExportProblem(Reason("city.list", {"kind": kind}))
