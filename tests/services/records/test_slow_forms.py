"""Forms whose rules are slow: they hold nobody up, and what takes too long is kept aside."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.definitions import load_definitions
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records import form_rules, listing, quarantine
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.openrosa import receive_openrosa_submission
from fieldapp.store.records.records import Record
from forms.budget import Budget
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook
from sync import intake
from sync.apart import Case, judge_apart, judge_case
from sync.envelope import parse_batch
from sync.openrosa import parse_instance
from tests.cast import Cast, another_worker, batch, encounter, envelope
from tests.programme import definition_of

MEETINGS = """
| survey |              |        |        |             |                                                |
|        | type         | name   | label  | privacy     | constraint                                     |
|        | begin repeat | person | Person |             |                                                |
|        | integer      | nick   | Number | operational | count(${person}[nick = current()/../nick]) = 1 |
|        | end repeat   |        |        |             |                                                |
| settings | form_id  | version |
|          | meetings | 1       |
"""


def publish(session: Session, cast: Cast, text: str) -> None:
    workbook = read_sheets(text.encode(), ".md").to_xlsx()
    publish_form(session, cast.system, compiled=compile_workbook(workbook), workbook=workbook)


def send(session: Session, cast: Cast, *items: dict[str, Any]) -> list[dict[str, Any]]:
    return receive_batch(session, cast.amina, parse_batch(batch(*items)))


def total(session: Session) -> int:
    return len(session.scalars(sa.select(Record)).all())


def test_a_record_that_is_still_judged_holds_up_nobody(
    engine: sa.Engine, session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_judged, may_go_on = threading.Event(), threading.Event()
    usual = intake.validate

    def slow(definition: Any, given: Any, *rest: Any) -> Any:
        if "SLOW" in str(given):
            is_judged.set()
            assert may_go_on.wait(60)
        return usual(definition, given, *rest)

    monkeypatch.setattr(intake, "validate", slow)
    basil = another_worker(session, cast)
    answers: list[str] = []

    def deliver() -> None:
        item = envelope(encounter(next={"ref_made": "no", "note": "SLOW"}))
        with Session(engine) as own:
            answers.extend(one["status"] for one in receive_batch(own, cast.amina, parse_batch(batch(item))))

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        assert is_judged.wait(60)
        began = time.monotonic()
        found = receive_batch(session, basil, parse_batch(batch(envelope(encounter()))))
        assert [one["status"] for one in found] == ["stored"]
        assert time.monotonic() - began < 5
        assert answers == []
    finally:
        may_go_on.set()
        thread.join(60)
    assert answers == ["stored"]


def test_a_record_that_takes_long_is_judged_elsewhere_and_another_slow_one_comes_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(session, cast, MEETINGS)
    many = {"person": [{"nick": str(number)} for number in range(20)]}
    first, second = (envelope(many, "meetings", version="1") for _ in range(2))
    is_judged, may_go_on = threading.Event(), threading.Event()
    usual = form_rules.judge_apart

    def held(*given: Any) -> Any:
        is_judged.set()
        assert may_go_on.wait(60)
        return usual(*given)

    monkeypatch.setattr(form_rules, "AT_ONCE", -1.0)
    monkeypatch.setattr(form_rules, "judge_apart", held)
    basil = another_worker(session, cast)
    answers: list[str] = []

    def deliver() -> None:
        with Session(session.get_bind()) as own:
            answers.extend(one["status"] for one in receive_batch(own, cast.amina, parse_batch(batch(first))))

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        assert is_judged.wait(60)
        # The database is not locked, and the one process for slow records is taken.
        note = envelope({"person": [{"nick": "1"}]}, "meetings", version="1")
        monkeypatch.setattr(form_rules, "AT_ONCE", 5.0)
        assert [one["status"] for one in receive_batch(session, basil, parse_batch(batch(note)))] == ["stored"]
        monkeypatch.setattr(form_rules, "AT_ONCE", -1.0)
        assert [one["status"] for one in receive_batch(session, basil, parse_batch(batch(second)))] == ["retry"]
    finally:
        may_go_on.set()
        thread.join(60)
    assert answers == ["stored"]
    assert send(session, cast, second)[0]["status"] == "stored"


def test_a_record_that_ends_its_process_is_kept_aside_and_the_others_go_on(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(session, cast, MEETINGS)
    many = {"person": [{"nick": str(number)} for number in range(9000)]}
    item = envelope(many, "meetings", version="1")
    monkeypatch.setattr(form_rules, "PATIENCE", 0.0)
    found = send(session, cast, item, envelope(encounter()))
    assert [one["status"] for one in found] == ["rejected", "stored"]
    assert [problem["code"] for problem in found[0]["problems"]] == ["sync.failed"]
    (waiting,) = listing.list_review_queue(session, cast.rosa).aside
    assert waiting.instance_id == item["id"]


def test_what_is_judged_elsewhere_is_judged_alike(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = load_definitions(session, cast.centre.id, [("encounter", definition_of("encounter").version)])
    sent = [envelope(encounter()), envelope(encounter(talk={"people_n": "900"})), {**envelope(encounter()), "body": "["}]
    cases = [Case(parse_batch(batch(item))[0], next(iter(definition.values()))) for item in sent]
    here = [judge_case(case, Budget) for case in cases]
    assert judge_apart(cases, 2.0, 10.0, 60.0) == here
    assert [bool(judgement.problems) for judgement, _ in here] == [False, True, True]


def test_a_repeat_that_is_compared_with_itself_too_often_is_kept_aside(session: Session, cast: Cast) -> None:
    publish(session, cast, MEETINGS)
    few = {"person": [{"nick": str(number)} for number in range(5)]}
    many = {"person": [{"nick": str(number)} for number in range(9000)]}
    began = time.thread_time()
    found = send(session, cast, envelope(few, "meetings", version="1"), envelope(many, "meetings", version="1"))
    assert time.thread_time() - began < 10
    assert [one["status"] for one in found] == ["stored", "rejected"]
    assert [problem["code"] for problem in found[1]["problems"]] == ["sync.too_slow"]
    assert total(session) == 1
    (waiting,) = listing.list_review_queue(session, cast.rosa).aside
    assert waiting.instance_id == found[1]["id"]


def test_what_was_too_slow_is_let_in_when_there_is_time(session: Session, cast: Cast, hurry: Callable[[bool], None]) -> None:
    hurry(True)
    item = envelope(encounter())
    assert send(session, cast, item)[0]["status"] == "rejected"
    assert send(session, cast, item)[0]["status"] == "duplicate"
    assert total(session) == 0
    (waiting,) = listing.list_review_queue(session, cast.rosa).aside
    assert quarantine.let_in(session, cast.rosa, [waiting.id]) == quarantine.AcceptedCount(1, 0)
    assert total(session) == 1


def test_a_correction_of_a_slow_record_is_kept_aside_and_the_record_stays(
    session: Session, cast: Cast, hurry: Callable[[bool], None]
) -> None:
    first = envelope(encounter())
    assert send(session, cast, first)[0]["status"] == "stored"
    hurry(True)
    correction = envelope(encounter(talk={"minutes": "gt60"}), root=first["id"], prev=[first["id"]])
    assert send(session, cast, correction)[0]["status"] == "rejected"
    hurry(False)
    opened = listing.open_record(session, cast.rosa, instance_id=first["id"])
    assert opened.record.answers["talk"]["minutes"] == "5_15"
    assert quarantine.let_in_all(session, cast.rosa, cast.amina.device_id or 0) == quarantine.AcceptedCount(1, 0)
    opened = listing.open_record(session, cast.rosa, instance_id=first["id"])
    assert opened.record.answers["talk"]["minutes"] == "gt60"


def test_when_the_time_for_a_message_is_up_the_rest_is_asked_for_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([False, False, True])
    monkeypatch.setattr(form_rules, "is_over", lambda until: next(looks, True))
    items = [envelope(encounter()) for _ in range(4)]
    assert [one["status"] for one in send(session, cast, *items)] == ["stored", "stored", "retry", "retry"]
    monkeypatch.undo()
    assert [one["status"] for one in send(session, cast, *items)] == ["duplicate", "duplicate", "stored", "stored"]


def test_a_form_that_is_published_while_its_record_is_judged_is_asked_for_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = form_rules.validate_submission

    def meanwhile(*given: Any) -> Any:
        found = usual(*given)
        publish(session, cast, MEETINGS)
        return found

    monkeypatch.setattr(form_rules, "validate_submission", meanwhile)
    item = envelope({"person": [{"nick": "1"}]}, "meetings", version="1")
    assert send(session, cast, item)[0]["status"] == "retry"
    monkeypatch.undo()
    assert send(session, cast, item)[0]["status"] == "stored"


def test_an_open_record_whose_rules_are_slow_is_shown_all_the_same(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = envelope(encounter())
    send(session, cast, first)
    monkeypatch.setattr(listing, "time_for", lambda seconds: Budget(-1.0, time.thread_time))
    assert listing.open_record(session, cast.rosa, instance_id=first["id"]).steps[0].changes == []


def test_what_collect_sends_is_judged_before_the_database_is_locked_too(
    session: Session, cast: Cast, hurry: Callable[[bool], None]
) -> None:
    publish(session, cast, MEETINGS)
    number = "3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d"
    xml = (
        f'<data id="meetings" version="1"><person><nick>1</nick></person><meta><instanceID>uuid:{number}</instanceID>'
        "</meta></data>"
    ).encode()
    hurry(True)
    assert receive_openrosa_submission(session, cast.amina, parse_instance(xml), xml, {}, True).is_kept
    (waiting,) = listing.list_review_queue(session, cast.rosa).aside
    assert waiting.problems[0]["code"] == "sync.too_slow"
    assert quarantine.let_in(session, cast.rosa, [waiting.id]) == quarantine.AcceptedCount(1, 0)
