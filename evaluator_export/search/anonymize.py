"""Make one table safe by a policy: read, search, generalise, shuffle, write, count again. No app, no database."""

import hashlib
import json
import re
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluator_export import tabular
from evaluator_export.arrays import Array
from evaluator_export.policy.policy import KEEP, PSEUDONYM, QUASI_IDENTIFIER, SENSITIVE, Field, Policy
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search import measures as risk
from evaluator_export.search import recheck
from evaluator_export.search.encoding import Table, coded
from evaluator_export.search.lattice import search
from evaluator_export.search.recoding import Recoded, recode
from evaluator_export.tabular import Words, in_order

REPORT_FORMAT = 1


@dataclass(frozen=True)
class Safe:
    """A table after all steps: what may leave, in its final order, with whose rows they are and which they were."""

    table: Table
    result: Recoded
    columns: dict[str, Words]
    persons: Array | None
    order: Array  # positions in the table that came in


def deidentify(source: Path, policy: Policy, out: Path | None, search_only: bool = False) -> dict[str, Any]:
    """Return the report on a file made safe and written to `out`; ExportProblem when it cannot be made safe.

    With `search_only`, only the node is looked for and nothing is written.
    """
    clock = Clock()
    names = [field.name for field in policy.fields if field.role != "drop"]
    if PSEUDONYM in {field.role for field in policy.fields}:
        raise ExportProblem(Reason("table.key"))
    columns = tabular.read(source, list(dict.fromkeys(names)))
    clock.stamp("read")
    table = table_of(policy, columns)
    result = solve(policy, table)
    clock.stamp("search")
    report = {"report": REPORT_FORMAT, "policy": {"id": policy.id, "sha256": policy.sha256}, **_found(policy, table, result)}
    if not search_only and out is not None:
        seed = hashlib.sha256(f"{policy.sha256} {_sha256(source)}".encode()).digest()
        safe = finish(policy, table, result, columns, shuffled(seed))
        tabular.write(out, safe.columns)
        clock.stamp("write")
        report |= measures(policy, safe, columns)
        problems, smallest = recheck.recheck(out, [field.name for field in policy.identifiers], policy.model, safe.persons)
        if problems:
            out.unlink()
            raise ExportProblem(Reason("table.promise"), *problems)
        report |= {
            "recheck": {"passed": True, "smallest_class": smallest},
            "out": {"file": out.name, "sha256": _sha256(out)},
        }
        clock.stamp("recheck")
    return report | {"cpu_seconds": clock.spent(), "peak_memory_mb": peak_memory()}


def table_of(policy: Policy, columns: dict[str, Words]) -> Table:
    """Return the coded table that a policy speaks of."""
    problems: list[Reason] = []
    found = []
    for field in policy.identifiers:
        words = columns[field.name]
        assert field.hierarchy is not None
        try:
            limits = {"minimum": field.minimum, "maximum": field.maximum, "weight": field.weight}
            found.append(coded(field.name, words.codes, words.values, field.hierarchy, **limits))
        except ExportProblem as problem:
            problems += [reason.inside(field.name) for reason in problem.reasons]
    if problems:
        raise ExportProblem(*problems)
    group = policy.limits.group
    sensitive = {one.field: columns[one.field].codes for one in policy.model.diversities}
    rows = len(next(iter(columns.values())).codes) if columns else 0
    persons = columns[policy.person].codes if policy.person else None
    return Table(tuple(found), rows, persons, sensitive, columns[group.field].codes if group else None)


def solve(policy: Policy, table: Table) -> Recoded:
    """Return the rows that may leave; ExportProblem with the nearest policy that works when this one cannot."""
    if not table.rows:
        raise ExportProblem(Reason("table.empty"))
    if not table.columns:
        raise ExportProblem(Reason("policy.no_identifier"))
    result = recode(table, policy.model, policy.limits)
    if result is None:
        raise ExportProblem(Reason("table.no_way"), *nearest(policy, table))
    return result


def nearest(policy: Policy, table: Table) -> list[Reason]:
    """Return what would have to change, the least first, for a policy to be feasible."""
    persons = table.rows if table.persons is None else len(np.unique(table.persons))
    if persons < policy.model.k:
        return [Reason("advice.persons", {"persons": persons, "k": policy.model.k})]
    found = search(table, policy.model, 1.0)
    advice = []
    if found is not None and found.suppressed < table.rows:
        share = found.suppressed / table.rows
        low, high = 0.0, share
        for _ in range(12):  # the least share that has a node, to a thousandth
            middle = (low + high) / 2
            if high - low < 0.0005:
                break
            low, high = (low, middle) if search(table, policy.model, middle) else (middle, high)
        if share > policy.limits.max_suppressed or policy.limits.group or policy.limits.average:
            enough = np.ceil(high * 1000) / 1000
            advice.append(Reason("advice.share", {"percent": float(high), "share": f"{enough:.3f}"}))
    pinned = [column.name for column in table.columns if column.maximum < len(column.levels) - 1]
    if pinned:
        advice.append(Reason("advice.pinned", {"columns": ", ".join(pinned)}))
    if policy.limits.group and not policy.limits.group.waived:
        advice.append(Reason("advice.group", {"column": policy.limits.group.field}))
    return advice or [Reason("advice.nothing")]


def shuffled(seed: bytes) -> Callable[[Array], Array]:
    """Return a way to put rows in an order that tells nothing to those without the seed, and is the same at a rebuild."""

    def order(rows: Array) -> Array:
        return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big"))).permutation(rows)

    return order


def finish(
    policy: Policy, table: Table, result: Recoded, columns: dict[str, Words], ordered: Callable[[Array], Array]
) -> Safe:
    """Return the rows that may leave, generalised and in their final order."""
    kept = np.sort(np.concatenate([one.rows for one in result.passes])) if result.passes else np.zeros(0, dtype=np.int64)
    order = ordered(kept)
    passes = np.full(table.rows, -1, dtype=np.int16)
    for number, one in enumerate(result.passes):
        passes[one.rows] = number
    leaving: dict[str, Words] = {}
    position = {column.name: number for number, column in enumerate(table.columns)}
    for field in policy.of_role(QUASI_IDENTIFIER, SENSITIVE, KEEP):
        if field.role == QUASI_IDENTIFIER:
            levels = [one.node[position[field.name]] for one in result.passes]
            leaving[field.name] = _at_levels(table, position[field.name], levels, passes, order)
        else:
            leaving[field.name] = in_order(at_minimum(field, columns[field.name]), order)
    return Safe(table, result, leaving, None if table.persons is None else table.persons[order], order)


def at_minimum(field: Field, words: Words) -> Words:
    """Return a column that is no quasi-identifier at the one level at which it may leave."""
    if field.hierarchy is None:
        return words
    labels = [field.hierarchy.at(value, field.minimum) for value in words.values]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return Words(np.array([numbers[label] for label in labels], dtype=np.int32)[words.codes], tuple(numbers))


def _at_levels(table: Table, position: int, levels: Sequence[int], passes: Array, order: Array) -> Words:
    column = table.columns[position]
    labels: dict[str, int] = {}
    codes = np.zeros(len(order), dtype=np.int32)
    for level in dict.fromkeys(levels):
        found = column.levels[level]
        numbers = np.array([labels.setdefault(label, len(labels)) for label in found.labels], dtype=np.int32)
        at_level = np.array([one == level for one in levels])[passes[order]]
        codes[at_level] = numbers[found.map[column.codes[order[at_level]]]]
    return in_order(Words(codes, tuple(labels)), np.arange(len(order)))


def _found(policy: Policy, table: Table, result: Recoded) -> dict[str, Any]:
    first = result.passes[0]
    good = ~first.classes.bad
    return {
        "rows": table.rows,
        "quasi_identifiers": [column.name for column in table.columns],
        "node": list(first.node),
        "levels": level_names(policy, first.node),
        "loss": result.loss,
        "suppressed_rows": len(result.suppressed),
        "suppressed_share": len(result.suppressed) / table.rows,
        "class_sizes": risk.sizes(first.classes.persons[good]),
        "passes": [{"node": list(one.node), "rows": len(one.rows)} for one in result.passes],
        "nodes": {"counted": result.counted, "all": result.nodes},
    }


def level_names(policy: Policy, node: Sequence[int]) -> dict[str, str]:
    return {
        field.name: field.hierarchy.names[level]
        for field, level in zip(policy.identifiers, node, strict=True)
        if field.hierarchy is not None
    }


def measures(policy: Policy, safe: Safe, columns: dict[str, Words]) -> dict[str, Any]:
    """Return class sizes, risk, utility and suppression by group of a finished table."""
    identifiers = [safe.columns[name].codes.astype(np.int64) for name in (field.name for field in policy.identifiers)]
    owners, classes = risk.grouped(identifiers)
    rows = np.bincount(owners, minlength=classes)
    persons = rows if safe.persons is None else risk.distinct_per_class(owners, classes, safe.persons.astype(np.int64))
    sensitive = {field.name: safe.columns[field.name] for field in policy.of_role(SENSITIVE)}
    group = policy.limits.group
    return {
        "class_sizes": risk.sizes(persons),
        "risk": risk.risk(persons, rows, policy.model) | {"attributes": risk.attribute(owners, classes, rows, sensitive)},
        "singled_out": risk.singled_out(list(safe.columns.values())),
        "utility": risk.utility(safe.table, safe.result, owners, classes, policy.model),
        "groups": risk.groups(safe.table, safe.result.suppressed, columns[group.field] if group else None, policy.limits),
    }


class Clock:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.last = time.process_time()
        self.steps: dict[str, float] = {}

    def stamp(self, step: str) -> None:
        now = time.process_time()
        self.steps[step], self.last = round(now - self.last, 4), now

    def spent(self) -> dict[str, float]:
        return {**self.steps, "all": round(time.process_time(), 4)}


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says there begins with the memory of the process that started this one
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_report(report: dict[str, Any], path: Path) -> None:
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ExportProblem(Reason("file.unwritable", {"file": str(path), "why": str(error.strerror)})) from None
