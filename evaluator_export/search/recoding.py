"""From a table to rows that may leave: one node for all, or local recoding in passes.

In local recoding, a pass publishes what is good at the best node; what remains is then made less
detailed still, until all rows are published or nothing more can be.
"""

from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.policy import GroupLimit, SuppressionLimits
from evaluator_export.policy.privacy_models import PrivacyModel
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.equivalence_classes import EquivalenceClasses, Node, group_rows
from evaluator_export.search.lattice import Accepts, find_optimal_node
from evaluator_export.tabular import CategoricalColumn

# Of the rows still remaining, how many a pass of local recoding may leave to the next. The first
# that keeps within the policy's limits is taken.
PASS_LIMITS = (0.5, 0.2, 0.05)


@dataclass(frozen=True)
class RecodingPass:
    """One pass: its node, the positions of the rows that it publishes, all its classes."""

    node: Node
    rows: Array
    classes: EquivalenceClasses


@dataclass(frozen=True)
class RecodingResult:
    """What may leave, pass by pass, and the positions of the `suppressed` rows, which may not.

    `loss` is over all rows, a suppressed one counting 1. Of all `nodes` of the last search,
    `counted` is how many were counted in all passes.
    """

    passes: tuple[RecodingPass, ...]
    suppressed: Array
    loss: float
    counted: int
    nodes: int

    @property
    def published(self) -> int:
        """How many rows leave, in all passes."""
        return sum(len(recoding_pass.rows) for recoding_pass in self.passes)


@dataclass(frozen=True)
class AnonymizedTable:
    """A table after all steps: the columns that may leave, in their final order.

    `order`: for each row its position in the table that came in. `persons`: whose each row is, a
    number that never leaves (None: each is another person's).
    """

    table: Microdata
    result: RecodingResult
    columns: dict[str, CategoricalColumn]
    persons: Array | None
    order: Array


def find_publishable_rows(
    table: Microdata,
    classes: EquivalenceClasses,
    model: PrivacyModel,
) -> Array:
    """Return one bool per row of the table: whether its class may be published."""
    # The keys of classes come from quasi-identifiers alone: a model without demands on sensitive
    # columns gives the same ones, and leaves those columns out.
    keys, _ = group_rows(table, classes.node, PrivacyModel(model.k)).keys(classes.node)
    violating: Array = classes.violating[np.searchsorted(classes.keys, keys)]
    return ~violating


def search_and_recode(
    table: Microdata,
    model: PrivacyModel,
    limits: SuppressionLimits,
) -> RecodingResult | None:
    """Return the rows that may leave at the least loss; None when the limits forbid all.

    Raises ExportProblem when there are too many nodes or combinations of values. Source of local
    recoding: the iterated scheme of ARX's optimizeIterativeFast.
    """
    if limits.is_local:
        # The first that keeps the policy, from leaving most to the next pass to leaving least: the
        # more is left, the finer the first pass can be.
        for pass_limit in PASS_LIMITS:
            result = _recode_in_passes(table, model, limits, pass_limit)
            if result is not None:
                return result
    # Also where local recoding was asked for and failed: one node for all may still keep within the
    # limits.
    return _recode_once(table, model, limits)


def _recode_once(
    table: Microdata,
    model: PrivacyModel,
    limits: SuppressionLimits,
) -> RecodingResult | None:
    """Return the result of one node for all rows; None when none keeps within the limits."""
    accepts = _make_acceptance_test(table, model, limits)
    best = find_optimal_node(table, model, limits.max_suppressed, accepts)
    if best is None or best.suppressed == table.rows:
        return None
    publishable = find_publishable_rows(table, best.classes, model)
    only_pass = RecodingPass(best.node, np.flatnonzero(publishable), best.classes)
    suppressed = np.flatnonzero(~publishable)
    # Not plainly `best.loss`: reports must stay the same to the last digit as from passes.
    lost = best.loss * table.rows - best.suppressed
    loss = (lost + len(suppressed)) / table.rows
    result = RecodingResult((only_pass,), suppressed, loss, best.counted, best.nodes)
    if not _is_within(table, result, limits):
        return None
    return result


def _recode_in_passes(
    table: Microdata, model: PrivacyModel, limits: SuppressionLimits, pass_limit: float
) -> RecodingResult | None:
    """Return the result of passes that each may leave the share `pass_limit` to the next."""
    remaining = np.arange(table.rows)
    passes: list[RecodingPass] = []
    lost = 0.0
    counted = 0
    nodes = 0
    while len(remaining):
        part = table.subset(remaining) if passes else table
        best = find_optimal_node(part, model, pass_limit)
        if best is None:
            # The last pass: whatever can still be published, however little that is.
            best = find_optimal_node(part, model, 1.0)
        # A node that suppresses every row publishes nothing; looping on would never end.
        if best is None or best.suppressed == part.rows:
            break
        # What is good leaves at this node, whatever the rows that remain will need.
        publishable = find_publishable_rows(part, best.classes, model)
        counted += best.counted
        nodes = best.nodes
        # The next pass says what the rows lose that this one leaves to it.
        lost += best.loss * part.rows - best.suppressed
        passes.append(RecodingPass(best.node, remaining[publishable], best.classes))
        remaining = remaining[~publishable]
    loss = (lost + len(remaining)) / max(table.rows, 1)
    result = RecodingResult(tuple(passes), remaining, loss, counted, nodes)
    if not passes or not _is_within(table, result, limits):
        return None
    return result


def _is_within(table: Microdata, result: RecodingResult, limits: SuppressionLimits) -> bool:
    """Say whether all passes together keep within what the policy allows."""
    # The product is a float: a share that allows ten rows exactly must allow ten.
    if len(result.suppressed) > limits.max_suppressed * table.rows + 1e-9:
        return False
    if limits.average:
        classes = 0
        persons = 0
        for recoding_pass in result.passes:
            published = ~recoding_pass.classes.violating
            classes += int(published.sum())
            persons += int(recoding_pass.classes.persons[published].sum())
        if persons < limits.average * classes:
            return False
    # Asked last: who bears the suppression costs a count of all rows, the other limits none.
    return is_fair(table, result.suppressed, limits.group)


def is_fair(table: Microdata, suppressed: Array, group: GroupLimit | None) -> bool:
    """Say whether no group bears more than its share; `suppressed` are positions of rows."""
    # A limit that somebody lifted by name is not enforced; the report says who lifted it.
    if group is None or group.waived or table.groups is None or not len(suppressed):
        return True
    sizes = np.bincount(table.groups)
    suppressed_by_group = np.bincount(table.groups[suppressed], minlength=len(sizes))
    return group.find_worst_ratio(sizes, suppressed_by_group) <= group.ratio


def _make_acceptance_test(
    table: Microdata,
    model: PrivacyModel,
    limits: SuppressionLimits,
) -> Accepts | None:
    """Return what else a node must pass, for the search to call; None when there is nothing."""
    if not limits.average and (limits.group is None or limits.group.waived):
        return None

    def accepts(classes: EquivalenceClasses) -> bool:
        published = ~classes.violating
        if limits.average:
            persons = classes.persons[published].sum()
            if persons < limits.average * published.sum():
                return False
        if limits.group is None:
            return True
        suppressed = np.flatnonzero(~find_publishable_rows(table, classes, model))
        return is_fair(table, suppressed, limits.group)

    return accepts
