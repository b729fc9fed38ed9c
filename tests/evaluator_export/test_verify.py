"""What `verify` notices: a package that was changed, by an outsider or by somebody who holds the centre's key."""

import csv
import io
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minisign
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evaluator_export.__main__ import main
from evaluator_export.package import seal
from evaluator_export.package.verify import is_signed_by, verify
from tests.evaluator_export.centre import KEY, PretendCentre, encounters, participants, sealed

Folder = Path
Change = Callable[[Folder, random.Random], None]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = PretendCentre(tmp_path_factory.mktemp("package"))
    come = encounters(900) + encounters(700, seed=2)
    place.publish("2026-Q2", {"encounter": come[:900], "participant": participants(300)})
    records = {"encounter": come, "participant": participants(300) + participants(200, seed=2)}
    place.publish("2026-Q3", records)
    path = place.package("2026-Q3", records)
    assert verify(path, KEY) == []
    return path


def rows_of(folder: Folder, name: str) -> tuple[list[str], list[list[str]]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def write_rows(folder: Folder, name: str, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    (folder / name).write_text(text.getvalue(), encoding="utf-8")


def on_rows(edit: Callable[[list[str], list[list[str]], random.Random], None]) -> Change:
    def change(folder: Folder, chance: random.Random) -> None:
        name = chance.choice(["encounters.csv", "participants.csv"])
        header, rows = rows_of(folder, name)
        edit(header, rows, chance)
        write_rows(folder, name, header, rows)

    return change


def on_manifest(edit: Callable[[dict[str, Any], random.Random], None]) -> Change:
    def change(folder: Folder, chance: random.Random) -> None:
        path = folder / seal.MANIFEST
        body = json.loads(path.read_text())
        edit(body, chance)
        path.write_text(json.dumps(body))

    return change


def _dataset(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = body["datasets"][chance.choice(["encounters", "participants"])]
    return found


def _entry(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = chance.choice(_dataset(body, chance)["ledger"]["entries"])
    return found


def _drop_a_row(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    rows.pop(chance.randrange(len(rows)))


def _reuse_a_row(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    rows.append(list(chance.choice(rows)))


def _move_a_row_to_another_batch(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    row = chance.choice(rows)
    row[header.index("batch")] = "2" if row[header.index("batch")] == "1" else "1"


def _one_row_in_a_class_of_its_own(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    chance.choice(rows)[1] = "1999"


def _an_exact_day(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    chance.choice(rows)[1] = "2026-07-11"


def _another_value(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    chance.choice(rows)[chance.randrange(1, len(header))] = "CANARY"


def _a_formula(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    chance.choice(rows)[chance.randrange(1, len(header))] = "=HYPERLINK(1)"


def _an_extra_column(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    header.append("note")
    for row in rows:
        row.append("x")


def _a_column_less(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    place = chance.randrange(len(header))
    for row in [header, *rows]:
        row.pop(place)


def _a_short_row(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    chance.choice(rows).pop()


def _one_sensitive_value_in_a_class(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    place = header.index("risk_now" if "risk_now" in header else "risk_level")
    levels = {"month", "area", "time_of_day", "setting", "intake", "age", "gender", "race"}
    key = [header.index(name) for name in header if name in levels or name == "batch"]
    chosen = chance.choice(rows)
    for row in rows:
        if all(row[at] == chosen[at] for at in key):
            row[place] = "low"


def _swap_files(folder: Folder, chance: random.Random) -> None:
    one, two = chance.sample(["encounters.csv", "participants.csv", "codebook.csv", "tables.csv", "mediations.csv"], 2)
    first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
    (folder / one).write_bytes(second)
    (folder / two).write_bytes(first)


def _take_a_file_away(folder: Folder, chance: random.Random) -> None:
    chance.choice([folder / name for name in ("encounters.csv", "tables.csv", "codebook.csv", "datapackage.json")]).unlink()


def _add_a_file(folder: Folder, chance: random.Random) -> None:
    (folder / chance.choice(["notes.csv", "encounters_raw.csv", "sample/x.csv", "keys.txt"])).write_text("x")


def _naked_count(folder: Folder, chance: random.Random) -> None:
    header, rows = rows_of(folder, "tables.csv")
    # Shifts are things that anybody can count: any number of them may stand there.
    protected = [row for row in rows if row[header.index("table")] != "shifts_by_area"]
    chance.choice(protected)[header.index("count")] = chance.choice(["7", "1", "23", "-5", "0", "<5", ""])
    write_rows(folder, "tables.csv", header, rows)


def _a_cell_twice(folder: Folder, chance: random.Random) -> None:
    header, rows = rows_of(folder, "tables.csv")
    rows.append(list(chance.choice(rows)))
    write_rows(folder, "tables.csv", header, rows)


def _an_unknown_table(folder: Folder, chance: random.Random) -> None:
    header, rows = rows_of(folder, "tables.csv")
    chance.choice(rows)[0] = "raw_counts"
    write_rows(folder, "tables.csv", header, rows)


def _on_list(*lines: list[str]) -> Change:
    def change(folder: Folder, chance: random.Random) -> None:
        header, _ = rows_of(folder, "withdrawals.csv")
        write_rows(folder, "withdrawals.csv", header, [*lines])

    return change


def _set(name: str, value: Any) -> Callable[[dict[str, Any], random.Random], None]:
    return lambda body, chance: _dataset(body, chance).__setitem__(name, value)


def _in_entry(name: str, value: Any) -> Callable[[dict[str, Any], random.Random], None]:
    return lambda body, chance: _entry(body, chance).__setitem__(name, value)


def _finer_level(body: dict[str, Any], chance: random.Random) -> None:
    chosen = chance.choice(list(_dataset(body, chance)["levels"].values()))
    chosen["name"] = "day"


def _forget_an_entry(body: dict[str, Any], chance: random.Random) -> None:
    entries = _dataset(body, chance)["ledger"]["entries"]
    entries.pop(chance.randrange(len(entries)))


def _identifiers_fewer(body: dict[str, Any], chance: random.Random) -> None:
    chosen = _dataset(body, chance)
    chosen["quasi_identifiers"].pop()


INSIDE: dict[str, Change] = {
    "a row less": on_rows(_drop_a_row),
    "a row reused": on_rows(_reuse_a_row),
    "a row in another batch": on_rows(_move_a_row_to_another_batch),
    "a class of one": on_rows(_one_row_in_a_class_of_its_own),
    "an exact day": on_rows(_an_exact_day),
    "a value that is in no codebook": on_rows(_another_value),
    "a formula": on_rows(_a_formula),
    "an extra column": on_rows(_an_extra_column),
    "a column less": on_rows(_a_column_less),
    "a short row": on_rows(_a_short_row),
    "one sensitive value in a class": on_rows(_one_sensitive_value_in_a_class),
    "files swapped": _swap_files,
    "a file taken away": _take_a_file_away,
    "a file added": _add_a_file,
    "a naked count": _naked_count,
    "a cell twice": _a_cell_twice,
    "an unknown table": _an_unknown_table,
    "k too small": on_manifest(_set("k", 2)),
    "a bigger k than the rows hold": on_manifest(_set("k", 500)),
    "other columns": on_manifest(_set("columns", ["batch"])),
    "more rows than there are": on_manifest(_set("rows", 100_000)),
    "another policy": on_manifest(_set("policy", "0" * 64)),
    "a finer level": on_manifest(_finer_level),
    "an identifier less": on_manifest(_identifiers_fewer),
    "an entry forgotten": on_manifest(_forget_an_entry),
    "an entry with other rows": on_manifest(_in_entry("rows", 20)),
    "an entry with other levels": on_manifest(_in_entry("levels", [0, 0, 0, 0])),
    "an entry with another number": on_manifest(_in_entry("number", 9)),
    "an entry that follows another": on_manifest(_in_entry("before", "0" * 64)),
    "an entry with a small class": on_manifest(_in_entry("smallest", 2)),
    "a low threshold": on_manifest(lambda body, _: body.__setitem__("threshold", 1)),
    "rows for the City": on_manifest(lambda body, _: body["recipe"].__setitem__("audience", "city")),
    "another format": on_manifest(lambda body, _: body.__setitem__("fieldapp", 1)),
    "a row to delete that nobody counted": _on_list(["encounters", "2026-Q2", "1", "7", "delete"]),
    "a row to delete without a number": _on_list(["encounters", "2026-Q2", "1", "", "delete"], ["", "", "", "", "none"]),
    "a list that says nothing": _on_list(),
    "a list that says something else": _on_list(["", "", "", "", "keep"]),
    "a list that says that there are no rows": _on_list(["", "", "", "", "totals_only"]),
    "more rows to delete than are listed": on_manifest(lambda body, _: body["withdrawals"].__setitem__("rows", 3)),
    "a list that the manifest hides": on_manifest(lambda body, _: body.pop("withdrawals")),
    "rows left out that are there": on_manifest(_set("left_out", {"1": [1, 2]})),
    "rows left out that never were": on_manifest(_set("left_out", {"1": [1_000_000]})),
    "tables forgotten": on_manifest(lambda body, _: body.__setitem__("tables", {})),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("seed", range(6))
def test_somebody_with_the_key_cannot_get_a_wrong_package_past_the_check(
    package: Path, tmp_path: Path, name: str, seed: int
) -> None:
    """The change is made, then every hash and the signature are made right again."""
    folder = tmp_path / "changed"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    INSIDE[name](folder, random.Random(seed))
    assert verify(sealed(folder), KEY)


def _raw_parquet(folder: Folder) -> None:
    table = pyarrow.parquet.read_table(folder / "encounters.parquet")
    days = pa.array(["2026-07-11"] * table.num_rows)
    pyarrow.parquet.write_table(table.set_column(1, "month", days), folder / "encounters.parquet")


def _other_spss(folder: Folder) -> None:
    (folder / "encounters.sav").write_bytes((folder / "participants.sav").read_bytes())


def _other_workbook(folder: Folder) -> None:
    book = openpyxl.load_workbook(folder / "data.xlsx")
    book["encounters"]["B2"] = "2026-07-11"
    book.save(folder / "data.xlsx")


def _one_sheet_more(folder: Folder) -> None:
    book = openpyxl.load_workbook(folder / "data.xlsx")
    book.create_sheet("raw")
    book.save(folder / "data.xlsx")


@pytest.mark.slow
@pytest.mark.parametrize("change", [_raw_parquet, _other_spss, _other_workbook, _one_sheet_more])
def test_what_only_one_format_says_is_noticed(package: Path, tmp_path: Path, change: Callable[[Folder], None]) -> None:
    folder = tmp_path / "changed"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    assert main(["verify", str(sealed(folder)), "--key", KEY]) == 0
    change(folder)
    assert main(["verify", str(sealed(folder)), "--key", KEY]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_one_changed_byte_anywhere_is_noticed(package: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with zipfile.ZipFile(package) as archive:
        files = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    name = chance.choice(sorted(files))
    place = chance.randrange(len(files[name]))
    files[name][place] ^= 1 << chance.randrange(8)
    if name == seal.SIGNATURE and place < files[name].index(b"\n"):
        return  # the untrusted comment says nothing and is not signed
    target = tmp_path / "changed.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for one, data in files.items():
            archive.writestr(one, bytes(data))
    assert verify(target, KEY)


@pytest.mark.parametrize("cut", [0, 10, 1000, 20_000])
def test_a_torn_or_foreign_file_is_named_as_such(package: Path, tmp_path: Path, cut: int) -> None:
    torn = tmp_path / "torn.zip"
    torn.write_bytes(package.read_bytes()[:cut])
    assert "not a ZIP" in verify(torn, KEY)[0]
    assert "no file" in verify(tmp_path / "none.zip", KEY)[0]


def test_a_package_signed_by_somebody_else_or_nobody_is_refused(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    assert "another key" in verify(sealed(folder, seed=b"z" * 32), KEY)[0]
    assert verify(sealed(folder, seed=b"z" * 32)) == []  # without the centre's key only damage shows; the page says so
    (folder / seal.SIGNATURE).unlink()
    unsigned = tmp_path / "unsigned.zip"
    seal.zip_up(folder, unsigned)
    assert "not signed" in verify(unsigned, KEY)[0]


def test_a_file_that_is_there_twice_is_refused(package: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.zip"
    shutil.copyfile(package, twice)
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("encounters.csv", b"x")
    assert "twice" in verify(twice, KEY)[0]


def test_minisign_itself_accepts_the_signature(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        manifest, signature = archive.read(seal.MANIFEST), archive.read(seal.SIGNATURE)
    key = minisign.PublicKey.from_base64(KEY)
    key.verify(manifest, minisign.Signature.from_bytes(signature))
    with pytest.raises(minisign.VerifyError):
        key.verify(manifest + b" ", minisign.Signature.from_bytes(signature))


@pytest.mark.slow
def test_the_verifier_in_the_package_works_alone(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        (tmp_path / "verify.py").write_bytes(archive.read("verify.py"))
    command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py")]
    assert subprocess.run([*command, str(package), "--key", KEY], capture_output=True).returncode == 0
    assert subprocess.run([*command, str(package), "--key", seal.public_key(b"z" * 32)], capture_output=True).returncode == 1
    said = subprocess.run([*command, str(package)], capture_output=True, text=True)
    assert said.returncode == 0
    assert f"with the key {KEY}" in said.stdout
    assert subprocess.run([*command, str(package), "--kee", "x"], capture_output=True).returncode == 1


@pytest.mark.parametrize("seed", range(8))
def test_its_own_ed25519_agrees_with_a_library(seed: int) -> None:
    chance = random.Random(seed)
    private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    public, message = private.public_key().public_bytes_raw(), chance.randbytes(seed * 9)
    signature = private.sign(message)
    assert is_signed_by(public, message, signature)
    for place in (0, 31, 32, 63):
        broken = bytearray(signature)
        broken[place] ^= 1
        assert not is_signed_by(public, message, bytes(broken))
    assert not is_signed_by(public, message + b"x", signature)
    assert not is_signed_by(bytes(32), message, signature)
    assert not is_signed_by(public, message, signature[:32] + b"\xff" * 32)
