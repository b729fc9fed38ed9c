"""Months of people, counted from their intake; and minutes between two moments."""

import datetime as dt

import pytest

from evaluator_export.datasets.dataset_spec import CONTACTS, MONTH
from evaluator_export.package.verify import verify
from evaluator_export.problems import ExportProblem
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import compute_row_tag
from evaluator_export.series.participant_months import ParticipantMonths
from evaluator_export.tables.protected_counts import TOTAL, CellCounter
from tests.evaluator_export.centre import KEY, PretendCentre, all_datasets, encounters, participants, recipe_of

FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 6, 30)
INTAKE = {
    "kind": "intake",
    "month_in": "2026-02-10",
    "code": "K7QM3RXDQ",
    "tier": "2",
    "age_band": "16-19",
    "risk_level": "high",
}


def people(*records: tuple[str, str, dict[str, str]]) -> ParticipantMonths:
    dataset = all_datasets()["participant_months"]
    assert dataset.months
    found = ParticipantMonths(dataset, dataset.months)
    for form, unit, row in records:
        found.add(form, unit, row)
    return found


def contact(day: str, code: str = "K7QM3RXDQ") -> tuple[str, str, dict[str, str]]:
    return ("encounter", f"e{day}", {"code": code, "enc_date": day})


def review(month: str, **answers: str) -> tuple[str, str, dict[str, str]]:
    return ("participant", f"r{month}", {"kind": "review", "month_in": month, "code": "K7QM3RXDQ", **answers})


def test_a_row_a_month_from_intake_to_the_last_whole_month() -> None:
    found = people(
        contact("2026-02-11"), contact("2026-04-02"), contact("2026-04-30"), contact("2026-04-30", "other"),
        ("participant", "i", INTAKE),
    )  # fmt: skip
    rows = [row for _, row in found.rows(FIRST, LAST)]
    assert [row[MONTH] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row[CONTACTS] for row in rows] == ["1", "0", "2", "0", "0"]
    assert len(list(found.rows(FIRST, dt.date(2026, 6, 29)))) == 4  # June is not over
    assert [row[MONTH] for _, row in found.rows(dt.date(2026, 5, 1), LAST)] == ["3", "4"]


def test_each_month_knows_the_newest_review_before_it_and_consent_the_newest_of_all() -> None:
    found = people(
        ("participant", "i", INTAKE),
        review("2026-04-01", risk_level="low", tier="2"),
        review("2026-06-01", risk_level="", tier="1"),
    )
    rows = [row for _, row in found.rows(FIRST, LAST)]
    assert [row["risk_level"] for row in rows] == ["high", "high", "low", "low", "low"]
    assert {row["tier"] for row in rows} == {"1"}
    kept = EligibleRows(all_datasets()["participant_months"])
    for unit, row in found.rows(FIRST, LAST):
        kept.add(compute_row_tag(b"s", unit), row)
    assert (len(kept), kept.without_consent) == (0, 5)


def test_without_an_intake_there_is_nobody_and_order_does_not_matter() -> None:
    records = [("participant", "i", INTAKE), review("2026-04-01", risk_level="low", tier="3"), contact("2026-04-02")]
    assert list(people(*records[1:]).rows(FIRST, LAST)) == []
    assert list(people(*records).rows(FIRST, LAST)) == list(people(*reversed(records)).rows(FIRST, LAST))


@pytest.mark.slow
def test_their_rows_are_published_without_calendar_place_or_code(tmp_path: object) -> None:
    place = PretendCentre(tmp_path)  # type: ignore[arg-type]
    who = participants(400)
    met = [
        (f"{unit}-{number}", {**row, "code": who[number % 400][1]["code"]})
        for number, (unit, row) in enumerate(encounters(900))
    ]
    records = {"participant": who, "encounter": met}
    place.publish("2026-Q3", records)
    assert verify(place.package("2026-Q3", records), KEY) == []
    text = (place.folder / "2026-Q3" / "participant_months.csv").read_text()
    assert text.count("\n") > 400
    assert "2026" not in text
    assert "CANARY" not in text


def test_months_need_their_questions() -> None:
    with pytest.raises(ExportProblem, match="no question “nothing”"):
        all_datasets(participant_months=lambda text: text.replace("since: month_in", "since: nothing"))
    with pytest.raises(ExportProblem, match="must be made less detailed"):
        all_datasets(participant_months=lambda text: text.replace("hierarchy: contacts, ", ""))


@pytest.mark.parametrize(
    ("alert", "first", "band"),
    [
        ("2026-07-01T10:00:00.000-04:00", "2026-07-01T10:14:00.000-04:00", "0-14"),
        ("2026-07-01T23:50:00.000-04:00", "2026-07-02T00:55:00.000-04:00", "60-239"),
        ("2026-07-01T10:00:00.000-04:00", "2026-07-03T10:00:00.000-04:00", "1440+"),
        ("2026-07-01T10:00:00.000-04:00", "", ""),
        ("x", "y", ""),
    ],
)
def test_response_times_are_counted_in_bands(alert: str, first: str, band: str) -> None:
    table = next(table for table in recipe_of().tables if table.name == "response_times")
    counter = CellCounter(table, b"c" * 32)
    counter.add("u", {"inc_alert_dt": alert, "first_dt": first})
    assert {cell for cell in counter.counted() if cell != TOTAL} == {(band,)}
