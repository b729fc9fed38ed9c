"""Rows that recipients must delete, since somebody took everything back.

A list of that person's rows alone would undo what look-alike groups are for: who knows that somebody took everything
back would look for them among the few rows of the list, not among k persons. So rows of others from the same group
are drawn to go with them, and both the rows on the list and those that stay keep to the policy by themselves.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.policy import Policy, Role
from evaluator_export.policy.privacy_models import PrivacyModel, ValueCounts, find_violating_classes
from evaluator_export.search.measures import number_classes
from evaluator_export.series.batch import AT, make_recipient_order
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.tabular import CategoricalColumn

FILE = "withdrawals.csv"
HEADER = ("dataset", "period", "batch", "row", "what")


class ListedAs(StrEnum):
    """What a line of the list says; the values are the words of the file."""

    DELETE = "delete"
    NONE = "none"
    TOTALS_ONLY = "totals_only"
    ORDER_UNKNOWN = "order_unknown"  # published before the order of rows was kept


MEANINGS: Mapping[str, tuple[str, str]] = {
    ListedAs.DELETE: (
        "Delete the row of this number in the batch, in the file of this dataset in the package of this period",
        "Supprimez la ligne de ce numéro dans le lot, dans le fichier de cet ensemble du paquet de cette période",
    ),
    ListedAs.NONE: ("No row has to be deleted this time", "Aucune ligne n’est à supprimer cette fois-ci"),
    ListedAs.TOTALS_ONLY: (
        "This package has totals only: there is no row to delete",
        "Ce paquet n’a que des totaux : il n’y a aucune ligne à supprimer",
    ),
    ListedAs.ORDER_UNKNOWN: (
        "This batch was sent before the order of its rows was kept: rows that were taken back since cannot be told from "
        "others",
        "Ce lot a été envoyé avant que l’ordre de ses lignes soit conservé : celles qui ont été reprises depuis ne se "
        "distinguent pas des autres",
    ),
}


@dataclass(frozen=True, order=True)
class ListLine:
    """A line of the list.

    `row` counts from 1, in the batch as the recipient has it; `batch` and `row` are 0 where there is none.
    """

    dataset: str = ""
    period: str = ""
    batch: int = 0
    row: int = 0
    what: str = ListedAs.NONE

    def as_cells(self) -> tuple[str, ...]:
        """Return the line as the file has it."""
        return (self.dataset, self.period, str(self.batch or ""), str(self.row or ""), self.what)


@dataclass(frozen=True)
class WithdrawalList:
    """What a package tells its recipient to delete, and which packages it replaces.

    `replaces`: period and SHA-256 of each; nobody had them.
    """

    lines: Sequence[ListLine] = (ListLine(what=ListedAs.TOTALS_ONLY),)
    replaces: Sequence[Mapping[str, str]] = ()

    @property
    def rows(self) -> int:
        """How many rows are to be deleted, whosever they are."""
        return sum(line.what == ListedAs.DELETE for line in self.lines)


@dataclass(frozen=True)
class BatchRows:
    """The rows of a published batch, by their place in it.

    `tags`: what the ledger knows them by. `persons`: whose they are, "" where nobody knows any more.
    `taken_back`: rows of people who took everything back and that are on no list. `gone`: those on earlier lists.
    """

    entry: LedgerEntry
    columns: Mapping[str, CategoricalColumn]
    tags: Sequence[bytes]
    persons: Sequence[str]
    taken_back: frozenset[int]
    gone: frozenset[int]


def draw_rows(policy: Policy, rows: BatchRows, secret: bytes) -> set[int]:
    """Return the places of the rows of a batch that go on the next list.

    Those that were taken back, and others with them.

    In each look-alike group, persons are drawn by a hash under the dataset's key until the rows on the list keep to the
    policy as a group of their own. Where the rows that stay would not, the whole group goes; where persons have
    pseudonyms, which tell which rows are one person's, the whole batch.
    """
    remaining = set(range(rows.entry.rows)) - rows.gone
    if not rows.taken_back:
        return set()
    # Pseudonyms show which rows are one person's. If only some rows of a group went, the gap itself
    # would point to the person.
    if policy.list_fields_with_role(Role.PSEUDONYM):
        return remaining
    identifiers = [field.name for field in policy.identifiers]
    levels = zip(identifiers, rows.entry.levels, strict=True)
    codes = [rows.columns[f"{name}{AT}{level}"].codes for name, level in levels]
    class_of_row = np.zeros(rows.entry.rows, dtype=np.int64)
    if codes:
        class_of_row, _ = number_classes(codes)
    drawn: set[int] = set()
    # Ascending, so that the draw is the same in a second run over the same rows.
    for number in sorted({int(class_of_row[place]) for place in rows.taken_back}):
        members = {int(place) for place in np.flatnonzero(class_of_row == number)} & remaining
        drawn |= _draw_in_class(policy.model, rows, members, secret)
    return drawn


def _draw_in_class(model: PrivacyModel, rows: BatchRows, members: set[int], secret: bytes) -> set[int]:
    if any(demand.t < 1 for demand in model.diversities):
        return members  # how far a part is from all rows cannot be asked without all rows
    # Rows that were taken back go in any case; the draw only adds to them.
    listed = members & rows.taken_back
    for others in _order_persons(rows, members - listed, secret):
        if _keeps(model, rows, listed):
            break
        # A whole person at a time: half of somebody's rows on a list would show that both halves
        # belong together.
        listed |= others
    stays = members - listed
    # When either side would be too small to hide anybody, nobody of the group stays.
    if not _keeps(model, rows, listed) or (stays and not _keeps(model, rows, stays)):
        return members
    return listed


def _order_persons(rows: BatchRows, candidates: set[int], secret: bytes) -> list[set[int]]:
    """Return the rows of each known person, in an order that only the dataset's key tells.

    It is the same at each draw: if a restored copy makes a list a second time, the same persons are on it.
    """
    rows_by_person: dict[str, set[int]] = {}
    ranks: dict[str, bytes] = {}
    for place in candidates:
        person = rows.persons[place]
        # Whose row it is was forgotten, so it cannot count as a person that others hide among.
        if not person:
            continue
        rank = hmac.digest(secret, b"withdrawn " + rows.tags[place], "sha256")
        rows_by_person.setdefault(person, set()).add(place)
        # The least hash of a person's rows: it does not depend on how many of them are left.
        ranks[person] = min(ranks.get(person, rank), rank)
    return [rows_by_person[person] for person in sorted(ranks, key=lambda person: ranks[person])]


def _keeps(model: PrivacyModel, rows: BatchRows, places: set[int]) -> bool:
    """Say whether some rows keep to the policy as one group."""
    chosen = np.array(sorted(places), dtype=np.int64)
    # A row of nobody known does not count as a person here either.
    persons = {rows.persons[place] for place in places} - {""}
    values = {}
    for demand in model.diversities:
        numbers, counts = np.unique(rows.columns[demand.field].codes[chosen], return_counts=True)
        values[demand.field] = ValueCounts(np.zeros(len(numbers), dtype=np.int64), numbers, counts)
    violating = find_violating_classes(model, np.array([len(chosen)]), np.array([len(persons)]), values, {})
    return bool(len(chosen)) and not violating[0]


def number_rows(secret: bytes, entry: LedgerEntry, left_out: frozenset[int]) -> dict[int, int]:
    """Return by place the row, from 1, at which one recipient has it in a batch.

    `secret`: that of the recipient's series. `left_out`: places that are not in their file.
    """
    # The order in which the recipient has the rows: numbers in a list mean lines of their file.
    order = make_recipient_order(secret, entry.number, entry.rows).tolist()
    places = [place for place in order if place not in left_out]
    return {place: row for row, place in enumerate(places, 1)}


def find_places(secret: bytes, entry: LedgerEntry, rows: Sequence[int]) -> frozenset[int]:
    """Return the places that a manifest's `left_out` means.

    `rows`: from 1, of the whole batch in the recipient's order.
    """
    order = make_recipient_order(secret, entry.number, entry.rows)
    return frozenset(int(order[row - 1]) for row in rows)


def list_left_out(secret: bytes, entry: LedgerEntry, places: frozenset[int]) -> list[int]:
    """Return places as a manifest's `left_out` names them.

    Rows, from 1, of the whole batch in the recipient's order.
    """
    order: Array = make_recipient_order(secret, entry.number, entry.rows)
    return [row for row, place in enumerate(order.tolist(), 1) if place in places]


def sort_lines(lines: Sequence[ListLine]) -> list[ListLine]:
    """Return the lines of a list in order; one says so where no row is to be deleted."""
    if any(line.what == ListedAs.DELETE for line in lines):
        return sorted(lines)
    return sorted([*lines, ListLine(what=ListedAs.NONE)])
