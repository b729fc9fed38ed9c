"""Clients for each of the cast: signed in through the front door, as browsers are."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.cast import PASSWORD, Cast


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page[:300]
    return found[1]


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


@pytest.fixture
def post(client_of: Callable[[str], FlaskClient]) -> Callable[..., object]:
    """Post a form with a fresh CSRF token."""

    def send(client: FlaskClient, url: str, page: str = "/office/people", **data: object) -> object:
        token = csrf_of(client.get(page).text)
        return client.post(url, data={"csrf_token": token, **data})

    return send
