"""The phone's door."""

import gzip
import hashlib
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.cast import PASSWORD, Cast, batch, encounter, envelope
from tests.sealing import Centre, PhoneKey, delivery, sealed


@pytest.fixture
def phone(app: Flask, web_cast: Cast) -> Any:
    """Post or get as Amina's phone."""

    def call(url: str, data: bytes | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"Bearer {web_cast.token}", **kwargs.pop("headers", {})}
        kwargs.setdefault("content_type", "application/json") if data is not None else None
        method = "GET" if data is None else "POST"
        return app.test_client().open(f"/sync/v1/{url}", method=method, data=data, headers=headers, **kwargs)

    return call


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic cm9zYTp4", "Bearer ' OR 1=1 --"])
def test_no_good_token_no_answer(app: Flask, web_cast: Cast, header: str) -> None:
    answer = app.test_client().get("/sync/v1/manifest", headers={"Authorization": header})
    assert (answer.status_code, answer.json["code"]) == (401, "sync.token")
    assert answer.content_type == "application/problem+json"


def test_signing_in_gives_a_token_to_workers_only(app: Flask, web_cast: Cast) -> None:
    client = app.test_client()
    for name, password, code in [("amina", "x", "sign_in.wrong"), ("rosa", PASSWORD, "sign_in.role")]:
        answer = client.post("/sync/v1/sign-in", json={"username": name, "password": password})
        assert answer.json["code"] == code
    answer = client.post("/sync/v1/sign-in", json={"username": "amina", "password": PASSWORD, "device": "Android"})
    token = answer.json["token"]
    assert client.get("/sync/v1/manifest", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert len(answer.json["recovery"]) == 64


@pytest.mark.parametrize("body", [b"", b"[]", b'{"username": 3}', b"{", b"null"])
def test_a_malformed_sign_in_is_refused(app: Flask, web_cast: Cast, body: bytes) -> None:
    assert app.test_client().post("/sync/v1/sign-in", data=body, content_type="application/json").status_code == 401


def test_the_manifest_names_forms_whose_bytes_have_that_hash(phone: Any) -> None:
    manifest = phone("manifest").json
    assert manifest["centre"] == "Rexdale centre"
    assert [form["id"] for form in manifest["forms"]] == ["encounter", "mediation"]
    for form in manifest["forms"]:
        body = phone(f"forms/{form['id']}/{form['version']}").data
        assert hashlib.sha256(body).hexdigest() == form["sha256"]
    assert phone("forms/encounter/0").status_code == 404


def test_a_wrong_content_type_is_415(phone: Any) -> None:
    assert phone("batch", batch(envelope(encounter())), content_type="text/plain").status_code == 415


def test_an_enormous_batch_is_413(phone: Any) -> None:
    assert phone("batch", b" " * 9_000_000).status_code == 413


def test_a_malformed_batch_lists_all_problems_and_keeps_nothing(phone: Any) -> None:
    good = envelope(encounter())
    answer = phone("batch", batch(good, {**envelope({}), "sha256": "x", "id": "x"}))
    assert answer.status_code == 422
    assert [problem["where"] for problem in answer.json["problems"]] == ["items[1].sha256", "items[1].id"]
    assert phone("batch", batch(good)).json["items"][0]["status"] == "stored"


def test_a_lost_response_makes_no_second_record(phone: Any) -> None:
    items = batch(envelope(encounter()), envelope(encounter()))
    first, second = phone("batch", items), phone("batch", items)
    assert [item["status"] for item in first.json["items"]] == ["stored", "stored"]
    assert [item["status"] for item in second.json["items"]] == ["duplicate", "duplicate"]
    assert [item["sha256"] for item in first.json["items"]] == [item["sha256"] for item in second.json["items"]]


def test_a_full_disk_is_507_and_the_phone_may_send_again(phone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = batch(envelope(encounter()))

    def full(*_: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("fieldapp.store.records.records.add_all", full)
        answer = phone("batch", item)
    assert (answer.status_code, answer.json["code"]) == (507, "storage.full")
    assert phone("batch", item).json["items"][0]["status"] == "stored"


def test_problems_come_in_the_phones_language(phone: Any) -> None:
    answer = phone("batch", b"{", headers={"Accept-Language": "fr"})
    assert answer.json["problems"][0]["text"] == "Le message n’est pas du JSON."


def test_logs_hold_no_answers_names_or_tokens(phone: Any, web_cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    phone("batch", batch(envelope(encounter()), envelope("{CANARY")))
    phone("batch", b"CANARY")
    assert "CANARY" not in caplog.text
    assert web_cast.token not in caplog.text


def test_the_apps_shell_is_whole_and_its_missing_parts_are_real_404s(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/app/")
    assert page.headers["Cache-Control"] == "no-cache"
    for url in re.findall(r'(?:href|src)="(/[^"]+)"', page.text):
        assert client.get(url).status_code == 200, url
    worker = client.get("/app/sw.js")
    assert (worker.status_code, worker.mimetype) == (200, "text/javascript")
    assert client.get("/app/old-script.js").status_code == 404
    assert client.get("/app").status_code == 308


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None)])
def test_the_shell_travels_compressed(app: Flask, accepted: str, encoding: str | None) -> None:
    client = app.test_client()
    page = client.get("/app/").text
    script = re.search(r'src="(/[^"]+)"', page)
    assert script
    answer = client.get(script[1], headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
    assert answer.mimetype == "text/javascript"
    plain = client.get(script[1], headers={"Accept-Encoding": ""}).data
    assert (len(answer.data) < len(plain) / 2) is bool(encoding)
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_form_travels_compressed(phone: Any) -> None:
    version = phone("manifest").json["forms"][0]["version"]
    plain = phone(f"forms/encounter/{version}").data
    packed = phone(f"forms/encounter/{version}", headers={"Accept-Encoding": "gzip"}).data
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 3  # words in seven languages


@pytest.mark.parametrize("text", ["\ud83d", "\x00"])
def test_what_no_database_holds_is_no_failure_of_the_server(app: Flask, web_cast: Cast, text: str) -> None:
    client, key = app.test_client(), PhoneKey()
    for name in ("username", "password", "device", "public_key"):
        given = {"username": "amina", "password": PASSWORD, "device": "x", "public_key": key.public, name: text}
        assert client.post("/sync/v1/sign-in", json=given).status_code in (200, 401, 422)
        assert client.post("/sync/v1/join", json={**given, "invitation": text}).status_code == 410


def test_signing_in_as_a_phone_that_seals_brings_key_rules_and_number(app: Flask, web_cast: Cast) -> None:
    client, key = app.test_client(), PhoneKey()
    given = {"username": "amina", "password": PASSWORD, "device": "Android"}
    assert client.post("/sync/v1/sign-in", json={**given, "public_key": "AAAA"}).json["code"] == "sync.public_key"
    found = client.post("/sync/v1/sign-in", json={**given, "public_key": key.public}).json
    assert set(found["manifest"]["key"]) == {"kid", "public"}
    assert found["manifest"]["rules"] == {"lock_minutes": 5, "shred_days": 7, "voice_notes": False}
    key.device = found["device"]
    centre = Centre(found["manifest"]["key"]["public"], found["manifest"]["key"]["kid"])
    sent = delivery(sealed(encounter(), centre, key), phones=[{"device": key.device, "made": 1}])
    answer = client.post("/sync/v1/deliver", data=sent, content_type="application/json")
    assert [item["status"] for item in answer.json["items"]] == ["stored"]
    assert answer.json["orders"] == {key.device: ""}
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"items": [{}]}', b'{"items": [], "phones": 3}'])
def test_a_malformed_delivery_is_refused_in_words(app: Flask, web_cast: Cast, body: bytes) -> None:
    answer = app.test_client().post("/sync/v1/deliver", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (422, "sync.malformed")


def test_a_phone_that_was_at_a_newer_server_is_named_in_the_office(phone: Any, client_of: Any) -> None:
    rosa = client_of("rosa")
    assert phone("pull?cursor=3").status_code == 200
    assert "knows a newer server" not in rosa.get("/office/people").text
    assert phone("pull?cursor=1790000000000:3").status_code == 200
    assert "knows a newer server" in rosa.get("/office/people").text
    home = rosa.get("/office/").text
    assert "1 phone was in touch with a newer server" in home


def test_only_an_app_that_erases_drafts_about_ended_cards_counts_as_told(
    phone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursors: list[str] = []
    monkeypatch.setattr("fieldapp.web.phone.sync.note_pulled", lambda *_, cursor: cursors.append(cursor))
    assert phone("pull?cursor=3").status_code == 200
    assert cursors == []
    assert phone("pull?cursor=4&ended=1").status_code == 200
    assert cursors == ["4"]
