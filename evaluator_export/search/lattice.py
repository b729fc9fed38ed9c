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
from evaluator_export.policy.privacy_models import Model
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.encoding import Table
from evaluator_export.search.equivalence_classes import Base, Classes, Node, base_of

MOST_NODES = 2_000_000
Accepts = Callable[[Classes], bool]


@dataclass(frozen=True)
class Found:
    """The best node; `loss` from 0 to 1, suppressed rows, and how many nodes were counted of how many there are."""

    node: Node
    loss: float
    suppressed: int
    classes: Classes
    counted: int
    nodes: int


class Search:
    """One search: the lattice, what is known of each node, and the tables that have been counted."""

    def __init__(self, table: Table, model: Model, max_suppressed: float, accepts: Accepts | None = None):
        self.table, self.model, self.accepts = table, model, accepts
        self.limit = int(max_suppressed * table.rows + 1e-9)
        self.nodes = _lattice(table)
        self.floor = tuple(column.minimum for column in table.columns)
        self.totals = {
            diversity.field: np.bincount(table.sensitive[diversity.field])
            for diversity in model.diversities
            if diversity.t < 1
        }
        raw = base_of(table, self.floor, model)
        gathered = raw.gathered(self.floor)
        self.bases: list[Base] = [gathered or raw]
        self.marginals = [
            np.bincount(column.codes, minlength=len(column.levels[0].map)) for column in table.columns
        ]  # rows a value
        means, greatest = self._by_level()
        self.bounds, self.rest = self._over_nodes(means), self._over_nodes(greatest)
        self.alive = np.ones(len(self.nodes), dtype=bool)
        self.lost = np.zeros(len(self.nodes), dtype=np.int64)  # rows surely suppressed
        self.best: Found | None = None
        self.counted = 0

    def _by_level(self) -> tuple[list[Array], list[Array]]:
        """Return, a column each, by level: the mean loss, and the least that suppressing a row still adds."""
        means, rest = [], []
        for column, marginal in zip(self.table.columns, self.marginals, strict=True):
            share = column.weight / self.table.total_weight
            losses = [level.losses[level.map] for level in column.levels]
            means.append(np.array([share * (loss @ marginal) / max(self.table.rows, 1) for loss in losses]))
            rest.append(np.array([share * (1 - loss[marginal > 0].max(initial=0.0)) for loss in losses]))
        return means, rest

    def _over_nodes(self, by_level: list[Array]) -> Array:
        total = np.zeros(len(self.nodes))
        for position, values in enumerate(by_level):
            total += values[self.nodes[:, position]]
        return total

    def run(self) -> Found | None:
        """Return the optimum, or None when no node is good."""
        if not self.table.rows or not self.table.columns:
            return None
        self._start()
        heights = self.nodes.sum(axis=1)
        while True:
            self._prune()
            alive = np.flatnonzero(self.alive)
            if not len(alive):
                break
            highest = alive[heights[alive] == heights[alive].max()]
            self._count(int(highest[np.argmin(self.bounds[highest])]))
        if self.best is None:
            return None
        return Found(**{**self.best.__dict__, "counted": self.counted, "nodes": len(self.nodes)})

    def _start(self) -> None:
        """Find some good node soon: try nodes at ever higher bounds."""
        order = np.argsort(self.bounds, kind="stable")
        for share in (0.02, 0.04, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0):
            self._count(int(order[min(len(order) - 1, int(share * len(order)))]))
            if self.best is not None:
                return

    def _prune(self) -> None:
        if self.best is not None:
            self.alive &= self.bounds + self.lost / self.table.rows * self.rest < self.best.loss - 1e-12

    def _count(self, index: int) -> None:
        node = tuple(int(level) for level in self.nodes[index])
        self.alive[index] = False
        self.counted += 1
        base = min((base for base in self.bases if base.is_below(node)), key=lambda base: base.length)
        classes = base.classes(node, self.model, self.totals, self.limit)
        thin = int(classes.rows[classes.thin].sum())
        below = (self.nodes <= self.nodes[index]).all(axis=1)
        np.maximum(self.lost, thin, out=self.lost, where=below)
        if thin > self.limit:
            self.alive &= ~below
            return
        suppressed = int(classes.rows[classes.bad].sum())
        if suppressed <= self.limit and (self.accepts is None or self.accepts(classes)):
            loss = self.loss(classes)
            if self.best is None or loss < self.best.loss - 1e-12:
                self.best = Found(node, loss, suppressed, classes, 0, 0)
        if 4 * len(classes.keys) < base.length and len(self.bases) < 12:
            gathered = base.gathered(node)
            if gathered is not None:
                self.bases.append(gathered)

    def loss(self, classes: Classes) -> float:
        """Return the loss of a node whose classes were counted."""
        bad = np.flatnonzero(classes.bad)
        weights = classes.rows[bad]
        total = 0.0
        for column, level, marginal, labels in zip(
            self.table.columns, classes.node, self.marginals, classes.labels(bad), strict=True
        ):
            losses = column.levels[level].losses
            kept = losses[column.levels[level].map] @ marginal - losses[labels] @ weights
            total += column.weight / self.table.total_weight * (kept + weights.sum())
        return float(total / self.table.rows)


def search(table: Table, model: Model, max_suppressed: float, accepts: Accepts | None = None) -> Found | None:
    """Return the node of least loss at which at most a share `max_suppressed` of the rows is suppressed; None if none is.

    `accepts` may refuse a node for another reason (shares of groups).
    """
    return Search(table, model, max_suppressed, accepts).run()


def _lattice(table: Table) -> Array:
    sizes = [column.maximum - column.minimum + 1 for column in table.columns]
    if int(np.prod(sizes, dtype=object)) > MOST_NODES:
        raise ExportProblem(Reason("table.ways", {"most": MOST_NODES}))
    grids = np.indices(sizes, dtype=np.int16).reshape(len(sizes), -1).T
    return grids + np.array([column.minimum for column in table.columns], dtype=np.int16)
