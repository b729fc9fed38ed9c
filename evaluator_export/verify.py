"""Check a package with nothing but Python's standard library: an evaluator needs neither the app nor us.

It reads the written files again, on another path than the one that made them. A copy of this file lies in every package:
`python verify.py PACKAGE.zip`.
"""

import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
MAX_UNPACKED = 2_000_000_000
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def verify(path: Path) -> list[str]:
    """Return everything that is wrong with a package; an empty list means that it holds what it promises."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                return ["The package unpacks to more than 2 GB."]
            files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except FileNotFoundError:
        return [f"There is no file {path}."]
    except (OSError, zipfile.BadZipFile, RuntimeError):
        return ["This is not a ZIP file, or it is damaged."]
    try:
        manifest = json.loads(files.pop(MANIFEST))
        return _files(files, manifest) or _contents(files, manifest)
    except KeyError as missing:
        return [f"The manifest lacks {missing}."]
    except (ValueError, TypeError, AttributeError):
        return ["The manifest cannot be read."]


def _files(files: dict[str, bytes], manifest: dict[str, Any]) -> list[str]:
    listed = manifest["files"]
    problems = [f"{name} is missing." for name in sorted(listed.keys() - files.keys())]
    problems += [f"{name} is not in the manifest." for name in sorted(files.keys() - listed.keys())]
    for name in sorted(listed.keys() & files.keys()):
        if hashlib.sha256(files[name]).hexdigest() != listed[name]["sha256"]:
            problems.append(f"{name} is not the file that was sealed: its hash differs.")
    return problems


def _contents(files: dict[str, bytes], manifest: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    if manifest["k"] < 3:
        problems.append("k is under 3.")
    for name, dataset in manifest["datasets"].items():
        problems += _dataset(name, dataset, files[dataset["file"]], manifest["k"])
    for row in csv.DictReader(io.StringIO(files["tables.csv"].decode())):
        count, threshold = row["count"], manifest["threshold"]
        hidden = count == f"<{threshold}"
        if not hidden and (not count.isdecimal() or int(count) < threshold or int(count) % manifest["rounding"]):
            problems.append(f"tables.csv: the count {count} in {row['table']} is not protected.")
    package = json.loads(files["datapackage.json"])
    for resource in package["resources"]:
        fields = [field["name"] for field in resource["schema"]["fields"]]
        header = next(csv.reader(io.StringIO(files[resource["path"]].decode())))
        if fields != header:
            problems.append(f"{resource['path']}: its columns are not those of datapackage.json.")
    return problems


def _dataset(name: str, dataset: dict[str, Any], data: bytes, k: int) -> list[str]:
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    problems = []
    header = next(csv.reader(io.StringIO(data.decode())))
    if header != dataset["columns"]:
        problems.append(f"{name}: its columns are not those of the manifest.")
        return problems
    if len(rows) != dataset["rows"]:
        problems.append(f"{name}: it has {len(rows)} rows, the manifest says {dataset['rows']}.")
    classes = Counter(tuple(row[column] for column in dataset["quasi_identifiers"]) for row in rows)
    small = sum(size < k for size in classes.values())
    if small:
        problems.append(f"{name}: {small} of {len(classes)} classes hold fewer than {k} rows.")
    if rows and dataset["smallest_class"] < k:
        problems.append(f"{name}: the manifest admits a class of {dataset['smallest_class']} persons, under {k}.")
    if any(DAY.search(cell or "") for row in rows for cell in row.values()):
        problems.append(f"{name}: an exact day is in it.")
    return problems


def report(path: Path) -> int:
    """Print what is wrong with a package, or that nothing is; return the exit status, 1 or 0."""
    problems = verify(path)
    for problem in problems:
        print(f"NOT AS PROMISED: {problem}", file=sys.stderr)
    if not problems:
        print(f"{path.name}: every file is as sealed, every class holds enough rows, every table is protected.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(report(Path(sys.argv[1])) if len(sys.argv) == 2 else "Say which package: python verify.py PACKAGE.zip")
