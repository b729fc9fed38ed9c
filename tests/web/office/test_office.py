"""The office pages: an admin's day."""

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services import keys
from fieldapp.services.operations.backup import marks
from fieldapp.services.phones import devices
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import epochs
from fieldapp.store.operations.centres import Centre
from fieldapp.store.phones.devices import Device
from fieldapp.version import VERSION
from tests.cast import Cast, batch, encounter, envelope
from tests.opening import open_engine
from tests.sealing import delivery
from tests.services.records.phone import Phone


@pytest.fixture
def rosa(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("rosa")


@pytest.fixture
def sent(app: Flask, web_cast: Cast) -> list[dict[str, Any]]:
    items = [envelope(encounter()), envelope(encounter(talk={"people_n": "900"})), envelope("{")]
    headers = {"Authorization": f"Bearer {web_cast.token}"}
    answer = app.test_client().post("/sync/v1/batch", data=batch(*items), content_type="application/json", headers=headers)
    assert answer.status_code == 200
    return items


def test_encounters_are_listed_filtered_and_opened_with_history(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    page = rosa.get("/office/records").text
    assert "1 record" in page
    assert "Check-in with participant" in page
    assert "Mount Olive-Silverstone-Jamestown" in page
    assert "No record matches" in rosa.get("/office/records?form=mediation").text
    assert "No record matches" in rosa.get("/office/records?since=2099-01-01").text
    assert rosa.get("/office/records?since=nonsense&worker=x&after=zzz&area='--").status_code == 200
    opened = rosa.get(f"/office/records/{sent[0]['id']}").text
    assert "CANARY quiet night" in opened
    assert "stays here" in opened
    assert "Received by the centre" in opened
    assert "A record was opened" in rosa.get(f"/office/records/{sent[0]['id']}").text


def test_what_failed_is_shown_with_its_reasons(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    assert "2 items" in rosa.get("/office/").text
    page = rosa.get("/office/review").text
    assert "pass the form" in page
    links = [part.split('"')[0] for part in page.split('href="') if part.startswith("/office/review/")]
    texts = "".join(rosa.get(link).text for link in links)
    assert "Give a number from 1 to 200." in texts
    assert "The answers are not JSON." in texts


def test_what_a_shut_out_phone_sent_is_named_and_let_in_by_one_click(
    rosa: FlaskClient, app: Flask, settings: Settings, web_cast: Cast, post: Callable[..., Any]
) -> None:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as own:
        phone = Phone(own, web_cast, app.extensions["server_keys"].secret)
        device_id = devices.devices.by_uids(own, [phone.key.device])[phone.key.device].id
        post(rosa, f"/office/phones/{device_id}/revoke", order="wipe")
        headers = {"Content-Type": "application/json"}
        later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
        items = [phone.seal(finished_at=later) for _ in range(2)]
        answer = app.test_client().post("/sync/v1/deliver", data=delivery(*items), headers=headers)
        page = rosa.get("/office/review").text
        app.test_client().post("/sync/v1/deliver", data=delivery(phone.seal()), headers=headers)
    engine.dispose()
    assert [one["status"] for one in answer.json["items"]] == ["rejected", "rejected"]
    assert "The centre has turned off this phone" in page
    assert "after access was turned off" in page
    link = next(part.split('"')[0] for part in page.split('href="') if part.startswith("/office/review/"))
    assert "Accept" in rosa.get(link).text
    assert post(rosa, f"{link}/let-in").status_code == 302
    newest = {"newest": page.split('name="newest" value="')[1].split('"')[0]}
    assert post(rosa, f"/office/review/phones/{device_id}/let-in", **newest).status_code == 302
    page = rosa.get("/office/review").text
    assert "1 submission is now part of a record." in page
    assert "turned off this phone" in page  # what came after the page was shown
    assert post(rosa, f"/office/review/phones/{device_id}/dismiss", **newest).status_code == 302
    page = rosa.get("/office/review").text
    assert "turned off this phone" in page
    newest = {"newest": page.split('name="newest" value="')[1].split('"')[0]}
    assert post(rosa, f"/office/review/phones/{device_id}/dismiss", **newest).status_code == 302
    assert "turned off this phone" not in rosa.get("/office/review").text


def test_a_new_person_gets_a_password_that_is_shown_once(rosa: FlaskClient, post: Callable[..., Any]) -> None:
    answer = post(rosa, "/office/people", username="w-50", label="W-50", role="worker")
    assert answer.status_code == 201
    assert "shown once" in answer.text
    assert "shown once" not in rosa.get("/office/people").text
    again = post(rosa, "/office/people", username="w-50", label="W-50", role="worker")
    assert (again.status_code, "is taken" in again.text) == (409, True)
    assert post(rosa, "/office/people", username="", label="", role="worker").status_code == 422


def test_a_phone_can_be_shut_out(rosa: FlaskClient, app: Flask, web_cast: Cast, post: Callable[..., Any]) -> None:
    headers = {"Authorization": f"Bearer {web_cast.token}"}
    assert app.test_client().get("/sync/v1/manifest", headers=headers).status_code == 200
    post(rosa, f"/office/phones/{web_cast.amina.device_id}/revoke", order="lock")
    assert app.test_client().get("/sync/v1/manifest", headers=headers).status_code == 401
    assert "locked" in rosa.get("/office/people").text
    assert post(rosa, f"/office/phones/{web_cast.amina.device_id}/revoke", order="explode").status_code == 404
    post(rosa, f"/office/phones/{web_cast.amina.device_id}/revoke", order="wipe")
    assert "to be wiped" in rosa.get("/office/people").text
    post(rosa, f"/office/phones/{web_cast.amina.device_id}/revoke", order="lock")  # taken back in time
    assert "to be wiped" not in rosa.get("/office/people").text


def test_the_rules_for_phones_reach_them(rosa: FlaskClient, app: Flask, web_cast: Cast, post: Callable[..., Any]) -> None:
    assert post(rosa, "/office/phones/rules", lock_minutes="0", shred_days="x").status_code == 422
    post(rosa, "/office/phones/rules", lock_minutes="2", shred_days="3", has_voice_notes="y")
    headers = {"Authorization": f"Bearer {web_cast.token}"}
    manifest = app.test_client().get("/sync/v1/manifest", headers=headers).json
    assert manifest["rules"] == {"lock_minutes": 2, "shred_days": 3, "voice_notes": True}


def test_what_is_no_sealed_copy_is_refused_in_words(rosa: FlaskClient, post: Callable[..., Any]) -> None:
    post(rosa, "/office/phones/rescue", rescue=(io.BytesIO(b"{}"), "copy.json"))
    assert "not an encrypted copy" in rosa.get("/office/people").text


def test_the_system_page_lists_acts_and_no_answers(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    page = rosa.get("/office/system").text
    assert "A phone sent submissions" in page
    assert "CANARY" not in page


def test_home_says_each_day_that_no_backups_are_made_off_this_machine(rosa: FlaskClient, app: Flask) -> None:
    assert "No backups are made off this machine" in rosa.get("/office/").text
    assert "Aucune sauvegarde" in _french(rosa, "/office/")
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], copies="/mnt/elsewhere")
    assert "No backup was made" not in rosa.get("/office/").text, "a centre of some minutes is not late"
    engine = open_engine(app.config["SETTINGS"])
    with Session(engine) as session:
        session.execute(sa.update(Centre).values(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=3)))
        session.commit()
    engine.dispose()
    home = rosa.get("/office/").text
    assert "Yes" in home and "No backup was made off this machine for two days" in home
    marks.save_last_backup(app.config["SETTINGS"], dt.datetime.now(dt.UTC), "/mnt/elsewhere/1", is_safe=True)
    marks.save_last_backup(app.config["SETTINGS"], dt.datetime.now(dt.UTC), "/tmp/other")
    home = rosa.get("/office/").text
    assert "No backup" not in home and "Last backup off this machine" in home


def test_home_says_when_a_backup_was_last_proved_and_turns_red_when_that_is_long_ago(rosa: FlaskClient, app: Flask) -> None:
    settings = app.config["SETTINGS"] = replace(app.config["SETTINGS"], copies="/mnt/elsewhere")
    now = dt.datetime.now(dt.UTC)
    marks.save_last_backup(settings, now - dt.timedelta(days=9), "/mnt/elsewhere/1", is_safe=True)
    marks.save_last_backup(settings, now, "/mnt/elsewhere/2", is_safe=True)
    assert "No backup was ever restored as a test" in rosa.get("/office/").text
    assert "Aucune sauvegarde n’a encore été restaurée" in _french(rosa, "/office/")
    marks.change_notes(settings, proved_at=now - dt.timedelta(days=9), proved=now - dt.timedelta(days=9))
    assert "more than eight days ago" in rosa.get("/office/").text
    marks.change_notes(settings, proved_at=now)
    home = rosa.get("/office/").text
    assert "Last proved restore" in home and "Yes" not in home.split("Is anything wrong?")[1][:200]
    assert "Dernière restauration d’essai réussie" in _french(rosa, "/office/")


def test_home_says_when_the_backup_of_the_night_fails(rosa: FlaskClient, app: Flask) -> None:
    settings = app.config["SETTINGS"] = replace(app.config["SETTINGS"], copies="/mnt/elsewhere")
    now = dt.datetime.now(dt.UTC)
    marks.save_last_backup(settings, now, "/mnt/elsewhere/1", is_safe=True)
    marks.change_notes(settings, tries=2, tried_at=now, problem="CANARY of a path")
    home = rosa.get("/office/").text
    assert "The backup off this machine failed" in home and "CANARY" not in home


def test_after_a_restore_home_does_not_say_that_nothing_is_wrong(
    rosa: FlaskClient, post: Callable[..., Any], settings: Settings, web_cast: Cast
) -> None:
    assert "Is anything wrong?" in rosa.get("/office/").text
    assert "have not synced since" not in rosa.get("/office/").text
    engine = open_engine(settings)
    with Session(engine) as session:
        with WriteTransaction(session):
            now = dt.datetime.now(dt.UTC)
            epochs.begin(session, now, now - dt.timedelta(hours=5), 40)
        home = rosa.get("/office/").text
        assert "Yes" in home and "1 phone has not synced since" in home
        assert "n’a pas été synchronisé" in _french(rosa, "/office/")
        people = rosa.get("/office/people").text
        assert "What the office did in between is undone" in people
        later = dt.datetime.now(dt.UTC)
        session.execute(sa.update(Device).values(last_seen_at=later, made=9, unsent=1, deleted=1))
        session.commit()
    engine.dispose()
    home = rosa.get("/office/").text
    assert "7 records of phones never arrived" in home and "not synced" not in home
    people = rosa.get("/office/people").text
    assert "Not here: 1–9" in people and "Of these, 2 wait on the phone" in people
    assert "Pas ici : 1–9" in _french(rosa, "/office/people")
    assert 'name="missing" value="7"' in people
    address = f"/office/phones/{web_cast.amina.device_id}/missing"
    assert post(rosa, address, missing="7").status_code == 302
    assert "never arrived" not in rosa.get("/office/").text
    assert "7 lost" in rosa.get("/office/people").text


def test_home_says_that_the_secret_key_is_another_one(rosa: FlaskClient, settings: Settings, web_cast: Cast) -> None:
    engine = open_engine(settings)
    with Session(engine) as session:
        keys.current_key(session, web_cast.centre.id, "another key than that of the server")
    engine.dispose()
    assert "do not make a new one" in rosa.get("/office/").text
    assert "n’en créez pas de nouvelle" in _french(rosa, "/office/")


def _french(client: FlaskClient, url: str) -> str:
    return client.get(url, headers={"Accept-Language": "fr-CA"}).text


def test_every_page_says_which_version_runs(rosa: FlaskClient, client_of: Callable[[str], FlaskClient]) -> None:
    for url in ("/office/", "/office/system", "/office/forms/1"):
        assert f"fieldapp {VERSION}" in rosa.get(url).text, url
    assert f"fieldapp {VERSION}" in client_of("eve").get("/releases/", follow_redirects=True).text
