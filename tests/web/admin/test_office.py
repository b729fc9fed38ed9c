"""The office pages: an admin's day."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient

from tests.cast import Cast, batch, encounter, envelope
from tests.programme import workbook_of
from tests.web.conftest import csrf_of


@pytest.fixture
def rosa(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("rosa")


@pytest.fixture
def sent(app: Flask, web_cast: Cast) -> list[dict[str, Any]]:
    items = [envelope(encounter()), envelope(encounter(people={"people_n": "900"})), envelope("{")]
    headers = {"Authorization": f"Bearer {web_cast.token}"}
    answer = app.test_client().post("/sync/v1/batch", data=batch(*items), content_type="application/json", headers=headers)
    assert answer.status_code == 200
    return items


def upload(client: FlaskClient, data: bytes, name: str = "form.xlsx") -> Any:
    token = csrf_of(client.get("/office/forms").text)
    return client.post("/office/forms", data={"csrf_token": token, "workbook": (io.BytesIO(data), name)})


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100], ids=["empty", "text", "damaged"])
def test_a_broken_upload_is_refused_in_plain_words(rosa: FlaskClient, data: bytes) -> None:
    answer = upload(rosa, data)
    assert answer.status_code == 422
    assert "was not published" in answer.text


def test_an_enormous_upload_is_413(rosa: FlaskClient) -> None:
    answer = upload(rosa, b"x" * 9_000_000)
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_a_form_with_problems_shows_them_by_sheet_and_row(rosa: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "bad.xlsx"
    book = xlsxwriter.Workbook(str(path))
    survey = book.add_worksheet("survey")
    for number, row in enumerate(
        [("type", "name", "label", "relevant"), ("integer", "a", "<b>A</b>", "(1 +"), ("text", "phone", "Phone", "")]
    ):
        survey.write_row(number, 0, row)
    book.close()
    page = upload(rosa, path.read_bytes())
    assert page.status_code == 422
    for words in (
        "survey",
        "relevant",
        "is on the list of things",
        "has no privacy class",
        "settings sheet needs a form_id",
    ):
        assert words in page.text
    assert "<b>A</b>" not in page.text


def test_publish_download_withdraw_and_publish_again(rosa: FlaskClient, post: Callable[..., Any]) -> None:
    answer = upload(rosa, workbook_of("event"))
    assert answer.status_code == 302
    url = answer.location
    assert "on phones" in rosa.get("/office/forms").text
    assert "Community event" in rosa.get(url).text
    assert rosa.get(f"{url}/workbook").data == workbook_of("event")
    post(rosa, f"{url}/withdraw")
    assert "withdrawn" in rosa.get(url).text
    assert upload(rosa, workbook_of("event")).location == url


def test_encounters_are_listed_filtered_and_opened_with_history(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    page = rosa.get("/office/encounters").text
    assert "1 record" in page
    assert "Check-in with participant" in page
    assert "Mount Olive-Silverstone-Jamestown" in page
    assert "No record matches" in rosa.get("/office/encounters?form=mediation").text
    assert "No record matches" in rosa.get("/office/encounters?since=2099-01-01").text
    assert rosa.get("/office/encounters?since=nonsense&worker=x&after=zzz&area='--").status_code == 200
    opened = rosa.get(f"/office/encounters/{sent[0]['id']}").text
    assert "CANARY quiet night" in opened
    assert "stays here" in opened
    assert "Received by the centre" in opened
    assert "A record was opened" in rosa.get(f"/office/encounters/{sent[0]['id']}").text


def test_what_failed_is_shown_with_its_reasons(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    assert "2 things" in rosa.get("/office/").text
    page = rosa.get("/office/attention").text
    assert "pass the form" in page
    links = [part.split('"')[0] for part in page.split('href="') if part.startswith("/office/attention/")]
    texts = "".join(rosa.get(link).text for link in links)
    assert "Give a number from 1 to 200." in texts
    assert "The answers are not JSON." in texts


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
    post(rosa, f"/office/phones/{web_cast.amina.device_id}/revoke")
    assert app.test_client().get("/sync/v1/manifest", headers=headers).status_code == 401
    assert "shut out" in rosa.get("/office/people").text


def test_the_system_page_lists_acts_and_no_answers(rosa: FlaskClient, sent: list[dict[str, Any]]) -> None:
    page = rosa.get("/office/system").text
    assert "A phone sent submissions" in page
    assert "CANARY" not in page
