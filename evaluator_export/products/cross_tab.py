"""A grid: a protected table by two columns, with its margins.

What a heat map, on a page or in a workbook, is drawn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.policy.hierarchies import ALL, MISSING, OTHER
from evaluator_export.tables.protected_counts import TOTAL, Cell, find_least_shown, write_hidden


@dataclass(frozen=True)
class CrossTab:
    """Texts by row and column, in the order of their hierarchies.

    The totals were counted by themselves.
    """

    name: str
    title: dict[str, str]
    headings: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], str]
    row_totals: Mapping[str, str]
    column_totals: Mapping[str, str]
    total: str
    least_shown: int  # numbers under it are hidden

    @property
    def hidden(self) -> str:
        """Return what stands for a number that is hidden."""
        return f"<{self.least_shown}"


def make_cross_tab(spec: TableSpec, table: Mapping[Cell, str], floor: int) -> CrossTab:
    """Return the grid of a table by two columns that has margins."""
    inner = {(cell[0], cell[1]): text for cell, text in table.items() if len(cell) == 2 and ALL not in cell}
    rows = _list_in_order(spec, 0, {row for row, _ in inner})
    columns = _list_in_order(spec, 1, {column for _, column in inner})
    hidden = write_hidden(floor)
    return CrossTab(
        # What is not in the table is as hidden as what is under the floor: both read the same.
        name=spec.name,
        title=spec.title,
        headings=(spec.by[0][0], spec.by[1][0]),
        rows=rows,
        columns=columns,
        cells=inner,
        row_totals={row: table.get((row, ALL), hidden) for row in rows},
        column_totals={column: table.get((ALL, column), hidden) for column in columns},
        total=table.get(TOTAL, hidden),
        least_shown=find_least_shown(floor),
    )


def _list_in_order(spec: TableSpec, place: int, seen: set[str]) -> tuple[str, ...]:
    """Return a column's labels.

    All of a short hierarchy (no hour is missing), else those that occur.
    """
    _, hierarchy, level = spec.sources[place]
    labels = list(dict.fromkeys(hierarchy.at(value, level) for value in hierarchy.domain))
    # Hours or weekdays are shown complete, as a gap in a heat map would look like data; areas are
    # too many for that.
    if len(labels) > 24:
        labels = [label for label in labels if label in seen]
    labels += sorted(seen - set(labels) - {MISSING, OTHER})
    return (*labels, *sorted(seen & {MISSING, OTHER}))
