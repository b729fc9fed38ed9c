"""What a person's consent does not reach any more goes from all that is stored about them."""

import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records import lowered_answers
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.lowered_answers import cut_in_every_centre
from fieldapp.services.records.quarantine import let_in_all, let_in_known_forms
from fieldapp.settings import Settings
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.standing import StandingRow
from fieldapp.store.database import sqlite_file
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_item
from sync.intake import FAILED
from tests.cast import Cast, publish_others
from tests.in_clear import everything, list_told
from tests.programme import compiled_of
from tests.services.consent.calendar import Calendar
from tests.services.consent.consents import APRIL, JUNE, MAY, ONE, intake, knowing, met, send, told
from tests.services.consent.endings import OTHER
from tests.services.consent.holds import preserve

DENIED = "man_boy", "black"  # answers of an intake that may be kept only at 2
ALLOWED = "16-19"


@pytest.fixture(autouse=True)
def forms(session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    publish_others(session, cast)


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def lower(session: Session, cast: Cast, tier: int = 1, card: str = ONE) -> None:
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=card), tier=tier, reason="in_person")


def read_files(session: Session) -> bytes:
    """Return the bytes of SQLite's files; nothing for PostgreSQL."""
    path = sqlite_file(str(session.get_bind().engine.url))
    files = [] if path is None else [path.with_name(path.name + end) for end in ("", "-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def find_left(session: Session, *sought: str) -> list[str]:
    """Return which of these words are in the tables or, but for forms, in the files."""
    session.rollback()
    session.expire_all()
    tables = everything(session)
    session.rollback()
    return [word for word in sought if f"'{word}'" in tables or f'"{word}"' in tables]


def aside(session: Session, cast: Cast, item: dict[str, Any]) -> None:
    envelope = parse_item(item)
    assert envelope
    receive_batch(session, cast.amina, [IncomingSubmission(envelope, quarantine_reason=FAILED)])


def read_record(session: Session, item: dict[str, Any]) -> Record:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Record).where(Record.instance_id == item["id"])).one()


def change(item: dict[str, Any], group: str, **answers: str) -> dict[str, Any]:
    """Return a record with other answers in a group; "" for none."""
    body = json.loads(item["body"])
    changed = {**body[group], **answers}
    body[group] = {name: answer for name, answer in changed.items() if answer}
    text = json.dumps(body)
    return {**item, "body": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def correct(item: dict[str, Any], day: dt.date, **about: str) -> dict[str, Any]:
    """Return a correction of an intake, with other answers about the person."""
    finished_at = dt.datetime.combine(day, dt.time(22), dt.UTC).isoformat()
    later = {"id": str(uuid.uuid4()), "finished_at": finished_at, "root": item["id"], "prev": [item["id"]]}
    return {**change(item, "about", **about), **later}


def test_everything_of_the_person_is_cut_to_what_stands(session: Session, cast: Cast) -> None:
    first, waiting, other = intake(ONE, APRIL), intake(ONE, APRIL), intake(OTHER, APRIL)
    refused = change(intake(ONE, APRIL), "arrival", came_by="")
    send(session, cast, first, other)
    send(session, cast, refused, status="rejected")
    aside(session, cast, waiting)
    send(session, cast, correct(first, MAY))
    assert cut_in_every_centre(session) == 0
    assert find_left(session, *DENIED) == list(DENIED)
    lower(session, cast)
    assert cut_in_every_centre(session) == 1
    of_person = sa.select(Submission.body).where(Submission.root_id.in_([first["id"], refused["id"], waiting["id"]]))
    bodies = session.scalars(of_person).all()
    assert len(bodies) == 4
    for body in bodies:
        assert ALLOWED in body
        assert not any(word in body for word in DENIED)
    record = read_record(session, first)
    assert record.answers["about"] == {"age_band": ALLOWED, "school_work": "school", "housing": "stable"}
    assert record.review != "contested"
    assert list_told(session, "man_boy") == []
    assert read_record(session, other).answers["about"]["gender"] == "man_boy"  # somebody else's stay
    assert cut_in_every_centre(session) == 0
    assert session.scalars(sa.select(StandingRow.person).where(StandingRow.is_in_log)).all() == []


def test_no_byte_of_it_is_left_in_the_files(session: Session, cast: Cast) -> None:
    item = change(intake(ONE, APRIL), "about", gender="two_spirit")
    erased_bytes.overwrite_erased(session)
    before = read_files(session).count(b"two_spirit")  # the form offers it
    send(session, cast, item)
    lower(session, cast)
    assert cut_in_every_centre(session) == 1
    assert find_left(session, "two_spirit") == []
    session.rollback()
    assert read_files(session).count(b"two_spirit") <= before


def test_a_later_yes_brings_nothing_back(session: Session, cast: Cast) -> None:
    item = intake(ONE, APRIL)
    send(session, cast, item)
    lower(session, cast)
    cut_in_every_centre(session)
    send(session, cast, knowing(session, met(ONE, JUNE, "3")))
    assert told(session)["tier"] == 3
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []
    # What is asked now is kept again: a correction in which they agreed to more.
    send(session, cast, correct(item, JUNE))
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    assert read_record(session, item).review != "contested"


def test_who_rises_again_before_it_is_settled_loses_nothing(session: Session, cast: Cast) -> None:
    send(session, cast, intake(ONE, APRIL))
    send(session, cast, met(ONE, MAY, "1"))  # by a phone that had not heard of the first: the answers differ
    cut_in_every_centre(session)
    send(session, cast, knowing(session, met(ONE, JUNE, "2")))
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)


def test_answers_that_differ_for_a_month_are_cut(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(intake(ONE, calendar.now.date()), met(ONE, calendar.now.date(), "1"))
    calendar.go_on(25)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    calendar.send(met(ONE, calendar.now.date(), "1"))  # more of them does not make it wait longer
    calendar.go_on(6)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []


def test_what_comes_late_and_says_more_is_cut_as_well(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(met(ONE, calendar.now.date(), "2"))
    lower(session, cast)
    cut_in_every_centre(session)
    late = intake(ONE, calendar.now.date())
    calendar.send(late)
    calendar.go_on(31)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []
    calendar.send(correct(late, calendar.now.date()))  # a correction says again what was said then
    calendar.go_on(31)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []
    assert words.list_tiers(session, cast.centre.id)[ONE] == 1


def test_what_was_kept_aside_is_let_in_without_it(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "2"))
    waiting = intake(ONE, APRIL)
    aside(session, cast, waiting)
    lower(session, cast)
    cut_in_every_centre(session)
    assert cast.amina.device_id is not None
    let_in_all(session, cast.rosa, cast.amina.device_id)
    assert find_left(session, *DENIED) == []


LATE = {
    "a record": lambda first: change(intake(ONE, MAY), "arrival", came_by=""),
    "a correction": lambda first: correct(change(first, "arrival", came_by=""), MAY),
    "a correction that names nobody": lambda first: correct(change(first, "start", code=""), MAY),
    "under another form": lambda first: {**intake(ONE, MAY), "root": first["id"], "prev": [first["id"]]},
}


@pytest.mark.parametrize("kind", LATE)
def test_what_is_refused_after_consent_fell_is_stored_without_it(session: Session, cast: Cast, kind: str) -> None:
    first = met(ONE, APRIL, "3") if kind == "under another form" else intake(ONE, APRIL)
    send(session, cast, first)
    lower(session, cast)
    cut_in_every_centre(session)
    send(session, cast, LATE[kind](first), status="rejected")
    assert find_left(session, *DENIED) == []
    told_back = session.scalars(sa.select(PullItem.body).where(PullItem.key.like("rec/%"), PullItem.body != "")).all()
    assert len(told_back) == (kind != "under another form")
    assert all(ALLOWED in body and not any(word in body for word in DENIED) for body in told_back)


def test_what_is_kept_aside_after_consent_fell_is_stored_without_it(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast)
    cut_in_every_centre(session)
    aside(session, cast, intake(ONE, APRIL))
    assert find_left(session, *DENIED) == []
    assert find_left(session, ALLOWED) == [ALLOWED]


NEWER = "2099"


def publish_newer(session: Session, cast: Cast, form: str) -> None:
    compiled = compiled_of(form)
    newer = dataclasses.replace(compiled, definition=dataclasses.replace(compiled.definition, version=NEWER))
    publish_form(session, cast.system, compiled=newer, workbook=b"")


@pytest.mark.parametrize("kind", LATE)
def test_what_waited_for_its_form_and_is_refused_then_loses_it_too(session: Session, cast: Cast, kind: str) -> None:
    first = met(ONE, APRIL, "3") if kind == "under another form" else intake(ONE, APRIL)
    send(session, cast, first)
    lower(session, cast)
    cut_in_every_centre(session)
    late = {**LATE[kind](first), "version": NEWER}
    send(session, cast, late, status="rejected")
    assert find_left(session, *DENIED) == list(DENIED)  # nobody can tell what it says
    publish_newer(session, cast, "participant")
    assert let_in_known_forms(session) == 0
    assert find_left(session, *DENIED) == []
    row = session.scalars(sa.select(Submission).where(Submission.instance_id == late["id"])).one()
    assert row.state == "rejected"
    assert ALLOWED in row.body
    told_back = session.scalars(sa.select(PullItem.body).where(PullItem.key.like("rec/%"), PullItem.body != "")).all()
    assert len(told_back) == (kind != "under another form")
    assert all(ALLOWED in body and not any(word in body for word in DENIED) for body in told_back)


def test_what_is_refused_as_it_is_let_in_waits_while_two_answers_differ(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    day = calendar.now.date()
    calendar.send(met(ONE, day, "3"), met(ONE, day, "1"))
    calendar.go_on(31)
    cut_in_every_centre(session)  # from now on nothing is known of that would have to be cut
    refused = {**change(intake(ONE, day), "arrival", came_by=""), "version": NEWER}
    send(session, cast, refused, status="rejected")
    publish_newer(session, cast, "participant")
    assert let_in_known_forms(session) == 0
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    calendar.go_on(31)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []


def test_who_agreed_anew_in_a_record_that_is_refused_loses_nothing(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast)
    cut_in_every_centre(session)
    refused = knowing(session, change(intake(ONE, MAY), "arrival", came_by=""))
    send(session, cast, refused, status="rejected")
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    send(session, cast, knowing(session, met(ONE, JUNE, "1")))  # said again, and to less
    lower(session, cast, tier=0)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []


def test_what_is_refused_while_two_answers_differ_waits_as_records_do(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    calendar.send(met(ONE, calendar.now.date(), "3"), met(ONE, calendar.now.date(), "1"))
    calendar.send(change(intake(ONE, calendar.now.date()), "arrival", came_by=""))
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    calendar.go_on(31)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []


def test_two_answers_of_which_only_what_goes_differs_need_no_choice(session: Session, cast: Cast) -> None:
    first = intake(ONE, APRIL)
    send(session, cast, first)
    send(session, cast, correct(first, MAY, gender="woman_girl"))
    send(session, cast, correct(first, JUNE, gender="two_spirit"))
    assert read_record(session, first).review == "contested"
    lower(session, cast)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED, "woman_girl", "two_spirit") == []
    record = read_record(session, first)
    assert (record.review, record.contested) == ("", [])


def test_what_is_preserved_is_cut_when_its_hold_is_over(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = intake(ONE, calendar.now.date())
    calendar.send(item)
    preserve(session, cast, item["id"], calendar.now.date() + dt.timedelta(days=40))
    lower(session, cast)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == list(DENIED)
    calendar.go_on(42)
    cut_in_every_centre(session)
    assert find_left(session, *DENIED) == []


def test_killed_in_the_middle_it_is_whole_or_cut(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    items = [intake(ONE, APRIL), intake(ONE, MAY)]
    send(session, cast, *items)
    lower(session, cast)
    for step in ("cut_record", "cut_messages"):
        with monkeypatch.context() as patch:
            patch.setattr(lowered_answers.LevelCutter, step, kill)
            with pytest.raises(Killed):
                cut_in_every_centre(session)
        session.rollback()
        session.expire_all()
        assert all(read_record(session, item).answers["about"]["gender"] == "man_boy" for item in items)
        bodies = session.scalars(sa.select(Submission.body)).all()
        assert sum("man_boy" in body for body in bodies) == 2
    assert cut_in_every_centre(session) == 1
    assert find_left(session, *DENIED) == []
