"""When a phone may delete what it sent: once the centre holds it beyond one disk.

The phone's half is client/src/storage/keeping.ts; both decide the same (tests/sync/keeping.json).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

# Epochs are milliseconds of a clock; phones count exactly to 2^53, which is far beyond this.
GREATEST_EPOCH = 10**15


class Fate(StrEnum):
    """What becomes of a phone's copy of a record that the centre gave a receipt for."""

    KEEP = "keep"  # it is at the centre, and nowhere else yet
    GONE = "gone"  # the centre holds it in two places: the phone's copy goes
    AGAIN = "again"  # the centre lost it: it is sent again


@dataclass(frozen=True)
class LogState:
    """What a centre says of its log.

    `lineage`: the epochs, oldest first, each with the last position that was there when it began. `safe`: the last
    position that is held off the centre's machine; None where nothing is ever copied there.
    """

    epoch: int
    lineage: Sequence[Sequence[int]]
    safe: int | None


def decide_copy(epoch: int, position: int, state: LogState) -> Fate:
    """Decide about a record with a receipt for a position in an epoch.

    It needs no memory of what was decided before, so it may be asked at every answer.

    Example:
        decide_copy(0, 7, LogState(9, [[0, 0], [9, 5]], 5))  # Fate.AGAIN: the copy that was put back ends at 5
    """
    is_ours = any(number == epoch for number, _ in state.lineage)
    is_there = all(number <= epoch or position <= last for number, last in state.lineage)
    if not is_ours or not is_there:
        return Fate.AGAIN
    if state.safe is not None and position <= state.safe:
        return Fate.GONE
    return Fate.KEEP


def advance_safe(safe: int, copied: int, position: int) -> int:
    """Return up to where a log is safe, after a copy elsewhere that ends at a position.

    `copied`: where the copy before it ends. What is in both is safe, since either may be the one that is put back.
    """
    return max(safe, min(copied, position))


def choose_epoch(earlier: Iterable[int], clock: int) -> int:
    """Return the number of a new epoch: above all that are known, and above the clock.

    `clock`: milliseconds since 1970. Two restores of one copy would else get the same number, and a clock alone may
    stand at 1970.
    """
    return max(*earlier, clock, 0) + 1
