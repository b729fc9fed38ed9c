"""What all columns together give away: measured on the rows that leave, said everywhere, and never more than the limit."""

import datetime as dt
import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from evaluator_export.datasets import eligibility
from evaluator_export.package.verify import verify
from evaluator_export.search import measures
from evaluator_export.series import batch
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.tabular import CategoricalColumn
from fieldapp.cli.demo import _as_a_phone_would
from fieldapp.cli.demo_year import Year
from tests.evaluator_export.centre import (
    FORMS,
    KEY,
    PretendCentre,
    Records,
    Row,
    all_datasets,
    dataset_of,
    encounters,
    participants,
    recipe_of,
    sealed,
)

WIDE = "role: keep"
LIMIT = 0.05


def words(values: str) -> CategoricalColumn:
    known = tuple(dict.fromkeys(values))
    return CategoricalColumn(np.array([known.index(value) for value in values], dtype=np.int32), known)


def test_rows_that_no_other_equals_on_all_columns_are_counted() -> None:
    assert measures.measure_singling_out([words("aaaaab"), words("xxxxxx")]) == {"alone": 0.1667, "under_5": 0.1667}
    assert measures.measure_singling_out([words("aaaabb"), words("xxxyzz")]) == {"alone": 0.1667, "under_5": 1.0}
    assert measures.measure_singling_out([words(""), words("")]) == {"alone": 0.0, "under_5": 0.0}


def wide(text: str) -> str:
    """Let the columns leave that anybody could see who was there, as they once did."""
    return text.replace("role: drop", WIDE)


def varied(count: int, seed: int = 1) -> list[tuple[str, Row]]:
    """Return encounters whose observable answers differ as they do in life."""
    chance = random.Random(seed)
    found = []
    for unit, row in encounters(count, seed):
        more = {
            "mode": chance.choice(["in_person", "phone_call", "text_message"]),
            "people_n": str(chance.choice([1, 1, 2, 3, 5, 9, 12])),
            "risk_now": chance.choices(["low", "high", "none", "raised", "imminent"], [30, 20, 30, 20, 2])[0],
            "ref_made": chance.choices(["no", "yes"], [20, 1])[0],
            "minutes": chance.choice(["lt5", "5_15", "15_30", "30_60"]),
            "support": " ".join(sorted(chance.sample(["listened", "food", "ride", "advice"], 2))),
        }
        found.append((unit, {**row, **more}))
    return found


def text_of(path: Path) -> str:
    return " ".join("".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_a_dataset_that_would_single_out_too_many_keeps_its_rows_and_its_tables_leave(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path, recipe_of(datasets=all_datasets(encounters=wide)))
    records = {"encounter": varied(900)}
    place.publish("2026-Q3", records)
    assert place.too_fine["encounters"] > 0.3
    assert "encounters" not in place.memories or place.memories["encounters"].entries == []
    assert verify(place.package("2026-Q3", records), KEY) == []
    assert (tmp_path / "2026-Q3" / "encounters.csv").read_text().count("\n") == 1
    assert "encounters_by_type,2026-Q3,check_in" in (tmp_path / "2026-Q3" / "tables.csv").read_text()


@pytest.mark.slow
def test_the_same_records_leave_in_the_columns_that_are_shipped(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path)
    records = {"encounter": varied(900), "participant": participants(400)}
    place.publish("2026-Q3", records)
    assert verify(place.package("2026-Q3", records), KEY) == []
    manifest = json.loads((tmp_path / "2026-Q3" / "manifest.json").read_text())
    report = json.loads((tmp_path / "2026-Q3" / "report.json").read_text())
    for name in ("encounters", "participants"):
        found = manifest["datasets"][name]
        rows = [tuple(line.split(",")) for line in (tmp_path / "2026-Q3" / f"{name}.csv").read_text().splitlines()[1:]]
        sizes = Counter(rows)
        assert len(rows) > 100
        assert found["singled_out"]["columns"] == found["columns"]
        assert found["singled_out"]["alone"] == round(sum(size == 1 for size in sizes.values()) / len(rows), 4) <= LIMIT
        few = sum(size for size in sizes.values() if size < 5)
        assert report["datasets"][name]["singled_out"]["under_5"] == round(few / len(rows), 4)
    alone = f"{100 * manifest['datasets']['encounters']['singled_out']['alone']:.1f} %"
    assert f"could single out {alone} of the rows" in text_of(tmp_path / "2026-Q3" / "summary-en.pdf")
    assert f"pourrait isoler {alone.replace('.', ',')} des lignes" in text_of(tmp_path / "2026-Q3" / "summary-fr.pdf")


@pytest.mark.slow
def test_the_promise_names_the_columns_that_it_is_about(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path)
    records = {"encounter": varied(900)}
    place.publish("2026-Q3", records)
    place.package("2026-Q3", records)
    text = text_of(tmp_path / "2026-Q3" / "summary-en.pdf")
    assert (
        "By when, area, time of day and kind of place alone, nobody in it can be distinguished from fewer than 19 others"
        in text
    )
    assert "alone, nobody in a batch" in (tmp_path / "2026-Q3" / "start.Rmd").read_text().replace("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alone": 0.0, "under_5": 0.0}, "not as was said"),
        ({"columns": ["batch", "area"]}, "was left out when"),
        ({"limit": 0.0001}, "that may be"),
    ],
)
def test_verify_counts_again_from_the_written_rows(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    place = PretendCentre(tmp_path)
    records = {"encounter": varied(500)}
    place.publish("2026-Q3", records)
    place.package("2026-Q3", records)
    folder = tmp_path / "2026-Q3"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["datasets"]["encounters"]["singled_out"]["alone"] > 0.0001
    manifest["datasets"]["encounters"]["singled_out"] |= change
    report = json.loads((folder / "report.json").read_text())
    report["datasets"]["encounters"]["singled_out"] |= {name: value for name, value in change.items() if name != "limit"}
    (folder / "report.json").write_text(json.dumps(report))
    body = {name: value for name, value in manifest.items() if name not in ("files", "key")}
    assert said in " ".join(verify(sealed(folder, body), KEY))


def test_verify_wants_the_report_and_the_manifest_to_agree(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path)
    place.publish("2026-Q3", {"encounter": varied(500)})
    place.package("2026-Q3", {})
    report = json.loads((tmp_path / "2026-Q3" / "report.json").read_text())
    report["datasets"]["encounters"]["singled_out"]["alone"] = 0.0
    (tmp_path / "2026-Q3" / "report.json").write_text(json.dumps(report))
    assert "something else than the manifest" in " ".join(verify(sealed(tmp_path / "2026-Q3"), KEY))


def demo_records(seed: int) -> dict[str, list[tuple[str, Row]]]:
    """Return the demo's year as rows, as phones would have sent it."""
    found: dict[str, list[tuple[str, Row]]] = {}
    for number, (_, form, moment, answers) in enumerate(Year(seed, dt.date(2026, 11, 20), 12).records()):
        if form in ("encounter", "mediation", "participant"):
            local = moment.replace(tzinfo=dt.UTC)
            row = eligibility.flatten_answers(FORMS[form], _as_a_phone_would(FORMS[form], answers, local), None)
            found.setdefault(form, []).append((f"{form} {number}", row))
    return found


DAY = {"encounter": "enc_date", "mediation": "med_date", "participant": "month_in"}


def until(records: Records, last: str) -> dict[str, Iterable[tuple[str, Row]]]:
    return {form: [one for one in found if one[1].get(DAY[form], "") <= last] for form, found in records.items()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_demos_year_still_has_rows_and_none_are_told_by_all_columns(tmp_path: Path, seed: int) -> None:
    place = PretendCentre(tmp_path, remembers_units=False)
    records = demo_records(seed)
    for period, last in (("2026-Q1", "2026-03-31"), ("2026-Q2", "2026-06-30"), ("2026-Q3", "2026-09-30")):
        place.publish(period, until(records, last))
    rows = {name: sum(entry.rows for entry in memory.entries) for name, memory in place.memories.items()}
    assert rows["encounters"] > 500
    assert rows["mediations"] > 50
    assert rows["participant_months"] > 100
    for name, memory in place.memories.items():
        for report in memory.reports.values():
            assert report["singled_out"]["alone"] <= LIMIT, name


@pytest.mark.slow
def test_the_pdf_speaks_of_every_batch_in_the_package(tmp_path: Path) -> None:
    place = PretendCentre(tmp_path)
    come = varied(900)
    place.publish("2026-Q3", {"encounter": come})
    come += varied(900, seed=5)
    place.publish("2026-Q4", {"encounter": come})
    memory = place.memories["encounters"]
    first, second = memory.reports[1], memory.reports[2]
    # as if the newest batch were the tamest
    for report, smallest, share in ((first, 21, 0.9), (second, 33, 0.3)):
        report["class_sizes"] |= {"smallest": smallest}
        report["risk"]["attributes"]["risk_now"]["max_confidence"] = share
        report["utility"]["loss_by_field"]["area"] = share
    place.package("2026-Q4", {"encounter": come})
    text = text_of(tmp_path / "2026-Q4" / "summary-en.pdf")
    classes = first["class_sizes"]["classes"] + second["class_sizes"]["classes"]
    assert f"look-alike groups in all batches of this package: {classes} (batches: 2). The smallest has 21 people" in text
    assert "1 in 21" in text and "1 in 33" not in text
    assert "90 % of the rows have the same answer" in text
    assert "30–90 %" in text


def test_the_share_without_consent_is_of_all_records(tmp_path: Path) -> None:
    from evaluator_export.package.write import assemble_dataset  # noqa: PLC0415
    from evaluator_export.periods import parse  # noqa: PLC0415
    from evaluator_export.series.released_dataset import ReleaseContext  # noqa: PLC0415

    occasion = ReleaseContext("Rexdale centre", parse("2026-Q3"), "2026-10-04T00:00:00Z", b"s" * 32)
    view = recipe_of().views[0]
    part = assemble_dataset(view, [], "", occasion, withheld=0, without_consent=32, records=100)
    assert part.without_consent_share == 0.3


def test_no_recipe_can_hand_out_rows_about_incidents() -> None:
    text = "recipe: 2\nid: r\ntitle: {en: r, fr: r}\npurpose: {en: p, fr: p}\naudience: evaluator\nthreshold: 20\n"
    with pytest.raises(Exception, match="no dataset “incidents”"):
        recipe_of(text=text + "datasets: [{use: incidents}]\n")
    assert recipe_of(text=text + "tables: [incidents_by_area, response_times]\n").tables


def test_a_column_for_tables_only_is_refused_in_words() -> None:
    text = "recipe: 2\nid: r\ntitle: {en: r, fr: r}\npurpose: {en: p, fr: p}\naudience: evaluator\nthreshold: 20\n"
    with pytest.raises(Exception, match="“minutes” is released in tables only"):
        recipe_of(text=text + "datasets: [{use: encounters, columns: [month, minutes]}]\n")


def test_people_and_their_months_share_no_more_than_age_and_risk() -> None:
    """Rows of the two must not match up, although both are made of intakes."""
    asked = []
    for name in ("participants", "participant_months"):
        dataset = all_datasets()[name]
        fields = dataset.policy.list_fields_with_role("quasi-identifier", "sensitive", "keep")
        asked.append({dataset.columns[one.name].question for one in fields})
    assert asked[0] & asked[1] == {"age_band", "risk_level"}


def test_a_dataset_can_ask_for_less_and_says_what_is_wrong() -> None:
    text = Path("fieldapp/program/datasets/encounters.yaml").read_text(encoding="utf-8")
    assert dataset_of(text).policy.max_singled_out == LIMIT
    strict = text.replace("suppress: {", "suppress: {max_singled_out: 0, ")
    rows = EligibleRows(dataset_of(strict))
    for unit, row in varied(300):
        rows.add(unit.encode().ljust(16)[-16:], row)
    with pytest.raises(batch.TooFine):
        batch.make_batch(dataset_of(strict), rows, None, b"c" * 32)
    with pytest.raises(Exception, match="max_singled_out"):
        dataset_of(text.replace("suppress: {", "suppress: {max_singled_out: 2, "))


def test_a_dataset_takes_no_column_that_needs_more_consent_than_its_rows_have() -> None:
    text = Path("fieldapp/program/datasets/participants.yaml").read_text(encoding="utf-8")
    with pytest.raises(Exception, match="only with consent 2, and the dataset takes rows from 1") as refused:
        dataset_of(text.replace("minimum: 2", "minimum: 1"))
    assert all(name in str(refused.value) for name in ("“gender”", "“race”"))
    assert "“age”" not in str(refused.value)  # any yes will do
    with pytest.raises(Exception, match="“age” only with consent 1, and the dataset takes rows from 0"):
        dataset_of(text.replace("minimum: 2", "minimum: 0"))
    text = Path("fieldapp/program/datasets/referrals.yaml").read_text(encoding="utf-8")
    with pytest.raises(Exception, match="“what_shared” is stored for one purpose only"):
        dataset_of(text.replace("    urgency:", "    what_shared: {role: drop}\n    urgency:"))
