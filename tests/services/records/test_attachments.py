"""Attachments: in pieces, before the record, sealed; from nobody but the phone that made them."""

import base64
import hashlib
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.forms.published import publish_form
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.attachments import SEALED, open_attachment, receive_piece, signed_text
from fieldapp.services.records.deliveries import take_in_copy
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.submissions import Submission
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook
from sync.sealed import SUITE
from tests.cast import Cast, encounter
from tests.services.records.test_receive_delivery import SECRET, Phone

PICTURE = bytes(range(256)) * 3000


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


class Sealed:
    def __init__(self, phone: Phone, data: bytes = PICTURE):
        self.phone = phone
        info = SEALED + f"{phone.centre.kid}{phone.key.device}".encode()
        self.data = info + SUITE.encrypt(data, phone.centre.public_key, info=info)
        self.hash = hashlib.sha256(self.data).hexdigest()
        self.proof = phone.key.sign(signed_text(self.hash, len(self.data)))

    def send(self, start: int, end: int, **changes: Any) -> int:
        given = {"uid": self.phone.key.device, "sha256": self.hash, "size": len(self.data), "proof": self.proof}
        return receive_piece(self.phone.session, **{**given, "start": start, "data": self.data[start:end], **changes})

    def send_all(self) -> None:
        for start in range(0, len(self.data), 300_000):
            self.send(start, start + 300_000)


FORM = """
| survey |       |      |              |            |                            |
|        | type  | name | label        | privacy    | privacy::approval          |
|        | image | sign | A sign       | identifier | Privacy board, 1 Nov 2026  |
| settings | form_id | version |
|          | signs   | 1       |
"""


def with_picture(sealed: Sealed) -> dict[str, Any]:
    workbook = read_sheets(FORM.encode(), ".md").to_xlsx()
    compiled = compile_workbook(workbook)
    publish_form(sealed.phone.session, sealed.phone.cast.system, compiled=compiled, workbook=workbook)
    return sealed.phone.seal({"sign": f"attachment:image/jpeg:{sealed.hash}"}, form="signs", version="1")


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
    assert [one["status"] for one in take_in_copy(phone.session, cast.rosa, copy, SECRET)] == ["stored"]
