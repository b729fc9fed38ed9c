"""Who takes part and what is summed.

Cards of centres, the City's list of them, the call of a round.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export import periods
from evaluator_export.citysum.letters import CITY, Sign, compute_hash, look_at_letter, read_letter, write_letter, write_text
from evaluator_export.problems import ExportProblem, Reason

LEAST_CENTRES = 10
LEAST_FOR_THIN_TABLES = 15  # of two columns, whose cells hold little at each centre
LEAST_TOGETHER = 7
NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
CADENCE = "quarter"  # periods never overlap: two sums must not be subtracted from each other

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Registry:
    """The centres of a City with their keys, the tables, and how many centres open a sum.

    `tables`: by name: counts, person, columns, cells, least (under which a sum is hidden; 0 for exact ones).
    `words`: by table: its title, its columns, and labels of values, in both languages; they are no part of what is counted.
    """

    id: str
    city: str
    city_key: str
    keys: Mapping[str, str]
    titles: Mapping[str, str]
    least: int
    tables: Mapping[str, Table]
    words: Mapping[str, Mapping[str, Any]]

    def find_place(self, name: str) -> int:
        """Return the place of a centre, from 1, at which its shares are computed."""
        return sorted(self.keys).index(name) + 1


@dataclass(frozen=True)
class RoundCall:
    """The call of a round. `id` is the hash of what the City signed."""

    id: str
    period: str
    attempt: int
    tables: tuple[str, ...]

    @property
    def year(self) -> str:
        return str(periods.parse(self.period).first.year)


def compute_least(centres: int) -> int:
    """Return how many centres open a sum: two thirds of all."""
    return -(-2 * centres // 3)


def write_card(
    name: str, title: str, key: str, tables: Mapping[str, Table], words: Mapping[str, Mapping[str, Any]], sign: Sign
) -> str:
    """Return the card with which a centre joins: its key, and the tables that it counts."""
    text = write_letter("card", name, {"title": title, "key": key, "tables": tables, "words": words}, sign)
    read_card(text)
    return text


def read_card(text: str) -> dict[str, Any]:
    """Return a card that its own key signed; whose key it is, people compare on paper."""
    look = look_at_letter(text)
    name = str(look.get("from"))
    # It becomes part of names of files.
    if not NAME.fullmatch(name) or name == CITY:
        raise ExportProblem(Reason("city.name", {"name": name}))
    return read_letter(text, "card", name, str(look.get("key")))


def write_registry(city: str, city_key: str, cards: Sequence[str], tables: Sequence[str], sign: Sign) -> str:
    """Return the City's list of centres, signed.

    Raise ExportProblem where there are too few, or a table is counted differently by two of them.
    """
    read = [read_card(card) for card in cards]
    for name, number in Counter(card["from"] for card in read).items():
        if number > 1:
            raise ExportProblem(Reason("city.twice", {"name": name}))
    layouts = {}
    for name in tables:
        texts = {write_text(card["tables"].get(name)) for card in read}
        if len(texts) != 1 or texts == {"null"}:
            raise ExportProblem(Reason("city.layout", {"table": name}))
        layouts[name] = read[0]["tables"][name]
    body = {
        "city": city,
        "key": city_key,
        "centres": {card["from"]: {"title": card["title"], "key": card["key"]} for card in read},
        "least": compute_least(len(read)),
        "tables": layouts,
        "words": {name: read[0]["words"][name] for name in layouts},
    }
    text = write_letter("registry", CITY, body, sign)
    read_registry(text)
    return text


def read_registry(text: str) -> Registry:
    """Return the City's list. Raise ExportProblem for one that is not safe."""
    body = read_letter(text, "registry", CITY, str(look_at_letter(text).get("key")))
    try:
        registry = Registry(
            id=compute_hash(text),
            city=str(body["city"]),
            city_key=body["key"],
            keys={name: str(centre["key"]) for name, centre in body["centres"].items()},
            titles={name: str(centre["title"]) for name, centre in body["centres"].items()},
            least=int(body["least"]),
            tables=body["tables"],
            words=body["words"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ExportProblem(Reason("city.letter", {"kind": "registry", "sender": CITY})) from None
    _check_registry(registry)
    return registry


def write_fingerprint(text: str) -> str:
    """Return what people compare by telephone: 80 bits of a hash, in groups of four."""
    digits = compute_hash(text)[:20]
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def _check_registry(registry: Registry) -> None:
    number = len(set(registry.keys.values()))
    if number < LEAST_CENTRES or number != len(registry.keys) or registry.city_key in registry.keys.values():
        raise ExportProblem(Reason("city.few", {"number": number, "least": LEAST_CENTRES}))
    needed = max(compute_least(number), LEAST_TOGETHER)
    if not needed <= registry.least <= number:
        raise ExportProblem(Reason("city.least", {"least": registry.least, "needed": needed, "centres": number}))
    for name, table in registry.tables.items():
        if len(table["columns"]) > 1 and number < LEAST_FOR_THIN_TABLES:
            raise ExportProblem(Reason("city.thin", {"table": name, "least": LEAST_FOR_THIN_TABLES}))


def write_call(registry: Registry, period: str, attempt: int, sign: Sign) -> str:
    """Return the City's call of a round for a quarter, of all tables."""
    body = {"registry": registry.id, "period": period, "attempt": attempt, "tables": sorted(registry.tables)}
    text = write_letter("call", CITY, body, sign)
    read_call(text, registry)
    return text


def read_call(text: str, registry: Registry) -> RoundCall:
    """Return a call. Raise ExportProblem for another list, or a period that is no quarter."""
    body = read_letter(text, "call", CITY, registry.city_key)
    if body.get("registry") != registry.id:
        raise ExportProblem(Reason("city.year", {"year": str(body.get("period"))[:4]}))
    try:
        cadence = periods.parse(str(body["period"])).cadence
        call = RoundCall(compute_hash(text), str(body["period"]), int(body["attempt"]), tuple(map(str, body["tables"])))
    except (KeyError, TypeError, ValueError):
        raise ExportProblem(Reason("city.letter", {"kind": "call", "sender": CITY})) from None
    if cadence != CADENCE:
        raise ExportProblem(Reason("city.calendar", {"period": call.period}))
    # Always all of them: what a centre saves of a period is then one vector, whatever the attempt.
    if list(call.tables) != sorted(registry.tables):
        raise ExportProblem(Reason("city.letter", {"kind": "call", "sender": CITY}))
    return call


def list_cells(registry: Registry, call: RoundCall) -> list[tuple[str, tuple[str, ...]]]:
    """Return the table and cell of each number of a round's vector, in their order."""
    cells: list[tuple[str, tuple[str, ...]]] = []
    for name in call.tables:
        cells += [(name, tuple(cell)) for cell in registry.tables[name]["cells"]]
    return cells
