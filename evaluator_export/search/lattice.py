"""The node of least loss, exactly.

A node is a level for each quasi-identifier; it is good when at most a share of the rows lies in classes that must not be
published. Loss of a node is ARX's Loss with arithmetic mean: for each column the mean over rows of its label's loss, a
suppressed row counting 1; then the mean over columns by weight. Every bound is a true one, so the result is the optimum:

1. without suppression a node loses the sum of its columns' mean losses: known for all nodes before any row is counted;
2. what is thin at a node is thin at every finer one: so a node that suppresses too much rules out all below it,
3. and the rows that it suppresses are also lost there, which raises their bound.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import PrivacyModel
from evaluator_export.problems import ExportProblem
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.equivalence_classes import EquivalenceClasses, GroupedRows, Node, group_rows

MOST_NODES = 2_000_000
Accepts = Callable[[EquivalenceClasses], bool]


@dataclass(frozen=True)
class SearchResult:
    """The best node; `loss` from 0 to 1, suppressed rows, and how many nodes were counted of how many there are."""

    node: Node
    loss: float
    suppressed: int
    classes: EquivalenceClasses
    counted: int
    nodes: int


class LatticeSearch:
    """One search: the lattice, what is known of each node, and the tables that have been counted."""

    def __init__(self, table: Microdata, model: PrivacyModel, max_suppressed: float, accepts: Accepts | None = None):
        self.table, self.model, self.accepts = table, model, accepts
        self.limit = int(max_suppressed * table.rows + 1e-9)
        self.nodes = _lattice(table)
        self.bottom_node = tuple(column.minimum for column in table.columns)
        self.totals = {
            diversity.field: np.bincount(table.sensitive[diversity.field])
            for diversity in model.diversities
            if diversity.t < 1
        }
        raw = group_rows(table, self.bottom_node, model)
        gathered = raw.aggregate(self.bottom_node)
        self.bases: list[GroupedRows] = [gathered or raw]
        self.marginals = [
            np.bincount(column.codes, minlength=len(column.levels[0].map)) for column in table.columns
        ]  # rows a value
        means, greatest = self._compute_loss_by_level()
        self.loss_bounds, self.rest = self._sum_over_nodes(means), self._sum_over_nodes(greatest)
        self.is_candidate = np.ones(len(self.nodes), dtype=bool)
        self.min_suppressed = np.zeros(len(self.nodes), dtype=np.int64)  # rows surely suppressed
        self.best: SearchResult | None = None
        self.counted = 0

    def _compute_loss_by_level(self) -> tuple[list[Array], list[Array]]:
        """Return, a column each, by level: the mean loss, and the least that suppressing a row still adds."""
        means, suppression_penalty = [], []
        for column, marginal in zip(self.table.columns, self.marginals, strict=True):
            share = column.weight / self.table.total_weight
            losses = [level.losses[level.map] for level in column.levels]
            means.append(np.array([share * (loss @ marginal) / max(self.table.rows, 1) for loss in losses]))
            suppression_penalty.append(np.array([share * (1 - loss[marginal > 0].max(initial=0.0)) for loss in losses]))
        return means, suppression_penalty

    def _sum_over_nodes(self, by_level: list[Array]) -> Array:
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
            alive = np.flatnonzero(self.is_candidate)
            if not len(alive):
                break
            highest = alive[heights[alive] == heights[alive].max()]
            self._evaluate_node(int(highest[np.argmin(self.loss_bounds[highest])]))
        if self.best is None:
            return None
        return SearchResult(**{**self.best.__dict__, "counted": self.counted, "nodes": len(self.nodes)})

    def _find_first_node(self) -> None:
        """Find some good node soon: try nodes at ever higher bounds."""
        order = np.argsort(self.loss_bounds, kind="stable")
        for share in (0.02, 0.04, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0):
            self._evaluate_node(int(order[min(len(order) - 1, int(share * len(order)))]))
            if self.best is not None:
                return

    def _prune(self) -> None:
        if self.best is not None:
            self.is_candidate &= (
                self.loss_bounds + self.min_suppressed / self.table.rows * self.rest < self.best.loss - 1e-12
            )

    def _evaluate_node(self, index: int) -> None:
        node = tuple(int(level) for level in self.nodes[index])
        self.is_candidate[index] = False
        self.counted += 1
        base = min((base for base in self.bases if base.is_below(node)), key=lambda base: base.length)
        classes = base.classes(node, self.model, self.totals, self.limit)
        thin = int(classes.rows[classes.violates_monotone].sum())
        below = (self.nodes <= self.nodes[index]).all(axis=1)
        np.maximum(self.min_suppressed, thin, out=self.min_suppressed, where=below)
        if thin > self.limit:
            self.is_candidate &= ~below
            return
        suppressed = int(classes.rows[classes.violating].sum())
        if suppressed <= self.limit and (self.accepts is None or self.accepts(classes)):
            loss = self.compute_loss(classes)
            if self.best is None or loss < self.best.loss - 1e-12:
                self.best = SearchResult(node, loss, suppressed, classes, 0, 0)
        if 4 * len(classes.keys) < base.length and len(self.bases) < 12:
            gathered = base.aggregate(node)
            if gathered is not None:
                self.bases.append(gathered)

    def compute_loss(self, classes: EquivalenceClasses) -> float:
        """Return the loss of a node whose classes were counted."""
        bad = np.flatnonzero(classes.violating)
        weights = classes.rows[bad]
        total = 0.0
        for column, level, marginal, labels in zip(
            self.table.columns, classes.node, self.marginals, classes.labels(bad), strict=True
        ):
            losses = column.levels[level].losses
            kept = losses[column.levels[level].map] @ marginal - losses[labels] @ weights
            total += column.weight / self.table.total_weight * (kept + weights.sum())
        return float(total / self.table.rows)


def find_optimal_node(
    table: Microdata, model: PrivacyModel, max_suppressed: float, accepts: Accepts | None = None
) -> SearchResult | None:
    """Return the node of least loss at which at most a share `max_suppressed` of the rows is suppressed; None if none is.

    `accepts` may refuse a node for another reason (shares of groups).
    """
    return LatticeSearch(table, model, max_suppressed, accepts).run()


def _lattice(table: Microdata) -> Array:
    sizes = [column.maximum - column.minimum + 1 for column in table.columns]
    if int(np.prod(sizes, dtype=object)) > MOST_NODES:
        raise ExportProblem(
            [f"There are more than {MOST_NODES:,} ways to make these columns coarser. Fix the levels of some."]
        )
    grids = np.indices(sizes, dtype=np.int16).reshape(len(sizes), -1).T
    return grids + np.array([column.minimum for column in table.columns], dtype=np.int16)
