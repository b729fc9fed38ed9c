"""Plan a shift as one night.

Where more happened than expected, what changed, and where nobody was.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from evaluator_export.products import expectation
from evaluator_export.products.change import Change, Word, choose_sure, compare_rates
from evaluator_export.products.expectation import LEAST_CLEAR, LEAST_HOURS, LEAST_RECORDS, Place, Seen, Show, Spot
from evaluator_export.tables.pieces import Sum
from evaluator_export.tables.protected_counts import TOTAL, Cell

NO_RECORDS = "records"  # too few to say anything
NO_HOURS = "hours"  # the shifts do not say enough about where staff were
NO_MORE = "chance"  # what differs is within chance


@dataclass(frozen=True)
class Window:
    """What was seen in some weeks, by spot, and in how many hours.

    `clear` are those of shifts that were in few areas.
    """

    seen: Mapping[Spot, Seen]
    clear: float

    @property
    def total(self) -> Seen:
        total = Seen()
        for part in self.seen.values():
            total = expectation.add_seen(total, part)
        return total

    def sum_by_area(self) -> dict[str, Seen]:
        """Return what was seen in each area, on all nights together."""
        sums: dict[str, Seen] = {}
        for (area, _, _), part in self.seen.items():
            sums[area] = expectation.add_seen(sums.get(area, Seen()), part)
        return sums


@dataclass(frozen=True)
class Plan:
    """What a map says of one night. `reason`: why no place is named; "" where some are.

    `changed`: the areas whose rate changed beyond chance, of all areas together.
    """

    total: int | None
    reason: str
    places: list[Place]
    changed: dict[str, Word] = field(default_factory=dict)


def make_window(sums: Mapping[Cell, Sum], hours: Mapping[Spot, float], clear: float, nowhere: Collection[str]) -> Window:
    """Return a window from counts by area, weekday and hour, and from hours.

    What was by day is left out. `nowhere`: what stands for no area.
    """
    seen: dict[Spot, Seen] = {}
    for cell, cell_sum in sums.items():
        time = expectation.find_night(cell[1], int(cell[2])) if _is_timed(cell) else None
        if time is None or cell[0] in nowhere:
            continue
        night, band, back = time
        nights = {str(dt.date.fromisoformat(day) - dt.timedelta(days=back)) for day in cell_sum.days}
        spot = (cell[0], night, band)
        seen[spot] = expectation.add_seen(seen.get(spot, Seen()), Seen(cell_sum.count, cell_sum.keys, nights))
    for spot, part in hours.items():
        if spot[0] not in nowhere:
            seen[spot] = expectation.add_seen(seen.get(spot, Seen()), Seen(hours=part))
    return Window(seen, clear)


def _is_timed(cell: Cell) -> bool:
    return cell != TOTAL and cell[1] in expectation.DAYS and cell[2].isdecimal()


def make_plan(window: Window, before: Window | None, show: Show) -> Plan:
    """Return the plan of a window.

    `before`: the window before it, of as many weeks; None where there is no whole one.
    """
    total = window.total
    count = show(total)
    areas = sorted(window.sum_by_area())
    places = expectation.join_spots(window.seen, areas, show)
    if count is None or count < LEAST_RECORDS:
        return Plan(count, NO_RECORDS, places)
    if window.clear < LEAST_CLEAR * total.hours or not total.hours:
        return Plan(count, NO_HOURS, places)
    judged = expectation.judge_places(places, count, total.hours)
    changed = _find_changed(window, before, show) if before else {}
    return Plan(count, "" if expectation.list_raised(judged) else NO_MORE, judged, changed)


def _find_changed(window: Window, before: Window, show: Show) -> dict[str, Word]:
    """Return the areas whose records an hour changed.

    As far as it may be said of the whole map.
    """
    earlier = before.sum_by_area()
    changes: dict[str, Change] = {}
    for area, now in window.sum_by_area().items():
        then = earlier.get(area, Seen())
        if min(now.hours, then.hours) >= LEAST_HOURS:
            changes[area] = compare_rates(show(now), now.hours, show(then), then.hours)
    return {area: changes[area].word for area in sorted(choose_sure(changes))}
