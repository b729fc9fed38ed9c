"""What the City does: list centres, call rounds, list letters, take the signed table.

It needs no database, only its key and the box.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evaluator_export.citysum.coordinator import RESULT, write_next_list
from evaluator_export.citysum.letters import CITY, look_at_letter, read_letter
from evaluator_export.citysum.lists import AGREEMENT, LISTS, NUMBERS, read_of_round
from evaluator_export.citysum.registry import Registry, RoundCall, read_call, read_card, write_call, write_registry
from evaluator_export.problems import ExportProblem, Reason
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.city.box import REGISTRY, Box, OpenRound, name_letter


def load_city_key(path: Path, *, may_make: bool) -> Ed25519PrivateKey:
    """Return the City's key from its file; make it where there is none and it may.

    Raise ActProblem "city.key".
    """
    if may_make and not path.exists():
        key = Ed25519PrivateKey.generate()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.private_bytes_raw().hex())
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError):
        raise ActProblem("city.key", N_("{file} is not the City's key."), {"file": str(path)}) from None


def begin_city(key: Ed25519PrivateKey, box: Box, city: str, cards: Sequence[str], tables: Sequence[str]) -> str:
    """Put the City's list of centres into the box; return its text.

    `tables`: by default all of one column that every card has.
    """
    public = key.public_key().public_bytes_raw().hex()
    text = write_registry(city, public, cards, tables or list_common_tables(cards), key.sign)
    box.post(REGISTRY, text)
    return text


def list_common_tables(cards: Sequence[str]) -> list[str]:
    """Return the tables of one column that every card has alike."""
    layouts: list[dict[str, Any]] = [read_card(card)["tables"] for card in cards]
    names = []
    for name, layout in sorted(layouts[0].items()) if layouts else ():
        if len(layout["columns"]) == 1 and all(other.get(name) == layout for other in layouts):
            names.append(name)
    return names


def call_round(key: Ed25519PrivateKey, box: Box, period: str) -> RoundCall:
    """Call a round of a quarter; one that was called before gets another attempt."""
    registry = box.read_registry()
    rounds = box.list_rounds(registry)
    attempts = [called.call.attempt for called in rounds if called.call.period == period]
    attempt = max(attempts, default=0) + 1
    text = write_call(registry, period, attempt, key.sign)
    call = read_call(text, registry)
    box.post(name_letter(call, "call", CITY), text)
    return call


def collect_letters(key: Ed25519PrivateKey, box: Box, *, is_late: bool) -> list[tuple[OpenRound, list[str]]]:
    """Write the City's next letters in each round without a result; return which."""
    registry = box.read_registry()
    done = []
    rounds = box.list_rounds(registry)
    for open_round in rounds:
        if (RESULT, CITY) in open_round.inbox:
            continue
        members = find_agreed_members(registry, rounds, open_round.call)
        letter = write_next_list(registry, open_round.call, open_round.inbox, key.sign, is_late=is_late, members=members)
        kinds = []
        if letter is not None:
            box.post(name_letter(open_round.call, letter[0], CITY), letter[1])
            kinds.append(letter[0])
        done.append((open_round, kinds))
    return done


def find_agreed_members(registry: Registry, rounds: Sequence[OpenRound], call: RoundCall) -> list[str]:
    """Return the centres that agreed on a period in an earlier attempt; none if none did."""
    for earlier in rounds:
        is_earlier = earlier.call.period == call.period and earlier.call.attempt < call.attempt
        text = earlier.inbox.get((LISTS[NUMBERS], CITY), "")
        if is_earlier and text and any((AGREEMENT, name) in earlier.inbox for name in registry.keys):
            return sorted(read_of_round(text, LISTS[NUMBERS], CITY, registry, earlier.call)["letters"])
    return []


def list_results(registry: Registry, box: Box) -> list[dict[str, Any]]:
    """Return the results of all rounds, the newest attempt of each period, oldest first.

    Each is checked against the members' own signed tables. Raise ExportProblem where one is not theirs.
    """
    by_period = {}
    for open_round in box.list_rounds(registry):
        text = open_round.inbox.get((RESULT, CITY))
        if text is not None:
            by_period[open_round.call.period] = _check_result(registry, open_round, text)
    return [by_period[period] for period in sorted(by_period)]


def _check_result(registry: Registry, open_round: OpenRound, text: str) -> dict[str, Any]:
    result = read_letter(text, RESULT, CITY, registry.city_key)
    letters = {key: letter for key, letter in open_round.inbox.items() if key != (RESULT, CITY)}
    again = write_next_list(registry, open_round.call, letters, lambda _: bytes(64), is_late=True)
    # What the members signed, and not only what the City says that they did. More may have signed since.
    content = look_at_letter(again[1]) if again else {}
    is_theirs = all(content.get(name) == result.get(name) for name in ("members", "tables", "round"))
    if not is_theirs or not set(result["signed_by"]) <= set(content["signed_by"]):
        raise ExportProblem(Reason("city.list", {"kind": RESULT}))
    return result
