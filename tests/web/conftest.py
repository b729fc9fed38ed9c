"""Clients for each of the cast: signed in through the front door, as browsers are."""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldapp.services.people import web_sessions
from forms import isolated, isolation
from forms.workbook import refuse_unreadable_file
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


@pytest.fixture(autouse=True)
def compiles_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and compile workbooks in the test's process, which has loaded what that needs; a process would load it each time.

    tests/forms/test_xlsform.py holds what the process is for.
    """

    def answer(what: str, data: bytes, file_type: str, files: dict[str, str]) -> object:
        refuse_unreadable_file(data, file_type)
        request = {"do": what, "workbook": base64.b64encode(data).decode(), "type": file_type, "files": files}
        return json.loads(json.dumps(isolated.answer(request)))

    monkeypatch.setattr(isolation, "_run_isolated", answer)
