"""Sign in and out, languages, health."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from fieldapp.services.people.sign_in import PER_NAME_AND_ADDRESS
from fieldapp.web import assets
from tests.cast import PASSWORD, Cast
from tests.web.conftest import csrf_of


def attempt(client: FlaskClient, username: str, password: str, url: str = "/") -> Any:
    return client.post(url, data={"csrf_token": csrf_of(client.get("/").text), "username": username, "password": password})


def test_a_wrong_password_says_so_and_keeps_the_name(app: Flask, web_cast: Cast) -> None:
    answer = attempt(app.test_client(), "rosa", "wrong")
    assert answer.status_code == 401
    assert "do not go together" in answer.text
    assert 'value="rosa"' in answer.text


def test_empty_fields_are_refused(app: Flask, web_cast: Cast) -> None:
    assert attempt(app.test_client(), "", "").status_code == 422


def test_guessing_is_paused(app: Flask, web_cast: Cast) -> None:
    client = app.test_client()
    for _ in range(PER_NAME_AND_ADDRESS):
        attempt(client, "rosa", "guess")
    assert attempt(client, "rosa", PASSWORD).status_code == 429


@pytest.mark.parametrize(("who", "home"), [("rosa", "/office/"), ("eve", "/releases/"), ("amina", "/app/")])
def test_each_role_lands_in_its_own_place(app: Flask, web_cast: Cast, who: str, home: str) -> None:
    assert attempt(app.test_client(), who, PASSWORD).location == home


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_it_never_leads_elsewhere(app: Flask, web_cast: Cast, next_url: str) -> None:
    assert attempt(app.test_client(), "rosa", PASSWORD, f"/?next={next_url}").location == "/office/"


def test_a_stranger_is_led_back_to_the_page_after_signing_in(app: Flask, web_cast: Cast) -> None:
    client = app.test_client()
    location = client.get("/office/forms").location
    assert location == "/?next=/office/forms"
    assert attempt(client, "rosa", PASSWORD, location).location == "/office/forms"


def test_signing_out_ends_the_session(client_of: Callable[[str], FlaskClient], post: Callable[..., Any]) -> None:
    client = client_of("rosa")
    post(client, "/sign-out")
    assert client.get("/office/").status_code == 302


def test_switching_a_person_off_ends_their_session_at_once(
    client_of: Callable[[str], FlaskClient], post: Callable[..., Any], web_cast: Cast
) -> None:
    eve, rosa = client_of("eve"), client_of("rosa")
    assert eve.get("/releases/").status_code == 200
    post(rosa, f"/office/people/{web_cast.eve.user_id}/switch", active="no")
    assert eve.get("/releases/").status_code == 302


def test_french_by_the_browser_and_by_choice(app: Flask, web_cast: Cast) -> None:
    client = app.test_client()
    assert "Ouvrir une session" in client.get("/", headers={"Accept-Language": "fr-CA"}).text
    page = client.get("/").text
    assert "Sign in" in page
    client.post("/language/fr", data={"csrf_token": csrf_of(page)})
    assert '<html lang="fr">' in client.get("/").text
    assert client.post("/language/xx", data={"csrf_token": csrf_of(page)}).status_code == 302


def test_healthz_is_ready(app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json["ready"]) == (200, True)


def test_healthz_says_why_it_is_not_ready(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "is_built", lambda: False)
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, "make build" in answer.json["reason"]) == (503, True)


def test_a_database_that_is_down_is_503_in_plain_words(app: Flask, web_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    token = csrf_of(client.get("/").text)

    def down(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("server closed the connection"))

    monkeypatch.setattr("fieldapp.store.people.throttles.add_failure", down)
    answer = client.post("/", data={"csrf_token": token, "username": "rosa", "password": PASSWORD})
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text
