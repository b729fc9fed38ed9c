"""From a table to rows that may leave: one node for all, or local recoding, where what is left is made coarser still."""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import PrivacyModel
from evaluator_export.policy.suppression_limits import GroupLimit, SuppressionLimits
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.equivalence_classes import EquivalenceClasses, Node, group_rows
from evaluator_export.search.lattice import Accepts, find_optimal_node

PASS_LIMITS = (0.5, 0.2, 0.05)  # of the rows still left, how many a pass of local recoding may leave to the next


@dataclass(frozen=True)
class RecodingPass:
    node: Node
    rows: Array  # positions in the table
    classes: EquivalenceClasses


@dataclass(frozen=True)
class RecodingResult:
    """What may leave, pass by pass; `suppressed` are positions of rows that may not. Loss is over all rows."""

    passes: tuple[RecodingPass, ...]
    suppressed: Array
    loss: float
    counted: int
    nodes: int

    @property
    def published(self) -> int:
        return sum(len(one.rows) for one in self.passes)


def find_publishable_rows(table: Microdata, classes: EquivalenceClasses, model: PrivacyModel) -> Array:
    """Return for each row whether its class may be published."""
    keys, _ = group_rows(table, classes.node, PrivacyModel(model.k)).keys(classes.node)
    bad: Array = classes.violating[np.searchsorted(classes.keys, keys)]
    return ~bad


def search_and_recode(table: Microdata, model: PrivacyModel, limits: SuppressionLimits) -> RecodingResult | None:
    """Return the rows that may leave, at the least loss; None when no node keeps within the limits.

    Local recoding publishes what is good at the best node, then does the same with the rest, until all is published or
    nothing more can be (the iterated scheme of ARX's optimizeIterativeFast).
    """
    for limit in PASS_LIMITS if limits.is_local else ():
        found = _recode_in_passes(table, model, limits, limit)
        if found is not None:
            return found
    return _recode_in_passes(table, model, limits, None)


def _recode_in_passes(
    table: Microdata, model: PrivacyModel, limits: SuppressionLimits, leaving: float | None
) -> RecodingResult | None:
    """Return what passes give that may each leave a share of the rows to the next; without one, a single pass."""
    left = np.arange(table.rows)
    passes: list[RecodingPass] = []
    lost, counted, nodes = 0.0, 0, 0
    while len(left):
        part = table if not passes else table.subset(left)
        if leaving is None:
            found = find_optimal_node(part, model, limits.max_suppressed, _make_acceptance_test(part, model, limits))
        else:
            found = find_optimal_node(part, model, leaving) or find_optimal_node(part, model, 1.0)
        if found is None or found.suppressed == part.rows:
            break
        kept = find_publishable_rows(part, found.classes, model)
        counted, nodes = counted + found.counted, found.nodes
        lost += found.loss * part.rows - found.suppressed
        passes.append(RecodingPass(found.node, left[kept], found.classes))
        left = left[~kept]
        if leaving is None:
            break
    result = RecodingResult(tuple(passes), left, (lost + len(left)) / max(table.rows, 1), counted, nodes)
    return result if passes and _is_within(table, result, limits) else None


def _is_within(table: Microdata, result: RecodingResult, limits: SuppressionLimits) -> bool:
    if len(result.suppressed) > limits.max_suppressed * table.rows + 1e-9:
        return False
    classes = sum(int((~one.classes.violating).sum()) for one in result.passes)
    persons = sum(int(one.classes.persons[~one.classes.violating].sum()) for one in result.passes)
    if limits.average and persons < limits.average * classes:
        return False
    return is_fair(table, result.suppressed, limits.group)


def is_fair(table: Microdata, suppressed: Array, group: GroupLimit | None) -> bool:
    """Say whether no group bears more than its share of suppression."""
    if group is None or group.waived or table.groups is None or not len(suppressed):
        return True
    sizes = np.bincount(table.groups)
    return group.find_worst_ratio(sizes, np.bincount(table.groups[suppressed], minlength=len(sizes))) <= group.ratio


def _make_acceptance_test(table: Microdata, model: PrivacyModel, limits: SuppressionLimits) -> Accepts | None:
    if not limits.average and (limits.group is None or limits.group.waived):
        return None

    def accepts(classes: EquivalenceClasses) -> bool:
        good = ~classes.violating
        if limits.average and classes.persons[good].sum() < limits.average * good.sum():
            return False
        return limits.group is None or is_fair(
            table, np.flatnonzero(~find_publishable_rows(table, classes, model)), limits.group
        )

    return accepts
