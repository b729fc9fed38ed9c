"""Attachments: in pieces, before the record, sealed; from nobody but the phone that made them."""

import base64
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from fieldapp.services.problems import ActProblem
from fieldapp.services.records.attachments import make_signature_text, open_attachment, receive_piece
from fieldapp.services.records.copies import import_copy
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast, encounter
from tests.services.records.phone import SECRET, Phone
from tests.services.records.pictures import (
    PICTURE,
    Sealed,
    phone,  # noqa: F401  a fixture
    with_picture,
)


def test_it_comes_in_pieces_and_goes_on_where_it_broke_off(phone: Phone, cast: Cast) -> None:
    made = Sealed(phone)
    assert made.send(0, 300_000) == 300_000
    assert made.send(0, 300_000) == 300_000  # the answer was lost
    assert made.send(500_000, 600_000) == 300_000  # not its turn
    assert made.send(300_000, 600_000) == 600_000
    assert made.send(600_000, len(made.data)) == len(made.data)
    assert open_attachment(phone.session, cast.rosa, sha256=made.hash, secret=SECRET) == PICTURE
    with pytest.raises(ActProblem):
        open_attachment(phone.session, cast.olaf, sha256=made.hash, secret=SECRET)


def test_a_record_waits_for_its_attachments(phone: Phone) -> None:
    made = Sealed(phone)
    item = with_picture(made)
    assert phone.statuses(item) == ["retry"]
    assert phone.session.scalars(sa.select(Submission)).all() == []
    made.send_all()
    assert phone.statuses(item) == ["stored"]


def test_words_that_look_like_an_attachment_wait_for_nothing(phone: Phone) -> None:
    note = {"ref_made": "no", "note": f"attachment:image/jpeg:{'a' * 64}"}
    assert phone.statuses(phone.seal(encounter(next=note))) == ["stored"]


@pytest.mark.parametrize(
    "changes",
    [
        {"proof": b"x" * 64}, {"proof": b""}, {"uid": str(uuid.uuid4())}, {"sha256": "a" * 64}, {"size": 5_000_000},
        {"size": 10}, {"data": b""}, {"start": -1}, {"data": b"x" * 600_000},
    ],
)  # fmt: skip
def test_what_is_not_this_phones_is_refused(phone: Phone, changes: dict[str, Any]) -> None:
    given = dict(changes)
    with pytest.raises(ActProblem) as refused:
        Sealed(phone).send(given.pop("start", 0), 1000, **given)
    assert refused.value.code == "sync.attachment"
    assert phone.session.scalars(sa.select(Blob)).all() == []


def test_what_was_damaged_on_the_way_begins_anew(phone: Phone) -> None:
    made = Sealed(phone, b"small")
    assert made.send(0, len(made.data), data=b"x" * len(made.data)) == 0
    assert made.send(0, len(made.data)) == len(made.data)


def test_a_phone_cannot_fill_the_disk_with_halves(phone: Phone) -> None:
    with pytest.raises(ActProblem) as refused:
        for number in range(60):
            made = Sealed(phone, bytes([number]) * 700_000)
            for start in (0, 300_000):
                made.send(start, start + 300_000)
    assert refused.value.code == "sync.attachment_full"


def test_a_copy_that_the_admin_brings_holds_attachments_too(phone: Phone, cast: Cast) -> None:
    made = Sealed(phone)
    text = [base64.b64encode(data).decode() for data in (made.proof, made.data)]
    listed = [{"hash": made.hash, "device": phone.key.device, "proof": text[0], "data": text[1]}, "x", {"hash": 1}]
    copy = json.dumps({"items": [with_picture(made)], "attachments": listed}).encode()
    assert [one["status"] for one in import_copy(phone.session, cast.rosa, copy, SECRET)] == ["stored"]


def spoiler(phone: Phone, made: Sealed) -> Sealed:
    """Return what another phone sends under the hash of an attachment that is not its own."""
    found = Sealed(Phone(phone.session, phone.cast), b"")
    found.hash, found.data = made.hash, bytes(len(made.data))
    found.proof = found.phone.key.sign(make_signature_text(found.hash, len(found.data)))
    return found


@pytest.mark.parametrize("is_first", [True, False])
def test_another_phone_that_knows_the_hash_cannot_spoil_it(phone: Phone, cast: Cast, is_first: bool) -> None:
    made = Sealed(phone)
    other = spoiler(phone, made)
    if is_first:
        assert other.send(0, 200_000) == 200_000
        short = make_signature_text(made.hash, 1000)
        third = Phone(phone.session, cast)  # a wrong size stands in nobody's way either
        proof = third.key.sign(short)
        assert receive_piece(phone.session, third.key.device, made.hash, 0, 1000, proof, bytes(1000)) == 0
    assert made.send(0, 300_000) == 300_000
    assert other.send(300_000, 600_000) in (0, 200_000)
    assert made.send(300_000, 600_000) == 600_000
    assert made.send(600_000, len(made.data)) == len(made.data)
    assert open_attachment(phone.session, cast.rosa, sha256=made.hash, secret=SECRET) == PICTURE
    assert other.send(0, 300_000) == len(made.data)  # it is here: nothing more is taken


def lines(phone: Phone) -> int:
    return phone.session.scalars(sa.select(sa.func.count()).select_from(AuditEvent)).one()


def test_pieces_that_come_again_and_again_leave_one_line_for_the_whole(phone: Phone) -> None:
    before, made = lines(phone), Sealed(phone)
    for _ in range(3):
        made.send(0, 300_000)
        made.send(500_000, 600_000)
    broken = made.data
    for _ in range(3):  # damaged on the way, over and over
        made.data = bytes(len(broken))
        for start in (300_000, 600_000, 0):
            made.send(start, start + 300_000)
    assert lines(phone) == before
    made.data = broken
    for start in (300_000, 600_000, 0, 300_000, 600_000):
        made.send(start, start + 300_000)
    assert lines(phone) == before + 1
    made.send_all()
    assert lines(phone) == before + 1


def test_an_attachment_is_not_cut_into_a_thousand_rows(phone: Phone) -> None:
    made = Sealed(phone)
    with pytest.raises(ActProblem, match="malformed"):
        made.send(0, 1000)
    small = Sealed(phone, b"small")
    assert small.send(0, len(small.data)) == len(small.data)
