"""Pieces of counts that are taken once, so that windows which overlap give nothing away.

A window is the sum of its pieces. No late record enters one, or the difference between two editions would tell that
something was added, where and when. Who takes consent back is taken out of them, and nothing else ever changes them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.tables.protected_counts import MASK, TOTAL, Cell, CellCounter, Protection, record_key


@dataclass
class Sum:
    """How many records a cell has, the sum of their keys, and on which days they were."""

    count: int = 0
    keys: int = 0
    days: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Allowed:
    """What may count of a table's records now, by their keys.

    `limited`: of records about which less may be known after a no, the cells in which they still count.
    """

    keys: Set[int] = frozenset()
    limited: Mapping[int, Set[Cell]] = field(default_factory=dict)

    def has(self, key: int, cell: Cell = TOTAL) -> bool:
        """Say whether a record may count in a cell."""
        return key in self.keys or cell in self.limited.get(key, ())


@dataclass
class Piece:
    """The records of one table in one week or month, by keys from which nobody can be found.

    `units`: the key and the day of each record. `cells`: the places in `units` of the records of each cell.
    """

    units: list[tuple[int, str]] = field(default_factory=list)
    cells: dict[Cell, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Piece":
        """Return a piece as it was stored."""
        units = [(int(key, 16), day) for key, day in stored["units"]]
        return cls(units, {tuple(cell): list(places) for cell, places in stored["cells"]})

    def write(self) -> dict[str, Any]:
        """Return what is stored of the piece, as JSON has it."""
        units = [[f"{key:x}", day] for key, day in self.units]
        return {"units": units, "cells": [[list(cell), places] for cell, places in sorted(self.cells.items())]}

    @property
    def keys(self) -> set[int]:
        return {key for key, _ in self.units}

    def keep(self, allowed: Allowed) -> "Piece":
        """Return the piece without what may not count any more."""
        places = [place for place, (key, _) in enumerate(self.units) if allowed.has(key)]
        new_places = {place: position for position, place in enumerate(places)}
        remaining = Piece([self.units[place] for place in places])
        for cell, members in self.cells.items():
            staying = [new_places[place] for place in members if allowed.has(self.units[place][0], cell)]
            # A cell that is left empty goes: it would tell that somebody was there.
            if staying:
                remaining.cells[cell] = staying
        return remaining


class PieceCounter:
    """Collects the records of one table for pieces, one by one."""

    def __init__(self, spec: TableSpec, secret: bytes):
        if spec.person or spec.is_by_records:
            # Adding pieces would count a person twice.
            raise ValueError(f"{spec.name} counts persons, so it cannot be a sum of pieces.")
        self.counter = CellCounter(spec, secret)
        self.piece = Piece()

    def add(self, unit: str, row: Mapping[str, str], day: dt.date) -> None:
        """Count a record that the table is about and whose consent reaches so far."""
        cells = self.counter.list_cells_of(row)
        if not cells:
            return
        place = len(self.piece.units)
        self.piece.units.append((record_key(self.counter.secret, unit), day.isoformat()))
        for cell in cells:
            if cell != TOTAL:
                self.piece.cells.setdefault(cell, []).append(place)


def add_pieces(pieces: Iterable[Piece]) -> dict[Cell, Sum]:
    """Return the sums of a window by cell, TOTAL among them."""
    sums: dict[Cell, Sum] = {TOTAL: Sum()}
    for piece in pieces:
        for key, day in piece.units:
            _add(sums[TOTAL], key, day)
        for cell, places in piece.cells.items():
            cell_sum = sums.setdefault(cell, Sum())
            for place in places:
                _add(cell_sum, *piece.units[place])
    return sums


def _add(cell_sum: Sum, key: int, day: str) -> None:
    cell_sum.count += 1
    cell_sum.keys = (cell_sum.keys + key) & MASK
    cell_sum.days.add(day)


def show_sum(cell_sum: Sum, least_days: int, protection: Protection) -> str:
    """Return a cell's count as text; hidden, too, with too few days behind it."""
    if len(cell_sum.days) < least_days:
        return protection.format((0, 0))
    return protection.format((cell_sum.count, cell_sum.keys))
