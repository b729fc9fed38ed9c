"""What risk is left in published rows, and what they lost: figures for the report.

Prosecutor and journalist risk, uniqueness: El Emam, Guide to the De-Identification of Personal Health Information (2013).
Loss, granularity, discernibility, average class size, non-uniform entropy: as in ARX.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import PrivacyModel, ValueCounts
from evaluator_export.policy.suppression_limits import SuppressionLimits
from evaluator_export.search.encoding import Microdata, find_runs
from evaluator_export.search.recoding import RecodingResult
from evaluator_export.tabular import CategoricalColumn


def number_classes(columns: list[Array]) -> tuple[Array, int]:
    """Return each row's class number and how many classes there are; rows are alike when all columns are."""
    if not columns:
        return np.zeros(0, dtype=np.int64), 0
    owners = np.zeros(len(columns[0]), dtype=np.int64)
    for codes in columns:
        owners = np.unique(owners * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return owners, int(owners.max(initial=-1)) + 1


def count_distinct_per_class(owners: Array, classes: int, values: Array) -> Array:
    """Return how many different values each class holds."""
    width = int(values.max(initial=0)) + 1
    pairs, _ = find_runs(np.sort(owners * width + values))
    return np.bincount(pairs // width, minlength=classes)


def summarize_class_sizes(persons: Array) -> dict[str, Any]:
    """Return how big classes are, in persons."""
    if not len(persons):
        return {"classes": 0, "smallest": 0, "mean": 0.0, "median": 0.0, "largest": 0}
    return {
        "classes": len(persons),
        "smallest": int(persons.min()),
        "mean": round(float(persons.mean()), 3),
        "median": float(np.median(persons)),
        "largest": int(persons.max()),
    }


def measure_singling_out(columns: Sequence[CategoricalColumn]) -> dict[str, Any]:
    """Return how many rows somebody could single out who knows all their columns, as who was there may.

    `alone` and `under_5` are shares of the rows: those like no other row, and those that are under five alike.
    """
    owners, classes = number_classes([words.codes.astype(np.int64) for words in columns])
    alike = np.bincount(owners, minlength=classes)
    rows = max(len(owners), 1)
    return {
        "alone": round(int(alike[alike == 1].sum()) / rows, 4),
        "under_5": round(int(alike[alike < 5].sum()) / rows, 4),
    }


def measure_attribute_disclosure(
    owners: Array, classes: int, rows: Array, sensitive: Mapping[str, CategoricalColumn]
) -> dict[str, Any]:
    """Return for each sensitive column how much its spread within classes gives away."""
    found = {}
    for name, words in sensitive.items():
        width = len(words.values)
        pairs, bounds = find_runs(np.sort(owners * width + words.codes))
        holders, values = np.divmod(pairs, width)
        measured = ValueCounts(holders, values, np.diff(bounds)).measure(rows, np.bincount(words.codes, minlength=width))
        found[name] = {
            "distinct_l": int(measured["distinct"].min()) if classes else 0,
            "entropy_l": round(float(measured["entropy"].min()), 4) if classes else 0.0,
            "max_confidence": round(float(measured["confidence"].max()), 4) if classes else 0.0,
            "t": round(float(measured["t"].max()), 4) if classes else 0.0,
        }
    return found


def measure_reidentification_risk(persons: Array, rows: Array, model: PrivacyModel) -> dict[str, Any]:
    """Return re-identification risk: the highest and mean of 1 / persons, and the share of rows above 1/k."""
    if not len(persons):
        return {"prosecutor_highest": 0.0, "prosecutor_mean": 0.0, "rows_above_threshold": 0, "unique_rows": 0}
    return {
        "prosecutor_highest": round(1 / int(persons.min()), 6),
        "prosecutor_mean": round(len(persons) / int(persons.sum()), 6),
        "rows_above_threshold": int(rows[persons < model.k].sum()),
        "unique_rows": int((persons == 1).sum()),
    }


def measure_utility(
    table: Microdata, result: RecodingResult, owners: Array, classes: int, model: PrivacyModel
) -> dict[str, Any]:
    """Return what was lost, overall and by field; each from 0 (nothing) to 1 (everything) where not said otherwise."""
    number = max(table.rows, 1)
    held = len(result.suppressed)
    lost = {column.name: float(held) for column in table.columns}
    entropy, most = 0.0, 0.0
    for position, column in enumerate(table.columns):
        counts = np.bincount(column.codes, minlength=len(column.levels[0].map)).astype(float)
        column_most = float(-(counts[counts > 0] * np.log2(counts[counts > 0] / number)).sum())
        most += column_most
        for one in result.passes:
            level = column.levels[one.node[position]]
            codes = column.codes[one.rows]
            lost[column.name] += float(level.losses[level.map[codes]].sum())
            inside = np.bincount(level.map, counts, minlength=len(level.labels))
            entropy -= float(np.log2(counts[codes] / inside[level.map[codes]]).sum())
        gone = _count_codes(column.codes[result.suppressed], len(counts))
        entropy -= float((gone[gone > 0] * np.log2(counts[gone > 0] / number)).sum())
    rows = np.bincount(owners, minlength=classes).astype(float)
    return {
        "loss_by_field": {name: round(value / number, 6) for name, value in lost.items()},
        "granularity_by_field": {name: round(1 - value / number, 6) for name, value in lost.items()},
        "non_uniform_entropy": round(entropy / most, 6) if most else 0.0,
        "discernibility": int((rows**2).sum()) + held * table.rows,
        "average_class_size": round(result.published / classes / model.k, 4) if classes else 0.0,
    }


def _count_codes(codes: Array, size: int) -> Array:
    return np.bincount(codes, minlength=size).astype(float)


def measure_group_suppression(
    table: Microdata, suppressed: Array, words: CategoricalColumn | None, limits: SuppressionLimits
) -> dict[str, Any] | None:
    """Return for each group the share of its rows that was suppressed, and how that compares with all."""
    if limits.group is None or words is None or table.groups is None:
        return None
    all_rows = np.bincount(table.groups, minlength=len(words.values))
    gone = np.bincount(table.groups[suppressed], minlength=len(words.values))
    return {
        "field": limits.group.field,
        "limit": limits.group.ratio,
        "worst_ratio": round(limits.group.find_worst_ratio(all_rows, gone), 4),
        "waived": limits.group.waived,
        "suppressed_share": {
            value: round(float(gone[number] / all_rows[number]), 4)
            for number, value in enumerate(words.values)
            if all_rows[number] >= limits.group.min_group_size
        },
    }
