"""Count the classes of a written table again in another way: Arrow groups its text."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from evaluator_export import tabular
from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import ROUNDING, Diversity, PrivacyModel
from evaluator_export.problems import Reason

PERSON = "\0person"  # a name that no column of a file can have


def recheck(
    path: Path,
    identifiers: Sequence[str],
    model: PrivacyModel,
    persons: Array | None,
) -> tuple[list[Reason], int]:
    """Return what is wrong with a written table, and the persons in its smallest class.

    Without rows the smallest class is 0. `identifiers`: names of the quasi-identifiers.
    `persons`: whose each row is, in the order of the file (None: each is another person's); it is
    never in the file. Raises ExportProblem when the file cannot be read.
    """
    names = list(dict.fromkeys([*identifiers, *(demand.field for demand in model.diversities)]))
    columns = tabular.read(path, names)
    table = pa.table({name: column.to_arrow() for name, column in columns.items()})
    # Nothing was published, so nothing was promised.
    if not table.num_rows:
        return [], 0
    owners = persons if persons is not None else range(table.num_rows)
    table = table.append_column(PERSON, pa.array(owners))
    problems = []
    # Grouped twice: first every person of a class once, then the persons of each class.
    # One thread: the order of groups, and so the figures in the report, must not depend on the
    # machine.
    pairs = table.group_by([*identifiers, PERSON], use_threads=False).aggregate([])
    classes = pairs.group_by(list(identifiers), use_threads=False).aggregate([([], "count_all")])
    sizes = classes["count_all"]
    smallest = int(pc.min(sizes).as_py())
    if smallest < model.k:
        small = pc.sum(pc.less(sizes, model.k)).as_py()
        details = {"small": small, "classes": len(sizes), "file": path.name, "k": model.k}
        problems.append(Reason("table.class_size", details))
    for demand in model.diversities:
        problems += _check_diversity(table, list(identifiers), demand, path.name)
    return problems, smallest


def _check_diversity(
    table: pa.Table,
    identifiers: list[str],
    demand: Diversity,
    name: str,
) -> list[Reason]:
    """Return what is wrong with the values of a sensitive column within the classes."""
    pairs = table.group_by([*identifiers, demand.field], use_threads=False)
    inside = pairs.aggregate([([], "count_all")])
    whole = inside.group_by(identifiers, use_threads=False).aggregate(
        [("count_all", "sum"), ("count_all", "max"), ("count_all", "count")]
    )
    problems = []
    fewest = pc.min(whole["count_all_count"]).as_py()
    if fewest < demand.distinct:
        details = {
            "file": name,
            "column": demand.field,
            "distinct": fewest,
            "least": demand.distinct,
        }
        problems.append(Reason("table.distinct", details))
    # As floats: two whole numbers would be divided without a rest.
    shares = pc.divide(pc.cast(whole["count_all_max"], pa.float64()), whole["count_all_sum"])
    most = pc.max(shares).as_py()
    if most > demand.max_confidence + ROUNDING:
        details = {"file": name, "column": demand.field, "share": most}
        problems.append(Reason("table.confidence", details))
    return problems
