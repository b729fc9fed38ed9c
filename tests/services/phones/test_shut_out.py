"""Phones that were shut out: what they send is kept aside and bounded, and counts only when somebody lets it in."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.board import board
from fieldapp.services.caseload import hand_over
from fieldapp.services.operations.overview import list_audit, view_home
from fieldapp.services.people import accounts
from fieldapp.services.phones import devices
from fieldapp.services.phones.limits import MB, Limits
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import folding, listing, quarantine, reviews
from fieldapp.services.records.copies import import_copy
from fieldapp.services.records.deliveries import receive_batch, receive_delivery
from fieldapp.store import tables
from fieldapp.store.caseload.cards import Card
from fieldapp.store.phones import pull
from fieldapp.store.phones.devices import Device
from fieldapp.store.records import records as record_rows
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from sync.sealed import parse_delivery
from tests.cast import Cast, another_worker, batch, encounter, envelope, publish_others
from tests.programme import definition_of
from tests.sealing import delivery, sealed
from tests.services.board.incidents import INCIDENT
from tests.services.records.phone import SECRET, Phone
from tests.services.records.pictures import Sealed as SealedFile
from tests.services.records.shutting_out import row, shut_out

CODE = "3K7W9P2QA"


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


def at(minutes: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()


def codes(phone: Phone) -> list[set[str]]:
    waiting = listing.list_review_queue(phone.session, phone.cast.rosa)
    return [{problem["code"] for problem in one.problems} for one in waiting.aside]


def counted(phone: Phone) -> int:
    """Return how many records lists, counts, releases and products read: all of them read one table."""
    day = dt.date.today()
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    released = list(record_rows.iterate_for_release(phone.session, phone.cast.centre.id, "encounter", day, day, soon))
    assert len(released) == phone.total() == sum(view_home(phone.session, phone.cast.rosa, secret=SECRET).week.values())
    return len(released)


@pytest.mark.parametrize("how", ["lock", "wipe", "new password", "switched off"])
@pytest.mark.parametrize(("minutes", "when"), [(5, "sync.finished_after"), (-5, "sync.finished_before")])
def test_what_a_shut_out_phone_sends_is_kept_aside_and_counts_nowhere(
    phone: Phone, cast: Cast, how: str, minutes: int, when: str
) -> None:
    shut_out(phone, how)
    item = phone.seal(finished_at=at(minutes))
    answer = phone.send(item)["items"][0]
    assert answer["status"] == "rejected"
    assert answer["receipt"]
    who = "sync.shut_out" if how == "switched off" else "sync.phone_shut_out"
    assert [problem["code"] for problem in answer["problems"]] == [who, when]
    assert counted(phone) == 0
    assert codes(phone) == [{who, when}]
    assert view_home(phone.session, cast.rosa, secret=SECRET).needing_attention == 1
    again = phone.send(item)["items"][0]
    assert (again["status"], again["was"], again["receipt"]) == ("duplicate", "rejected", answer["receipt"])


def test_an_incident_that_a_shut_out_phone_reports_is_on_the_board_only_once_it_is_let_in(phone: Phone, cast: Cast) -> None:
    publish_others(phone.session, cast)
    definition, now = definition_of("incident"), dt.datetime.now(dt.UTC)
    answers = {group: dict(values) for group, values in INCIDENT.items()}
    answers["alert"]["inc_alert_dt"] = (now - dt.timedelta(hours=3)).isoformat(timespec="milliseconds")
    answers["response"]["first_dt"] = (now - dt.timedelta(hours=2)).isoformat(timespec="milliseconds")
    filled = validate(definition, answers, local_time(now)).answers
    shut_out(phone)
    phone.send(phone.seal(filled, form="incident", version=definition.version, finished_at=now.isoformat()))
    assert board.see_board(phone.session, cast.rosa).incidents == []
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(1, 0)
    assert len(board.see_board(phone.session, cast.rosa).incidents) == 1


def test_colleagues_who_carry_its_letters_change_nothing_about_that(phone: Phone, cast: Cast) -> None:
    other = Phone(phone.session, cast)
    shut_out(phone)
    found = receive_delivery(phone.session, parse_delivery(delivery(phone.seal(), other.seal())), SECRET)
    assert [one["status"] for one in found["items"]] == ["rejected", "stored"]


def test_a_rescued_copy_of_a_shut_out_phone_is_kept_aside_too(phone: Phone, cast: Cast) -> None:
    copy = delivery(phone.seal(), phone.seal())
    shut_out(phone)
    assert [one["status"] for one in import_copy(phone.session, cast.rosa, copy, SECRET)] == ["rejected"] * 2
    assert counted(phone) == 0


def test_a_phone_that_is_shut_out_while_its_batch_is_read_is_shut_out(session: Session, cast: Cast) -> None:
    devices.revoke_device(session, cast.rosa, device_id=cast.amina.device_id)  # after the door has looked at its token
    (answer,) = receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter()))))
    assert answer["status"] == "rejected"
    assert session.scalars(sa.select(Record)).all() == []


def test_its_corrections_do_not_touch_the_record(phone: Phone, cast: Cast) -> None:
    first = phone.seal()
    assert phone.statuses(first) == ["stored"]
    shut_out(phone)
    phone.send(phone.seal(encounter(talk={"minutes": "gt60"}), root=first["id"], prev=[first["id"]]))
    opened = listing.open_record(phone.session, cast.rosa, instance_id=first["id"])
    assert opened.record.answers["talk"]["minutes"] == "5_15"
    assert opened.record.review == ""


def test_it_does_not_come_back_to_the_workers_new_phone(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    phone.send(phone.seal())
    assert pull.read_changes_after(phone.session, row(phone).user_id, 0, 100)[2] == ""


def test_an_admin_lets_one_in_and_it_is_a_record_like_any_other(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    item = phone.seal(seq=3)
    phone.send(item)
    (one,) = listing.list_review_queue(phone.session, cast.rosa).aside
    with pytest.raises(ActProblem):
        quarantine.let_in(phone.session, cast.eve, [one.id])
    assert quarantine.let_in(phone.session, cast.olaf, [one.id]) == quarantine.AcceptedCount(0, 0)
    assert counted(phone) == 0
    assert quarantine.let_in(phone.session, cast.rosa, [one.id]) == quarantine.AcceptedCount(1, 0)
    assert counted(phone) == 1
    opened = listing.open_record(phone.session, cast.rosa, instance_id=item["id"])
    assert opened.worker.id == cast.amina.user_id
    assert codes(phone) == []
    line = next(line for line in list_audit(phone.session, cast.rosa)[0] if line.act == "submission.let_in")
    assert line.details == {"records": 1, "stored": 1}
    assert line.actor_id == cast.rosa.user_id
    assert quarantine.let_in(phone.session, cast.rosa, [one.id]) == quarantine.AcceptedCount(0, 0)
    assert phone.send(item)["items"][0]["was"] == "stored"


def test_a_record_that_was_let_in_counts_from_that_day_on(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    phone.send(phone.seal())
    before = dt.datetime.now(dt.UTC)
    quarantine.let_in_all(phone.session, cast.rosa, row(phone).id)
    record = phone.session.scalars(sa.select(Record)).one()
    assert record.received_at > before
    assert record.changed_at > before


def test_all_of_a_phone_is_let_in_by_one_click_with_corrections_cards_and_notes(phone: Phone, cast: Cast) -> None:
    publish_others(phone.session, cast)
    colleague = another_worker(phone.session, cast)
    first = phone.seal(seq=1)
    correction = phone.seal(encounter(talk={"minutes": "gt60"}), seq=2, root=first["id"], prev=[first["id"]])
    with_card = phone.seal(encounter(), seq=3, cards=[a_code()])
    given = phone.seal({"code": a_code(), "to": colleague.user_id}, form="fieldapp.handover", version="1", seq=4)
    shut_out(phone)
    assert set(phone.statuses(first, correction, with_card, given)) == {"rejected"}
    assert phone.session.scalars(sa.select(Card)).all() == []
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(4, 0)
    assert counted(phone) == 2
    opened = listing.open_record(phone.session, cast.rosa, instance_id=first["id"])
    assert opened.record.answers["talk"]["minutes"] == "gt60"
    card = phone.session.scalars(sa.select(Card)).one()
    assert (card.code, card.issued_by, card.worker_id) == (a_code(), row(phone).id, colleague.user_id)
    assert hand_over.list_caseload(phone.session, cast.rosa).counts == {colleague.user_id: 1}


def a_code() -> str:
    from sync.notes import ALPHABET, CHECK  # noqa: PLC0415

    value = 0
    for sign in "3K7W9P2Q":
        value = value * 32 + ALPHABET.index(sign)
    return "3K7W9P2Q" + CHECK[value % 37]


def test_what_breaks_the_forms_rules_is_not_let_in_and_says_why(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    phone.send(phone.seal({"what": {"contact_type": "no such"}}))
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(0, 1)
    (one,) = listing.list_review_queue(phone.session, cast.rosa).submissions
    assert one.state == "rejected"
    assert {problem["code"].split(".")[0] for problem in one.problems} == {"answers"}
    assert counted(phone) == 0


def test_an_admin_takes_them_off_the_list_one_or_all(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    phone.send(*(phone.seal(seq=number) for number in (1, 2, 3)))
    newest = listing.list_review_queue(phone.session, cast.rosa).aside[0]
    reviews.dismiss_submission(phone.session, cast.rosa, submission_id=newest.id)
    assert len(codes(phone)) == 2
    assert reviews.dismiss_quarantined(phone.session, cast.olaf, device_id=row(phone).id) == 0
    assert reviews.dismiss_quarantined(phone.session, cast.rosa, device_id=row(phone).id) == 2
    assert codes(phone) == []
    assert len(phone.session.scalars(sa.select(Submission)).all()) == 3  # kept
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(0, 0)


def test_rubbish_of_a_shut_out_phone_is_bounded_and_others_are_served(phone: Phone, cast: Cast) -> None:
    shut_out(phone)
    rubbish = {"what": {"x": "y" * 600_000}}
    statuses = [phone.send(phone.seal(rubbish))["items"][0]["status"] for _ in range(27)]
    assert statuses == ["rejected"] * 16 + ["closed"] * 11
    answer = phone.send(phone.seal(rubbish))["items"][0]
    assert answer["problems"][0]["code"] == "sync.accepts_no_more"
    assert "receipt" not in answer
    kept = sum(len(one.body) for one in phone.session.scalars(sa.select(Submission)))
    assert kept <= 10 * MB
    other = Phone(phone.session, cast)
    assert other.statuses(other.seal()) == ["stored"]


def test_the_number_of_its_records_is_bounded_by_what_it_had_said(phone: Phone, cast: Cast) -> None:
    phone.send(made=2, unsent=2)
    shut_out(phone)
    phone.send(made=900, unsent=900)  # whoever has it now says so
    limits = Limits(shut_out_records=3)
    items = [phone.seal(seq=number) for number in range(1, 9)]
    phones = [{"device": phone.key.device, "made": 900, "unsent": 900}]
    found = receive_delivery(phone.session, parse_delivery(delivery(*items, phones=phones)), SECRET, limits)
    assert [one["status"] for one in found["items"]] == ["rejected"] * 5 + ["closed"] * 3
    again = receive_delivery(phone.session, parse_delivery(delivery(items[0], items[7])), SECRET, limits)
    assert [one["status"] for one in again["items"]] == ["duplicate", "closed"]


def test_an_honest_queue_of_three_weeks_is_kept_and_let_in_whole(phone: Phone, cast: Cast) -> None:
    shut_out(phone, "new password")
    for start in range(0, 120, 40):
        items = [phone.seal(seq=number, finished_at=at(-60)) for number in range(start + 1, start + 41)]
        assert set(phone.statuses(*items)) == {"rejected"}
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(120, 0)
    assert counted(phone) == 120


def test_attachments_of_a_shut_out_phone_are_bounded(phone: Phone) -> None:
    shut_out(phone)
    limits = Limits(shut_out_files=250_000)

    first, second, third = (SealedFile(phone, bytes([number]) * 100_000) for number in (1, 2, 3))
    first.send(0, 50_000, limits=limits)
    second.send(0, 50_000, limits=limits)
    with pytest.raises(ActProblem) as refused:
        third.send(0, 50_000, limits=limits)
    assert refused.value.code == "sync.accepts_no_more"
    assert second.send(50_000, len(second.data), limits=limits) == len(second.data)  # what was begun is finished
    assert len(phone.session.scalars(sa.select(Blob)).all()) == 2


def test_a_record_kept_aside_waits_for_its_attachments(phone: Phone, cast: Cast) -> None:
    from tests.services.records.pictures import with_picture  # noqa: PLC0415

    made = SealedFile(phone)
    item = with_picture(made)
    shut_out(phone)
    assert phone.statuses(item) == ["retry"]
    made.send_all()
    assert phone.statuses(item) == ["rejected"]
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(1, 0)


def test_a_shut_out_phone_takes_no_colleagues_place(phone: Phone, cast: Cast) -> None:
    """It has seen the ids of letters that it carried: what it sends under them stands in nobody's way."""
    other = Phone(phone.session, cast)
    letter = other.seal()
    shut_out(phone)
    squatting = phone.seal(encounter(talk={"minutes": "gt60"}), id=letter["id"])
    assert phone.statuses(squatting) == ["rejected"]
    assert other.statuses(letter) == ["stored"]
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(0, 1)
    opened = listing.open_record(phone.session, cast.rosa, instance_id=letter["id"])
    assert opened.record.answers["talk"]["minutes"] == "5_15"


def test_what_is_refused_of_a_live_phone_is_bounded_a_day_and_its_good_records_go_on(phone: Phone, cast: Cast) -> None:
    limits = Limits(refused_a_day=1_500_000)

    def send(*items: dict[str, Any]) -> list[str]:
        found = receive_delivery(phone.session, parse_delivery(delivery(*items)), SECRET, limits)
        return [one["status"] for one in found["items"]]

    rubbish = [phone.seal({"x": "y" * 600_000}) for _ in range(3)]
    assert send(*rubbish) == ["rejected", "rejected", "retry"]
    unopenable = sealed("z" * 600_000, type(phone.centre)(kid=phone.centre.kid), phone.key)
    assert send(unopenable) == ["retry"]
    assert send(phone.seal()) == ["stored"]
    phone.session.execute(sa.update(Device).values(day=dt.date.today() - dt.timedelta(days=3)))
    phone.session.commit()
    assert send(rubbish[2]) == ["rejected"]  # another day


def test_all_that_is_kept_of_a_live_phone_is_bounded_a_day(phone: Phone) -> None:
    limits = Limits(kept_a_day=600)
    found = receive_delivery(
        phone.session, parse_delivery(delivery(phone.seal(), phone.seal(), phone.seal())), SECRET, limits
    )
    statuses = [one["status"] for one in found["items"]]
    assert statuses[0] == "stored"
    assert statuses[-1] == "retry"
    assert "receipt" not in found["items"][-1]
    with pytest.raises(ActProblem) as refused:
        SealedFile(phone).send(0, 1000, limits=limits)
    assert refused.value.code == "sync.too_much"


def test_a_note_is_short(phone: Phone) -> None:
    note = {"due": f"{uuid.uuid4()}/2026-11-01", "x": "y" * 5000}
    assert phone.statuses(phone.seal(note, form="fieldapp.settle", version="1")) == ["rejected"]


def test_a_person_who_is_let_in_again_counts_again_and_what_was_aside_stays_so(phone: Phone, cast: Cast) -> None:
    shut_out(phone, "switched off")
    phone.send(phone.seal())
    accounts.set_person_active(phone.session, cast.rosa, user_id=row(phone).user_id, active=True)
    assert phone.statuses(phone.seal()) == ["stored"]
    assert (len(codes(phone)), counted(phone)) == (1, 1)


def test_what_is_not_taken_any_more_leaves_nothing_behind(phone: Phone, cast: Cast) -> None:
    def rows() -> int:
        return sum(
            phone.session.scalars(sa.select(sa.func.count()).select_from(table)).one()
            for table in tables.metadata.sorted_tables
        )

    item = phone.seal()
    shut_out(phone)
    phone.send(item)
    limits = Limits(shut_out_records=1)
    before = rows()
    for _ in range(3):
        found = receive_delivery(phone.session, parse_delivery(delivery(item, phone.seal(), phone.seal())), SECRET, limits)
        assert [one["status"] for one in found["items"]] == ["duplicate", "closed", "closed"]
    assert rows() == before


def test_two_answers_under_one_number_that_are_let_in_together_are_a_conflict(phone: Phone, cast: Cast) -> None:
    number = str(uuid.uuid4())
    shut_out(phone)
    phone.send(phone.seal(id=number), phone.seal(encounter(talk={"minutes": "gt60"}), id=number))
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(1, 1)
    kept = phone.session.scalars(sa.select(Submission).order_by(Submission.id)).all()
    assert [one.state for one in kept] == ["stored", "conflict"]
    assert phone.total() == 1


def test_one_that_cannot_be_let_in_stays_aside_and_holds_up_no_other(
    phone: Phone, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = folding._compute_list_columns

    def broken(definition: Any, answers: Any, *more: Any) -> Any:
        if answers["next"]["note"] == "BROKEN":
            raise KeyError
        return usual(definition, answers, *more)

    shut_out(phone)
    phone.send(phone.seal(seq=1), phone.seal(encounter(next={"note": "BROKEN"}), seq=2), phone.seal(seq=3))
    monkeypatch.setattr(folding, "_compute_list_columns", broken)
    assert quarantine.let_in_all(phone.session, cast.rosa, row(phone).id) == quarantine.AcceptedCount(2, 1)
    phone.session.expire_all()
    kept = phone.session.scalars(sa.select(Submission).order_by(Submission.seq)).all()
    assert [one.state for one in kept] == ["stored", "aside", "stored"]
