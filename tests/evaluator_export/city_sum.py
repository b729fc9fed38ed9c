"""A City with many centres, in memory: what each would write and read, and what an attacker could put into the box."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evaluator_export.citysum.coordinator import RESULT, write_next_list
from evaluator_export.citysum.letters import CITY, read_letter
from evaluator_export.citysum.member import Member, Numbers
from evaluator_export.citysum.registry import read_call, read_registry, write_call, write_card, write_registry
from evaluator_export.tables.protected_counts import BASE, write_hidden

TITLE = {"en": "Encounters by area", "fr": "Rencontres selon le secteur"}
PERIOD = "2026-Q3"


def table(number: int = 4, **more: Any) -> dict[str, Any]:
    """Return a table of areas and their total."""
    areas = [f"w{place:02}" for place in range(number)]
    base = {"counts": "encounters", "person": False, "least": 25, "columns": ["area"]}
    return base | {"cells": [*([area] for area in areas), ["total"]]} | more


def words_of(layout: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a table: its title, its columns, and its values."""
    values = {cell[0] for cell in layout["cells"]} - {"total"}
    labels = {value: {"en": f"Ward {value}", "fr": f"Secteur {value}"} for value in values}
    return {"title": TITLE, "columns": [{"en": "Area", "fr": "Secteur"}], "labels": [labels]}


def round_half(number: int, least: int = 25) -> str:
    """Return a text that a centre could publish of a count."""
    value = (number + BASE // 2) // BASE * BASE
    return str(value) if value >= least else write_hidden(least - BASE)


class City:
    """A City, its centres, and a box in which all letters of a round lie."""

    def __init__(self, centres: int = 10, tables: dict[str, Any] | None = None, counts: Sequence[Sequence[int]] = ()):
        self.tables = tables or {"by_area": table()}
        self.key = Ed25519PrivateKey.generate()
        self.keys = {f"c{number:02}": Ed25519PrivateKey.generate() for number in range(centres)}
        self.registry_text = self.write_registry()
        self.registry = read_registry(self.registry_text)
        self.diaries: dict[str, dict[str, Any]] = {name: {} for name in self.keys}
        size = sum(len(one["cells"]) for one in self.tables.values())
        some = counts or [[number % 3 for _ in range(size - 1)] for number in range(centres)]
        # The total is the last cell of the one table.
        self.counts = {name: [*row, sum(row)] for name, row in zip(self.keys, some, strict=True)}
        self.publish: Callable[[int], str] = round_half
        self.box: dict[tuple[str, str], str] = {}
        self.call_round(1)

    def words(self) -> dict[str, Any]:
        return {name: words_of(layout) for name, layout in self.tables.items()}

    def write_registry(self) -> str:
        cards = [
            write_card(name, name.upper(), key.public_key().public_bytes_raw().hex(), self.tables, self.words(), key.sign)
            for name, key in self.keys.items()
        ]
        public = self.key.public_key().public_bytes_raw().hex()
        return write_registry("Toronto", public, cards, list(self.tables), self.key.sign)

    def call_round(self, attempt: int, period: str = PERIOD) -> None:
        """Begin a round with an empty box."""
        self.call = read_call(write_call(self.registry, period, attempt, self.key.sign), self.registry)
        self.box = {}

    def member(self, name: str) -> Member:
        return Member(name, self.registry, self.diaries[name], self.keys[name].sign)

    def numbers(self, name: str) -> Callable[[Any], Numbers]:
        counts = self.counts[name]
        return lambda _call: Numbers(counts, [self.publish(number) for number in counts])

    def step(self, name: str) -> str | None:
        """Let a centre write its next letter, and put it into the box."""
        member = self.member(name)
        kind = member.write_next(self.call, self.box, self.numbers(name))
        if kind:
            self.box[kind, name] = member.list_letters(self.call)[kind]
        return kind

    def list_next(self, *, is_late: bool = True, members: Collection[str] = ()) -> str | None:
        letter = write_next_list(self.registry, self.call, self.box, self.key.sign, is_late=is_late, members=members)
        if letter:
            self.box[letter[0], CITY] = letter[1]
            return letter[0]
        return None

    def run(self, *, gone_before: dict[str, Collection[str]] | None = None, members: Collection[str] = ()) -> dict[str, Any]:
        """Go through a round; return its result, {} where it did not come to one.

        `gone_before`: by kind of letter, who is never seen again before that letter.
        """
        gone: set[str] = set()
        for _ in range(12):
            for name in self.keys:
                if name not in gone:
                    self._step_unless_gone(name, gone, gone_before or {})
            self.list_next(members=members)
        text = self.box.get((RESULT, CITY))
        return read_letter(text, RESULT, CITY, self.registry.city_key) if text else {}

    def _step_unless_gone(self, name: str, gone: set[str], gone_before: dict[str, Collection[str]]) -> None:
        member = self.member(name)
        before = dict(member.list_letters(self.call))
        kind = self.step(name)
        if kind and kind not in before and name in gone_before.get(kind, ()):
            gone.add(name)
            del self.box[kind, name]

    def go_to(self, kind: str) -> None:
        """Go through a round until all have written their letters of this kind."""
        for _ in range(12):
            for name in self.keys:
                if (kind, name) not in self.box:
                    self.step(name)
            if all((kind, name) in self.box for name in self.keys):
                return
            self.list_next()
        raise AssertionError(f"the round never came to {kind}")

    def true_sums(self, members: Collection[str]) -> list[int]:
        return [sum(column) for column in zip(*(self.counts[name] for name in members), strict=True)]
