"""ODK Collect as the server meets it."""

import io
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.phones.devices import set_up_collect
from fieldapp.services.phones.rules import set_phone_rules
from fieldapp.settings import Settings
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast
from tests.opening import open_engine

LIST = "{http://openrosa.org/xforms/xformsList}"


HEADERS = {"X-OpenRosa-Version": "1.0"}


class Collect:
    """A phone with ODK Collect, set up for Amina."""

    def __init__(self, app: Flask, settings: Settings, cast: Cast):
        self.client: FlaskClient = app.test_client()
        self.engine = open_engine(settings)
        self.session = Session(self.engine, expire_on_commit=False)
        self.cast = cast
        self.allow(True)
        assert cast.amina.user_id
        self.base = f"/or/{set_up_collect(self.session, cast.rosa, user_id=cast.amina.user_id)}"

    def allow(self, allows: bool) -> None:
        set_phone_rules(
            self.session, self.cast.rosa, lock_minutes=5, shred_days=7, has_voice_notes=False, allows_collect=allows
        )

    def get(self, address: str) -> Any:
        return self.client.get(address.removeprefix("http://localhost"), headers=HEADERS)

    def send(self, xml: str | bytes, **files: bytes) -> Any:
        data = xml.encode() if isinstance(xml, str) else xml
        parts: dict[str, Any] = {"xml_submission_file": (io.BytesIO(data), "encounter.xml", "text/xml")}
        parts |= {name: (io.BytesIO(one), name) for name, one in files.items()}
        return self.client.post(f"{self.base}/submission?deviceID=collect%3Ax", data=parts, headers=HEADERS)

    def records(self) -> list[Record]:
        self.session.rollback()
        return list(self.session.scalars(sa.select(Record)))

    def submissions(self) -> list[Submission]:
        self.session.rollback()
        return list(self.session.scalars(sa.select(Submission)))


@pytest.fixture
def collect(app: Flask, settings: Settings, web_cast: Cast) -> Any:
    made = Collect(app, settings, web_cast)
    yield made
    made.session.close()
    made.engine.dispose()
