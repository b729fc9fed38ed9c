"""What is in a package, for each reader of it: spreadsheets, SPSS, Parquet, Frictionless, notebooks, people."""

import csv
import json
import random
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pdfua
import pikepdf
import pyarrow.parquet
import pyrage
import pyreadstat
import pytest
from pypdf import PdfReader

from evaluator_export.package import seal
from evaluator_export.package.verify import verify
from evaluator_export.problems import ExportProblem
from tests.evaluator_export.centre import KEY, PretendCentre, encounters, participants


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = PretendCentre(tmp_path_factory.mktemp("package"))
    records = {"encounter": encounters(900), "participant": participants(400)}
    place.publish("2026-Q3", records)
    assert verify(place.package("2026-Q3", records), KEY) == []
    return place.folder / "2026-Q3"


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_question_that_no_dataset_names_never_leaves(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"CANARY" not in path.read_bytes(), path.name
    with pikepdf.open(folder / "summary-en.pdf") as pdf:
        assert all(b"CANARY" not in stream.read_bytes() for stream in pdf.objects if isinstance(stream, pikepdf.Stream))


@pytest.mark.slow
def test_frictionless_accepts_it(folder: Path, tmp_path: Path) -> None:
    import frictionless  # noqa: PLC0415  a third of a second, which quick tests need not spend

    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.to_summary()
    for name in [path.name for path in folder.glob("*.csv")] + ["datapackage.json"]:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "encounters.csv").write_bytes((tmp_path / "encounters.csv").read_bytes().replace(b"street", b"strxet"))
    assert not frictionless.validate(str(tmp_path / "datapackage.json")).valid


def test_all_formats_hold_the_same_rows(folder: Path) -> None:
    wanted = rows(folder, "encounters.csv")
    assert len(wanted) > 200
    parquet = pyarrow.parquet.read_table(folder / "encounters.parquet").to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in parquet] == wanted
    book = openpyxl.load_workbook(folder / "data.xlsx", read_only=True)
    header, *lines = book["encounters"].iter_rows(values_only=True)
    assert [dict(zip(header, [str(cell) for cell in line], strict=True)) for line in lines] == wanted
    assert isinstance(lines[0][0], int)
    codebook = {(row["file"], row["column"], row["value"]): row["english"] for row in rows(folder, "codebook.csv")}
    frame, _ = pyreadstat.read_sav(folder / "encounters.sav", apply_value_formats=True)
    assert frame["area"].tolist() == [codebook["encounters.csv", "area", row["area"]] for row in wanted]
    plain, meta = pyreadstat.read_sav(folder / "encounters.sav")
    assert meta.column_names_to_labels["time_of_day"] == "Time of day"
    assert plain["batch"].tolist() == [1.0] * len(wanted)


@pytest.mark.slow
def test_the_workbook_has_the_codebook_and_runs_nothing(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "data.xlsx")
    assert book.sheetnames == ["encounters", "mediations", "participants", "participant_months", "tables", "codebook"]
    assert all(cell.data_type != "f" for sheet in book for line in sheet.iter_rows() for cell in line)
    counts = [line[5].value for line in book["tables"].iter_rows(min_row=2)]
    assert any(isinstance(count, int) for count in counts)
    assert all(isinstance(count, int) or count == "<25" for count in counts)


def test_the_codebook_has_words_for_every_value_in_both_languages(folder: Path) -> None:
    known = {
        (row["file"], row["column"], row["value"])
        for row in rows(folder, "codebook.csv")
        if row["english"] and row["french"]
    }
    for name in ("encounters", "participants"):
        for row in rows(folder, f"{name}.csv"):
            for column, value in row.items():
                assert column == "batch" or all((f"{name}.csv", column, one) in known for one in value.split(";") if one)


@pytest.mark.slow
def test_the_sample_has_the_same_schema_and_nothing_of_the_data(folder: Path, tmp_path: Path) -> None:
    sample = rows(folder / "sample", "encounters.csv")
    assert len(sample) == 200
    assert list(sample[0]) == list(rows(folder, "encounters.csv")[0])
    place = PretendCentre(tmp_path)
    other = {"encounter": encounters(700, seed=5), "participant": []}
    place.publish("2026-Q3", other)
    place.package("2026-Q3", other)
    again = (tmp_path / "2026-Q3" / "sample" / "encounters.csv").read_bytes()
    same_levels = json.loads((tmp_path / "2026-Q3" / "manifest.json").read_text())["datasets"]["encounters"]["levels"]
    if same_levels == json.loads((folder / "manifest.json").read_text())["datasets"]["encounters"]["levels"]:
        assert again == (folder / "sample" / "encounters.csv").read_bytes()


def test_the_python_notebook_runs_on_the_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for cell in json.loads((folder / "start.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"], names)
    smallest = [int(number) for number in re.findall(r"smallest holds (\d+)", capsys.readouterr().out)]
    assert all(number >= 20 or number == 0 for number in smallest)
    assert any(smallest)
    (tmp_path / "list.csv").write_text(
        "dataset,period,batch,row,what\nencounters,2026-Q3,1,2,delete\nreferrals,2026-Q3,1,3,delete\n"
    )
    encounters = names["encounters"]
    left = names["without_withdrawn"](encounters, "encounters", "2026-Q3", [tmp_path / "list.csv"])
    assert list(left.index) == [index for index in encounters.index if index != 1]
    months = [f"2026-{month:02}" for month in range(1, 13)]
    totals = pd.Series([10 + month + (20 if month > 6 else 0) for month in range(1, 13)], index=months)
    found = names["interrupted"](totals, "2026-07")
    assert abs(found.estimate["change of level"] - 20) < 1e-6 and abs(found.estimate["trend"] - 1) < 1e-6
    rows_of = [
        {"area": area, "month": one, "count": 5 + (10 if area == "a" and one >= "2026-07" else 0)}
        for area in "ab"
        for one in months
    ]
    gap = names["compared"](pd.DataFrame(rows_of), ["a"], ["b"], "2026-07")
    assert abs(gap.estimate["change of the gap"] - 10) < 1e-6
    with pytest.raises(ValueError, match="Three months"):
        names["interrupted"](totals, "2026-12")
    text = (folder / "start.Rmd").read_text()
    assert text.count("```{r}") == text.count("```\n") == 8


@pytest.mark.parametrize(
    ("language", "word"), [("en", "How people were protected"), ("fr", "Comment les personnes sont protégées")]
)
def test_the_summary_is_tagged_and_shows_only_protected_numbers(folder: Path, language: str, word: str) -> None:
    path = folder / f"summary-{language}.pdf"
    report = pdfua.validate(str(path))
    assert report.exit_code == 0, [finding.message for finding in report.findings]
    reader = PdfReader(path)
    text = "".join(page.extract_text() for page in reader.pages)
    assert word in text
    assert all(row["count"] in text for row in rows(folder, "tables.csv"))
    assert [entry["/Title"] for entry in reader.outline if isinstance(entry, dict)]
    with pikepdf.open(path) as pdf:
        kinds, figures, heads = [], [], []
        stack = [pdf.Root.StructTreeRoot.K[0]]
        while stack:
            node = stack.pop()
            kinds.append(str(node.S))
            figures += [str(node.Alt)] if node.S == "/Figure" else []
            heads += [node] if node.S == "/TH" else []
            stack += [kid for kid in node.K if "/S" in kid]
        assert {"/Document", "/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD", "/Figure"} <= set(kinds)
        assert all("/Scope" in head.A for head in heads)
        assert len(figures) == 1
        assert str(pdf.Root.Lang) == language
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert all("/FontFile2" in font.FontDescriptor for font in fonts)


def test_the_report_tells_what_was_lost_and_no_small_count(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    found = report["datasets"]["participants"]
    assert found["k"] == 20
    batch = found["batches"][0]
    assert batch["classes"]["smallest"] >= 20
    assert batch["risk"]["prosecutor_highest"] <= 0.05
    assert set(batch["loss_by_field"]) == {"intake", "age", "gender", "race"}
    assert batch["held_back_by_group"]["field"] == "race"
    for share in (found["held_back_share"], found["without_consent_share"], *batch["held_back_by_group"]["share"].values()):
        assert round(share * 20) == pytest.approx(share * 20)


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_and_the_order_of_arrival_tells_nothing(tmp_path: Path) -> None:
    come, people = encounters(600), participants(300)
    packages = []
    for name in ("a", "b"):
        place = PretendCentre(tmp_path / name)
        place.publish("2026-Q3", {"encounter": come, "participant": people})
        packages.append(place.package("2026-Q3", {"encounter": come, "participant": people}).read_bytes())
    assert packages[0] == packages[1]
    place = PretendCentre(tmp_path / "c")
    random.Random(9).shuffle(come)
    place.publish("2026-Q3", {"encounter": come, "participant": people})
    units = place.memories["encounters"].units[1]
    assert units != [unit for unit, _ in come if unit in set(units)]


@pytest.mark.slow
def test_too_few_people_give_no_rows_and_no_numbers(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path)
    records = {"encounter": encounters(12), "participant": participants(1)}
    place.publish("2026-Q3", records)
    assert verify(place.package("2026-Q3", records), KEY) == []
    assert rows(tmp_path / "2026-Q3", "encounters.csv") == []
    counts = {(row["table"], row["count"]) for row in rows(tmp_path / "2026-Q3", "tables.csv")}
    # Shifts are things, which anybody can count: there was none.
    assert {count for table, count in counts if table == "shifts_by_area"} == {"0"}
    assert {count for table, count in counts if table != "shifts_by_area"} == {"<25"}


def test_only_the_recipient_can_open_it(folder: Path, tmp_path: Path) -> None:
    recipient, stranger = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    package = folder.with_suffix(".zip")
    sealed = tmp_path / "package.zip.age"
    seal.encrypt(package, sealed, [str(recipient.to_public())])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed.read_bytes(), [stranger])
    assert pyrage.decrypt(sealed.read_bytes(), [recipient]) == package.read_bytes()
    for wrong in ("", "age1nothing", str(recipient)):
        with pytest.raises(ExportProblem, match="age public key"):
            seal.encrypt(package, tmp_path / "wrong.age", [wrong])
    assert not (tmp_path / "wrong.age").exists()
