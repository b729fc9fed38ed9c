"""What the steps hand on to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluator_export.ledger import Entry
from evaluator_export.periods import Period
from evaluator_export.recipe import View
from evaluator_export.tabular import Words


def banded(count: int, threshold: int) -> str:
    """Return a count as it may be told: 0, under the threshold, or down to a multiple of 5."""
    return "0" if not count else f"<{threshold}" if count < threshold else str(count // 5 * 5)


def share(count: float, of: float) -> float:
    """Return a share in steps of 5 %, so that it tells no small count."""
    return round(round(20 * count / of) / 20, 2) if of else 0.0


@dataclass(frozen=True)
class Occasion:
    """What a release is for: the centre, the period, when it was cut off (ISO, UTC), and the series' secret.

    `agreement` and `approvals` are what the centre wrote down about why this recipient may have it.
    """

    centre: str
    period: Period
    cut_off: str
    secret: bytes
    recipient: str = ""
    agreement: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A batch as its file and its entry in the ledger, with what was measured when it was made."""

    entry: Entry
    columns: Mapping[str, Words]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One dataset in a package: its columns in their final order, the batches it holds, and what stays at the centre.

    `before` is the ledger's head before the first of its batches; `waiting` rows are held back, of `records` in all
    `refused` are not covered by consent.
    """

    view: View
    levels: dict[str, int]
    columns: dict[str, Words]
    sent: Sequence[Sent]
    before: str
    waiting: int
    refused: int
    records: int
    withdrawn: int = 0  # rows that were published before and are no longer covered by consent

    @property
    def name(self) -> str:
        return self.view.dataset.name

    @property
    def rows(self) -> int:
        return sum(one.entry.rows for one in self.sent)

    @property
    def held_share(self) -> float:
        return share(self.waiting, self.waiting + self.rows)

    @property
    def refused_share(self) -> float:
        return share(self.refused, self.records)

    def level_name(self, column: str) -> str:
        """Return the name of the level that a quasi-identifier is at."""
        return self.view.dataset.hierarchy(column).names[self.levels[column]]
