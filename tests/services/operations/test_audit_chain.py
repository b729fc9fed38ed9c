"""The audit log is a chain: what is changed, missing, added or moved in it is found, and what is erased by rule is not."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.consent import erasing
from fieldapp.services.consent.due_rules import DueRule
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.operations.audit_chain import Fault, check_all_chains, check_chain
from fieldapp.services.people.sign_in import sign_in
from fieldapp.services.problems import ActProblem
from fieldapp.store.database import WriteTransaction, engine_for
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditEvent, AuditHead, AuditLine
from tests.cast import Cast, encounter, envelope
from tests.services.consent.consents import send
from tests.services.consent.endings import CARD, end, talked
from tests.services.consent.endings import send as send_by


def fill(session: Session, cast: Cast, count: int = 10) -> None:
    with WriteTransaction(session):
        for number in range(count):
            line = AuditLine(utcnow(), "record.open", cast.centre.id, cast.rosa.user_id, target=f"record/{number}")
            audit.add(session, [line])


def change(session: Session, statement: str) -> None:
    """Write to the database as somebody does who has its file and no act."""
    session.rollback()
    with WriteTransaction(session):
        session.execute(sa.text(statement))
    session.expire_all()


TAMPERED = {
    "another act": ("UPDATE audit SET act = 'record.list' WHERE number = 5 AND centre_id = 1", Fault.CHANGED, 5),
    "another person": ("UPDATE audit SET actor_id = NULL WHERE number = 5 AND centre_id = 1", Fault.CHANGED, 5),
    "another target": ("UPDATE audit SET target = 'card/9' WHERE number = 5 AND centre_id = 1", Fault.CHANGED, 5),
    "another time": (
        "UPDATE audit SET at = '2026-01-01 00:00:00.000000' WHERE number = 5 AND centre_id = 1",
        Fault.CHANGED,
        5,
    ),
    "said to be taken out": ("UPDATE audit SET salt = NULL WHERE number = 5 AND centre_id = 1", Fault.CHANGED, 5),
    "one is missing": ("DELETE FROM audit WHERE number = 5 AND centre_id = 1", Fault.MISSING, 5),
    "the first is missing": ("DELETE FROM audit WHERE number = 1 AND centre_id = 1", Fault.MISSING, 1),
    "the last ones are missing": ("DELETE FROM audit WHERE number >= 5 AND centre_id = 1", Fault.MISSING, 5),
    "moved": ("UPDATE audit SET number = 11 - number WHERE number IN (5, 6) AND centre_id = 1", Fault.CHANGED, 5),
    "the head goes back": ("UPDATE audit_head SET number = 5 WHERE centre_id = 1", Fault.CHANGED, 5),
    "the end is deleted": ("DELETE FROM audit_head WHERE centre_id = 1", Fault.MISSING, 14),
    "the end says that there is nothing": ("UPDATE audit_head SET number = 0 WHERE centre_id = 1", Fault.CHANGED, 0),
    "added without a number": (
        "INSERT INTO audit (at, centre_id, act, target, details) "
        "SELECT at, centre_id, 'person.add', 'user/99', details FROM audit WHERE number = 5 AND centre_id = 1",
        Fault.ADDED,
        13,
    ),
    "added": (
        "INSERT INTO audit (at, centre_id, act, target, details, number, salt, target_hash, link) "
        "SELECT at, centre_id, act, target, details, number, salt, target_hash, link FROM audit WHERE number = 5 AND centre_id = 1",
        Fault.ADDED,
        5,
    ),
}


@pytest.mark.parametrize(("statement", "fault", "number"), TAMPERED.values(), ids=TAMPERED)
def test_what_somebody_did_to_a_line_is_found_and_named(
    session: Session, cast: Cast, statement: str, fault: Fault, number: int
) -> None:
    fill(session, cast)
    assert check_chain(session, cast.centre.id).fault is None
    change(session, statement)
    report = check_chain(session, cast.centre.id)
    assert (report.fault, report.fault_at) == (fault, number)


def test_who_deletes_the_end_hides_nothing_also_from_the_second_check(session: Session, cast: Cast) -> None:
    """The check notes what it found beside the end, and so makes a new one."""
    fill(session, cast)
    change(session, "DELETE FROM audit_head WHERE centre_id = 1")
    change(session, "UPDATE audit SET act = 'record.list' WHERE number = 5 AND centre_id = 1")
    for _ in range(2):
        session.expire_all()
        reports = {report.centre_id: report for report in check_all_chains(session)}
        assert reports[cast.centre.id].fault


def test_a_chain_that_was_written_anew_is_found_by_who_kept_its_end(session: Session, cast: Cast) -> None:
    fill(session, cast)
    kept = check_chain(session, cast.centre.id)
    fill(session, cast)
    assert check_chain(session, cast.centre.id, [kept.link]).anchors == {kept.link: kept.last}
    lines = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.centre_id == cast.centre.id).order_by(AuditEvent.id)
    ).all()
    told = [AuditLine(line.at, line.act, line.centre_id, None, None, line.target, line.details) for line in lines]
    with WriteTransaction(session):
        session.execute(sa.delete(AuditEvent))
        session.execute(sa.delete(AuditHead))
        audit.add(session, told)
    assert check_chain(session, cast.centre.id).fault is None, "nothing in the database says it"
    assert check_chain(session, cast.centre.id, [kept.link]).fault is Fault.REWRITTEN
    with WriteTransaction(session):
        session.execute(sa.delete(AuditEvent))
        session.execute(sa.delete(AuditHead))
    assert check_chain(session, cast.centre.id, [kept.link]).fault is Fault.REWRITTEN


def test_each_centre_has_its_own_and_who_is_unknown_has_one_too(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem):
        sign_in(session, "nobody", "wrong", "203.0.113.9", secret="s" * 64)
    send(session, cast, envelope(encounter()))
    reports = {report.centre_id: report for report in check_all_chains(session)}
    assert set(reports) == {0, cast.centre.id, *({cast.other_centre.id} & set(reports))}
    assert not [report for report in reports.values() if report.fault]
    assert reports[0].lines and reports[cast.centre.id].lines
    change(session, "UPDATE audit SET act = 'sign_in.ok' WHERE centre_id IS NULL")
    assert [report.centre_id for report in check_all_chains(session) if report.fault] == [0]
    session.expire_all()
    heads = {head.centre_id: head for head in audit.list_heads(session)}
    assert (heads[0].fault, heads[0].fault_at, heads[cast.centre.id].fault) == ("changed", 1, "")
    assert heads[0].checked_at


def test_a_target_that_is_taken_out_leaves_the_chain_whole(session: Session, cast: Cast) -> None:
    item = envelope(encounter())
    send(session, cast, item)
    fill(session, cast)
    send_by(session, cast.amina, talked())
    erase_record(session, cast.rosa, instance_id=item["id"], reason="by_mistake")
    end(session, cast, CARD)
    report = check_chain(session, cast.centre.id)
    assert report.fault is None
    assert item["id"] not in "".join(session.scalars(sa.select(AuditEvent.target)))


def test_what_retention_erases_is_said_and_the_rest_is_a_chain(
    session: Session, cast: Cast, erase_lines: Callable[..., set[int]]
) -> None:
    fill(session, cast, 30)
    first = session.scalars(sa.select(AuditEvent.id).where(AuditEvent.target == "record/0")).one()
    erase_lines({first, first + 1, first + 2, first + 10})
    erase_lines({first + 3, first + 11, first + 12})
    report = check_chain(session, cast.centre.id)
    assert (report.fault, report.erased) == (None, 7)
    lines = session.scalars(sa.select(AuditEvent.id).where(AuditEvent.act == audit.ERASED)).all()
    assert erase_lines(set(lines)) == set(), "what says so stays"
    change(session, f"DELETE FROM audit WHERE id = {lines[0]}")
    assert check_chain(session, cast.centre.id).fault is Fault.MISSING


@pytest.fixture
def erase_lines(session: Session, cast: Cast) -> Callable[..., set[int]]:
    class Everything:
        preserved: set[str] = set()

        class rule:  # noqa: N801
            days = 0

        def before(self, days: int) -> dt.datetime:
            return utcnow() + dt.timedelta(days=1)

    everything: DueRule = Everything()  # type: ignore[assignment]

    def erase(ids: set[int]) -> set[int]:
        with WriteTransaction(session):
            ctx = ActContext(session, cast.system, utcnow(), is_audited=False)
            erased = erasing.erase_audit(ctx, everything, ids)
            if ctx.list_lines(""):
                audit.add(session, ctx.list_lines(""))
        return erased

    return erase


def test_two_who_act_at_once_make_one_chain(session: Session, cast: Cast, url: str) -> None:
    line = AuditLine(utcnow(), "record.open", cast.centre.id, cast.rosa.user_id, target="record/1")
    session.rollback()

    def act_often() -> None:
        engine = engine_for(url)
        with Session(engine) as own:
            for _ in range(20):
                with WriteTransaction(own):
                    audit.add(own, [line])
        engine.dispose()

    threads = [threading.Thread(target=act_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = check_chain(session, cast.centre.id)
    assert report.fault is None
    assert report.lines >= 60


def test_lines_from_before_the_chain_are_passed_over(session: Session, cast: Cast) -> None:
    change(session, "UPDATE audit SET number = NULL, salt = NULL, target_hash = NULL, link = NULL")
    change(session, "DELETE FROM audit_head")
    fill(session, cast, 3)
    report = check_chain(session, cast.centre.id)
    assert (report.fault, report.lines, report.last) == (None, 3, 3)
