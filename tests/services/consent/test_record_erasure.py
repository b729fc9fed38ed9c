"""One record is erased, with a reason: nothing of it is left, and all else of its person stands."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.consent.forgotten import attach, find_list
from fieldapp.services.consent.record_erasure import erase_record, erase_submission
from fieldapp.services.consent.withdrawals import advance_withdrawals, end_listed
from fieldapp.services.phones.pull import note_pulled, pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.reviews import review_record
from fieldapp.services.releases.withdrawals_page import view_withdrawals
from fieldapp.settings import Settings
from fieldapp.store.consent import standing as words
from fieldapp.store.consent import withdrawals
from fieldapp.store.consent.withdrawals import Ended, ToldWorker, Withdrawal
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast
from tests.in_clear import everything
from tests.services.consent.calendar import Calendar
from tests.services.consent.endings import CARD, NOTE, send, talked
from tests.services.consent.holds import preserve


@pytest.fixture(autouse=True)
def settings_with_list(session: Session, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def pull(session: Session, cast: Cast) -> None:
    answer = json.loads(pull_changes(session, cast.amina, cursor="0"))
    note_pulled(session, cast.amina, cursor=str(answer["cursor"]))


def erase(session: Session, cast: Cast, item: dict[str, Any]) -> str:
    return erase_record(session, cast.rosa, instance_id=item["id"], reason="too_much")


def marked(text: str) -> dict[str, Any]:
    item = talked()
    body = item["body"].replace(NOTE, text)
    return talked() | {"id": item["id"], "body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()}


def test_without_a_reason_or_by_another_centre_nothing_is_erased(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    refused = [
        (cast.rosa, "because", "erase.reason"), (cast.olaf, "asked", "access.not_found"), (cast.amina, "asked", "access.denied"),
    ]  # fmt: skip
    for actor, reason, problem_code in refused:
        with pytest.raises(ActProblem) as problem:
            erase_record(session, actor, instance_id=item["id"], reason=reason)
        assert problem.value.code == problem_code
    assert NOTE in everything(session)
    assert find_list(session).read() == []


def test_nothing_of_the_record_is_left_and_the_rest_of_its_person_stands(session: Session, cast: Cast) -> None:
    wrong, good = marked("SECRET wrong"), talked()
    send(session, cast.amina, wrong, good)
    review_record(session, cast.rosa, instance_id=wrong["id"], state="returned", comment="SECRET why")
    correction = marked("SECRET again") | {"root": wrong["id"], "prev": [wrong["id"]]}
    correction["id"] = talked()["id"]
    send(session, cast.amina, correction)
    assert everything(session).count("SECRET") >= 3
    erase(session, cast, wrong)
    pull(session, cast)
    advance_withdrawals(session, None)
    text = everything(session)
    assert "SECRET" not in text
    assert NOTE in text
    session.rollback()
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3}
    tally, stays = session.scalars(sa.select(Record).order_by(Record.id)).all()
    assert (tally.kind, tally.person, tally.heads, tally.is_refused) == ("check_in", "", [], True)
    assert (stays.instance_id, stays.person) == (good["id"], CARD)
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "record.erase")).one()
    assert (line.actor_id, line.details) == (cast.rosa.user_id, {"reason": "too_much"})
    assert wrong["id"] not in line.target
    assert view_withdrawals(session, cast.rosa).quarters == []  # nobody took everything back
    ever = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    assert withdrawals.list_effective(session, cast.centre.id, *ever) == []  # what the public number counts


def test_what_comes_later_of_it_brings_nothing_back(session: Session, cast: Cast) -> None:
    item = marked("SECRET wrong")
    send(session, cast.amina, item)
    erase(session, cast, item)
    (again,) = send(session, cast.amina, item, status="duplicate")
    assert "consent.ended" not in str(again)  # or the phone would say that the person took everything back
    later = marked("SECRET later") | {"root": item["id"], "prev": [item["id"]]}
    later["id"] = talked()["id"]
    (answer,) = send(session, cast.amina, later)
    assert [problem["code"] for problem in answer["problems"]] == ["record.erased"]
    assert "SECRET" not in everything(session)
    with pytest.raises(ActProblem) as problem:
        erase(session, cast, item)
    assert problem.value.code == "access.not_found"


def test_a_copy_from_before_is_made_up_for(session: Session, cast: Cast) -> None:
    item, other = marked("SECRET wrong"), talked()
    send(session, cast.amina, item, other)
    rows = {}
    for table in (Record.__table__, Submission.__table__):
        rows[table] = [dict(row) for row in session.execute(sa.select(table)).mappings()]
    session.rollback()
    erase(session, cast, item)
    for table, before in rows.items():  # as a copy from before has them
        for row in before:
            session.execute(sa.update(table).where(table.c.id == row["id"]).values(**row))
    for forgotten in (ToldWorker, Withdrawal, Ended):
        session.execute(sa.delete(forgotten))
    session.commit()
    assert "SECRET" in everything(session)
    session.rollback()
    assert end_listed(session) == 1
    assert end_listed(session) == 0
    text = everything(session)
    assert "SECRET" not in text
    assert NOTE in text


def test_under_a_hold_it_is_out_of_every_list_and_goes_when_that_is_over(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    item = marked("SECRET wrong")
    send(session, cast.amina, item)
    until = calendar.now.date() + dt.timedelta(days=60)
    preserve(session, cast, item["id"], until)
    erase(session, cast, item)
    calendar.go_on(59)
    advance_withdrawals(session, None)
    session.rollback()
    assert session.scalars(sa.select(Submission.state).where(Submission.body != "")).all() == ["held"]
    calendar.go_on(3)
    advance_withdrawals(session, None)
    assert "SECRET" not in everything(session)


def wrong_version(text: str, **more: Any) -> dict[str, Any]:
    """Return a record that breaks a rule of its form."""
    return {**talked(days_ahead=300), **_note(talked(days_ahead=300)["body"], text), **more}


def _note(body: str, text: str) -> dict[str, str]:
    changed = body.replace(NOTE, text)
    return {"body": changed, "sha256": hashlib.sha256(changed.encode()).hexdigest()}


def find_position(session: Session, item: dict[str, Any]) -> int:
    session.rollback()
    return session.scalars(sa.select(Submission.id).where(Submission.instance_id == item["id"])).one()


def erase_refused(session: Session, actor: Actor, item: dict[str, Any], reason: str = "too_much") -> str:
    return erase_submission(session, actor, submission_id=find_position(session, item), reason=reason)


def test_what_was_refused_is_erased_alone(session: Session, cast: Cast) -> None:
    good, wrong = talked(), wrong_version("SECRET wrong")
    send(session, cast.amina, good)
    send(session, cast.amina, wrong, status="rejected")
    refused = [
        (cast.rosa, wrong, "", "erase.reason"), (cast.olaf, wrong, "asked", "access.not_found"),
        (cast.amina, wrong, "asked", "access.denied"), (cast.rosa, good, "asked", "access.not_found"),
    ]  # fmt: skip
    for actor, item, reason, problem_code in refused:
        with pytest.raises(ActProblem) as problem:
            erase_refused(session, actor, item, reason)
        assert problem.value.code == problem_code
    assert "SECRET" in everything(session)
    assert erase_refused(session, cast.rosa, wrong)
    pull(session, cast)
    advance_withdrawals(session, None)
    assert [word for word in ("SECRET", wrong["id"]) if word in everything(session)] == []
    assert NOTE in everything(session)
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3}
    send(session, cast.amina, wrong, status="duplicate")
    correction = wrong_version("SECRET again", root=wrong["id"], prev=[wrong["id"]])
    send(session, cast.amina, correction)
    assert "SECRET" not in everything(session)


def test_of_a_record_that_stays_only_the_refused_version_is_erased(session: Session, cast: Cast) -> None:
    good = talked()
    wrong = wrong_version("SECRET wrong", root=good["id"], prev=[good["id"]])
    send(session, cast.amina, good)
    send(session, cast.amina, wrong, status="rejected")
    assert erase_refused(session, cast.rosa, wrong) == ""
    assert "SECRET" not in everything(session)
    session.rollback()
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    assert (record.person, NOTE in str(record.answers)) == (CARD, True)
    send(session, cast.amina, wrong, status="duplicate")
    assert "SECRET" not in everything(session)


def test_what_was_refused_of_a_preserved_record_stays(session: Session, cast: Cast, calendar: Calendar) -> None:
    good = talked()
    wrong = wrong_version("SECRET wrong", root=good["id"], prev=[good["id"]])
    send(session, cast.amina, good)
    send(session, cast.amina, wrong, status="rejected")
    preserve(session, cast, good["id"], calendar.now.date() + dt.timedelta(days=30))
    with pytest.raises(ActProblem) as problem:
        erase_refused(session, cast.rosa, wrong)
    assert problem.value.code == "erase.preserved"
    assert "SECRET" in everything(session)
