"""Records as CSV: for the centre itself, all of a form, nothing of another centre, nothing that a spreadsheet would run."""

import csv
import io

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.exports import allow_export, write_csv
from fieldapp.services.problems import ActProblem
from fieldapp.services.receive_batch import receive_batch
from fieldapp.store.records import Filter
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope


def rows(session: Session, centre_id: int, wanted: Filter) -> list[dict[str, str]]:
    file = io.StringIO()
    write_csv(session, centre_id, wanted, file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


@pytest.mark.parametrize("who", ["amina", "eve"])
def test_only_admins_take_records_away(session: Session, cast: Cast, who: str) -> None:
    with pytest.raises(ActProblem) as refused:
        allow_export(session, cast.actor(who), wanted=Filter(form="encounter"))
    assert refused.value.code == "access.denied"


@pytest.mark.parametrize(("who", "form"), [("olaf", "encounter"), ("rosa", "nothing"), ("rosa", "")])
def test_what_is_not_there_is_not_given(session: Session, cast: Cast, who: str, form: str) -> None:
    with pytest.raises(ActProblem) as refused:
        allow_export(session, cast.actor(who), wanted=Filter(form=form))
    assert refused.value.code == "access.not_found"


def test_every_record_is_a_row_and_another_centre_has_none(session: Session, cast: Cast) -> None:
    made = [envelope(encounter(people={"people_n": str(number)})) for number in range(1, 6)]
    receive_batch(session, cast.amina, parse_batch(batch(*made)))
    found = rows(session, cast.centre.id, Filter(form="encounter"))
    assert {(row["record"], row["people_n"], row["worker"], row["via"]) for row in found} == {
        (item["id"], str(number), "L-amina", "token") for number, item in enumerate(made, 1)
    }
    assert [row["note"] for row in rows(session, cast.centre.id, Filter(form="encounter", area="999"))] == []
    with pytest.raises(ActProblem):
        rows(session, cast.other_centre.id, Filter(form="encounter"))


def test_no_cell_is_a_formula(session: Session, cast: Cast) -> None:
    note = {"ref_made": "no", "note": "=HYPERLINK(1)"}
    receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter(next=note)))))
    assert [row["note"] for row in rows(session, cast.centre.id, Filter(form="encounter"))] == ["'=HYPERLINK(1)"]
