"""Step 2: the generalisation that loses least while every class holds at least k persons (exact search).

A class (equivalence class) is the rows that share all quasi-identifiers. Rows of classes under k persons, or with too
few different sensitive values, are suppressed; at most a set share of rows may be. Loss is ARX's: for each column the
mean over rows of (share of the domain that the value stands for − 1/m) / (1 − 1/m), a suppressed row counting 1.
"""

import itertools
from dataclasses import dataclass

import pandas as pd

from evaluator_export.recipe import Column, Dataset

UNIT = "_person"  # column that says whose row it is; never written


@dataclass(frozen=True)
class Anonymised:
    """Rows at the chosen levels; levels by column; what it cost. `smallest` counts persons, 0 when nothing is left."""

    rows: pd.DataFrame
    levels: dict[str, int]
    loss: float
    suppressed: int
    classes: int
    smallest: int


def anonymise(dataset: Dataset, rows: pd.DataFrame, k: int, max_suppressed: float) -> Anonymised:
    """Return the rows at the node of least loss; all rows are suppressed when no node stays within the limit.

    `rows` holds each column's answers as text, and UNIT.
    """
    columns = dataset.quasi_identifiers
    coded = {
        (column.name, level): rows[column.name].map(lambda value, c=column, n=level: c.hierarchy.at(value, n))
        for column in columns
        for level in range(column.minimum, column.maximum + 1)
    }
    losses = {
        (column.name, level): _losses(column, level, rows[column.name], coded[column.name, level])
        for column in columns
        for level in range(column.minimum, column.maximum + 1)
    }
    best: tuple[float, dict[str, int], pd.Series] | None = None
    nodes = itertools.product(*(range(column.minimum, column.maximum + 1) for column in columns))
    bounded = sorted(
        (sum(losses[c.name, n].mean() for c, n in zip(columns, node, strict=True)) / max(len(columns), 1), node)
        for node in nodes
        if len(rows)
    )
    for bound, node in bounded:
        if best is not None and bound >= best[0]:
            break  # a node's loss without suppression is the least it can be
        levels = {column.name: level for column, level in zip(columns, node, strict=True)}
        keep = _kept(dataset, rows, {name: coded[name, level] for name, level in levels.items()}, k)
        if 1 - keep.mean() > max_suppressed:
            continue
        loss = sum(losses[name, level].where(keep, 1.0).mean() for name, level in levels.items()) / max(len(columns), 1)
        if best is None or loss < best[0]:
            best = (float(loss), levels, keep)
    if best is None:
        return Anonymised(rows.iloc[:0], {column.name: column.maximum for column in columns}, 1.0, len(rows), 0, 0)
    loss, levels, keep = best
    result = rows.assign(**{name: coded[name, level] for name, level in levels.items()})[keep]
    for column in dataset.columns:
        if column.role != "quasi-identifier":
            result[column.name] = [_generalised(column, value) for value in result[column.name]]
    sizes = result.groupby(list(levels))[UNIT].nunique() if levels else pd.Series([result[UNIT].nunique()])
    return Anonymised(result, levels, loss, int((~keep).sum()), len(sizes), int(sizes.min()) if len(sizes) else 0)


def _generalised(column: Column, value: str) -> str:
    if column.many:
        return ";".join(sorted(value.split()))
    return column.hierarchy.at(value, column.minimum) if value else ""


def _losses(column: Column, level: int, values: pd.Series, coded: pd.Series) -> pd.Series:
    shares = column.hierarchy.shares(level, [column.hierarchy.at(value, 0) for value in values])
    leaf = 1 / max(len(column.hierarchy.domain or set(values.map(lambda value: column.hierarchy.at(value, 0)))), 2)
    return coded.map(lambda value: max(0.0, (shares.get(value, 1.0) - leaf) / (1 - leaf)))


def _kept(dataset: Dataset, rows: pd.DataFrame, coded: dict[str, pd.Series], k: int) -> pd.Series:
    if not coded:
        return pd.Series(rows[UNIT].nunique() >= k, index=rows.index)
    frame = pd.DataFrame(coded).assign(**{UNIT: rows[UNIT]})
    groups = frame.groupby(list(coded), sort=False)[UNIT]
    keep = groups.transform("nunique") >= k
    if dataset.distinct:
        column, least = dataset.distinct
        frame = frame.assign(_sensitive=rows[column])
        keep &= frame.groupby(list(coded), sort=False)["_sensitive"].transform("nunique") >= least
    return keep
