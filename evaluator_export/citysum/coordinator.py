"""The City's side of a round: it is post box and reader.

It lists whose letters count, and takes a table that enough members signed alike.
"""

from collections.abc import Collection
from typing import Any

from evaluator_export.citysum.letters import CITY, Sign, compute_hash, write_letter, write_text
from evaluator_export.citysum.lists import BEFORE, KEYS, LISTS, NUMBERS, SHARES, TABLE, Inbox, read_of_round
from evaluator_export.citysum.registry import Registry, RoundCall
from evaluator_export.problems import ExportProblem

RESULT = "sum"


def write_next_list(
    registry: Registry, call: RoundCall, inbox: Inbox, sign: Sign, *, is_late: bool, members: Collection[str] = ()
) -> tuple[str, str] | None:
    """Return the City's next letter of a round, as (kind, text); None while it waits.

    `is_late`: do not wait for all, but go on once enough are there. `members`: who agreed on this period in an earlier
    attempt; they sign no other list.
    """
    candidates = set(registry.keys)
    for kind in (KEYS, SHARES, NUMBERS):
        text = inbox.get((LISTS[kind], CITY))
        if text is not None:
            candidates = set(read_of_round(text, LISTS[kind], CITY, registry, call)["letters"])
            continue
        letters = _list_sound_letters(registry, call, inbox, kind, candidates)
        if kind == NUMBERS and members:
            letters = {name: digest for name, digest in letters.items() if name in members}
            is_whole = set(letters) == set(members)
            return _write_list(kind, letters, call, sign) if is_whole else None
        if len(letters) < registry.least or (len(letters) < len(candidates) and not is_late):
            return None
        return _write_list(kind, letters, call, sign)
    return _write_result(registry, call, inbox, sign)


def _write_list(kind: str, letters: dict[str, str], call: RoundCall, sign: Sign) -> tuple[str, str]:
    return LISTS[kind], write_letter(LISTS[kind], CITY, {"round": call.id, "letters": letters}, sign)


def _list_sound_letters(
    registry: Registry, call: RoundCall, inbox: Inbox, kind: str, candidates: Collection[str]
) -> dict[str, str]:
    """Return the hashes of the sound letters of a kind, by sender."""
    before = compute_hash(inbox[LISTS[BEFORE[kind]], CITY]) if kind in BEFORE else None
    hashes = {}
    for name in sorted(candidates):
        body = _read_if_sound(registry, call, inbox, kind, name)
        if body and body.get("list") == before:
            hashes[name] = compute_hash(inbox[kind, name])
    return hashes


def _read_if_sound(registry: Registry, call: RoundCall, inbox: Inbox, kind: str, name: str) -> dict[str, Any]:
    try:
        return read_of_round(inbox.get((kind, name), ""), kind, name, registry, call)
    except ExportProblem:
        return {}


def _write_result(registry: Registry, call: RoundCall, inbox: Inbox, sign: Sign) -> tuple[str, str] | None:
    """Return the table that enough members signed alike; None before, or once it is there."""
    if (RESULT, CITY) in inbox:
        return None
    roster = read_of_round(inbox[LISTS[NUMBERS], CITY], LISTS[NUMBERS], CITY, registry, call)
    signers: dict[str, list[str]] = {}
    bodies: dict[str, dict[str, Any]] = {}
    for name in roster["letters"]:
        body = _read_if_sound(registry, call, inbox, TABLE, name)
        if body:
            content = {key: body[key] for key in ("members", "tables")}
            text = write_text(content)
            bodies[text] = content
            signers.setdefault(text, []).append(name)
    for text, names in signers.items():
        if len(names) >= registry.least:
            body = {"round": call.id, "period": call.period, **bodies[text], "signed_by": names}
            return RESULT, write_letter(RESULT, CITY, body, sign)
    return None
