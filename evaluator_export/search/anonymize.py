"""Make one table safe by a policy: read, search, generalize, shuffle, write, check again.

No app and no database: `python -m evaluator_export deidentify` runs on files alone.
"""

import hashlib
import json
import re
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluator_export import tabular
from evaluator_export.arrays import Array
from evaluator_export.policy.policy import Field, Policy, Role
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search import measures, recheck
from evaluator_export.search.advice import suggest_changes
from evaluator_export.search.encoding import Microdata, QuasiIdentifier, encode_table
from evaluator_export.search.recoding import AnonymizedTable, RecodingResult, search_and_recode
from evaluator_export.tabular import CategoricalColumn, reorder

REPORT_FORMAT = 1
SUPPRESSED = -1  # the pass of a row that no pass publishes


def deidentify(
    source: Path,
    policy: Policy,
    out: Path | None,
    search_only: bool = False,
) -> dict[str, Any]:
    """Make the table in the file `source` safe, write it to `out`, and return the report.

    Files are CSV or Parquet, by their suffix. With `search_only`, or without `out`, only the levels
    are looked for and nothing is written. Raises ExportProblem when the file cannot be read, when
    no level keeps within the policy (with what would have to change), or when the written file does
    not have the classes that it should; then it is removed.
    """
    timer = StepTimer()
    names = [field.name for field in policy.fields if field.role != Role.DROP]
    # A pseudonym needs the key of a recipient, which this command on files alone does not have.
    if policy.list_fields_with_role(Role.PSEUDONYM):
        raise ExportProblem(Reason("table.key"))
    columns = tabular.read(source, list(dict.fromkeys(names)))
    timer.stamp("read")
    table = encode_table(policy, columns)
    result = anonymize(policy, table)
    timer.stamp("search")
    report = {
        "report": REPORT_FORMAT,
        "policy": {"id": policy.id, "sha256": policy.sha256},
        **_report_search(policy, table, result),
    }
    if not search_only and out is not None:
        # The order must not repeat that of the source, yet the same input must give the same file.
        seed = hashlib.sha256(f"{policy.sha256} {_hash_file(source)}".encode()).digest()
        safe = apply_recoding(policy, table, result, columns, make_shuffler(seed))
        tabular.write(out, safe.columns)
        timer.stamp("write")
        report |= measures.measure_risk_and_utility(policy, safe, columns)
        report |= _check_written(policy, out, safe)
        timer.stamp("recheck")
    report["cpu_seconds"] = timer.seconds_by_step()
    report["peak_memory_mb"] = measure_peak_memory()
    return report


def _check_written(policy: Policy, out: Path, safe: AnonymizedTable) -> dict[str, Any]:
    """Return the report's lines on the written file; remove it and raise if it is not safe."""
    names = [field.name for field in policy.identifiers]
    problems, smallest = recheck.recheck(out, names, policy.model, safe.persons)
    if problems:
        # An unsafe file must not stay where somebody may take it for the result.
        out.unlink()
        raise ExportProblem(Reason("table.promise"), *problems)
    return {
        "recheck": {"passed": True, "smallest_class": smallest},
        "out": {"file": out.name, "sha256": _hash_file(out)},
    }


def anonymize(policy: Policy, table: Microdata) -> RecodingResult:
    """Return which rows may leave and at which levels, at the least loss.

    Raises ExportProblem when no level keeps within the policy, with the nearest policy that works.
    """
    if not table.rows:
        raise ExportProblem(Reason("table.empty"))
    if not table.columns:
        raise ExportProblem(Reason("policy.no_identifier"))
    result = search_and_recode(table, policy.model, policy.limits)
    if result is None:
        raise ExportProblem(Reason("table.no_way"), *suggest_changes(policy, table))
    return result


def make_shuffler(seed: bytes) -> Callable[[Array], Array]:
    """Return a function that puts rows in an order like chance, the same for the same seed.

    Without the seed the order tells nothing about where a row was. The same seed gives the same
    order, so that a release can be built again.
    """

    def shuffle(rows: Array) -> Array:
        generator = np.random.PCG64(int.from_bytes(seed, "big"))
        return np.random.Generator(generator).permutation(rows)

    return shuffle


def apply_recoding(
    policy: Policy,
    table: Microdata,
    result: RecodingResult,
    columns: Mapping[str, CategoricalColumn],
    shuffle: Callable[[Array], Array],
) -> AnonymizedTable:
    """Return the rows that may leave, generalized and in their final order.

    `columns`: the columns that `table` was made of, by name. `shuffle` gets the positions of the
    rows that leave, ascending, and returns them in their final order.
    """
    # Sorted, so that the order depends on which rows leave and not on the passes they left in.
    published = np.zeros(0, dtype=np.int64)
    if result.passes:
        published = np.concatenate([recoding_pass.rows for recoding_pass in result.passes])
    order = shuffle(np.sort(published))
    # 16 bits: as many as a million rows are cheap, and passes are few.
    pass_of_row = np.full(table.rows, SUPPRESSED, dtype=np.int16)
    for number, recoding_pass in enumerate(result.passes):
        pass_of_row[recoding_pass.rows] = number
    positions = {column.name: position for position, column in enumerate(table.columns)}
    safe_columns: dict[str, CategoricalColumn] = {}
    for field in policy.list_fields_with_role(Role.QUASI_IDENTIFIER, Role.SENSITIVE, Role.KEEP):
        if field.role == Role.QUASI_IDENTIFIER:
            position = positions[field.name]
            levels = [recoding_pass.node[position] for recoding_pass in result.passes]
            column = table.columns[position]
            safe_columns[field.name] = _generalize_by_pass(column, levels, pass_of_row, order)
        else:
            generalized = generalize_to_minimum(field, columns[field.name])
            safe_columns[field.name] = reorder(generalized, order)
    persons = None if table.persons is None else table.persons[order]
    return AnonymizedTable(table, result, safe_columns, persons, order)


def generalize_to_minimum(field: Field, column: CategoricalColumn) -> CategoricalColumn:
    """Return a column that is no quasi-identifier at the only level at which it may leave."""
    if field.hierarchy is None:
        return column
    labels = [field.hierarchy.at(value, field.minimum) for value in column.values]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    label_numbers = np.array([numbers[label] for label in labels], dtype=np.int32)
    return CategoricalColumn(label_numbers[column.codes], tuple(numbers))


def _generalize_by_pass(
    column: QuasiIdentifier, levels: Sequence[int], pass_of_row: Array, order: Array
) -> CategoricalColumn:
    """Return the rows of an order, each at the level of the pass that publishes it."""
    numbers: dict[str, int] = {}
    codes = np.zeros(len(order), dtype=np.int32)
    for position in dict.fromkeys(levels):
        level = column.levels[position]
        # Passes share labels: the same text must be the same number whatever level it is from.
        shared = [numbers.setdefault(label, len(numbers)) for label in level.labels]
        label_numbers = np.array(shared, dtype=np.int32)
        is_at_level = np.array([other == position for other in levels])
        rows = is_at_level[pass_of_row[order]]
        codes[rows] = label_numbers[level.map[column.codes[order[rows]]]]
    return reorder(CategoricalColumn(codes, tuple(numbers)), np.arange(len(order)))


def _report_search(policy: Policy, table: Microdata, result: RecodingResult) -> dict[str, Any]:
    """Return the report's lines on what was found; of passes, the first is the main one."""
    passes = []
    for recoding_pass in result.passes:
        passes.append({"node": list(recoding_pass.node), "rows": len(recoding_pass.rows)})
    first = result.passes[0]
    published = ~first.classes.violating
    return {
        "rows": table.rows,
        "quasi_identifiers": [column.name for column in table.columns],
        "node": list(first.node),
        "levels": name_levels(policy, first.node),
        "loss": result.loss,
        "suppressed_rows": len(result.suppressed),
        "suppressed_share": len(result.suppressed) / table.rows,
        "class_sizes": measures.summarize_class_sizes(first.classes.persons[published]),
        "passes": passes,
        "nodes": {"counted": result.counted, "all": result.nodes},
    }


def name_levels(policy: Policy, node: Sequence[int]) -> dict[str, str]:
    """Return the name of the level of each quasi-identifier at a node, by column name."""
    names = {}
    for field, level in zip(policy.identifiers, node, strict=True):
        if field.hierarchy is not None:
            names[field.name] = field.hierarchy.names[level]
    return names


class StepTimer:
    """Measures CPU seconds by step: wall time would say more about the machine's other work."""

    def __init__(self) -> None:
        self.last = time.process_time()
        self.steps: dict[str, float] = {}

    def stamp(self, step: str) -> None:
        """End a step that began at the stamp before."""
        current = time.process_time()
        self.steps[step] = round(current - self.last, 4)
        self.last = current

    def seconds_by_step(self) -> dict[str, float]:
        """Return CPU seconds by step, and under "all" those of the whole process."""
        return {**self.steps, "all": round(time.process_time(), 4)}


def measure_peak_memory() -> int:
    """Return the most memory that this process has used so far, in MB (1,024 KB each)."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux, getrusage begins with the memory of the process that started this one.
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write a report as indented JSON. Raises ExportProblem when the file cannot be written."""
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        details = {"file": str(path), "why": str(error.strerror)}
        raise ExportProblem(Reason("file.unwritable", details)) from None
