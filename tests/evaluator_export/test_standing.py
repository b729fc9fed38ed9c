"""Standing consent in what leaves: whatever a record says itself, nothing goes beyond what its person says now."""

import datetime as dt

import pytest

from evaluator_export.datasets.dataset_spec import ConsentRule
from evaluator_export.datasets.eligibility import STANDING, flatten_answers, has_consent
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import compute_row_tag
from evaluator_export.series.participant_months import ParticipantMonths
from evaluator_export.tables.protected_counts import TOTAL, CellCounter
from tests.evaluator_export.centre import all_datasets
from tests.programme import definition_of

CONSENT = ConsentRule("tier", 2, "who", ("group",))
WITH_CONSENT = sorted(name for name, dataset in all_datasets().items() if dataset.consent)


@pytest.mark.parametrize(
    ("own", "standing", "leaves"),
    [
        ("3", None, True),  # nobody's card: as the record says
        ("1", None, False),
        ("3", "3", True),
        ("3", "2", True),
        ("3", "1", False),
        ("3", "0", False),
        ("0", "3", False),  # a later yes does not reach what was said under a no
        ("", "3", False),
        ("x", "3", False),
    ],
)
def test_the_lower_of_then_and_now_counts(own: str, standing: str | None, leaves: bool) -> None:
    row = {"tier": own} | ({STANDING: standing} if standing is not None else {})
    assert has_consent(CONSENT, row) is leaves


def test_what_is_about_no_one_person_leaves_unless_it_names_somebody_who_said_no() -> None:
    assert has_consent(CONSENT, {"who": "group"})
    assert not has_consent(CONSENT, {"who": "group", STANDING: "0"})
    assert has_consent(None, {STANDING: "0"})  # counts of events, whatever the consent


def test_a_row_carries_the_standing_of_its_person_and_no_question_can_pretend_to_be_it() -> None:
    form = definition_of("encounter")
    answers = {"people": {"who": "enrolled"}, "consent": {"tier": "3"}}
    assert flatten_answers(form, answers, 1)[STANDING] == "1"
    assert STANDING not in flatten_answers(form, answers, None)
    assert not STANDING.isidentifier()


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_CONSENT)
@pytest.mark.parametrize(("standing", "left"), [("3", 1), ("0", 0)])
def test_every_dataset_with_a_consent_asks_it(name: str, standing: str, left: int) -> None:
    dataset = all_datasets()[name]
    assert dataset.consent
    row = {dataset.consent.question: "3", "code": "K7QM3RXDQ", "who": "enrolled", "kind": "intake", STANDING: standing}
    if dataset.where:
        row[dataset.where[0]] = dataset.where[1][0]
    rows = EligibleRows(dataset)
    rows.add(compute_row_tag(b"s", "u"), row)
    assert (len(rows), rows.without_consent) == (left, 1 - left)


@pytest.mark.parametrize(("standing", "people"), [("3", 1), ("2", 0), ("0", 0)])
def test_every_public_table_of_people_asks_it(standing: str, people: int) -> None:
    from tests.evaluator_export.specs import spec  # noqa: PLC0415

    names = ["participants_active", "intakes_by_risk", "reviews_by_risk", "reach_by_age", "reach_by_race"]
    for name in names:
        table = spec(name)
        counter = CellCounter(table, b"c" * 32)
        row = {"tier": "3", "code": "K7QM3RXDQ", "who": "enrolled", STANDING: standing}
        if table.dataset.where:
            row[table.dataset.where[0]] = table.dataset.where[1][0]
        counter.add("u", row, "2026-06-01")
        assert counter.counted()[TOTAL][0] == people, name


def test_months_of_people_carry_it() -> None:
    dataset = all_datasets()["participant_months"]
    assert dataset.months
    for standing, allowed in (("3", True), ("1", False)):
        people = ParticipantMonths(dataset, dataset.months)
        people.add(
            "participant", "i", {"kind": "intake", "month_in": "2026-04-01", "code": "A", "tier": "3", STANDING: standing}
        )
        people.add(
            "participant", "r", {"kind": "review", "month_in": "2026-05-01", "code": "A", "tier": "2"} | {STANDING: standing}
        )
        rows = [row for _, row in people.rows(dt.date(2026, 4, 1), dt.date(2026, 6, 30))]
        assert len(rows) == 3 and {has_consent(dataset.consent, row) for row in rows} == {allowed}
