"""What ends: nothing early, nothing under a hold, nothing by a clock in doubt; then it goes, and nothing comes back."""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent import retention, retention_steps
from fieldapp.services.consent.retention import (
    agree_to_shorten,
    confirm_day,
    confirm_hold,
    delay_plan,
    make_hold,
    rehearse,
    shorten_hold,
    view_retention,
)
from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import listing
from fieldapp.services.records.attachments import open_attachment
from fieldapp.services.records.reviews import dismiss_submission, review_record
from fieldapp.store.consent.retention import RetentionItem, list_held_roots
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people.users import User
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records import submissions
from fieldapp.store.records.attachments import BlobPiece
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from fieldapp.store.records.tombstones import ERASED_FORM
from tests.cast import Cast, another_worker, encounter, envelope
from tests.in_clear import list_bodies
from tests.services.consent.calendar import Calendar, local_day
from tests.services.consent.holds import find_hold, preserve, second_admin
from tests.services.consent.refusals import SAID_NO, with_everything
from tests.services.records.phone import SECRET, Phone
from tests.services.records.pictures import Sealed, with_picture

TEXT = "CANARY quiet night"


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def refused() -> dict[str, Any]:
    """Return a record that its form refuses: it says CANARY, and lacks what is required."""
    return envelope({"what": {"contact_type": "check_in"}, "next": {"note": "CANARY refused"}})


def stored_body(session: Session, instance_id: str) -> str:
    session.rollback()
    return session.scalars(sa.select(Submission.body).where(Submission.instance_id == instance_id)).one()


def count(session: Session, word: str) -> int:
    """Return how many submissions hold a word."""
    session.rollback()
    return len([body for body in list_bodies(session) if word in body])


def at_end_of(calendar: Calendar, days: int) -> None:
    """Go to the day on which what came today is due, with a clock that is believed."""
    calendar.go_on(days)
    calendar.settle_in()


# What does not go.


def test_nothing_goes_before_its_time(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused(), envelope(encounter()))
    at_end_of(calendar, 363)
    assert calendar.live(1) == 0
    assert (count(session, "CANARY refused"), calendar.plans()) == (1, [])


def test_what_is_due_is_shown_for_seven_days_first(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    (plan,) = calendar.plans()
    assert (plan.rule, plan.count, plan.done_at) == ("not_taken_in", 1, None)
    assert plan.goes_at - plan.planned_at == dt.timedelta(days=7)
    assert calendar.live(6) == 0
    assert count(session, "CANARY refused") == 1
    assert calendar.live(1) == 1
    assert count(session, "CANARY refused") == 0


def test_a_record_under_a_hold_keeps_everything_until_its_day(session: Session, cast: Cast, calendar: Calendar) -> None:
    kept, other = refused(), refused()
    calendar.send(kept, other)
    at_end_of(calendar, 366)
    until = calendar.now.date() + dt.timedelta(days=60)
    preserve(session, cast, kept["id"], until)
    assert calendar.live(7) == 1
    assert "CANARY" in stored_body(session, kept["id"])
    plan = calendar.plans()[0]
    assert (plan.count, plan.erased) == (2, 1)
    assert calendar.live(40) == 0
    assert calendar.live(40) == 1
    assert count(session, "CANARY refused") == 0


def test_a_hold_is_of_one_record_with_a_reference_and_a_day_ahead(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = refused()
    calendar.send(item)
    today = calendar.now.date()
    good: dict[str, Any] = {"root_id": item["id"], "reference": "Court file 12", "until": today + dt.timedelta(days=9)}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("hold.record", {"root_id": str(uuid.uuid4())}),
        ("hold.reference", {"reference": "  "}),
        ("hold.until", {"until": today}),
        ("hold.until", {"until": today + dt.timedelta(days=800)}),
    ]
    for code, change in wrong:
        with pytest.raises(ActProblem) as problem:
            make_hold(session, cast.rosa, **{**good, **change})
        assert problem.value.code == code
    with pytest.raises(ActProblem) as problem:
        make_hold(session, cast.olaf, **good)
    assert problem.value.code == "hold.record"
    assert view_retention(session, cast.rosa).holds == []
    make_hold(session, cast.rosa, **good)
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "hold.make")).one()
    assert (line.target, line.actor_id) == ("hold/1", cast.rosa.user_id)
    assert item["id"] not in json.dumps(line.details)


def test_one_person_alone_preserves_a_record_for_two_weeks_only(session: Session, cast: Cast, calendar: Calendar) -> None:
    alone, agreed = refused(), refused()
    calendar.send(alone, agreed)
    at_end_of(calendar, 366)
    until = calendar.now.date() + dt.timedelta(days=90)
    make_hold(session, cast.rosa, root_id=alone["id"], reference="Court file 12", until=until)
    make_hold(session, cast.rosa, root_id=agreed["id"], reference="Court file 13", until=until)
    second = find_hold(session, agreed["id"])
    for actor, code in ((cast.rosa, "hold.same"), (cast.olaf, "access.not_found"), (cast.amina, "access.denied")):
        with pytest.raises(ActProblem) as problem:
            confirm_hold(session, actor, hold_id=second.id)
        assert problem.value.code == code
    confirm_hold(session, second_admin(session, cast), hold_id=second.id)
    assert calendar.live(13) == 0
    assert calendar.live(20) == 1  # it is planned anew, and shown again for seven days
    assert (count(session, "CANARY refused"), stored_body(session, agreed["id"]) != "") == (1, True)
    assert calendar.live(50) == 0
    calendar.go_on(30)
    with pytest.raises(ActProblem) as problem:
        confirm_hold(session, cast.system, hold_id=second.id)
    assert problem.value.code == "hold.over"
    acts = session.scalars(sa.select(AuditEvent.act).where(AuditEvent.act.startswith("hold."))).all()
    assert sorted(acts) == ["hold.confirm", "hold.make", "hold.make"]


def test_putting_it_off_needs_a_reason_and_works_once_by_thirty_days(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    (plan,) = calendar.plans()
    day = plan.goes_at
    with pytest.raises(ActProblem) as problem:
        delay_plan(session, cast.rosa, plan_id=plan.id, reason="no")
    assert problem.value.code == "retention.reason"
    with pytest.raises(ActProblem) as problem:
        delay_plan(session, cast.olaf, plan_id=plan.id, reason="We look at these once more.")
    assert problem.value.code == "access.not_found"
    delay_plan(session, cast.rosa, plan_id=plan.id, reason="We look at these once more.")
    with pytest.raises(ActProblem) as problem:
        delay_plan(session, cast.rosa, plan_id=plan.id, reason="And once more after that.")
    assert problem.value.code == "retention.delayed"
    assert calendar.plans()[0].goes_at - day == dt.timedelta(days=30)
    assert calendar.live(36) == 0
    assert calendar.live(1) == 1


def test_a_hold_ends_earlier_by_two_persons_and_a_reason(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = envelope(encounter())
    calendar.send(item)
    sam = second_admin(session, cast)
    today = calendar.now.date()
    preserve(session, cast, item["id"], today + dt.timedelta(days=300))
    hold = find_hold(session, item["id"])
    yesterday = today - dt.timedelta(days=1)

    def ask(until: dt.date, reason: str = "The court closed the file") -> None:
        shorten_hold(session, cast.rosa, hold_id=hold.id, until=until, reason=reason)

    for until, reason in ((hold.until, "The court closed the file"), (yesterday, "closed"), (dt.date.min, "long ago, long")):
        with pytest.raises(ActProblem):
            ask(until, reason)
    with pytest.raises(ActProblem, match="Nobody asks"):
        agree_to_shorten(session, sam, hold_id=hold.id, until=yesterday)
    ask(yesterday)
    assert item["id"] in list_held_roots(session, cast.centre.id, calendar.now)
    with pytest.raises(ActProblem, match="You made this yourself"):
        agree_to_shorten(session, cast.rosa, hold_id=hold.id, until=yesterday)
    with pytest.raises(ActProblem):
        agree_to_shorten(session, cast.amina, hold_id=hold.id, until=yesterday)
    sam_user = session.get(User, sam.user_id)
    assert sam_user is not None
    sam_user.created_at = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    session.commit()
    with pytest.raises(ActProblem, match="Nobody asks"):  # another day than who agrees has read
        agree_to_shorten(session, sam, hold_id=hold.id, until=yesterday + dt.timedelta(days=1))
    agree_to_shorten(session, sam, hold_id=hold.id, until=yesterday)
    assert item["id"] not in list_held_roots(session, cast.centre.id, calendar.now)
    [shown] = view_retention(session, cast.rosa).holds
    assert (shown.until, shown.sooner_reason) == (yesterday, "The court closed the file")
    acts = session.scalars(sa.select(AuditEvent.act).where(AuditEvent.target == f"hold/{hold.id}")).all()
    assert acts.count("hold.shorten") == acts.count("hold.agree_shorten") == 1
    with pytest.raises(ActProblem, match="over already"):
        ask(yesterday - dt.timedelta(days=1))


def test_no_one_person_preserves_a_record_by_making_the_hold_again(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = refused()
    calendar.send(item)
    sam = second_admin(session, cast)
    until = calendar.now.date() + dt.timedelta(days=700)
    held = []
    for admin in (cast.rosa, cast.rosa, sam):
        is_first = make_hold(session, admin, root_id=item["id"], reference="Court file 12", until=until)
        calendar.go_on(13)
        held.append((is_first, list_held_roots(session, cast.centre.id, calendar.now) == {item["id"]}))
        session.rollback()
        calendar.go_on(2)
    assert held == [(True, True), (False, False), (False, False)]
    newest = view_retention(session, cast.rosa).holds[0].id
    session.rollback()
    confirm_hold(session, cast.rosa, hold_id=newest)
    assert list_held_roots(session, cast.centre.id, calendar.now) == {item["id"]}


def test_nobody_agrees_with_an_account_that_was_made_for_it(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = refused()
    calendar.send(item)
    make_hold(session, cast.rosa, root_id=item["id"], reference="File 1", until=calendar.now.date() + dt.timedelta(days=90))
    number = find_hold(session, item["id"]).id
    session.rollback()
    with pytest.raises(ActProblem) as problem:
        confirm_hold(session, second_admin(session, cast), hold_id=number)
    assert problem.value.code == "hold.newer"


def test_what_holds_its_record_back_stays_with_it(session: Session, cast: Cast, calendar: Calendar) -> None:
    """A no that came too broken to use holds its record back: without it, the record could leave."""
    first = envelope(encounter())
    calendar.send(first)
    no = {**with_everything(SAID_NO), "what": {}}
    calendar.send(envelope(no, root=first["id"], prev=[first["id"]]))
    (before,) = session.scalars(sa.select(Submission).where(Submission.is_refusal)).all()
    assert before.state == "rejected"
    at_end_of(calendar, 366)
    calendar.live(9)
    session.rollback()
    record = session.scalars(sa.select(Record).where(Record.instance_id == first["id"])).one()
    assert record.is_refused
    folding_root = submissions.of_record(session, cast.centre.id, first["id"])
    assert [one.is_refusal for one in folding_root] == [False, True]


# The clock.


def test_a_clock_that_jumps_ahead_erases_nothing(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    calendar.settle_in()
    calendar.go_on(400)  # the battery of a small box failed: no phone has sent anything "since"
    for _ in range(20):
        assert calendar.run() == 0
        calendar.go_on(1)
    assert (count(session, "CANARY refused"), calendar.plans()) == (1, [])
    for _ in range(20):  # phones come, and are 400 days behind
        calendar.hear_phone(behind=dt.timedelta(days=400))
        assert calendar.run() == 0
        calendar.go_on(1)
    assert (count(session, "CANARY refused"), calendar.plans()) == (1, [])


def test_a_clock_that_goes_back_erases_nothing(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    calendar.go_on(-1)
    calendar.hear_phone()
    assert calendar.run() == 0
    assert view_retention(session, cast.rosa).clock.doubt == "gap"  # type: ignore[union-attr]


def test_after_a_gap_one_phone_is_not_enough_and_two_are(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    assert len(calendar.plans()) == 1
    calendar.go_on(10)
    assert calendar.run() == 0
    calendar.go_on(0.1)
    first = calendar.hear_phone()
    assert calendar.run() == 0
    other = another_worker(session, cast)
    second = calendar.hear_phone()
    statement = sa.update(Submission).where(Submission.instance_id == second)
    session.execute(statement.values(device_id=other.device_id))
    session.commit()
    assert first != second
    assert calendar.run() == 1


def test_after_a_gap_an_admin_who_confirms_the_day_is_enough(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    calendar.go_on(10)
    assert calendar.run() == 0
    with pytest.raises(ActProblem) as problem:
        confirm_day(session, cast.rosa, day=local_day(calendar.now) - dt.timedelta(days=1))
    assert problem.value.code == "retention.day"
    assert calendar.run() == 0
    confirm_day(session, cast.rosa, day=local_day(calendar.now))
    assert calendar.run() == 1


def test_a_centre_that_hears_of_no_phone_for_a_week_keeps_everything(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    delay_plan(session, cast.rosa, plan_id=calendar.plans()[0].id, reason="Until the phones are back.")
    for _ in range(60):
        calendar.go_on(1)
        assert calendar.run() == 0
    assert view_retention(session, cast.rosa).clock.doubt == "silence"  # type: ignore[union-attr]


# What goes.


def test_of_a_refused_record_a_place_and_a_number_stay_and_nothing_else(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    item = refused()
    first = calendar.send(item)[0]
    before = session.scalars(sa.select(Submission)).one()
    place, seq, device = before.id, before.seq, before.device_id
    at_end_of(calendar, 366)
    calendar.live(7)
    session.rollback()
    after = session.get_one(Submission, place)
    assert (after.seq, after.device_id, after.form, after.body) == (seq, device, ERASED_FORM, "")
    assert (after.prev, after.problems, after.cards, after.due) == ([], [], [], "")
    assert item["id"] not in (after.instance_id, after.root_id)
    assert after.sha256 != item["sha256"]
    assert (after.received_at.day, after.received_at.hour) == (1, 0)
    item_key = f"rec/{item['id']}"
    bodies = session.scalars(sa.select(PullItem.body).where(PullItem.key == item_key)).all()
    assert set(bodies) <= {""}
    assert first["status"] == "rejected"


def test_an_erased_one_that_comes_again_is_known_and_brings_nothing_back(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    item = refused()
    calendar.send(item)
    at_end_of(calendar, 366)
    calendar.live(7)
    for _ in range(2):
        (again,) = calendar.send(item)
        assert (again["status"], again["was"]) == ("duplicate", "settled")
    assert count(session, "CANARY refused") == 0
    other = {**refused(), "id": item["id"]}
    other |= {"body": other["body"].replace("refused", "once more")}
    other |= {"sha256": hashlib.sha256(other["body"].encode()).hexdigest()}
    assert calendar.send(other)[0]["status"] == "conflict"


def test_what_was_dealt_with_goes_after_ninety_days(session: Session, cast: Cast, calendar: Calendar) -> None:
    settled, waiting = refused(), refused()
    calendar.send(settled, waiting)
    number = session.scalars(sa.select(Submission.id).where(Submission.instance_id == settled["id"])).one()
    dismiss_submission(session, cast.rosa, submission_id=number)
    at_end_of(calendar, 91)
    assert calendar.live(7) == 1
    assert stored_body(session, waiting["id"])


def test_free_text_goes_and_the_record_stays_as_it_was(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = envelope(encounter())
    calendar.send(item)
    review_record(session, cast.rosa, instance_id=item["id"], state="approved", comment="CANARY well done")
    before = session.scalars(sa.select(Record)).one()
    answers, heads, changed_at = dict(before.answers), before.heads, before.changed_at
    assert answers["next"]["note"] == TEXT
    at_end_of(calendar, 366)
    calendar.live(7)
    session.expire_all()
    record = session.scalars(sa.select(Record).where(Record.instance_id == item["id"])).one()
    without = {**answers, "next": {key: value for key, value in answers["next"].items() if key != "note"}}
    assert (record.answers, record.heads, record.changed_at) == (without, heads, changed_at)
    assert TEXT not in stored_body(session, item["id"])
    shown = listing.open_record(session, cast.rosa, instance_id=item["id"])
    assert "CANARY" not in str(shown.history)
    assert calendar.send(item)[0]["status"] == "duplicate"
    assert TEXT not in stored_body(session, item["id"])


def test_of_a_no_only_the_month_stays(session: Session, cast: Cast, calendar: Calendar) -> None:
    item = envelope(with_everything(SAID_NO))
    calendar.send(item)
    at_end_of(calendar, 36)
    assert calendar.live(7) == 1
    session.rollback()
    one = session.scalars(sa.select(Submission).where(Submission.instance_id == item["id"])).one()
    assert (one.received_at.day, one.received_at.hour, one.utc_offset) == (1, 0, 0)
    assert one.finished_at.hour == 23
    record = session.scalars(sa.select(Record).where(Record.instance_id == item["id"])).one()
    assert (record.received_at.day, record.changed_at.day) == (1, 1)
    assert calendar.live(9) == 0


def test_entries_of_the_audit_log_go_after_seven_years(session: Session, cast: Cast, calendar: Calendar) -> None:
    session.execute(sa.update(AuditEvent).values(at=calendar.now - dt.timedelta(days=2600)))
    session.commit()
    old = set(session.scalars(sa.select(AuditEvent.id)))
    assert old
    calendar.settle_in()
    calendar.live(7)
    session.rollback()
    assert not old & set(session.scalars(sa.select(AuditEvent.id)))


def test_the_proof_says_how_many_their_hash_and_until_when_backups_know_it(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    calendar.send(*[refused() for _ in range(3)])
    at_end_of(calendar, 366)
    calendar.live(7)
    (plan,) = view_retention(session, cast.rosa).proofs
    assert (plan.count, plan.erased, plan.is_in_bytes) == (3, 3, False)
    assert plan.erased_sha256 == plan.tags_sha256
    assert plan.done_at and plan.copies_until == (plan.done_at + dt.timedelta(days=35)).date()
    assert session.scalars(sa.select(RetentionItem)).all() == []
    lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "retention.run")).all()
    assert [line.details["count"] for line in lines] == [3]


def test_a_rehearsal_counts_and_writes_nothing(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    calendar.go_on(366)
    counts = {one.rule.key: one.count for one in rehearse(session, cast.system)}
    assert counts["not_taken_in"] == 1
    assert calendar.plans() == []
    assert count(session, "CANARY refused") == 1


# Killed in between.


class Killed(Exception):
    pass


def test_killed_at_any_step_it_ends_as_if_it_had_not_been(
    session: Session, cast: Cast, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "load_rules", lambda: SMALL_STEPS)
    calendar.send(*[refused() for _ in range(7)])
    at_end_of(calendar, 366)
    calendar.live(6)
    calendar.go_on(1)
    calendar.hear_phone()
    usual = retention_steps.ERASERS["not_taken_in"]  # type: ignore[index]
    calls = 0

    def kill_sometimes(*given: Any) -> set[int]:
        nonlocal calls
        calls += 1
        erased = usual(*given)
        if calls % 2:
            raise Killed  # after the writing, before the commit
        return erased

    monkeypatch.setitem(retention_steps.ERASERS, "not_taken_in", kill_sometimes)  # type: ignore[misc]
    left = [count(session, "CANARY refused")]
    while left[-1]:
        with contextlib.suppress(Killed):
            calendar.run()
        left.append(count(session, "CANARY refused"))
        assert len(left) < 20
    monkeypatch.setitem(retention_steps.ERASERS, "not_taken_in", usual)  # type: ignore[misc]
    calendar.run()
    (plan,) = [one for one in calendar.plans() if one.rule == "not_taken_in"]
    assert (plan.erased, plan.erased_sha256) == (7, plan.tags_sha256)
    assert sorted(left, reverse=True) == left


SMALL_STEPS = dataclasses.replace(load_rules(), step=2)


# Attachments.


def test_attachments_go_after_a_year_and_their_record_can_still_be_corrected(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    phone = Phone(session, cast)
    picture = Sealed(phone)
    picture.send_all()
    item = with_picture(picture)
    assert phone.statuses(item) == ["stored"]
    assert open_attachment(session, cast.rosa, sha256=picture.hash, secret=SECRET)
    at_end_of(calendar, 366)
    calendar.live(7)
    with pytest.raises(ActProblem) as problem:
        open_attachment(session, cast.rosa, sha256=picture.hash, secret=SECRET)
    assert problem.value.code == "access.not_found"
    assert picture.send(0, 300_000) == len(picture.data)  # the phone is told that it came, and nothing is stored
    assert session.scalars(sa.select(BlobPiece.blob_id)).all() == []
    assert phone.statuses(item) == ["duplicate"]
    correction = {"root": item["id"], "prev": [item["id"]], "seq": 2, "form": "signs", "version": "1"}
    answers = {"sign": f"attachment:image/jpeg:{picture.hash}"}
    assert phone.statuses(phone.seal(answers, **correction)) == ["stored"]


def test_another_centre_sees_nothing_of_it(session: Session, cast: Cast, calendar: Calendar) -> None:
    calendar.send(refused())
    at_end_of(calendar, 366)
    calendar.live(7)
    calendar.send(refused())
    page = view_retention(session, cast.olaf)
    assert (page.plans, page.proofs, page.holds) == ([], [], [])
