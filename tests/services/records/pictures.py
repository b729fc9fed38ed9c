"""Records with pictures, sealed as a phone seals them."""

import hashlib
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.forms.published import publish_form
from fieldapp.services.records.attachments import SEALED, make_signature_text, receive_piece
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook
from sync.sealed import SUITE
from tests.cast import Cast
from tests.services.records.phone import Phone

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
        self.proof = phone.key.sign(make_signature_text(self.hash, len(self.data)))

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
