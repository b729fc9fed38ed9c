"""Deliveries: sealed and signed records, whoever carries them; orders to phones; copies that an admin brings."""

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services import keys
from fieldapp.services.acts import Actor
from fieldapp.services.operations.overview import list_audit
from fieldapp.services.people import accounts
from fieldapp.services.phones import devices
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import listing
from fieldapp.services.records.copies import import_copy
from fieldapp.services.records.deliveries import receive_delivery
from sync.sealed import parse_delivery
from tests.cast import Cast, encounter
from tests.sealing import Centre, PhoneKey, delivery, sealed
from tests.services.records.phone import SECRET, Phone


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


def test_a_key_that_is_none_is_refused(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem) as refused:
        devices.enrol_device(session, cast.amina, label="x", public_key="AAAA")
    assert refused.value.code == "sync.public_key"


def test_nobody_signs_as_somebody_else(phone: Phone) -> None:
    stranger = PhoneKey(phone.key.device)
    assert phone.statuses(sealed(encounter(), phone.centre, stranger)) == ["retry"]
    assert phone.statuses(sealed(encounter(), phone.centre, PhoneKey())) == ["retry"]
    assert phone.total() == 0


def test_a_sealed_record_arrives_once_however_often_it_is_sent(phone: Phone, cast: Cast) -> None:
    item = phone.seal(seq=1)
    assert phone.statuses(item) == ["stored"]
    assert phone.statuses(item) == ["duplicate"]
    assert phone.statuses(phone.seal(id=item["id"], seq=1)) == ["duplicate"]  # sealed anew, same answers
    assert phone.total() == 1
    opened = listing.open_record(phone.session, cast.rosa, instance_id=item["id"])
    assert opened.worker.id == cast.amina.user_id


def test_a_poisoned_record_holds_up_nothing_and_is_kept(phone: Phone, cast: Cast) -> None:
    poisoned = sealed("{", phone.centre, phone.key)
    unopenable = sealed(encounter(), Centre(kid=phone.centre.kid), phone.key)
    assert phone.statuses(poisoned, unopenable, phone.seal()) == ["rejected", "rejected", "stored"]
    kept = listing.list_review_queue(phone.session, cast.rosa).submissions
    assert {submission.problems[0]["code"] for submission in kept} == {"sync.body", "sync.unopenable"}
    assert phone.statuses(poisoned, unopenable) == ["duplicate", "duplicate"]


def test_without_the_servers_secret_nothing_is_taken_and_nothing_lost(phone: Phone) -> None:
    item = phone.seal()
    found = receive_delivery(phone.session, parse_delivery(delivery(item)), "another secret")
    assert [one["status"] for one in found["items"]] == ["retry"]
    assert phone.statuses(item) == ["stored"]


def test_an_older_key_still_opens(phone: Phone, cast: Cast) -> None:
    item = phone.seal()
    newer = keys.make_key(phone.session, Actor.system(cast.centre.id), secret=SECRET)
    assert keys.current_key(phone.session, cast.centre.id, SECRET).kid == newer.kid
    assert phone.statuses(item) == ["stored"]


@pytest.mark.parametrize("order", ["lock", "wipe"])
def test_a_lost_phone_hands_over_its_queue_and_learns_its_order(phone: Phone, cast: Cast, order: str) -> None:
    assert phone.send(made=0)["orders"] == {phone.key.device: ""}
    device = devices.devices.by_uids(phone.session, [phone.key.device])[phone.key.device]
    devices.revoke_device(phone.session, cast.rosa, device_id=device.id, order=order)
    found = phone.send(phone.seal(), made=1)
    assert [item["status"] for item in found["items"]] == ["rejected"]  # aside, see test_shut_out.py
    assert found["items"][0]["receipt"]
    assert found["orders"] == {phone.key.device: order}


def test_what_a_switched_off_person_sends_is_kept_aside(phone: Phone, cast: Cast) -> None:
    assert cast.amina.user_id
    accounts.set_person_active(phone.session, cast.rosa, user_id=cast.amina.user_id, active=False)
    found = phone.send(phone.seal(), made=1)
    assert found["items"][0]["status"] == "rejected"
    assert found["orders"] == {phone.key.device: "lock"}
    assert phone.total() == 0


def test_the_centre_sees_which_numbers_never_came(phone: Phone, cast: Cast) -> None:
    def missing() -> int:
        listed = accounts.list_people(phone.session, cast.rosa)
        found = next(listed.missing.get(device.id) for device in listed.devices if device.uid == phone.key.device)
        return found.count if found else 0

    phone.send(phone.seal(seq=1), phone.seal(seq=4), made=5, unsent=1, deleted=1, persisted=True, free_mb=300)
    assert missing() == 1  # five made: two came, one waits, one was deleted, one is lost
    phone.send(phone.seal(seq=3), made=5, unsent=1, deleted=1)
    assert missing() == 0


@pytest.mark.parametrize("report", [{"made": -1}, {"made": "x"}, {"made": 10**30}, {"persisted": {}, "free_mb": "a"}])
def test_a_phone_that_talks_nonsense_changes_nothing_else(phone: Phone, report: dict[str, Any]) -> None:
    assert phone.send(phone.seal(), **report)["items"][0]["status"] == "stored"


def test_a_copy_brought_by_the_admin_is_like_a_delivery_and_another_centres_admin_brings_none(
    phone: Phone, cast: Cast
) -> None:
    copy = delivery(phone.seal(), phone.seal())
    assert {item["status"] for item in import_copy(phone.session, cast.olaf, data=copy, secret=SECRET)} == {"retry"}
    assert phone.total() == 0
    assert {item["status"] for item in import_copy(phone.session, cast.rosa, data=copy, secret=SECRET)} == {"stored"}
    assert phone.total() == 2


def test_unknown_phones_get_no_orders(phone: Phone) -> None:
    found = receive_delivery(phone.session, parse_delivery(delivery(phones=[{"device": str(uuid.uuid4())}])), SECRET)
    assert found["orders"] == {}


def test_a_phone_that_says_hello_leaves_no_line_in_the_audit(phone: Phone, cast: Cast) -> None:
    def lines() -> int:
        return len([line for line in list_audit(phone.session, cast.rosa)[0] if line.act != "system.view"])

    before = lines()
    assert phone.send(made=2, unsent=2)["orders"] == {phone.key.device: ""}
    phone.send(made=2, unsent=2)
    assert lines() == before
    device = devices.devices.by_uids(phone.session, [phone.key.device])[phone.key.device]
    assert (device.made, device.unsent) == (2, 2)


def test_a_copy_of_a_long_weekend_is_taken_in_whole(phone: Phone, cast: Cast) -> None:
    copy = delivery(*(phone.seal(seq=number) for number in range(1, 131)))
    found = import_copy(phone.session, cast.rosa, data=copy, secret=SECRET)
    assert [item["status"] for item in found] == ["stored"] * 130
    lines, _ = list_audit(phone.session, cast.rosa)
    assert [line.details for line in lines if line.act == "copy.import"] == [{"records": 130}]
