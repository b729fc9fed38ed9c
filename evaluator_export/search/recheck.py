"""Count the classes of a written table again, on another path: Arrow's own grouping of the words in the file."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from evaluator_export import tabular
from evaluator_export.arrays import Array
from evaluator_export.policy.privacy_models import Diversity, Model
from evaluator_export.problems import Reason

PERSON = "\0person"


def recheck(path: Path, identifiers: Sequence[str], model: Model, persons: Array | None) -> tuple[list[Reason], int]:
    """Return what is wrong with a written table, and its smallest class in persons.

    `persons` says, in the order of the rows, whose each is; it is never in the file.
    """
    names = list(dict.fromkeys([*identifiers, *(one.field for one in model.diversities)]))
    table = pa.table({name: words.arrow() for name, words in tabular.read(path, names).items()})
    if not table.num_rows:
        return [], 0
    table = table.append_column(PERSON, pa.array(persons if persons is not None else range(table.num_rows)))
    problems = []
    pairs = table.group_by([*identifiers, PERSON], use_threads=False).aggregate([])
    sizes = pairs.group_by(list(identifiers), use_threads=False).aggregate([([], "count_all")])["count_all"]
    smallest = int(pc.min(sizes).as_py())
    if smallest < model.k:
        small = pc.sum(pc.less(sizes, model.k)).as_py()
        details = {"small": small, "classes": len(sizes), "file": path.name, "k": model.k}
        problems.append(Reason("table.class_size", details))
    for diversity in model.diversities:
        problems += _spread(table, list(identifiers), diversity, path.name)
    return problems, smallest


def _spread(table: pa.Table, identifiers: list[str], diversity: Diversity, name: str) -> list[Reason]:
    inside = table.group_by([*identifiers, diversity.field], use_threads=False).aggregate([([], "count_all")])
    whole = inside.group_by(identifiers, use_threads=False).aggregate(
        [("count_all", "sum"), ("count_all", "max"), ("count_all", "count")]
    )
    problems = []
    least = pc.min(whole["count_all_count"]).as_py()
    if least < diversity.distinct:
        details = {"file": name, "column": diversity.field, "distinct": least, "least": diversity.distinct}
        problems.append(Reason("table.distinct", details))
    most = pc.max(pc.divide(pc.cast(whole["count_all_max"], pa.float64()), whole["count_all_sum"])).as_py()
    if most > diversity.max_confidence + 1e-9:
        problems.append(Reason("table.confidence", {"file": name, "column": diversity.field, "share": most}))
    return problems
