"""The page of a forgotten password, and what all administrators see of commands on the server."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from fieldapp.services.people import accounts, one_time_codes
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.web import sessions
from tests.cast import Cast
from tests.web.conftest import csrf_of

Clients = Callable[[str], FlaskClient]
NEW = "several quite new words"


def ask(client: FlaskClient, **typed: str) -> Any:
    fields = {"csrf_token": csrf_of(client.get("/forgotten-password/").text), "new": NEW, "again": NEW}
    return client.post("/forgotten-password/", data={**fields, **typed})


def test_an_admin_gives_a_code_and_its_owner_chooses_the_password(
    app: Flask, web_cast: Cast, client_of: Clients, post: Callable[..., Any]
) -> None:
    eve = client_of("eve")
    shown = post(client_of("rosa"), f"/office/people/{web_cast.eve.user_id}/password-code").text
    found = re.search(r"([a-z2-9]{5}-){2}[a-z2-9]{5}", shown)
    assert found
    assert "/forgotten-password/" in shown
    stranger = app.test_client()
    assert "Password forgotten" in stranger.get("/").text
    for typed in (
        {"code": "x"},
        {"code": found[0], "again": "another"},
        {"code": found[0], "new": "short", "again": "short"},
    ):
        refused = ask(stranger, username="eve", **typed)
        assert refused.status_code == 422
        assert NEW not in refused.text
    assert eve.get("/releases/").status_code == 200
    assert ask(stranger, username="eve", code=found[0]).location == "/"
    assert eve.get("/releases/").status_code == 302, "whoever was signed in with the old one is out"
    page = stranger.get("/").text
    assert "Sign in with the new password" in page
    signed_in = stranger.post("/", data={"csrf_token": csrf_of(page), "username": "eve", "password": NEW})
    assert signed_in.location == "/releases/"


def test_what_a_command_did_to_an_account_stands_on_every_admins_home(
    app: Flask, web_cast: Cast, client_of: Clients
) -> None:
    rosa, olaf = client_of("rosa"), client_of("olaf")
    assert "command on the server" not in rosa.get("/office/").text
    with app.app_context():
        session = sessions.session()
        accounts.restore_access(session, web_cast.system, username="eve")
        one_time_codes.give_one_time_code(session, web_cast.system, user_id=web_cast.eve.user_id)
    page = rosa.get("/office/").text
    assert "Done by a command on the server" in page
    assert "A password was replaced (L-eve)" in page
    assert "A one-time code was given (L-eve)" in page
    assert "command on the server" not in olaf.get("/office/").text, "another centre's"
    with app.app_context():
        sessions.session().execute(sa.update(AuditEvent).values(at=dt.datetime.now(dt.UTC) - dt.timedelta(days=15)))
        sessions.session().commit()
    assert "command on the server" not in rosa.get("/office/").text
