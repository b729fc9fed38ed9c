"""Tables with exact counts: small ones hidden, and others with them until none can be worked out from the totals.

Primary cells are those under the threshold. Then, one by one, the cheapest other cell is hidden too, until for every hidden
cell the table's own sums leave a range at least as wide as the threshold: found with two linear programs a cell (the audit
of Fischetti and Salazar, as tau-Argus does it). Tables of one or two columns.
"""

from collections.abc import Mapping

import highspy
import numpy as np

from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import TOTAL, Cell, Published, Tally

MOST_CELLS = 2500
HIDDEN = "x"


def suppress(counted: Mapping[Cell, Tally], threshold: int) -> Published:
    """Return the counts with "x" where they are hidden, for whatever reason; ExportProblem for a table that is too big."""
    cells = {cell: count for cell, (count, _) in counted.items() if cell != TOTAL}
    if len(cells) > MOST_CELLS or any(len(cell) > 2 for cell in cells):
        raise ExportProblem(Reason("table.cells", {"most": MOST_CELLS}))
    sums = margins(cells)
    hidden = {cell for cell, count in cells.items() if 0 < count < threshold}
    primary = set(hidden)
    while hidden:
        weak = [cell for cell in sorted(primary) if width(cells, hidden, sums, cell) < threshold]
        if not weak:
            break
        chosen = _cheapest(cells, hidden, sums, weak[0])
        if chosen is None:  # nothing else stands in its sums: they must be hidden themselves
            for name in [name for name, members in sums.items() if weak[0] in members]:
                del sums[name]
            if width(cells, hidden, sums, weak[0]) < threshold and not any(weak[0] in members for members in sums.values()):
                primary.discard(weak[0])
        else:
            hidden.add(chosen)
            primary.add(chosen)
    found: Published = {cell: (count, HIDDEN if cell in hidden else str(count)) for cell, count in cells.items()}
    total = counted[TOTAL][0]
    is_open = TOTAL in sums and total >= threshold
    found[TOTAL] = (total, str(total) if is_open else HIDDEN)
    return found


def margins(cells: Mapping[Cell, int]) -> dict[Cell, set[Cell]]:
    """Return what a reader can add up: the total is all that is published of sums."""
    return {TOTAL: set(cells)} if cells else {}


def width(cells: Mapping[Cell, int], hidden: set[Cell], sums: Mapping[Cell, set[Cell]], target: Cell) -> float:
    """Return how far apart the least and the greatest value are that a hidden cell could have, by the open numbers."""
    names = sorted(hidden)
    rows = [[names.index(cell) for cell in members & hidden] for members in sums.values()]
    right = [sum(cells[cell] for cell in members & hidden) for members in sums.values()]
    place = names.index(target)
    low, high = (_extreme(len(names), rows, right, place, sense) for sense in (1.0, -1.0))
    return high - low


def _extreme(number: int, rows: list[list[int]], right: list[int], place: int, sense: float) -> float:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for position in range(number):
        solver.addVar(0.0, highspy.kHighsInf)
        if position == place:
            solver.changeColCost(position, sense)
    for members, value in zip(rows, right, strict=True):
        if members:
            solver.addRow(value, value, len(members), np.array(members, np.int32), np.ones(len(members)))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return -float("inf") if sense > 0 else float("inf")
    return float(solver.getSolution().col_value[place])


def _cheapest(cells: Mapping[Cell, int], hidden: set[Cell], sums: Mapping[Cell, set[Cell]], target: Cell) -> Cell | None:
    near = {cell for members in sums.values() if target in members for cell in members} - hidden
    candidates = [cell for cell in near if cells[cell] > 0]
    return min(candidates, key=lambda cell: (cells[cell], cell)) if candidates else None
