"""The OpenRosa door as ODK Collect uses it: list, fetch, fill, send; and as others abuse it."""

import datetime as dt
import hashlib
import io
import time
import uuid
import xml.etree.ElementTree as ET
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldapp.services.people.accounts import set_person_active
from fieldapp.services.phones.devices import revoke_device, set_up_collect
from fieldapp.services.phones.limits import Limits
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import folding, quarantine
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.attachments import AttachmentName, Blob
from fieldapp.store.records.submissions import Submission
from tests.cast import encounter
from tests.programme import definition_of
from tests.services.consent.refusals import SAID_NO, with_everything
from tests.web.collecting import (
    HEADERS,
    LIST,
    Collect,
    collect,  # noqa: F401  a fixture
)


def test_a_submission_that_nobody_can_take_in_is_kept_aside_and_collect_goes_on(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError

    monkeypatch.setattr(folding, "_compute_list_columns", broken)
    sent = instance()
    assert collect.send(sent).status_code == 201
    monkeypatch.undo()
    (kept,) = collect.submissions()
    assert (kept.state, [one["code"] for one in kept.problems]) == ("aside", ["sync.failed"])
    assert quarantine.let_in(collect.session, collect.cast.rosa, [kept.id]).stored == 1
    assert len(collect.records()) == 1
    lines = sa.select(sa.func.count()).select_from(AuditEvent)
    before = collect.session.scalars(lines).one()
    assert collect.send(sent).status_code == 201
    collect.session.rollback()
    assert collect.session.scalars(lines).one() == before


def xml_of(answers: Any) -> str:
    if isinstance(answers, dict):
        return "".join(f"<{name}>{xml_of(value)}</{name}>" for name, value in answers.items())
    return str(answers).replace("&", "&amp;").replace("<", "&lt;")


def instance(answers: Any = None, number: str = "", before: str = "", version: str = "") -> str:
    version = version or definition_of("encounter").version
    old = f"<deprecatedID>uuid:{before}</deprecatedID>" if before else ""
    end = f"<timeEnd>{dt.date.today()}T22:00:00.000Z</timeEnd>"  # the day of the encounter, wherever the test runs
    meta = f"<meta><instanceID>uuid:{number or uuid.uuid4()}</instanceID>{old}{end}</meta>"
    return f'<data id="encounter" version="{version}">{xml_of(answers or encounter())}{meta}</data>'


def test_forms_are_listed_with_the_hash_of_what_is_fetched(collect: Collect) -> None:
    reply = collect.get(f"{collect.base}/formList")
    assert reply.status_code == 200
    assert reply.content_type.startswith("text/xml")
    assert reply.headers["X-OpenRosa-Version"] == "1.0"
    listed = ET.fromstring(reply.data)
    assert [form.findtext(f"{LIST}formID") for form in listed] == ["encounter", "mediation"]
    for form in listed:
        fetched = collect.get(form.findtext(f"{LIST}downloadUrl") or "")
        assert form.findtext(f"{LIST}hash") == f"md5:{hashlib.md5(fetched.data).hexdigest()}"
        assert b"timeEnd" in fetched.data
    again = collect.client.get(f"{collect.base}/formList", headers={**HEADERS, "If-None-Match": reply.headers["ETag"]})
    assert again.status_code == 304


def test_a_submission_becomes_a_record_that_says_how_it_came(collect: Collect) -> None:
    head = collect.client.head(f"{collect.base}/submission", headers=HEADERS)
    assert (head.status_code, int(head.headers["X-OpenRosa-Accept-Content-Length"]) > 1_000_000) == (204, True)
    xml = instance()
    reply = collect.send(xml)
    assert reply.status_code == 201
    assert b"OpenRosaResponse" in reply.data
    (record,) = collect.records()
    assert (record.channel, record.author_id, record.answers) == ("collect", collect.cast.amina.user_id, encounter())
    assert collect.submissions()[0].body == xml


def test_the_same_again_is_accepted_and_changes_nothing(collect: Collect) -> None:
    xml = instance()
    assert [collect.send(xml).status_code for _ in range(3)] == [201] * 3
    assert len(collect.records()) == 1
    number = collect.records()[0].instance_id
    assert collect.send(instance(encounter(talk={"people_n": "2"}), number)).status_code == 409


def test_an_edit_replaces_what_it_names(collect: Collect) -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    collect.send(instance(number=first))
    edit = instance(encounter(talk={"people_n": "2"}), second, first)
    assert [collect.send(edit).status_code for _ in range(2)] == [201] * 2
    (record,) = collect.records()
    assert (record.instance_id, record.answers["talk"]["people_n"]) == (first, "2")
    assert collect.send(instance(before=str(uuid.uuid4()))).status_code == 404


def test_what_breaks_the_forms_rules_is_kept_aside(collect: Collect) -> None:
    assert collect.send(instance(encounter(talk={"people_n": "900"}))).status_code == 201
    assert collect.records() == []
    assert collect.submissions()[0].state == "rejected"


def test_unknown_forms_and_versions_are_refused(collect: Collect) -> None:
    assert collect.send(instance(version="1999")).status_code == 404
    assert collect.send(instance().replace('id="encounter"', 'id="nothing"')).status_code == 404
    assert collect.submissions() == []


def test_a_centre_may_forbid_it(collect: Collect) -> None:
    collect.allow(False)
    for reply in (collect.get(f"{collect.base}/formList"), collect.send(instance())):
        assert reply.status_code == 403
        assert b"OpenRosaResponse" in reply.data
    assert collect.cast.amina.user_id
    with pytest.raises(ActProblem) as refused:
        set_up_collect(collect.session, collect.cast.rosa, user_id=collect.cast.amina.user_id)
    assert refused.value.code == "collect.off"


@pytest.mark.parametrize("token", ["x", "A" * 43])
def test_a_wrong_token_gets_403_so_that_nobody_is_asked_for_a_password(collect: Collect, token: str) -> None:
    assert collect.get(f"/or/{token}/formList").status_code == 403


def test_the_phone_apps_token_does_not_open_this_door_nor_this_one_that(collect: Collect) -> None:
    assert collect.get(f"/or/{collect.cast.token}/formList").status_code == 403
    token = collect.base.rpartition("/")[2]
    assert collect.client.get("/sync/v1/manifest", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_revoked_phone_is_out(collect: Collect) -> None:
    device = collect.session.scalars(sa.select(Device).where(Device.kind == "collect")).one()
    revoke_device(collect.session, collect.cast.rosa, device_id=device.id)
    assert collect.send(instance()).status_code == 403


def test_a_switched_off_person_sends_nothing_through_this_door(collect: Collect) -> None:
    set_person_active(collect.session, collect.cast.rosa, user_id=collect.cast.amina.user_id or 0, active=False)
    assert collect.send(instance(), **{"a.jpg": b"x" * 1000}).status_code == 403
    assert collect.session.scalars(sa.select(Submission)).all() == []
    assert collect.session.scalars(sa.select(Blob)).all() == []


def test_what_is_refused_of_collect_is_bounded_a_day_too(app: Flask, collect: Collect) -> None:
    app.config["LIMITS"] = Limits(refused_a_day=3000)
    wrong = [instance(encounter(talk={"people_n": "900"})) for _ in range(10)]
    statuses = [collect.send(xml).status_code for xml in wrong]
    assert (statuses[0], statuses[-1]) == (201, 503)
    assert sum(len(one.body) for one in collect.session.scalars(sa.select(Submission))) <= 3000
    assert collect.send(instance()).status_code == 201


BOMB = (
    '<!DOCTYPE data [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><data id="encounter"><x>&b;</x></data>'
)
FILE = '<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]><data id="encounter"><x>&x;</x></data>'


@pytest.mark.parametrize(
    "xml",
    [
        b"", b"<", b"no xml", b"\xff\xfe<\x00", BOMB.encode(), FILE.encode(), b"<data/>", b"<data id='encounter'><meta/></data>",
        instance(number="0191c2a0-7b1e-7c3a-8f00-000000000000").encode(), b"<a>" * 5000 + b"</a>" * 5000,
        ("<data>" + "<x/>" * 300_000 + "</data>").encode(),
    ],
)  # fmt: skip
def test_rubbish_is_refused_and_nothing_is_kept(collect: Collect, xml: bytes) -> None:
    start = time.process_time()
    reply = collect.send(xml)
    assert reply.status_code == 400
    assert b"Traceback" not in reply.data
    assert b"root:" not in reply.data
    assert time.process_time() - start < 5
    assert collect.submissions() == []


NOTE = "Zoë à Québec"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("UTF-16", "utf-16"),
        ("", "utf-16"),
    ],
)
def test_answers_are_read_by_the_encoding_that_the_xml_declares(collect: Collect, declared: str, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    sent = (head + instance(encounter(next={"note": NOTE}))).encode(encoding)
    assert [collect.send(sent).status_code for _ in range(2)] == [201, 201]
    (record,) = collect.records()
    assert record.answers["next"]["note"] == NOTE


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("UTF-7", "utf-7"), ("utf-32", "utf-32"), ("shift_jis", "ascii"), ("UTF-8", "latin-1"), ("ascii", "utf-8"),
     ("utf-16", "utf-8"), ("rot13", "ascii"), ("UTF-8", "utf-16"), ("idna", "ascii"), ("unicode_escape", "ascii")],
)  # fmt: skip
def test_what_is_written_otherwise_is_told_to_send_utf_8(collect: Collect, declared: str, encoding: str) -> None:
    note = "Zoe" if encoding in ("ascii", "utf-7") else NOTE
    xml = f'<?xml version="1.0" encoding="{declared}"?>' + instance(encounter(next={"note": note}))
    reply = collect.send(xml.encode(encoding))
    assert reply.status_code == 400
    assert b"UTF-8" in reply.data or encoding == "utf-32"
    assert collect.submissions() == []


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
@pytest.mark.parametrize("bad", ["BOMB", "FILE"])
def test_another_encoding_hides_no_bomb(collect: Collect, encoding: str, bad: str) -> None:
    head = f'<?xml version="1.0" encoding="{"UTF-16" if encoding == "utf-16" else "ISO-8859-1"}"?>'
    assert collect.send((head + {"BOMB": BOMB, "FILE": FILE}[bad]).encode(encoding)).status_code == 400
    assert collect.submissions() == []


def test_an_attachment_may_come_in_a_request_of_its_own(collect: Collect) -> None:
    xml = instance()
    parts = {"xml_submission_file": (io.BytesIO(xml.encode()), "x.xml"), "1.jpg": (io.BytesIO(b"jpeg"), "1.jpg")}
    first = collect.client.post(f"{collect.base}/submission", data={**parts, "*isIncomplete*": "yes"}, headers=HEADERS)
    assert first.status_code == 201
    assert collect.records() == []
    assert collect.send(xml, **{"2.jpg": b"jpeg too"}).status_code == 201
    assert len(collect.records()) == 1
    body = collect.submissions()[0].body
    assert body.startswith(xml)
    assert hashlib.sha256(b"jpeg").hexdigest() in body
    assert hashlib.sha256(b"jpeg too").hexdigest() in body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_bytes_make_it_stumble(collect: Collect, noise: bytes, place: int) -> None:
    good = instance().encode()
    for xml in (noise, good[:place] + noise + good[place:], good[:place]):
        assert collect.send(xml).status_code in (201, 400, 404, 409)


def test_after_a_no_its_pictures_are_not_kept_either(collect: Collect) -> None:
    number = str(uuid.uuid4())
    refused = instance(with_everything(SAID_NO), number)
    for _ in range(2):  # the answer to the first was lost
        assert collect.send(refused, **{"face.jpg": b"picture" * 100}).status_code == 201
        assert [one.is_refusal for one in collect.submissions()] == [True]
        assert collect.session.scalars(sa.select(Blob)).all() == []
        assert collect.session.scalars(sa.select(AttachmentName)).all() == []
