"""Data made safe: the search and a whole release at a million rows beside ARX's figures, ten million, and a package's memory."""

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from tests.evaluator_export.arx import ARX, FIXTURES

POLICY = """
deid: 1
model: {{k: 5}}
suppress: {{max_rows: 0.05, mode: {mode}}}
fields:
  age: {{role: qi, hierarchy: "file:age.csv", min: 1}}
  gender: {{role: qi, hierarchy: "file:gender.csv"}}
  race: {{role: qi, hierarchy: "file:race.csv"}}
  cell: {{role: qi, hierarchy: "file:cell.csv", min: 1}}
  date: {{role: qi, hierarchy: "file:date.csv", min: 1}}
  kind: {{role: qi, hierarchy: "file:kind.csv"}}
  outcome: {{role: sensitive}}
"""
# ARX 3.9.2-dev on the same data and machine class (shared measurements; a Java library is not run here).
ARX_MILLION, ARX_MILLION_MB, ARX_LOCAL_LOSS, ARX_LOCAL_CPU = 110, 1100, 0.2097, 29
PACKAGE_ROWS = 1_000_000


def grown(rows: int, target: Path) -> None:
    """Write a table of so many rows: each column drawn anew from the fixture's, so that its spread stays."""
    source = pyarrow.parquet.read_table(FIXTURES / "encounters_100k.parquet")
    chance = np.random.default_rng(1)
    columns = {}
    for name in source.column_names:
        words = source[name].combine_chunks().dictionary_encode()
        codes = words.indices.take(pa.array(chance.integers(0, len(source), rows)))
        columns[name] = pa.DictionaryArray.from_arrays(codes, words.dictionary)
    pyarrow.parquet.write_table(pa.table(columns), target, compression="zstd")


def deidentify(folder: Path, data: Path, mode: str = "global", out: str = "") -> dict[str, Any]:
    for hierarchy in (FIXTURES / "hierarchies").iterdir():
        (folder / hierarchy.name).write_bytes(hierarchy.read_bytes())
    (folder / "policy.yaml").write_text(POLICY.format(mode=mode))
    report = folder / "report.json"
    command = [sys.executable, "-m", "evaluator_export", "deidentify", data, "--policy", folder / "policy.yaml"]
    subprocess.run(
        [*command, "--report", report, *(["--out", folder / out] if out else ["--search-only"])],
        check=True,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def package(rows: int) -> dict[str, float]:
    """Build and check a package of so many rows in a process of its own; return its CPU seconds and memory."""
    code = f"from bench.release import one_package; one_package({rows})"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def one_package(rows: int) -> None:
    import time

    from evaluator_export.package.verify import verify
    from evaluator_export.search.anonymize import measure_peak_memory
    from tests.evaluator_export.centre import KEY, PretendCentre, encounters

    def endless() -> Any:
        whole = itertools.cycle(encounters(5000))
        for number in range(rows):
            unit, row = next(whole)
            yield f"{unit}-{number}", {**row, "tier": "2", "code": ""}

    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        place = PretendCentre(Path(folder), remembers_units=False)
        place.publish("2026-Q3", {"encounter": endless()})
        path = place.package("2026-Q3", {})
        built = time.process_time() - start
        assert verify(path, KEY) == []
        spent = time.process_time() - start
    memory = measure_peak_memory()
    print(json.dumps({"built": built, "verified": spent - built, "memory": memory}))


def main() -> None:
    lines: list[list[str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = next(case for case in ARX["cases"] if case["data"] == "encounters_100k" and case["suppression_limit"] == 0.05)
        found = deidentify(folder, FIXTURES / "encounters_100k.parquet")
        same = found["node"] == case["node"] and abs(found["loss"] - case["loss"]) < 1e-9
        assert same, "the optimum is not ARX's"
        search = found["cpu_seconds"]["search"]
        lines.append(
            [
                "100,000 rows, k 5: search CPU s (optimum as ARX)",
                f"{search:.2f}",
                "9.8 ARX, whole JVM",
                f"{search / 9.8:.3f}",
            ]
        )
        local = deidentify(folder, FIXTURES / "encounters_100k.parquet", "local")
        search = local["cpu_seconds"]["search"]
        lines.append(
            [
                "  local recoding: loss",
                f"{local['loss']:.5f}",
                f"{ARX_LOCAL_LOSS} ARX",
                f"{local['loss'] / ARX_LOCAL_LOSS:.3f}",
            ]
        )
        lines.append(["  local recoding: CPU s", f"{search:.2f}", f"{ARX_LOCAL_CPU} ARX", f"{search / ARX_LOCAL_CPU:.3f}"])
        grown(1_000_000, folder / "million.parquet")
        found = deidentify(folder, folder / "million.parquet")
        search, memory = found["cpu_seconds"]["search"], found["peak_memory_mb"]
        lines.append(["1,000,000 rows: search CPU s", f"{search:.2f}", f"{ARX_MILLION} ARX", f"{search / ARX_MILLION:.3f}"])
        lines.append(["  its memory MB", str(memory), f"{ARX_MILLION_MB} ARX", f"{memory / ARX_MILLION_MB:.2f}"])
        whole = deidentify(folder, folder / "million.parquet", out="out.csv")
        floor = pandas_floor(folder / "million.parquet")
        spent = whole["cpu_seconds"]["all"]
        lines.append(
            [
                "  read, made safe, written, counted again: CPU s",
                f"{spent:.2f}",
                f"{floor:.2f} pandas, grouped once",
                f"{spent / floor:.1f}",
            ]
        )
        lines.append(["  its memory MB", str(whole["peak_memory_mb"]), "", ""])
        grown(10_000_000, folder / "ten.parquet")
        found = deidentify(folder, folder / "ten.parquet")
        lines.append(["10,000,000 rows: search, with reading: CPU s", f"{found['cpu_seconds']['all']:.1f}", "", ""])
    for rows in (100_000, PACKAGE_ROWS):
        made = package(rows)
        lines.append([f"package of {rows:,} rows, all formats: CPU s", f"{made['built']:.1f}", "", ""])
        lines.append(["  checked by verify.py: CPU s", f"{made['verified']:.1f}", "", ""])
        lines.append(["  memory MB", f"{made['memory']:.0f}", "", ""])
    print(json.dumps(lines))


def pandas_floor(path: Path) -> float:
    """Return the CPU seconds that pandas takes to read the table and group it once by all six columns."""
    code = (
        "import time; s = time.process_time(); import pandas as pd\n"
        f"f = pd.read_parquet({str(path)!r}); f.groupby({ARX['quasi_identifiers']!r}, observed=True).size()\n"
        "print(time.process_time() - s)"
    )
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
