"""What whoever meets an unexpected error sees: a number to tell, the same that the log has, and nothing about anybody."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.exceptions import InternalServerError

from tests.services.failing import CANARY, NUMBER, is_traced, outer


@pytest.fixture
def breakable(app: Flask) -> Flask:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for path in ("/office/x-broken", "/sync/v1/x-broken", "/odata/v4x/broken", "/or/x/broken"):
        app.add_url_rule(path, endpoint=f"broken{path.replace('/', '-')}", view_func=outer)
    return app


def number_in(text: str, log: str) -> str:
    is_traced(log)
    assert CANARY not in text
    (number,) = {one for one in NUMBER.findall(text) if one in log}
    return number


def test_a_page_tells_the_number_in_both_languages(breakable: Flask, caplog: pytest.LogCaptureFixture) -> None:
    client = breakable.test_client()
    for language, words in (("en", "tell the centre this number"), ("fr", "donnez ce numéro au centre")):
        caplog.clear()
        answer = client.get("/office/x-broken", headers={"Accept-Language": language})
        assert answer.status_code == 500 and words in answer.text
        number_in(answer.text, caplog.text)


def test_programs_are_told_the_number_in_their_own_shape(breakable: Flask, caplog: pytest.LogCaptureFixture) -> None:
    client = breakable.test_client()
    answer = client.get("/sync/v1/x-broken")
    assert answer.status_code == 500 and answer.content_type == "application/problem+json"
    assert answer.get_json()["number"] == number_in(answer.text, caplog.text)
    caplog.clear()
    answer = client.get("/or/x/broken")
    assert answer.status_code == 500 and "OpenRosaResponse" in answer.text
    number_in(answer.text, caplog.text)


def test_the_feed_tells_the_number(
    breakable: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fieldapp.web.odata.views.open_feed_for_key", outer)
    answer = breakable.test_client().get("/odata/v4/")
    assert answer.status_code == 500
    number_in(answer.get_json()["error"]["message"], caplog.text)


def test_what_fails_after_the_page_is_traced_too(breakable: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @breakable.after_request
    def broken(response: Response) -> Any:
        return outer() if response.status_code == 200 else response

    answer = breakable.test_client().get("/robots.txt")
    assert answer.status_code == 500
    number_in(answer.text, caplog.text)
    assert caplog.text.count(":inner") == 1


def test_an_error_that_is_raised_as_an_answer_has_a_number(breakable: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        try:
            outer()
        except KeyError as error:
            raise InternalServerError(CANARY, original_exception=error) from error

    breakable.add_url_rule("/x-refused", view_func=refuse)
    answer = breakable.test_client().get("/x-refused")
    assert answer.status_code == 500
    number_in(answer.text, caplog.text)


@pytest.mark.parametrize("wrong", ["OperationalError", "IntegrityError"])
def test_what_the_database_refuses_shows_no_values(
    breakable: Flask,
    client_of: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wrong: str,
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise getattr(sa.exc, wrong)(f"INSERT … {CANARY}", {"name": CANARY}, ValueError(CANARY))

    client = client_of("rosa")
    monkeypatch.setattr("fieldapp.web.office.people.page.people_acts.list_people", refuse)
    answer = client.get("/office/people")
    assert answer.status_code == (503 if wrong == "OperationalError" else 500)
    assert CANARY not in answer.text and CANARY not in caplog.text
    assert wrong in caplog.text and "refuse" in caplog.text and NUMBER.search(caplog.text)
