"""Hide the small counts of a table, and others until no total gives a small one away.

Primary cells are those under the threshold. Then, one by one, the cheapest other cell is hidden too, until for every hidden
cell the table's own sums leave a range at least as wide as the threshold: found with two linear programs a cell (the audit
of Fischetti and Salazar, as tau-Argus does it). Tables of one or two columns.
"""

from collections.abc import Mapping

import highspy
import numpy as np

from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.tables.protected_counts import TOTAL, Cell, Published, Tally

MOST_CELLS = 2500  # two linear programs a hidden cell: beyond, a table takes minutes
HIDDEN = "x"

Equations = dict[Cell, set[Cell]]  # by the cell of a published sum, the cells that add up to it


def suppress_cells(counted: Mapping[Cell, Tally], threshold: int) -> Published:
    """Return the counts with "x" where they are hidden, for whatever reason.

    Raises ExportProblem for a table of more than MOST_CELLS cells or more than two columns.
    """
    cells = {cell: count for cell, (count, _) in counted.items() if cell != TOTAL}
    if len(cells) > MOST_CELLS or any(len(cell) > 2 for cell in cells):
        raise ExportProblem(Reason("table.cells", {"most": MOST_CELLS}))
    sums = list_margin_equations(cells)
    hidden, sums = _choose_hidden(cells, sums, threshold)
    published: Published = {}
    for cell, count in cells.items():
        published[cell] = (count, HIDDEN if cell in hidden else str(count))
    total = counted[TOTAL][0]
    # A total under the threshold would itself be a small cell.
    is_open = TOTAL in sums and total >= threshold
    published[TOTAL] = (total, str(total) if is_open else HIDDEN)
    return published


def _choose_hidden(cells: Mapping[Cell, int], all_sums: Equations, threshold: int) -> tuple[set[Cell], Equations]:
    """Return the cells to hide, and the sums that can stay open beside them.

    A sum goes when it gives a cell away and holds no open cell that could be hidden too.
    """
    sums = dict(all_sums)
    # Zero is no person, so it stays open.
    hidden = {cell for cell, count in cells.items() if 0 < count < threshold}
    primary = set(hidden)
    while hidden:
        weak = _find_weak_cell(cells, hidden, sums, primary, threshold)
        if weak is None:
            break
        secondary = _choose_secondary(cells, hidden, sums, weak)
        if secondary is not None:
            hidden.add(secondary)
            primary.add(secondary)
            continue
        # Nothing else is in its sums: they must be hidden themselves.
        for name in [name for name, members in sums.items() if weak in members]:
            del sums[name]
        # With its sums gone a cell may still be seen through other open sums; then it needs another
        # partner, in the next round.
        if compute_feasible_width(cells, hidden, sums, weak) < threshold:
            primary.discard(weak)  # no sum has it any more, so nothing gives it away
    return hidden, sums


def _find_weak_cell(
    cells: Mapping[Cell, int], hidden: set[Cell], sums: Equations, primary: set[Cell], threshold: int
) -> Cell | None:
    """Return the first hidden cell whose value the open numbers give away too closely."""
    # Sorted, so that two builds of the same counts hide the same cells; else their difference would
    # show what one of them hid.
    for cell in sorted(primary):
        if compute_feasible_width(cells, hidden, sums, cell) < threshold:
            return cell
    return None


def list_margin_equations(cells: Mapping[Cell, int]) -> Equations:
    """Return what a reader can add up: the total is all that is published of sums."""
    if cells:
        return {TOTAL: set(cells)}
    return {}


def compute_feasible_width(
    cells: Mapping[Cell, int], hidden: set[Cell], sums: Mapping[Cell, set[Cell]], target: Cell
) -> float:
    """Return the greatest minus the least value that a hidden cell could have.

    What is known are the open numbers and the published sums.
    """
    names = sorted(hidden)
    position_of = {cell: position for position, cell in enumerate(names)}
    rows = []
    right = []
    for members in sums.values():
        unknown = members & hidden
        rows.append([position_of[cell] for cell in unknown])
        # What a reader knows of the hidden cells of a sum: the sum less its open ones.
        right.append(sum(cells[cell] for cell in unknown))
    low = _solve_bound(len(names), rows, right, position_of[target], 1.0)
    high = _solve_bound(len(names), rows, right, position_of[target], -1.0)
    return high - low


def _solve_bound(number: int, rows: list[list[int]], right: list[int], target: int, sense: float) -> float:
    """Return the least (`sense` 1) or greatest (-1) value of one of `number` unknowns."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for position in range(number):
        # A reader knows that no count is negative.
        solver.addVar(0.0, highspy.kHighsInf)
        if position == target:
            solver.changeColCost(position, sense)
    for members, value in zip(rows, right, strict=True):
        if members:
            solver.addRow(value, value, len(members), np.array(members, np.int32), np.ones(len(members)))
    solver.run()
    # No optimum: no open sum has the cell, so nothing bounds it in this direction.
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        if sense > 0:
            return -float("inf")
        return float("inf")
    return float(solver.getSolution().col_value[target])


def _choose_secondary(
    cells: Mapping[Cell, int], hidden: set[Cell], sums: Mapping[Cell, set[Cell]], target: Cell
) -> Cell | None:
    """Return the smallest open cell that shares a sum with a hidden one, or None."""
    near: set[Cell] = set()
    for members in sums.values():
        if target in members:
            near |= members
    candidates = [cell for cell in near - hidden if cells[cell] > 0]
    if not candidates:
        return None
    # By count: hiding the smallest costs readers least. Then by name, so that a rebuild hides the same.
    return min(candidates, key=lambda cell: (cells[cell], cell))
