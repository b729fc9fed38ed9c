"""From a table to rows that may leave: one node for all, or local recoding, where what is left is made coarser still."""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import Model
from evaluator_export.policy.suppression_limits import GroupLimit, Limits
from evaluator_export.search.encoding import Table
from evaluator_export.search.equivalence_classes import Classes, Node, base_of
from evaluator_export.search.lattice import Accepts, search

PASS_LIMITS = (0.5, 0.2, 0.05)  # of the rows still left, how many a pass of local recoding may leave to the next


@dataclass(frozen=True)
class Pass:
    node: Node
    rows: Array  # positions in the table
    classes: Classes


@dataclass(frozen=True)
class Recoded:
    """What may leave, pass by pass; `suppressed` are positions of rows that may not. Loss is over all rows."""

    passes: tuple[Pass, ...]
    suppressed: Array
    loss: float
    counted: int
    nodes: int

    @property
    def published(self) -> int:
        return sum(len(one.rows) for one in self.passes)


def rows_of(table: Table, classes: Classes, model: Model) -> Array:
    """Return for each row whether its class may be published."""
    keys, _ = base_of(table, classes.node, Model(model.k)).keys(classes.node)
    bad: Array = classes.bad[np.searchsorted(classes.keys, keys)]
    return ~bad


def recode(table: Table, model: Model, limits: Limits) -> Recoded | None:
    """Return the rows that may leave, at the least loss; None when no node keeps within the limits.

    Local recoding publishes what is good at the best node, then does the same with the rest, until all is published or
    nothing more can be (the iterated scheme of ARX's optimizeIterativeFast).
    """
    for limit in PASS_LIMITS if limits.is_local else ():
        found = _passes(table, model, limits, limit)
        if found is not None:
            return found
    return _passes(table, model, limits, None)


def _passes(table: Table, model: Model, limits: Limits, leaving: float | None) -> Recoded | None:
    """Return what passes give that may each leave a share of the rows to the next; without one, a single pass."""
    left = np.arange(table.rows)
    passes: list[Pass] = []
    lost, counted, nodes = 0.0, 0, 0
    while len(left):
        part = table if not passes else table.subset(left)
        if leaving is None:
            found = search(part, model, limits.max_suppressed, _accepts(part, model, limits))
        else:
            found = search(part, model, leaving) or search(part, model, 1.0)
        if found is None or found.suppressed == part.rows:
            break
        kept = rows_of(part, found.classes, model)
        counted, nodes = counted + found.counted, found.nodes
        lost += found.loss * part.rows - found.suppressed
        passes.append(Pass(found.node, left[kept], found.classes))
        left = left[~kept]
        if leaving is None:
            break
    result = Recoded(tuple(passes), left, (lost + len(left)) / max(table.rows, 1), counted, nodes)
    return result if passes and _is_within(table, result, limits) else None


def _is_within(table: Table, result: Recoded, limits: Limits) -> bool:
    if len(result.suppressed) > limits.max_suppressed * table.rows + 1e-9:
        return False
    classes = sum(int((~one.classes.bad).sum()) for one in result.passes)
    persons = sum(int(one.classes.persons[~one.classes.bad].sum()) for one in result.passes)
    if limits.average and persons < limits.average * classes:
        return False
    return is_fair(table, result.suppressed, limits.group)


def is_fair(table: Table, suppressed: Array, group: GroupLimit | None) -> bool:
    """Say whether no group bears more than its share of suppression."""
    if group is None or group.waived or table.groups is None or not len(suppressed):
        return True
    sizes = np.bincount(table.groups)
    return group.worst(sizes, np.bincount(table.groups[suppressed], minlength=len(sizes))) <= group.ratio


def _accepts(table: Table, model: Model, limits: Limits) -> Accepts | None:
    if not limits.average and (limits.group is None or limits.group.waived):
        return None

    def accepts(classes: Classes) -> bool:
        good = ~classes.bad
        if limits.average and classes.persons[good].sum() < limits.average * good.sum():
            return False
        return limits.group is None or is_fair(table, np.flatnonzero(~rows_of(table, classes, model)), limits.group)

    return accepts
