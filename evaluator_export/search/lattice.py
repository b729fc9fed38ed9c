"""The node of least loss, exactly.

A node is a level for each quasi-identifier; it is good when at most a share of the rows lies in
classes that must not be published. Loss of a node is ARX's Loss with arithmetic mean: for each
column the mean over rows of its label's loss, a suppressed row counting 1; then the mean over
columns by weight. Every bound is a true one, so the result is the optimum:

1. without suppression a node loses the sum of its columns' mean losses: known for all nodes before
   any row is counted;
2. what violates the monotone part of the model at a node does so at every less coarse node: a node
   that suppresses too much rules out all below it,
3. and the rows that it suppresses are also lost there, which raises their bound.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import PrivacyModel
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.equivalence_classes import (
    EquivalenceClasses,
    Node,
    group_rows,
)

# The search holds about 40 bytes for each.
MOST_NODES = 2_000_000
MOST_BASES = 12  # tables of added-up rows that a search keeps: each costs memory
SAME_LOSS = 1e-12  # losses nearer than this differ by rounding only
# Where the search for a first good node tries, as shares of all nodes in the order of their bounds.
FIRST_TRIES = (0.02, 0.04, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0)

Accepts = Callable[[EquivalenceClasses], bool]


@dataclass(frozen=True)
class SearchResult:
    """The best node, its loss (0 to 1) and its suppressed rows.

    `counted` of all `nodes` had their classes counted; the bounds ruled out the others.
    """

    node: Node
    loss: float
    suppressed: int
    classes: EquivalenceClasses
    counted: int
    nodes: int


class LatticeSearch:
    """One search: the lattice, what is known of each node, and the tables counted so far.

    `nodes` has one row per node and one level per column. `loss_bounds`, `suppression_penalty`,
    `is_candidate` and `min_suppressed` have one entry per node: the least loss that it can have,
    the least that suppressing all rows would add to that, whether it may still be the best, and how
    many rows it surely suppresses.
    """

    def __init__(
        self,
        table: Microdata,
        model: PrivacyModel,
        max_suppressed: float,
        accepts: Accepts | None = None,
    ):
        self.table = table
        self.model = model
        self.accepts = accepts
        # The product is a float: 0.1 of 30 rows must be 3, not 2.
        self.limit = int(max_suppressed * table.rows + 1e-9)
        self.nodes = _list_nodes(table)
        self.bottom_node = tuple(column.minimum for column in table.columns)
        self.totals = {}
        for demand in model.diversities:
            # The distance t compares a class with all rows, those that are suppressed included.
            if demand.t < 1:
                self.totals[demand.field] = np.bincount(table.sensitive[demand.field])
        rows = group_rows(table, self.bottom_node, model)
        # Rows that are alike are added up once here; every node of the search is counted from these
        # or fewer.
        self.bases = [rows.aggregate(self.bottom_node) or rows]
        self.rows_by_value = []
        for column in table.columns:
            counts = np.bincount(column.codes, minlength=len(column.levels[0].map))
            self.rows_by_value.append(counts)
        mean_losses, penalties = self._compute_loss_by_level()
        self.loss_bounds = self._sum_over_nodes(mean_losses)
        self.suppression_penalty = self._sum_over_nodes(penalties)
        self.is_candidate = np.ones(len(self.nodes), dtype=bool)
        self.min_suppressed = np.zeros(len(self.nodes), dtype=np.int64)
        self.best: SearchResult | None = None
        self.counted = 0

    def _compute_loss_by_level(self) -> tuple[list[Array], list[Array]]:
        """Return two lists with one array per column and one value per level.

        The first is the weighted mean loss of all rows (0 to 1), the second the least extra loss of
        suppressing one more row. Both are lower bounds; the search prunes with them.
        """
        mean_losses = []
        penalties = []
        for column, rows_by_value in zip(self.table.columns, self.rows_by_value, strict=True):
            share = column.weight / self.table.total_weight
            occurs = rows_by_value > 0
            means = []
            rest = []
            for level in column.levels:
                losses = level.losses[level.map]
                means.append(share * (losses @ rows_by_value) / max(self.table.rows, 1))
                # The worst label that occurs: a suppressed row loses the rest up to 1, and no row
                # can lose less than this on top.
                rest.append(share * (1 - losses[occurs].max(initial=0.0)))
            mean_losses.append(np.array(means))
            penalties.append(np.array(rest))
        return mean_losses, penalties

    def _sum_over_nodes(self, by_level: list[Array]) -> Array:
        """Return for each node the sum, over columns, of the value of its level."""
        total = np.zeros(len(self.nodes))
        for position, values in enumerate(by_level):
            total += values[self.nodes[:, position]]
        return total

    def run(self) -> SearchResult | None:
        """Return the optimum, or None when no node is good."""
        if not self.table.rows or not self.table.columns:
            return None
        self._find_first_node()
        heights = self.nodes.sum(axis=1)
        while True:
            self._prune()
            candidates = np.flatnonzero(self.is_candidate)
            if not len(candidates):
                break
            # The coarsest first: when it suppresses too much, all nodes below it are out at once.
            highest = candidates[heights[candidates] == heights[candidates].max()]
            self._evaluate_node(int(highest[np.argmin(self.loss_bounds[highest])]))
        if self.best is None:
            return None
        return replace(self.best, counted=self.counted, nodes=len(self.nodes))

    def _find_first_node(self) -> None:
        """Find some good node soon, at ever higher bounds: without one, nothing can be pruned."""
        # Stable, so that equal bounds are tried in the same order on every machine, and the same
        # input gives the same package.
        order = np.argsort(self.loss_bounds, kind="stable")
        for share in FIRST_TRIES:
            self._evaluate_node(int(order[min(len(order) - 1, int(share * len(order)))]))
            if self.best is not None:
                return

    def _prune(self) -> None:
        """Drop the nodes that cannot lose less than the best one."""
        if self.best is None:
            return
        least_suppressed = self.min_suppressed / self.table.rows
        bounds = self.loss_bounds + least_suppressed * self.suppression_penalty
        # By a margin: sums of floats in another order must not make an equal node look better.
        self.is_candidate &= bounds < self.best.loss - SAME_LOSS

    def _evaluate_node(self, index: int) -> None:
        """Count the classes of a node, and learn from them about all nodes below it."""
        node = tuple(int(level) for level in self.nodes[index])
        # Marked before counting, so that every round of the loop leaves one candidate less and must
        # end.
        self.is_candidate[index] = False
        self.counted += 1
        usable = [base for base in self.bases if base.is_below(node)]
        # The smallest table that still has enough detail: counting time is proportional to its
        # length.
        base = min(usable, key=lambda base: base.length)
        classes = base.classes(node, self.model, self.totals, self.limit)
        # Only the monotone part says anything about nodes below; a share can be kept there though
        # it is broken here.
        surely_suppressed = int(classes.rows[classes.violates_monotone].sum())
        below = (self.nodes <= self.nodes[index]).all(axis=1)
        np.maximum(self.min_suppressed, surely_suppressed, out=self.min_suppressed, where=below)
        if surely_suppressed > self.limit:
            self.is_candidate &= ~below
            return
        self._compare_with_best(node, classes)
        # Later nodes above this one are counted from its classes, where these are far fewer.
        # Fewer than a quarter: less saving would not be worth the memory.
        if 4 * len(classes.keys) < base.length and len(self.bases) < MOST_BASES:
            aggregated = base.aggregate(node)
            if aggregated is not None:
                self.bases.append(aggregated)

    def _compare_with_best(self, node: Node, classes: EquivalenceClasses) -> None:
        """Make a node the best one if it is good and loses less."""
        suppressed = int(classes.rows[classes.violating].sum())
        if suppressed > self.limit:
            return
        if self.accepts is not None and not self.accepts(classes):
            return
        loss = self.compute_loss(classes)
        if self.best is None or loss < self.best.loss - SAME_LOSS:
            self.best = SearchResult(node, loss, suppressed, classes, 0, 0)

    def compute_loss(self, classes: EquivalenceClasses) -> float:
        """Return the loss (0 to 1) of a node whose classes were counted."""
        violating = np.flatnonzero(classes.violating)
        rows = classes.rows[violating]
        total = 0.0
        for position, labels in enumerate(classes.labels(violating)):
            column = self.table.columns[position]
            level = column.levels[classes.node[position]]
            of_all = level.losses[level.map] @ self.rows_by_value[position]
            of_published = of_all - level.losses[labels] @ rows
            total += column.weight / self.table.total_weight * (of_published + rows.sum())
        return float(total / self.table.rows)


def find_optimal_node(
    table: Microdata, model: PrivacyModel, max_suppressed: float, accepts: Accepts | None = None
) -> SearchResult | None:
    """Return the node of least loss that suppresses few enough rows; None if none does.

    `max_suppressed`: the share of rows (0 to 1) that it may suppress. `accepts` may refuse a node
    for another reason, such as suppression that falls on one group. Raises ExportProblem when
    there are too many nodes.
    """
    return LatticeSearch(table, model, max_suppressed, accepts).run()


def _list_nodes(table: Microdata) -> Array:
    """Return all nodes: one row per node, one level per column."""
    sizes = [column.maximum - column.minimum + 1 for column in table.columns]
    # Asked before the array is made: a policy with many fine hierarchies would fill the memory
    # instead of getting an answer.
    if int(np.prod(sizes, dtype=object)) > MOST_NODES:
        raise ExportProblem(Reason("table.ways", {"most": MOST_NODES}))
    steps = np.indices(sizes, dtype=np.int16).reshape(len(sizes), -1).T
    return steps + np.array([column.minimum for column in table.columns], dtype=np.int16)
