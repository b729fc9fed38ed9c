"""Clients for each of the cast: signed in through the front door, as browsers are."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldapp.services.people import web_sessions
from tests.cast import PASSWORD, Cast


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page[:300]
    return found[1]


class Clock:
    """The time by which sessions in browsers end."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def wait(self, time: dt.timedelta) -> None:
        self.now += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(web_sessions, "utcnow", lambda: clock.now)
    return clock


@pytest.fixture
def client_of(app: Flask, web_cast: Cast) -> Callable[[str], FlaskClient]:
    """Return a client signed in as one of the cast; "nobody" is not signed in."""

    def make(name: str) -> FlaskClient:
        client = app.test_client()
        if name != "nobody":
            token = csrf_of(client.get("/").text)
            answer = client.post("/", data={"csrf_token": token, "username": name, "password": PASSWORD})
            assert answer.status_code == 302, answer.text
        return client

    return make


def revision_of(page: str, url: str, **fields: object) -> str:
    """Return the mark that the page's form for an address carries, with these hidden fields; "" where there is none."""
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        action = re.search(r'<form\b[^>]*\baction="([^"#]*)', form)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        is_the_one = action is not None and action[1] == url
        if is_the_one and all(hidden[name] == str(value) for name, value in fields.items() if name in hidden):
            return hidden.get("revision", "")
    return ""


@pytest.fixture
def post(client_of: Callable[[str], FlaskClient]) -> Callable[..., object]:
    """Post a form with a fresh CSRF token, and the mark of the state that its page shows now."""

    def send(client: FlaskClient, url: str, page: str = "/office/people", **data: object) -> object:
        shown = client.get(page).text
        return client.post(url, data={"csrf_token": csrf_of(shown), "revision": revision_of(shown, url, **data), **data})

    return send
