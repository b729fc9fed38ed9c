"""One record never stops the others, whatever is in it, however often it comes, and whatever it makes the server do."""

import hashlib
import json
import logging
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from fieldapp.services.caseload import update
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import deliveries, folding, form_rules, listing, quarantine
from fieldapp.services.records.deliveries import receive_batch, receive_delivery
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from sync.sealed import parse_delivery
from tests.cast import Cast, batch, definition_of, encounter, envelope
from tests.sealing import delivery
from tests.services.records.phone import SECRET, Phone

HALF = "\\ud83d"  # half an emoji, as JSON.stringify writes it


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


def holding(text: str, group: str = "next", name: str = "note", **changes: Any) -> str:
    """Return the body of an encounter with a text of JSON in one of its answers."""
    answers = encounter(**changes)
    answers.setdefault(group, {})[name] = "HERE"
    return json.dumps(answers).replace("HERE", text)


BODIES = {
    "half an emoji in a note": holding(f"ok {HALF}"),
    "half an emoji in a choice": holding(HALF, "what", "contact_type"),
    "half an emoji in an area": holding(HALF, "when_where", "nbhd"),
    "half an emoji in a card code": holding(HALF, "people", "code"),
    "half an emoji as a name": json.dumps({**encounter(), "HERE": "x"}).replace("HERE", HALF),
    "a NUL in a note": holding("\\u0000"),
    "a NUL in an area": holding("\\u0000", "when_where", "nbhd"),
    "a NUL as it is": holding("\x00"),
    "half an emoji as it is": holding("\ud83d"),
    "a huge number": json.dumps(encounter()).replace('"people_n": "1"', '"people_n": ' + "9" * 4000),
    "a number beyond reading": json.dumps(encounter()).replace('"people_n": "1"', '"people_n": ' + "9" * 5000),
    "infinity": json.dumps(encounter()).replace('"people_n": "1"', '"people_n": 1e999'),
    "no number": json.dumps(encounter()).replace('"people_n": "1"', '"people_n": NaN'),
    "digits without end": holding("9" * 600_000, "talk", "people_n"),
    "deep": '{"a":' * 900 + "1" + "}" * 900,
    "deeper": "[" * 100_000,
    "a very long text": holding("x" * 600_000),
    "a far day": holding("99999-01-01", "when_where", "enc_date"),
}


@pytest.mark.parametrize("name", BODIES)
def test_whatever_a_record_holds_the_others_arrive_and_nothing_is_lost(phone: Phone, cast: Cast, name: str) -> None:
    body = BODIES[name]
    found = phone.send(phone.seal(body, seq=1), phone.seal(seq=2))["items"]
    assert found[1]["status"] == "stored"
    assert found[0]["status"] in ("stored", "rejected") and found[0]["receipt"]
    kept = phone.session.scalars(sa.select(Submission).where(Submission.seq == 1)).one()
    assert kept.sha256 == hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    assert kept.body == body.replace("\x00", "\\u0000").replace("\ud83d", HALF)
    if kept.problems:
        listing.open_submission(phone.session, cast.rosa, submission_id=kept.id)
    for item in phone.session.scalars(sa.select(PullItem)):
        json.loads(item.body or "null", parse_constant=pytest.fail)  # or no phone could read what is new


def test_half_an_emoji_is_shown_as_a_character_that_is_missing(phone: Phone, cast: Cast) -> None:
    item = phone.seal(holding(f"ok {HALF} \\ud83d\\ude00"))
    assert phone.statuses(item) == ["stored"]
    opened = listing.open_record(phone.session, cast.rosa, instance_id=item["id"])
    assert opened.record.answers["next"]["note"] == "ok \ufffd \U0001f600"
    assert phone.statuses(item) == ["duplicate"]


@pytest.mark.parametrize("field", [{"due": "\ud83d"}, {"due": "\x00"}, {"cards": ["\ud83d"]}, {"refused_by": "\x00"}])
def test_what_stands_beside_the_answers_stops_nothing_either(phone: Phone, field: dict[str, Any]) -> None:
    assert phone.statuses(phone.seal(**field), phone.seal()) == ["rejected", "stored"]


def test_what_a_phone_says_of_itself_stops_nothing(phone: Phone) -> None:
    assert phone.send(phone.seal(), made=1, app="\ud83d\x00")["items"][0]["status"] == "stored"


def breaks(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, error: Exception) -> list[bool]:
    """Let a step fail for records that hold BROKEN; return a list that says whether it still does."""
    usual, still = getattr(module, name), [True]

    def step(*args: Any, **more: Any) -> Any:
        if still and "BROKEN" in repr(args):
            raise error
        return usual(*args, **more)

    monkeypatch.setattr(module, name, step)
    return still


STEPS = [
    (form_rules, "validate_submission"),
    (folding, "_compute_list_columns"),
    (update, "update_caseload"),
    (deliveries, "store_submissions"),
]


@pytest.mark.parametrize(("module", "name"), STEPS, ids=lambda step: getattr(step, "__name__", step))
@pytest.mark.parametrize("error", [KeyError("CANARY"), DataError("x", {}, Exception("CANARY")), RecursionError()], ids=repr)
def test_a_record_that_nobody_can_take_in_is_kept_aside_and_let_in_once_the_fault_is_mended(
    phone: Phone,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    name: str,
    error: Exception,
) -> None:
    still = breaks(monkeypatch, module, name, error)
    caplog.set_level(logging.ERROR)
    bad = phone.seal(holding("BROKEN"), seq=2)
    found = phone.send(phone.seal(seq=1), bad, phone.seal(seq=3))["items"]
    assert [one["status"] for one in found] == ["stored", "rejected", "stored"]
    assert [one["code"] for one in found[1]["problems"]] == ["sync.failed"]
    assert all(one["receipt"] for one in found)
    assert type(error).__name__ in caplog.text and "CANARY" not in caplog.text and "BROKEN" not in caplog.text
    kept = phone.session.scalars(sa.select(Submission).where(Submission.seq == 2)).one()
    assert (kept.state, kept.body) == ("aside", holding("BROKEN"))
    assert quarantine.let_in(phone.session, cast.rosa, [kept.id]).stored == 0 or name == "store_submissions"
    still.clear()
    if name != "store_submissions":
        assert quarantine.let_in(phone.session, cast.rosa, [kept.id]).stored == 1
    assert phone.total() == 3
    assert phone.statuses(bad) == ["duplicate"]


def test_what_cannot_even_be_kept_aside_stays_on_the_phone(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch, deliveries, "store_submissions", KeyError())
    breaks(monkeypatch, deliveries, "store_failed", KeyError())
    found = phone.send(phone.seal(), phone.seal(holding("BROKEN")))["items"]
    assert [one["status"] for one in found] == ["stored", "retry"]
    assert "receipt" not in found[1]


@pytest.mark.parametrize(
    "error", [OperationalError("x", {}, Exception("full")), ActProblem("access.denied", "no")], ids=repr
)
def test_where_the_server_itself_cannot_nothing_is_kept_aside(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    breaks(monkeypatch, deliveries, "store_submissions", error)
    with pytest.raises(type(error)):
        phone.send(phone.seal(), phone.seal(holding("BROKEN")))
    phone.session.rollback()
    assert phone.session.scalars(sa.select(Submission)).all() == []


def test_a_no_is_taken_in_without_the_person_where_the_rest_of_its_form_fails(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, form_rules, "validate_submission", KeyError())
    said_no = {"said": "read_out", "understood": "yes", "tier_said": "0", "tier": "0"}
    answers = json.dumps(encounter(people={"who": "new_person"}, consent=said_no) | {"next": {"note": "BROKEN"}})
    assert phone.statuses(phone.seal(answers)) == ["stored"]
    (kept,) = phone.session.scalars(sa.select(Submission))
    assert "BROKEN" not in kept.body and kept.is_refusal


def test_the_same_record_twice_in_one_message_is_stored_once(phone: Phone) -> None:
    first, second = phone.seal(seq=1), phone.seal(seq=2)
    found = phone.send(first, second, first)["items"]
    assert [one["status"] for one in found] == ["stored"] * 3
    assert found[0] == found[2]
    again = phone.seal(id=first["id"], seq=1)  # sealed anew: other bytes around the same answers
    found = phone.send(again, first)["items"]
    assert [one["status"] for one in found] == ["duplicate"] * 2
    assert found[0]["receipt"]["signature"] != found[1]["receipt"]["signature"]
    assert phone.total() == 2


@pytest.mark.parametrize("is_new", [True, False])
def test_two_answers_under_one_number_in_one_message_are_a_conflict_each_with_its_own_receipt(
    phone: Phone, is_new: bool
) -> None:
    first = phone.seal(seq=1)
    if not is_new:
        phone.send(first)
    other = phone.seal(encounter(talk={"minutes": "gt60"}), id=first["id"], seq=1)
    found = phone.send(first, other, phone.seal(seq=2))["items"]
    assert [one["status"] for one in found] == ["stored" if is_new else "duplicate", "conflict", "stored"]
    assert [one["sha256"] for one in found[:2]] == [item.sha256 for item in parse_delivery(delivery(first, other)).items]
    kept = phone.session.scalars(sa.select(Submission).where(Submission.seq == 1).order_by(Submission.id)).all()
    assert [one["receipt"]["position"] for one in found[:2]] == [one.log_position for one in kept]
    assert phone.statuses(other, first) == ["duplicate", "duplicate"]
    assert phone.total() == 2


def test_two_phones_with_one_number_in_one_delivery_each_get_their_own_answer(phone: Phone, cast: Cast) -> None:
    other = Phone(phone.session, cast)
    mine = phone.seal(seq=1)
    theirs = other.seal(encounter(talk={"minutes": "gt60"}), id=mine["id"], seq=1)
    found = receive_delivery(phone.session, parse_delivery(delivery(theirs, mine)), SECRET)["items"]
    assert {one["status"] for one in found} == {"stored", "conflict"}
    by_sent = {one["sha256"]: one["receipt"]["position"] for one in found}
    rows = phone.session.scalars(sa.select(Submission)).all()
    for place, item in enumerate((theirs, mine)):
        sent = parse_delivery(delivery(item)).items[0]
        row = (
            next(row for row in rows if "gt60" in row.body) if place == 0 else next(r for r in rows if "gt60" not in r.body)
        )
        assert by_sent[sent.sha256] == row.log_position


def mediation() -> str:
    """Return the body of another form, as far as it can be filled in without asking."""
    return json.dumps({"when_where": {}})


def under_another_form(monkeypatch: pytest.MonkeyPatch, first: dict[str, Any]) -> dict[str, Any]:
    """Return a correction of an encounter that calls itself a mediation and passes that form's rules."""
    usual = form_rules.validate_submission

    def validate_submission(one: Any, *more: Any) -> Any:
        found = usual(one, *more)
        return form_rules.Judgement({"when_where": {}}) if one.form == "mediation" else found

    monkeypatch.setattr(form_rules, "validate_submission", validate_submission)
    version = definition_of("mediation").version
    return envelope(mediation(), "mediation", version=version, root=first["id"], prev=[first["id"]])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_correction_under_another_form_is_kept_aside_in_whatever_order(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    first = envelope(encounter())
    both = [first, under_another_form(monkeypatch, first)]
    answers = [receive_batch(session, cast.amina, parse_batch(batch(both[place])))[0] for place in order]
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    assert (record.form, record.version, record.heads) == ("encounter", definition_of("encounter").version, [first["id"]])
    assert record.answers == encounter()
    kept = {one.form: one for one in session.scalars(sa.select(Submission))}
    assert (kept["encounter"].state, kept["mediation"].state) == ("stored", "rejected")
    assert [one["code"] for one in kept["mediation"].problems] == ["sync.other_form"]
    if order == (0, 1):
        assert answers[1]["status"] == "rejected" and answers[1]["problems"][0]["code"] == "sync.other_form"
    listing.open_record(session, cast.rosa, instance_id=first["id"])
    assert update.rebuild_caseload(session, cast.system) == 0
    assert session.scalars(sa.select(Record)).one().answers == encounter()


def test_a_record_that_an_older_version_let_be_taken_over_can_be_opened_and_passed_over(
    session: Session, cast: Cast
) -> None:
    first = envelope(encounter())
    receive_batch(session, cast.amina, parse_batch(batch(first)))
    taken = session.scalars(sa.select(Record)).one()
    taken.version, taken.answers = "of another form", {}
    session.commit()
    assert listing.open_record(session, cast.rosa, instance_id=first["id"]).definition.id == "encounter"
    assert update.rebuild_caseload(session, cast.system) == 0


def test_a_note_that_names_a_record_is_no_version_of_it(session: Session, cast: Cast) -> None:
    first = envelope(encounter())
    link = {"root": first["id"], "prev": [first["id"]]}
    note = envelope({"due": f"{uuid.uuid4()}/2026-11-01"}, "fieldapp.settle", version="1", **link)
    correction = envelope(encounter(talk={"minutes": "gt60"}), **link)
    for one in (first, note, correction):
        assert receive_batch(session, cast.amina, parse_batch(batch(one)))[0]["status"] == "stored"
    assert session.scalars(sa.select(Record)).one().answers["talk"]["minutes"] == "gt60"


def lines(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(AuditEvent)).one()


def test_what_came_before_leaves_no_line_in_the_audit(phone: Phone) -> None:
    item = phone.seal()
    phone.send(item)
    before = lines(phone.session)
    for _ in range(5):
        assert phone.statuses(item) == ["duplicate"]
    assert lines(phone.session) == before
    phone.send(item, phone.seal())
    assert lines(phone.session) == before + 1
