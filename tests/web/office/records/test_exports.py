"""The archive as an admin gets it: written by a process of its own."""

import csv
import io
import re
import zipfile
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from tests.cast import Cast, batch, encounter, envelope
from tests.web.conftest import csrf_of


def test_an_admin_takes_a_forms_answers_away(app: Flask, web_cast: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    headers = {"Authorization": f"Bearer {web_cast.token}", "Content-Type": "application/json"}
    app.test_client().post("/sync/v1/batch", data=batch(envelope(encounter()), envelope(encounter())), headers=headers)
    rosa = client_of("rosa")
    page = rosa.get("/office/records?form=encounter").text
    assert "Download these records" in page
    address = re.search(r'action="(/office/records[^"]+)"', page)
    assert address
    answer = rosa.post(address[1], data={"csrf_token": csrf_of(page)})
    assert answer.status_code == 200
    assert re.search(r"encounter-[-0-9]+\.zip", answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert set(archive.namelist()) == {"encounter.csv", "encounter-history.csv", "encounter-codebook.csv"}
        assert len(list(csv.DictReader(io.StringIO(archive.read("encounter.csv").decode("utf-8-sig"))))) == 2
    less = rosa.post(address[1], data={"csrf_token": csrf_of(page), "purpose": "evaluation"})
    assert "encounter-evaluation-" in less.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(less.data)) as archive:
        assert set(archive.namelist()) == {"encounter.csv", "encounter-codebook.csv"}
        files = [archive.read(name).decode("utf-8-sig") for name in archive.namelist()]
    assert not any("code_plain" in text or "CANARY" in text for text in files)
    unknown = envelope({"a": "b"}, form="unknown", version="1")
    app.test_client().post("/sync/v1/batch", data=batch(unknown), headers=headers)
    assert '<option value="unknown">unknown</option>' in rosa.get("/office/records").text
    assert "/office/records.zip?form=unknown" in rosa.get("/office/records?form=unknown").text
    assert "Records were downloaded as a file" in rosa.get("/office/system").text
    olaf = client_of("olaf")
    token = csrf_of(olaf.get("/office/records").text)
    assert olaf.post("/office/records.zip?form=encounter", data={"csrf_token": token}).status_code == 404
