"""A session in a browser ends when its person signs out, when nobody uses it, and after a working day."""

import base64
import dataclasses
import datetime as dt
import json
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from fieldapp.key_ring import SESSIONS_LAST
from fieldapp.services.people import web_sessions
from fieldapp.services.people.web_sessions import IDLE, NOTED_EVERY, describe_browser
from fieldapp.web import sessions
from tests.cast import PASSWORD, Cast
from tests.web.conftest import Clock, csrf_of

Clients = Callable[[str], FlaskClient]
PAGE = "/office/people"


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("session")
    assert found
    return found.value


def is_signed_in(client: FlaskClient) -> bool:
    return client.get(PAGE).status_code == 200


def with_cookie(app: Flask, value: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie("session", value)
    return client


def test_a_copied_cookie_is_worth_nothing_after_signing_out(
    app: Flask, client_of: Clients, post: Callable[..., Any]
) -> None:
    rosa = client_of("rosa")
    copied = cookie_of(rosa)
    assert is_signed_in(with_cookie(app, copied))
    post(rosa, "/sign-out")
    assert not is_signed_in(with_cookie(app, copied))


def test_a_session_that_nobody_uses_ends(client_of: Clients, clock: Clock) -> None:
    rosa = client_of("rosa")
    clock.wait(IDLE - dt.timedelta(minutes=1))
    assert is_signed_in(rosa)
    clock.wait(IDLE)
    assert not is_signed_in(rosa)


def test_use_keeps_a_session_up_to_a_working_day(client_of: Clients, clock: Clock) -> None:
    rosa = client_of("rosa")
    used = dt.timedelta()
    while used < SESSIONS_LAST - dt.timedelta(minutes=30):
        clock.wait(dt.timedelta(minutes=30))
        used += dt.timedelta(minutes=30)
        assert is_signed_in(rosa), f"after {used}"
    clock.wait(dt.timedelta(minutes=30))
    assert not is_signed_in(rosa)


def test_reading_pages_writes_at_most_every_five_minutes(app: Flask, client_of: Clients, clock: Clock) -> None:
    rosa = client_of("rosa")

    def last_used() -> dt.datetime:
        with app.app_context():
            return sessions.session().scalars(sa.select(web_sessions.WebSession.last_used_at)).one()

    before = last_used()
    clock.wait(NOTED_EVERY - dt.timedelta(seconds=10))
    rosa.get(PAGE)
    assert last_used() == before
    clock.wait(dt.timedelta(seconds=20))
    rosa.get(PAGE)
    assert last_used() == clock.now


def test_the_next_person_in_a_browser_ends_the_session_of_the_one_before(app: Flask, client_of: Clients) -> None:
    client = client_of("rosa")
    copied = cookie_of(client)
    page = client.get("/office/account").text
    client.post("/", data={"csrf_token": csrf_of(page), "username": "eve", "password": PASSWORD})
    assert client.get("/releases/").status_code == 200
    assert not is_signed_in(client)
    assert not is_signed_in(with_cookie(app, copied))


def test_the_list_shows_each_browser_and_ends_another(
    app: Flask, web_cast: Cast, client_of: Clients, post: Callable[..., Any]
) -> None:
    here, there, third = client_of("rosa"), client_of("rosa"), client_of("rosa")
    eve = client_of("eve")
    page = here.get("/office/account").text
    ends = re.findall(r'action="(/office/account/\d+/end)"', page)
    assert len(ends) == 2, "the other two; neither this browser nor another person's"
    assert page.count("this one") == 1
    post(here, ends[0], page="/office/account")
    assert [is_signed_in(client) for client in (here, there, third)].count(False) == 1
    post(here, "/office/account/end-others", page="/office/account")
    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, False]
    assert eve.get("/releases/").status_code == 200


def test_nobody_ends_the_session_of_another(client_of: Clients, post: Callable[..., Any]) -> None:
    rosa, eve = client_of("rosa"), client_of("eve")
    second = client_of("eve")
    (end,) = re.findall(r'action="(/office/account/\d+/end)"', eve.get("/office/account").text)
    assert post(rosa, end, page="/office/account").status_code == 404
    assert second.get("/releases/").status_code == 200


def test_the_database_has_no_token(app: Flask, client_of: Clients) -> None:
    rosa = client_of("rosa")
    packed, _, rest = cookie_of(rosa).rpartition(".")[0].rpartition(".")[0].rpartition(".")
    data = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
    if cookie_of(rosa).startswith("."):
        data = zlib.decompress(data)
    token = json.loads(data)[sessions.SESSION_TOKEN]
    assert not packed and len(token) > 40
    with app.app_context():
        rows = sessions.session().execute(sa.select(web_sessions.WebSession.__table__)).all()
    assert len(rows) == 1
    assert token not in str(rows)


def test_signing_out_leaves_a_line(app: Flask, client_of: Clients, post: Callable[..., Any]) -> None:
    post(client_of("rosa"), "/sign-out")
    with app.app_context():
        acts = sessions.session().execute(sa.text("select act from audit order by id desc limit 1")).scalar_one()
    assert acts == "sign_out"


def test_the_home_page_says_that_a_proxy_is_not_counted(client_of: Clients, app: Flask) -> None:
    rosa = client_of("rosa")
    assert "FIELDAPP_TRUSTED_PROXIES" not in rosa.get("/office/").text
    assert "FIELDAPP_TRUSTED_PROXIES" in rosa.get("/office/", headers={"X-Forwarded-For": "192.0.2.7"}).text
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], trusted_proxies="1")
    assert "FIELDAPP_TRUSTED_PROXIES" not in rosa.get("/office/", headers={"X-Forwarded-For": "192.0.2.7"}).text


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox, Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("curl/8.0", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_browser_is_described_by_its_kind(user_agent: str, words: str) -> None:
    assert describe_browser(user_agent) == words
