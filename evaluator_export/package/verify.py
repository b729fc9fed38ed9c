"""Check a package with nothing but Python's standard library: an evaluator needs neither the app nor us.

It reads the written files again, on another path than the one that made them: signature, hashes, columns, values, levels,
class sizes, ledger, tables. A copy of this file lies in every package: `python verify.py PACKAGE.zip --key KEY`.
"""

import base64
import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.minisig"
# A ZIP of a few kilobytes can unpack to terabytes; who checks a package must not be harmed by it.
MAX_UNPACKED = 8_000_000_000
FORMAT = 2
FLOOR = 3
FEW = 5
PSEUDONYM = re.compile(r"[A-Z2-7]{16}")
BLOCK = 1 << 20
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
# A spreadsheet takes a cell that begins so for a formula. CSV has no means to say otherwise.
RISKY = ("=", "+", "-", "@", "\t", "\r")
FIXED_FILES = {
    "README.txt", "codebook.csv", "data.xlsx", "datapackage.json", "report.json", "start.Rmd", "start.ipynb",
    "summary-en.pdf", "summary-fr.pdf", "tables.csv", "verify.py",
    "withdrawals.csv",
}  # fmt: skip
LIST_HEADER = ["dataset", "period", "batch", "row", "what"]
LIST_WORDS = {"delete", "none", "totals_only", "order_unknown"}
TABLE_HEADER = ["table", "period", "row", "column", "layer", "count", "revision"]
Problems = list[str]


def verify(path: Path, key: str = "", is_signed: bool = True) -> Problems:
    """Return everything that is wrong with a package; an empty list means that it holds what it promises.

    `key` is the centre's public key, got from the centre and not from the package; without it, the one that the package
    names is taken, which shows damage but not who signed. `is_signed` False lets the centre check a package before it signs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _package(archive, key, is_signed)
    except FileNotFoundError:
        return [f"There is no file {path}."]
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return ["This is not a ZIP file, or it is damaged. A file that ends in .age must be decrypted first."]
    except KeyError as missing:
        return [f"The package lacks {missing}."]
    except (ValueError, TypeError, AttributeError, csv.Error, zipfile.LargeZipFile) as error:
        return [f"The package cannot be read: {error}."]
    except Exception as error:  # zlib.error and whatever else a damaged file can raise
        return [f"The package is damaged: {type(error).__name__}."]


def _package(archive: zipfile.ZipFile, key: str, is_signed: bool) -> Problems:
    names = [entry.filename for entry in archive.infolist()]
    # Before anything is read: the sizes in the directory are enough to refuse a bomb.
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
        return ["The package unpacks to more than 8 GB."]
    # Readers differ in which of two files of one name they take: one could be checked, the other
    # used.
    if len(set(names)) < len(names):
        return ["A file is in the package twice."]
    raw = archive.read(MANIFEST)
    manifest = json.loads(raw)
    signature = archive.read(SIGNATURE).decode() if SIGNATURE in names else ""
    problems = _signature(raw, signature, key or manifest["key"]) if is_signed else []
    if manifest["fieldapp"] != FORMAT:
        return [*problems, f"The manifest has format {manifest['fieldapp']}; this check knows {FORMAT}."]
    problems += _files(archive, set(names) - {MANIFEST, SIGNATURE}, manifest)
    # The contents are looked at only when every file is the one that was signed; else all further
    # complaints would follow from that one.
    return problems or _contents(archive, manifest)


def _signature(manifest: bytes, text: str, key: str) -> Problems:
    lines = text.splitlines()
    if len(lines) < 4:
        return ["The manifest is not signed."]
    try:
        wanted, found = base64.b64decode(key, validate=True), base64.b64decode(lines[1], validate=True)
        whole = base64.b64decode(lines[3], validate=True)
    except ValueError:
        return ["The signature or the key is damaged."]
    comment = lines[2].removeprefix("trusted comment: ").encode()
    # The key id comes first in a minisign key and signature; that it is the same does not prove who
    # signed, the check below does.
    if len(wanted) != 42 or len(found) != 74 or found[2:10] != wanted[2:10]:
        return ["The manifest was signed with another key than the centre's."]
    message = hashlib.blake2b(manifest).digest() if found[:2] == b"ED" else manifest
    public, signature = wanted[10:], found[10:]
    # Two signatures: one of the manifest, one of the first with the comment, which would else be
    # free to change.
    if not is_signed_by(public, message, signature) or not is_signed_by(public, signature + comment, whole):
        return ["The signature is not the centre's for this manifest."]
    return []


def _files(archive: zipfile.ZipFile, present: set[str], manifest: dict[str, Any]) -> Problems:
    listed = manifest["files"]
    problems = [f"{name} is missing." for name in sorted(listed.keys() - present)]
    problems += [f"{name} is not in the manifest." for name in sorted(present - listed.keys())]
    for name in sorted(listed.keys() & present):
        # A file that the manifest names but that has no business here could be anything, also rows
        # that no check reads.
        if not _is_expected(name, manifest):
            problems.append(f"{name} is no file that belongs in a package.")
        digest, size = hashlib.sha256(), 0
        with archive.open(name) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
        if digest.hexdigest() != listed[name]["sha256"] or size != listed[name]["bytes"]:
            problems.append(f"{name} is not the file that was sealed: its hash differs.")
    return problems


def _is_expected(name: str, manifest: dict[str, Any]) -> bool:
    sets = "|".join(re.escape(dataset) for dataset in manifest["datasets"]) or "-"
    return (
        name in FIXED_FILES
        or re.fullmatch(rf"({sets})(\.csv|\.parquet|(-\d+)?\.sav)|sample/({sets})\.csv", name) is not None
    )


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[list[str]]:
    with archive.open(name) as file:
        yield from csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""), strict=True)


def _contents(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Problems:
    schema = {resource["name"]: resource["schema"] for resource in json.loads(archive.read("datapackage.json"))["resources"]}
    book: dict[tuple[str, str], set[str]] = defaultdict(set)
    levels: dict[tuple[str, str], str] = {}
    for file, column, value, *_, level in list(_rows(archive, "codebook.csv"))[1:]:
        book[file, column].add(value)
        if not value:
            levels[file, column] = level
    said = json.loads(archive.read("report.json"))["datasets"]
    problems: Problems = []
    if manifest["recipe"]["audience"] == "city" and manifest["datasets"]:
        problems.append("A package for the City holds rows.")
    for name, dataset in manifest["datasets"].items():
        rows = _rows(archive, dataset["file"])
        header = next(rows)
        fields = [field["name"] for field in schema[name]["fields"]]
        if header != dataset["columns"] or header != fields:
            problems.append(f"{name}: its columns are not those of the manifest and of datapackage.json.")
            continue
        problems += _levels(name, dataset, levels) + _ledger(name, dataset)
        if {**said[name]["singled_out"], "limit": dataset["singled_out"]["limit"]} != dataset["singled_out"]:
            problems.append(f"{name}: report.json says something else than the manifest about rows that are like no other.")
        problems += _dataset(name, dataset, header, rows, {column: book[dataset["file"], column] for column in header})
    return problems + _tables(archive, manifest) + _withdrawals(archive, manifest)


def _levels(name: str, dataset: dict[str, Any], levels: dict[tuple[str, str], str]) -> Problems:
    if dataset["k"] < FLOOR:
        return [f"{name}: k is under {FLOOR}."]
    problems = []
    # Taken from the ledger's first entry, which is hashed, and not from the manifest's own word for
    # it.
    frozen = dict(zip(dataset["frozen"], (dataset["ledger"]["entries"] or [{"levels": []}])[0]["levels"], strict=False))
    for column, at in dataset["levels"].items():
        if levels.get((dataset["file"], column)) != at["name"]:
            problems.append(f"{name}: {column} has another level in the codebook than in the manifest.")
        if at["level"] < frozen.get(column, 0):
            problems.append(f"{name}: {column} is finer than the level that was frozen.")
    if set(dataset["quasi_identifiers"]) != set(dataset["levels"]) or not set(dataset["levels"]) <= set(dataset["columns"]):
        problems.append(f"{name}: its quasi-identifiers and levels do not match.")
    return problems


def _ledger(name: str, dataset: dict[str, Any]) -> Problems:
    problems, before, last = [], dataset["ledger"]["before"], 0
    for entry in dataset["ledger"]["entries"]:
        body = {field: value for field, value in entry.items() if field != "hash"}
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        # Hashed again from the fields: the entry's own hash proves nothing about what it says.
        if hashlib.sha256(f"fieldapp ledger 1\n{text}".encode()).hexdigest() != entry["hash"]:
            problems.append(f"{name}: entry {entry['number']} of the ledger is not what was hashed.")
        # Neither rows nor whole batches can be left out or swapped without breaking the chain.
        if entry["before"] != before or (last and entry["number"] != last + 1):
            problems.append(f"{name}: entry {entry['number']} of the ledger does not follow the one before it.")
        if entry["smallest"] < dataset["k"] or entry["policy"] != dataset["policy"] or entry["dataset"] != name:
            problems.append(f"{name}: batch {entry['number']} does not keep to the policy.")
        if entry["levels"] != dataset["ledger"]["entries"][0]["levels"]:
            problems.append(f"{name}: batch {entry['number']} has other levels than were frozen.")
        before, last = entry["hash"], entry["number"]
    return problems


def _dataset(
    name: str, dataset: dict[str, Any], header: list[str], rows: Iterator[list[str]], book: dict[str, set[str]]
) -> Problems:
    batch = header.index("batch")
    identifiers = [header.index(column) for column in dataset["quasi_identifiers"]]
    sensitive = [(header.index(column), column, least) for column, least in dataset["distinct"].items()]
    shares = [(header.index(column), column, most) for column, most in dataset["max_confidence"].items()]
    classes: Counter[tuple[str, ...]] = Counter()
    known = [place for place, column in enumerate(header) if column in dataset["singled_out"]["columns"]]
    alike: Counter[tuple[str, ...]] = Counter()
    inside: dict[int, Counter[tuple[tuple[str, ...], str]]] = {place: Counter() for place, *_ in [*sensitive, *shares]}
    seen: list[set[str]] = [set() for _ in header]
    per_batch: Counter[str] = Counter()
    # One pass, row by row: packages may be larger than memory.
    for row in rows:
        if len(row) != len(header):
            return [f"{name}: a row has {len(row)} cells, not {len(header)}."]
        per_batch[row[batch]] += 1
        # The batch belongs to the class. Each batch was published on its own, so k persons must be
        # in each batch's part of a class, too.
        group = (row[batch], *[row[place] for place in identifiers])
        classes[group] += 1
        alike[tuple(row[place] for place in known)] += 1
        for place, counts in inside.items():
            counts[group, row[place]] += 1
        for place, cell in enumerate(row):
            seen[place].add(cell)
    problems = _values(name, header, seen, book) + _singled_out(name, dataset["singled_out"], header, seen, alike)
    problems += _rows_per_batch(name, dataset, per_batch)
    small = sum(size < dataset["k"] for size in classes.values())
    if small:
        problems.append(f"{name}: {small} of {len(classes)} classes hold fewer than {dataset['k']} rows.")
    for place, column, least in sensitive:
        kinds = Counter(group for group, _ in inside[place])
        if any(count < least for count in kinds.values()):
            problems.append(f"{name}: a class has fewer than {least} different values of {column}.")
    for place, column, most in shares:
        # The share is a product of floating-point numbers; a class exactly at the limit keeps to
        # it.
        if any(count > most * classes[group] + 1e-9 for (group, _), count in inside[place].items()):
            problems.append(f"{name}: a class gives a value of {column} away.")
    return problems


def _rows_per_batch(name: str, dataset: dict[str, Any], per_batch: Counter[str]) -> Problems:
    """Compare the rows of each batch with the ledger, less those that nobody gets any more."""
    left_out = dataset.get("left_out", {})
    promised: Counter[str] = Counter()
    problems = []
    for entry in dataset["ledger"]["entries"]:
        missing = set(left_out.get(str(entry["number"]), ()))
        promised[str(entry["number"])] = entry["rows"] - len(missing)
        if not missing <= set(range(1, entry["rows"] + 1)):
            problems.append(f"{name}: rows are left out of batch {entry['number']} that it does not have.")
    # The plus drops counts of 0: a batch of which everything is left out has no rows to compare.
    if +per_batch != +promised or per_batch.total() != dataset["rows"]:
        problems.append(f"{name}: its batches do not hold as many rows as the ledger and the manifest say.")
    return problems


def _singled_out(
    name: str, said: dict[str, Any], header: list[str], seen: list[set[str]], alike: Counter[tuple[str, ...]]
) -> Problems:
    """Count again how many rows are like no other on all columns, pseudonyms apart."""
    problems = []
    for column, cells in zip(header, seen, strict=True):
        # Only a pseudonym may be left out of this count; any other column that is left out would
        # make rows look more alike than they are.
        if column not in said["columns"] and not all(PSEUDONYM.fullmatch(cell) for cell in cells):
            problems.append(f"{name}: {column} was left out when rows that are like no other were counted.")
    rows = max(alike.total(), 1)
    alone = sum(size for size in alike.values() if size == 1) / rows
    few = sum(size for size in alike.values() if size < FEW) / rows
    if abs(alone - said["alone"]) > 0.0001 or abs(few - said["under_5"]) > 0.0001:
        problems.append(f"{name}: {alone:.1%} of its rows are like no other, {few:.1%} under {FEW} alike: not as was said.")
    if alone > said["limit"] + 0.0001:
        problems.append(f"{name}: {alone:.1%} of its rows are like no other, more than the {said['limit']:.1%} that may be.")
    return problems


def _values(name: str, header: list[str], seen: list[set[str]], book: dict[str, set[str]]) -> Problems:
    problems = []
    for column, cells in zip(header, seen, strict=True):
        # An exact day beside a place is enough for a newspaper archive to name somebody.
        if any(DAY.search(cell) for cell in cells):
            problems.append(f"{name}: an exact day is in it.")
        if any(cell.startswith(RISKY) and not NUMBER.fullmatch(cell) for cell in cells):
            problems.append(f"{name}: a spreadsheet would run a cell of {column}.")
        known = book[column]
        if column == "batch":
            continue
        parts = {part for cell in cells for part in cell.split(";")}
        if (parts - known - {""}) and (cells - known - {""}):
            problems.append(f"{name}: {column} has values that are not in the codebook.")
    return problems


def _tables(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Problems:
    problems, threshold, base = [], manifest["threshold"], manifest["rounding"]
    own = manifest.get("table_thresholds", {})
    if min([threshold, *own.values()]) < FLOOR or base < 2:
        problems.append(f"The threshold is under {FLOOR}, or counts are not rounded.")
    rows = _rows(archive, "tables.csv")
    if next(rows) != TABLE_HEADER:
        return [*problems, "tables.csv has other columns than it should."]
    cells = set()
    for row in rows:
        table, *_, count, _ = row
        method = manifest["tables"].get(table)
        if method is None:
            problems.append(f"tables.csv: the manifest has no table {table}.")
        least, hidden, step = _find_rule(manifest, table)
        # A count that is no multiple, or lower than the least, would show what rounding is there to hide.
        if count != hidden and (not count.isdecimal() or int(count) < least or int(count) % step):
            problems.append(f"tables.csv: the count {count} in {table} is not protected.")
        if tuple(row[:5]) in cells:
            problems.append(f"tables.csv: a cell of {table} is there twice.")
        cells.add(tuple(row[:5]))
    return list(dict.fromkeys(problems))


def _find_rule(manifest: dict[str, Any], table: str) -> tuple[int, str, int]:
    """Return the least count of a table, the text of hidden ones, and the step."""
    method = manifest["tables"].get(table)
    if method == "exact":  # things that anybody can count
        return 0, "0", 1
    floor = manifest.get("table_thresholds", {}).get(table, manifest["threshold"])
    if method == "suppress":
        return floor, "x", 1
    # Packages of before there was a margin showed counts from the floor on.
    least = floor + manifest.get("threshold_margin", 0)
    return least, f"<{least}", manifest["rounding"]


def _withdrawals(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Problems:
    """Check the list of rows to delete; packages of before there were lists have none."""
    promised = manifest.get("withdrawals")
    if promised is None:
        return (
            ["withdrawals.csv is there, but the manifest says nothing of it."]
            if "withdrawals.csv" in manifest["files"]
            else []
        )
    lines = _rows(archive, promised["file"])
    if next(lines) != LIST_HEADER:
        return ["withdrawals.csv has other columns than it should."]
    problems: Problems = []
    seen: set[tuple[str, ...]] = set()
    rows = 0
    for dataset, period, batch, row, what in lines:
        is_numbered = all(text.isdecimal() and int(text) > 0 for text in (batch, row))
        if what not in LIST_WORDS or (what == "delete" and not (dataset and period and is_numbered)):
            problems.append("withdrawals.csv has a line that does not say which row to delete.")
        if what == "totals_only" and manifest["datasets"]:
            problems.append("withdrawals.csv says that the package has totals only, and it has rows.")
        if (dataset, period, batch, row, what) in seen:
            problems.append("withdrawals.csv has a row twice.")
        seen.add((dataset, period, batch, row, what))
        rows += what == "delete"
    if rows != promised["rows"]:
        problems.append("withdrawals.csv has not as many rows to delete as the manifest says.")
    if not seen:
        problems.append("withdrawals.csv does not say that there is nothing to delete.")
    return list(dict.fromkeys(problems))


# Ed25519 (RFC 8032, section 5.1.7), for checking only: no secret is handled here.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x(y, sign)
    # In these coordinates (extended, RFC 8032 5.1.4) adding needs no division, which is what makes
    # this quick enough without a library.
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _x(BASE_Y, 0)


def is_signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is that of a public key under a message."""
    if len(public) != 32 or len(signature) != 64 or BASE_X is None:
        return False
    key, commitment = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    # Without the bound on s, a second valid signature could be computed from every valid one.
    if key is None or commitment is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = _times(s, (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)), _add(commitment, _times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def key_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return str(json.loads(archive.read(MANIFEST))["key"])


def report(path: Path, key: str = "") -> int:
    """Print what is wrong with a package, or that nothing is; return the exit status, 1 or 0."""
    problems = verify(path, key)
    for problem in problems:
        print(f"NOT AS PROMISED: {problem}", file=sys.stderr)
    if not problems:
        signer = "signed by the centre" if key else f"signed with the key {key_of(path)} (compare it with the centre's)"
        print(
            f"{path.name}: {signer}, every file as sealed, every class holds enough rows at its frozen levels, "
            "the ledger is unbroken, every table is protected."
        )
    return 1 if problems else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    given = arguments[2] if len(arguments) == 3 and arguments[1] == "--key" else ""
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and not given):
        sys.exit("Say which package and key: python verify.py PACKAGE.zip --key KEY")
    sys.exit(report(Path(arguments[0]), given))
