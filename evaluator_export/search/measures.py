"""What risk is left in published rows, and what they lost: the figures of the report.

Sources: prosecutor and journalist risk, uniqueness: El Emam, Guide to the De-Identification of
Personal Health Information (2013); loss, granularity, discernibility, average class size,
non-uniform entropy: as in ARX.

`class_of_row` is one class number per row throughout (from 0 on); `classes` is how many there are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.policy.policy import Policy, Role, SuppressionLimits
from evaluator_export.policy.privacy_models import PrivacyModel, ValueCounts
from evaluator_export.search.encoding import Microdata, QuasiIdentifier, find_runs
from evaluator_export.search.recoding import AnonymizedTable, RecodingResult
from evaluator_export.tabular import CategoricalColumn

FEW = 5  # rows that so few have in common are nearly alone


def measure_risk_and_utility(
    policy: Policy, safe: AnonymizedTable, columns: Mapping[str, CategoricalColumn]
) -> dict[str, Any]:
    """Return class sizes, risk, utility and suppression by group of a finished table.

    `columns`: the columns that the table was made of, by name. The keys are those of the report.
    """
    identifiers = [safe.columns[field.name] for field in policy.identifiers]
    class_of_row, classes = number_classes([column.codes for column in identifiers])
    rows = np.bincount(class_of_row, minlength=classes)
    persons = rows
    if safe.persons is not None:
        persons = count_distinct_per_class(class_of_row, classes, safe.persons.astype(np.int64))
    sensitive_fields = policy.list_fields_with_role(Role.SENSITIVE)
    sensitive = {field.name: safe.columns[field.name] for field in sensitive_fields}
    attributes = measure_attribute_disclosure(class_of_row, classes, rows, sensitive)
    risk = measure_reidentification_risk(persons, rows, policy.model)
    group = policy.limits.group
    groups = None
    # From the column as it came in: suppression falls on groups before they are generalized.
    if group is not None:
        suppressed = safe.result.suppressed
        column = columns[group.field]
        groups = measure_group_suppression(safe.table, suppressed, column, policy.limits)
    return {
        "class_sizes": summarize_class_sizes(persons),
        "risk": {**risk, "attributes": attributes},
        "singled_out": measure_singling_out(list(safe.columns.values())),
        "utility": measure_utility(safe.table, safe.result, rows, policy.model),
        "groups": groups,
    }


def number_classes(columns: Sequence[Array]) -> tuple[Array, int]:
    """Return each row's class number and how many classes there are.

    `columns`: one array of value numbers per column. Rows are alike when all columns are.
    """
    if not columns:
        return np.zeros(0, dtype=np.int64), 0
    class_of_row = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        # Numbered anew after each column, so that no product can grow beyond 64 bits.
        codes = column.astype(np.int64)
        pairs = class_of_row * (int(codes.max(initial=0)) + 1) + codes
        class_of_row = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
    return class_of_row, int(class_of_row.max(initial=-1)) + 1


def count_distinct_per_class(class_of_row: Array, classes: int, values: Array) -> Array:
    """Return how many different values each class has; `values` is one number per row."""
    width = int(values.max(initial=0)) + 1
    # Sorted pairs, then runs: needs a fraction of the memory of a table of classes by values.
    pairs, _ = find_runs(np.sort(class_of_row * width + values))
    return np.bincount(pairs // width, minlength=classes)


def summarize_class_sizes(persons: Array) -> dict[str, Any]:
    """Return how big classes are; `persons` is one count per class, and so are the results."""
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
    """Return how many rows somebody can single out who knows all their columns.

    A witness may know them all, not only the quasi-identifiers. `alone` and `under_5` are shares of
    the rows (0 to 1): those like no other row, and those that fewer than five rows are like.
    Example: of six rows "a a a a a b", `alone` is 0.1667.
    """
    class_of_row, classes = number_classes([column.codes for column in columns])
    alike = np.bincount(class_of_row, minlength=classes)
    rows = max(len(class_of_row), 1)
    return {
        "alone": round(int(alike[alike == 1].sum()) / rows, 4),
        "under_5": round(int(alike[alike < FEW].sum()) / rows, 4),
    }


def measure_attribute_disclosure(
    class_of_row: Array, classes: int, rows: Array, sensitive: Mapping[str, CategoricalColumn]
) -> dict[str, Any]:
    """Return, by sensitive column, how much its values within classes give away.

    `rows`: rows of each class. The results are those of the class that gives away the most: fewest
    distinct values, least entropy (exponential), greatest confidence and distance t (0 to 1).
    """
    disclosure = {}
    for name, column in sensitive.items():
        if not classes:
            disclosure[name] = {"distinct_l": 0, "entropy_l": 0.0, "max_confidence": 0.0, "t": 0.0}
            continue
        width = len(column.values)
        pairs, bounds = find_runs(np.sort(class_of_row * width + column.codes))
        class_of_pair, values = np.divmod(pairs, width)
        counts = ValueCounts(class_of_pair, values, np.diff(bounds))
        measured = counts.measure(rows, np.bincount(column.codes, minlength=width))
        disclosure[name] = {
            "distinct_l": int(measured["distinct"].min()),
            "entropy_l": round(float(measured["entropy"].min()), 4),
            "max_confidence": round(float(measured["confidence"].max()), 4),
            "t": round(float(measured["t"].max()), 4),
        }
    return disclosure


def measure_reidentification_risk(
    persons: Array,
    rows: Array,
    model: PrivacyModel,
) -> dict[str, Any]:
    """Return the risk that somebody finds a person whose quasi-identifiers they know.

    `persons` and `rows`: one count per class. Risk of a class is 1 / its persons (0 to 1): the
    highest, the mean, and how many rows lie in classes under k or of one person.
    """
    if not len(persons):
        return {
            "prosecutor_highest": 0.0,
            "prosecutor_mean": 0.0,
            "rows_above_threshold": 0,
            "unique_rows": 0,
        }
    return {
        "prosecutor_highest": round(1 / int(persons.min()), 6),
        # The mean over persons, each having the risk of their class, is classes divided by persons.
        "prosecutor_mean": round(len(persons) / int(persons.sum()), 6),
        "rows_above_threshold": int(rows[persons < model.k].sum()),
        "unique_rows": int((persons == 1).sum()),
    }


def measure_utility(
    table: Microdata,
    result: RecodingResult,
    rows: Array,
    model: PrivacyModel,
) -> dict[str, Any]:
    """Return what was lost, overall and by column.

    From 0 (nothing) to 1 (everything) where nothing else is said. `rows`: rows of each published
    class. `discernibility` counts pairs of rows that look alike, a suppressed row looking like
    all; `average_class_size` is in multiples of k.
    """
    number = max(table.rows, 1)
    suppressed = len(result.suppressed)
    lost = {}
    entropy_lost = 0.0
    entropy_of_all = 0.0
    for position, column in enumerate(table.columns):
        lost[column.name] = _sum_losses(column, position, result)
        counts = _count_codes(column.codes, len(column.levels[0].map))
        entropy_of_all += _sum_information(counts, number)
        for part in _list_entropy_losses(column, position, result, counts):
            entropy_lost += part
    sizes = rows.astype(float)
    classes = len(rows)
    return {
        "loss_by_field": {name: round(loss / number, 6) for name, loss in lost.items()},
        "granularity_by_field": {name: round(1 - loss / number, 6) for name, loss in lost.items()},
        "non_uniform_entropy": round(entropy_lost / entropy_of_all, 6) if entropy_of_all else 0.0,
        "discernibility": int((sizes**2).sum()) + suppressed * table.rows,
        "average_class_size": round(result.published / classes / model.k, 4) if classes else 0.0,
    }


def _sum_losses(column: QuasiIdentifier, position: int, result: RecodingResult) -> float:
    """Return the loss of a column summed over all rows, a suppressed row counting 1."""
    lost = float(len(result.suppressed))
    for recoding_pass in result.passes:
        level = column.levels[recoding_pass.node[position]]
        labels = level.map[column.codes[recoding_pass.rows]]
        lost += float(level.losses[labels].sum())
    return lost


def _sum_information(counts: Array, number: int) -> float:
    """Return the bits needed to say the values of all rows; `counts` is rows by value."""
    present = counts[counts > 0]
    return float(-(present * np.log2(present / number)).sum())


def _list_entropy_losses(
    column: QuasiIdentifier,
    position: int,
    result: RecodingResult,
    counts: Array,
) -> list[float]:
    """Return the bits that each pass, and last the suppression, takes from a column.

    A row whose value is one of several under a label loses what it would take to say which;
    a suppressed row loses all that its value said. `counts`: rows of the table by value.
    """
    losses = []
    for recoding_pass in result.passes:
        level = column.levels[recoding_pass.node[position]]
        codes = column.codes[recoding_pass.rows]
        rows_by_label = np.bincount(level.map, counts, minlength=len(level.labels))
        shares = counts[codes] / rows_by_label[level.map[codes]]
        losses.append(-float(np.log2(shares).sum()))
    number = max(len(column.codes), 1)
    suppressed = _count_codes(column.codes[result.suppressed], len(counts))
    occurs = suppressed > 0
    information = suppressed[occurs] * np.log2(counts[occurs] / number)
    losses.append(-float(information.sum()))
    return losses


def _count_codes(codes: Array, size: int) -> Array:
    return np.bincount(codes, minlength=size).astype(float)


def measure_group_suppression(
    table: Microdata,
    suppressed: Array,
    column: CategoricalColumn,
    limits: SuppressionLimits,
) -> dict[str, Any] | None:
    """Return for each group the share of its rows that was suppressed (0 to 1), by value.

    `suppressed`: positions of rows. `column`: the one that the limit names, as it came in. None
    when the policy has no limit by group. Groups too small to be tested are left out.
    """
    if limits.group is None or table.groups is None:
        return None
    rows_by_group = np.bincount(table.groups, minlength=len(column.values))
    suppressed_by_group = np.bincount(table.groups[suppressed], minlength=len(column.values))
    shares = {}
    for number, value in enumerate(column.values):
        # In a group of few rows one suppressed row is a large share, and would look like
        # unfairness.
        if rows_by_group[number] >= limits.group.min_group_size:
            share = float(suppressed_by_group[number] / rows_by_group[number])
            shares[value] = round(share, 4)
    return {
        "field": limits.group.field,
        "limit": limits.group.ratio,
        "worst_ratio": round(limits.group.find_worst_ratio(rows_by_group, suppressed_by_group), 4),
        "waived": limits.group.waived,
        "suppressed_share": shares,
    }
