"""All answers of a form: for the centre itself, nothing of another centre, nothing that a spreadsheet would run."""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fieldapp.services.forms.published import publish_form
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.export import authorize_export, write_records_archive
from fieldapp.services.records.export_columns import list_sheets
from fieldapp.services.records.listing import list_records
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.records.records import Record, RecordFilter, iterate_for_export
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook
from sync.envelope import parse_batch
from tests.cast import Cast, another_worker, batch, encounter, envelope

WALK = """| survey | | | | |
| | type | name | label::English (en) | label::French (fr) | privacy::class |
| | date | day | Which day? | Quel jour ? | quasi-identifier |
| | select_one sky | weather | What weather? | Quel temps ? | operational |
| | begin repeat | stops | Stop | Arrêt | |
| | text | place | Where? | Où ? | free-text |
| | begin repeat | talks | Talk | Discussion | |
| | text | topic | About what? | Sur quoi ? | free-text |
| | end repeat | | | | |
| | end repeat | | | | |
| choices | | | | |
| | list_name | name | label::English (en) | label::French (fr) |
| | sky | rain | Rain | Pluie |
| | sky | sun | Sun | Soleil |
| settings | | | |
| | form_title | form_id | version |
| | Walk | walk | 1 |
"""
NO_WEATHER = "".join(line for line in WALK.splitlines(keepends=True) if "weather" not in line).replace(
    "walk | 1", "walk | 2"
)
STOPS = [{"place": "gate", "talks": [{"topic": "work"}, {"topic": "rent"}]}, {"place": "park"}]


def publish(session: Session, cast: Cast, markdown: str) -> None:
    workbook = read_sheets(markdown.encode(), ".md").to_xlsx()
    publish_form(session, cast.system, compiled=compile_workbook(workbook, ".xlsx", {}), workbook=workbook)


def send(session: Session, cast: Cast, answers: Any, version: str = "1", **more: Any) -> str:
    item = envelope(answers, form="walk", version=version, **more)
    receive_batch(session, cast.amina, parse_batch(batch(item)))
    return str(item["id"])


def files(session: Session, centre_id: int, wanted: RecordFilter, folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of every file of the archive."""
    buffer = io.BytesIO()
    write_records_archive(session, centre_id, wanted, buffer, folder)
    with zipfile.ZipFile(buffer) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


def test_a_record_whose_day_is_corrected_meanwhile_is_neither_missed_nor_twice(session: Session, cast: Cast) -> None:
    days = [dt.date(2026, 6, number) for number in (1, 2, 3)]
    sent = [envelope(encounter(day), day=day) for day in days]
    receive_batch(session, cast.amina, parse_batch(batch(*sent)))
    rows = iterate_for_export(session, cast.centre.id, RecordFilter(form="encounter"), page=1)
    seen = [next(rows).record_id]
    others = sa.update(Record).where(Record.instance_id.not_in(seen))
    session.execute(others.values(occurred_on=dt.date(2026, 5, 1)))
    session.execute(sa.update(Record).where(Record.instance_id.in_(seen)).values(occurred_on=dt.date(2026, 7, 1)))
    session.commit()
    seen += [row.record_id for row in rows]
    assert sorted(seen) == sorted(item["id"] for item in sent)


@pytest.mark.parametrize("who", ["amina", "eve"])
def test_only_admins_take_records_away(session: Session, cast: Cast, who: str) -> None:
    with pytest.raises(ActProblem) as refused:
        authorize_export(session, cast.actor(who), record_filter=RecordFilter(form="encounter"))
    assert refused.value.code == "access.denied"


@pytest.mark.parametrize(("who", "form"), [("olaf", "encounter"), ("rosa", "nothing"), ("rosa", "")])
def test_what_is_not_there_is_not_given(session: Session, cast: Cast, who: str, form: str) -> None:
    with pytest.raises(ActProblem) as refused:
        authorize_export(session, cast.actor(who), record_filter=RecordFilter(form=form))
    assert refused.value.code == "access.not_found"


def test_the_audit_line_says_which_records_and_how_many(session: Session, cast: Cast) -> None:
    receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter()), envelope(encounter()))))
    authorize_export(
        session, cast.rosa, record_filter=RecordFilter(form="encounter", area="002", author_id=cast.amina.user_id)
    )
    authorize_export(session, cast.rosa, record_filter=RecordFilter(form="encounter", area="003"))
    lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "records.export").order_by(AuditEvent.id)).all()
    assert [line.target for line in lines] == ["form/encounter"] * 2
    assert lines[0].details == {
        "by": "office",
        "purpose": "work",
        "records": 2,
        "area": "002",
        "worker": str(cast.amina.user_id),
    }
    assert lines[1].details == {"by": "office", "purpose": "work", "records": 0, "area": "003"}


def test_every_record_is_a_row_and_another_centre_has_none(session: Session, cast: Cast, tmp_path: Path) -> None:
    made = [envelope(encounter(talk={"people_n": str(number)})) for number in range(1, 6)]
    receive_batch(session, cast.amina, parse_batch(batch(*made)))
    found = files(session, cast.centre.id, RecordFilter(form="encounter"), tmp_path)["encounter.csv"]
    assert {(row["record"], row["people_n"], row["worker"], row["via"]) for row in found} == {
        (item["id"], str(number), "L-amina", "token") for number, item in enumerate(made, 1)
    }
    assert files(session, cast.centre.id, RecordFilter(form="encounter", area="999"), tmp_path)["encounter.csv"] == []
    with pytest.raises(ActProblem):
        files(session, cast.other_centre.id, RecordFilter(form="encounter"), tmp_path)
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} <= {"fieldapp"}  # nothing of it lies about


def test_what_came_for_a_form_that_the_centre_does_not_have_can_be_taken_out_too(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    sent = envelope({"seen": {"what": "CANARY"}}, form="unknown", version="7")
    note = envelope({"due": "x"}, form="fieldapp.settle", version="1")
    for item in (sent, note):
        assert receive_batch(session, cast.amina, parse_batch(batch(item)))[0]["status"] == "rejected"
    assert list_records(session, cast.rosa, record_filter=RecordFilter()).other_forms == ["unknown"]
    wanted = RecordFilter(form="unknown")
    assert authorize_export(session, cast.rosa, record_filter=wanted).startswith("unknown-")
    found = files(session, cast.centre.id, wanted, tmp_path)
    assert found["unknown.csv"] == []
    (row,) = found["unknown-history.csv"]
    told = (row["submission"], row["version"], row["column"], row["answer"])
    assert told == (sent["id"], "7", "seen.what", "CANARY")
    with pytest.raises(ActProblem):
        authorize_export(session, cast.olaf, record_filter=wanted)


def test_answers_to_a_question_that_is_gone_are_still_there(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    old = send(session, cast, {"day": "2026-11-20", "weather": "rain"})
    publish(session, cast, NO_WEATHER)
    new = send(session, cast, {"day": "2026-11-21"}, version="2")
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)
    rows = {row["record"]: row for row in found["walk.csv"]}
    assert (rows[old]["weather"], rows[old]["version"]) == ("rain", "1")
    assert (rows[new]["weather"], rows[new]["version"]) == ("", "2")
    book = {(row["column"], row["choice"]): row for row in found["walk-codebook.csv"]}
    assert book["weather", ""]["label_fr"] == "Quel temps ?"
    assert book["weather", ""]["versions"] == "1"
    assert book["answers.day", ""]["versions"] == "2, 1"  # the record has a day of its own
    assert book["weather", "rain"]["choice_label_fr"] == "Pluie"


def test_what_is_within_repeats_is_there_with_its_parent(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    record = send(session, cast, {"day": "2026-11-20", "weather": "sun", "stops": STOPS})
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)
    assert [row["stops"] for row in found["walk.csv"]] == ["2"]
    stops = found["walk.stops.csv"]
    assert [(row["record"], row["parent"], row["index"], row["place"], row["talks"]) for row in stops] == [
        (record, record, "1", "gate", "2"),
        (record, record, "2", "park", "0"),
    ]
    assert [(row["record"], row["parent"], row["index"], row["topic"]) for row in found["walk.talks.csv"]] == [
        (record, stops[0]["entry"], "1", "work"),
        (record, stops[0]["entry"], "2", "rent"),
    ]


def test_a_question_that_moved_has_a_column_for_each_place(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    old = send(session, cast, {"day": "2026-11-20", "weather": "rain"})
    group = "| | begin group | sky_now | Sky | Ciel | |\n"
    line = next(line for line in WALK.splitlines(keepends=True) if "weather" in line)
    publish(session, cast, WALK.replace(line, f"{group}{line}| | end group | | | | |\n").replace("walk | 1", "walk | 2"))
    new = send(session, cast, {"day": "2026-11-20", "sky_now": {"weather": "sun"}}, version="2")
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)["walk.csv"]
    said = {row["record"]: {value for value in row.values() if value in ("rain", "sun")} for row in found}
    assert said == {old: {"rain"}, new: {"sun"}}


def test_what_was_corrected_or_kept_aside_is_in_the_history(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    first = send(session, cast, {"day": "2026-11-20", "weather": "rain", "stops": STOPS})
    send(session, cast, {"day": "2026-11-20", "weather": "sun"}, root=first, prev=[first])
    aside = send(session, cast, {"day": "never", "weather": "sun"})
    broken = send(session, cast, "{")
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)
    assert [row["weather"] for row in found["walk.csv"]] == ["sun"]
    history = {(row["submission"], row["column"]): row for row in found["walk-history.csv"]}
    assert history[first, "weather"]["answer"] == "rain"
    assert history[first, "weather"]["is_current"] == "no"
    assert history[first, "stops[1].talks[2].topic"]["answer"] == "rent"
    assert history[aside, "day"]["answer"] == "never"
    assert history[aside, "day"]["state"] == "rejected"
    assert history[broken, ""]["answer"] == "{"


def test_a_record_that_was_never_corrected_is_not_in_the_history(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    send(session, cast, {"day": "2026-11-20", "weather": "rain"})
    assert files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)["walk-history.csv"] == []


def test_the_filter_holds_for_every_file(session: Session, cast: Cast, tmp_path: Path) -> None:
    publish(session, cast, WALK)
    first = send(session, cast, {"day": "2026-11-20", "weather": "rain", "stops": STOPS})
    send(session, cast, {"day": "2026-11-20", "weather": "sun"}, root=first, prev=[first])
    send(session, cast, "{")
    basil = another_worker(session, cast).user_id
    found = files(session, cast.centre.id, RecordFilter(form="walk", author_id=basil), tmp_path)
    assert [name for name, rows in found.items() if rows] == ["walk-codebook.csv"]


def test_no_cell_of_any_file_is_a_formula(session: Session, cast: Cast, tmp_path: Path) -> None:
    bad = "=HYPERLINK(1)"
    publish(session, cast, WALK.replace("Rain |", f"{bad} |").replace("What weather?", "+1+1"))
    first = send(
        session, cast, {"day": "2026-11-20", "weather": "rain", "stops": [{"place": bad, "talks": [{"topic": "@x"}]}]}
    )
    send(session, cast, {"day": "2026-11-20", "stops": [{"place": "-1+1"}]}, root=first, prev=[first])
    send(session, cast, {"day": bad})
    session.execute(sa.text("UPDATE \"user\" SET label = '=1+1'"))
    session.commit()
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)
    cells = [cell for rows in found.values() for row in rows for cell in row.values()]
    assert f"'{bad}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value != "":
        yield str(value)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "day": st.just("2026-11-20"),
        "weather": st.sampled_from(["rain", "sun"]),
        "gone": WORDS,  # no version names it
        "unknown": st.lists(st.fixed_dictionaries({"a": WORDS}), max_size=2),
        "stops": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "place": WORDS,
                    "talks": st.lists(st.fixed_dictionaries({"topic": WORDS}), max_size=3),
                    "old": WORDS,
                },
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_answers=st.lists(ANSWERS, min_size=1, max_size=4))
def test_every_answer_of_every_record_is_found(
    session: Session, cast: Cast, tmp_path: Path, given_answers: list[dict[str, Any]]
) -> None:
    if not session.scalars(sa.select(Record.id)).first():
        publish(session, cast, WALK)
        publish(session, cast, NO_WEATHER)
        for _ in range(4):
            send(session, cast, {"day": "2026-11-20", "weather": "rain"})
    for record, answers in zip(session.scalars(sa.select(Record).order_by(Record.id)).all(), given_answers, strict=False):
        record.answers = answers
    session.commit()
    found = files(session, cast.centre.id, RecordFilter(form="walk"), tmp_path)
    kept = {name: rows for name, rows in found.items() if name not in ("walk-history.csv", "walk-codebook.csv")}
    cells = {cell.removeprefix("'") for rows in kept.values() for row in rows for cell in row.values()}
    for cell in [cell for cell in cells if cell.startswith("{")]:
        try:
            cells |= {one.removeprefix("'") for one in leaves(json.loads(cell))}
        except ValueError:
            continue  # an answer that begins so
    for record in session.scalars(sa.select(Record)).all():
        assert {one.removeprefix("'") for one in leaves(record.answers)} <= cells


def test_no_two_columns_have_one_name(session: Session, cast: Cast) -> None:
    workbook = WALK.replace("| day |", "| record |").replace("| place |", "| index |")
    one = compile_workbook(read_sheets(workbook.encode(), ".md").to_xlsx(), ".xlsx", {}).definition
    for sheet in list_sheets([one]).values():
        header = ["record", "day", "index", *sheet.header()]
        assert len(set(header)) == len(header)
