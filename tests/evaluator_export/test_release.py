"""Packages: what may be in them, what they say about themselves, and what verify notices."""

import csv
import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frictionless
import pytest
from pypdf import PdfReader

from evaluator_export import recipe, release, seal
from evaluator_export.parts import Occasion
from evaluator_export.periods import complete, parse
from evaluator_export.problems import ExportProblem
from evaluator_export.recipe import Recipe
from evaluator_export.select import is_allowed
from evaluator_export.small_cells import rounded
from evaluator_export.verify import verify
from fieldapp.services.build_release import hierarchies, hierarchy_words
from tests.programme import FOLDER, definition_of

FORMS = {form: definition_of(form) for form in ("encounter", "mediation")}
RECIPE = (FOLDER / "recipes/evaluator-quarterly.yaml").read_text()
OCCASION = Occasion("Rexdale centre", parse("2026-Q3"), "2026-10-04T00:00:00Z", b"s" * 32)


def read(text: str = RECIPE) -> Recipe:
    return recipe.read(text, FORMS, hierarchies())


def rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        who = chance.choice(["group", "new_person", "enrolled", "known_not_enrolled"])
        answers = {
            "what": {
                "contact_type": chance.choice(["check_in", "presence", "deesc"]),
                "mode": "in_person",
                "setting": "street",
            },
            "when_where": {
                "enc_date": f"2026-0{chance.choice([7, 8, 9])}-1{chance.randrange(10)}",
                "enc_hour": chance.choice(["14", "19", "22"]),
                "nbhd": chance.choice(["002", "004", "111"]),
            },
            "people": {"people_n": "2", "who": who, "code": f"CANARY-CODE-{chance.randrange(40)}"},
            "talk": {"risk_now": chance.choice(["low", "high"]), "minutes": "lt5", "support": "listened food"},
            "next": {"ref_made": "no", "note": "CANARY-NOTE", "safeto_default": "prev"},
            "consent": {"tier": chance.choice(["0", "1", "2", "3"]), "lang_used": "CANARY-LANG"},
        }
        made.append({"unit": f"CANARY-UNIT-{number}", "answers": answers})
    return made


def built(count: int = 500, text: str = RECIPE) -> release.Built:
    return release.build(read(text), FORMS, {"encounter": rows(count), "mediation": []}, hierarchy_words(), OCCASION)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "p.zip"
    path.write_bytes(seal.seal(built())[0])
    return path


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("from: contact_type", "from: note", "never leaves"),
        ("from: contact_type", "from: code", "never leaves"),
        ("from: contact_type", "from: nothing", "no question"),
        ("from: contact_type", "from: lang_used", "leaves only as: drop"),
        ("name: contact_type, from: contact_type", "name: contact_type, from: setting", "must be made coarser"),
        ("form: mediation", "form: nothing", "no form"),
        ("k: 20", "k: 2", "under 3"),
    ],
)
def test_a_recipe_that_would_let_something_out_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(ExportProblem, match=why):
        read(RECIPE.replace(old, new, 1))


def test_a_question_that_the_recipe_does_not_name_never_leaves(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            assert b"CANARY" not in archive.read(name), name


def test_every_class_holds_twenty_and_only_consenting_rows_are_in(package: Path) -> None:
    assert verify(package) == []
    manifest = json.loads(zipfile.ZipFile(package).read("manifest.json"))
    dataset = manifest["datasets"]["encounters"]
    spec = read().datasets[0]
    allowed = sum(
        is_allowed(spec.consent, {"who": r["answers"]["people"]["who"], "tier": r["answers"]["consent"]["tier"]})
        for r in rows(500)
    )
    assert 0 < dataset["rows"] <= allowed < 500
    assert dataset["smallest_class"] >= 20


@pytest.mark.parametrize(
    ("row", "allowed"),
    [
        ({"who": "group"}, True),
        ({"who": "partner_agency", "tier": "0"}, True),
        ({"who": "new_person", "tier": "2"}, True),
        ({"who": "new_person", "tier": "1"}, False),
        ({"who": "enrolled"}, False),
        ({"who": "known_not_enrolled"}, False),
        ({}, False),
        ({"who": "new_person", "tier": "x"}, False),
    ],
)
def test_consent_decides_and_silence_is_no(row: dict[str, str], allowed: bool) -> None:
    assert is_allowed(read().datasets[0].consent, row) is allowed


def test_too_few_people_give_no_rows_and_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "few.zip"
    path.write_bytes(seal.seal(built(12))[0])
    assert verify(path) == []
    with zipfile.ZipFile(path) as archive:
        assert archive.read("encounters.csv").decode().count("\n") == 1
        counts = {row["count"] for row in csv.DictReader(io.StringIO(archive.read("tables.csv").decode()))}
    assert counts == {"<20"}


def test_the_same_input_gives_the_same_bytes_and_the_order_of_arrival_tells_nothing() -> None:
    first = seal.seal(built())[0]
    mixed = rows(500)
    random.Random(9).shuffle(mixed)
    again = release.build(read(), FORMS, {"encounter": mixed, "mediation": []}, hierarchy_words(), OCCASION)
    assert seal.seal(again)[0] == first


def test_frictionless_accepts_it(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.to_summary()
    (tmp_path / "encounters.csv").write_bytes((tmp_path / "encounters.csv").read_bytes().replace(b"street", b"strxet"))
    assert not frictionless.validate(str(tmp_path / "datapackage.json")).valid


def test_the_codebook_has_words_for_every_value_in_both_languages(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        book = list(csv.DictReader(io.StringIO(archive.read("codebook.csv").decode())))
        data = list(csv.DictReader(io.StringIO(archive.read("encounters.csv").decode())))
    words = {
        (row["column"], row["value"]) for row in book if row["file"] == "encounters.csv" and row["english"] and row["french"]
    }
    for row in data:
        for column, value in row.items():
            for name in value.split(";"):
                assert not name or (column, name) in words


@pytest.mark.parametrize(("language", "word"), [("en", "What it is for"), ("fr", "À quoi cela sert")])
def test_the_summary_shows_only_protected_numbers(package: Path, language: str, word: str) -> None:
    with zipfile.ZipFile(package) as archive:
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read(f"summary-{language}.pdf"))).pages)
        counts = {row["count"] for row in csv.DictReader(io.StringIO(archive.read("tables.csv").decode()))}
    assert word in text
    assert all(count in text for count in counts)


def change(package: Path, target: Path, edit: Callable[[dict[str, bytes]], None]) -> list[str]:
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    edit(files)
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return verify(target)


def reseal(files: dict[str, bytes]) -> None:
    """Do what a careful forger would: make the hashes right again."""
    manifest = json.loads(files["manifest.json"])
    for name, entry in manifest["files"].items():
        entry["sha256"] = hashlib.sha256(files[name]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()


def test_verify_notices_what_was_changed(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "changed.zip"

    def edit(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
        return lambda files: files.__setitem__(name, files[name] + data)

    assert "hash differs" in change(package, target, edit("encounters.csv", b"x"))[0]
    assert "is missing" in change(package, target, lambda files: files.__delitem__("codebook.csv"))[0]
    assert "not in the manifest" in change(package, target, lambda files: files.__setitem__("extra", b""))[0]

    def one_row_less(files: dict[str, bytes]) -> None:
        lines = files["encounters.csv"].split(b"\r\n")
        files["encounters.csv"] = b"\r\n".join([*lines[:-10], b""])
        reseal(files)

    assert any("rows" in problem for problem in change(package, target, one_row_less))

    def one_small_class(files: dict[str, bytes]) -> None:
        lines = files["encounters.csv"].decode().split("\r\n")
        lines[1] = "2026-07-11," + lines[1].split(",", 1)[1]
        files["encounters.csv"] = "\r\n".join(lines).encode()
        reseal(files)

    found = change(package, target, one_small_class)
    assert any("fewer than 20" in problem for problem in found)
    assert any("exact day" in problem for problem in found)

    def naked_count(files: dict[str, bytes]) -> None:
        files["tables.csv"] = files["tables.csv"].replace(b",<20", b",7").replace(b"total,,", b"total,,1")
        reseal(files)

    assert any("not protected" in problem for problem in change(package, target, naked_count))


def test_the_verifier_in_the_package_works_alone(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        (tmp_path / "verify.py").write_bytes(archive.read("verify.py"))
    command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py")]
    assert subprocess.run([*command, str(package)]).returncode == 0
    (tmp_path / "broken.zip").write_bytes(package.read_bytes()[:-50])
    assert subprocess.run([*command, str(tmp_path / "broken.zip")]).returncode == 1


@pytest.mark.parametrize("data", [b"", b"PK", b"hello"])
def test_verify_says_so_of_what_is_no_package(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert verify(path)
    assert verify(tmp_path / "none.zip")


def test_rounding_is_unbiased_sticky_and_to_five() -> None:
    values = [rounded(7, key * 0x9E3779B97F4A7C15 % 2**64, b"k") for key in range(4000)]
    assert set(values) == {5, 10}
    assert sum(values) / len(values) == pytest.approx(7, abs=0.15)
    assert rounded(7, 123, b"k") == rounded(7, 123, b"k")
    assert rounded(10, 5, b"k") == 10


def test_periods() -> None:
    assert parse("2026-Q1").last.isoformat() == "2026-03-31"
    assert parse("2024-02").last.isoformat() == "2024-02-29"
    found = complete("2025-Q4", "quarter", parse("2026-07").first)
    assert [period.name for period in found] == ["2025-Q4", "2026-Q1", "2026-Q2"]
    for bad in ("2026", "2026-Q5", "2026-13", "x"):
        with pytest.raises(ExportProblem):
            parse(bad)
