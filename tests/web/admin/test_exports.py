"""The file as an admin gets it: written by a process of its own."""

import csv
import io
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from tests.cast import Cast, batch, encounter, envelope
from tests.web.conftest import csrf_of


def test_an_admin_takes_a_forms_records_away(app: Flask, web_cast: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    headers = {"Authorization": f"Bearer {web_cast.token}", "Content-Type": "application/json"}
    app.test_client().post("/sync/v1/batch", data=batch(envelope(encounter()), envelope(encounter())), headers=headers)
    rosa = client_of("rosa")
    page = rosa.get("/office/encounters?form=encounter").text
    assert "Take these away as a file" in page
    answer = rosa.post("/office/encounters.csv?form=encounter", data={"csrf_token": csrf_of(page)})
    assert answer.status_code == 200
    assert "encounter-" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))) == 2
    assert "Records were taken away as a file" in rosa.get("/office/system").text
    olaf = client_of("olaf")
    token = csrf_of(olaf.get("/office/encounters").text)
    assert olaf.post("/office/encounters.csv?form=encounter", data={"csrf_token": token}).status_code == 404
