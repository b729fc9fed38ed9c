"""The shelf of releases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from evaluator_export.verify import verify
from fieldapp.services.build_release import build_release
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for
from fieldapp.store.releases import Series
from tests.cast import Cast
from tests.programme import FOLDER


@pytest.fixture
def release_id(settings: Settings, web_cast: Cast) -> int:
    engine = engine_for(settings.url)
    with Session(engine, expire_on_commit=False) as session:
        series = Series(
            centre_id=web_cast.centre.id, key="evaluator-quarterly", title={"en": "Outreach", "fr": "Proximité"},
            recipe=(FOLDER / "recipes/evaluator-quarterly.yaml").read_text(), cadence="quarter", first_period="2026-Q3",
            secret="5e" * 32,
        )  # fmt: skip
        session.add(series)
        session.commit()
        built = build_release(session, series, parse("2026-Q3"), settings.packages)
        assert built
        identity = built.id
    engine.dispose()
    return identity


def test_another_centre_gets_nothing(
    client_of: Callable[[str], FlaskClient], post: Callable[..., Any], release_id: int
) -> None:
    olaf = client_of("olaf")
    assert "No release yet" in olaf.get("/releases/").text
    assert post(olaf, f"/releases/{release_id}/package").status_code == 404


def test_an_evaluator_sees_downloads_and_verifies(
    client_of: Callable[[str], FlaskClient], post: Callable[..., Any], release_id: int, tmp_path: Path
) -> None:
    eve = client_of("eve")
    page = eve.get("/releases/").text
    assert "Outreach, 2026-Q3" in page
    answer = post(eve, f"/releases/{release_id}/package", page="/releases/")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=evaluator-quarterly-2026-Q3.zip"
    path = tmp_path / "package.zip"
    path.write_bytes(answer.data)
    assert verify(path) == []
    rosa = client_of("rosa")
    assert "A release was downloaded" in rosa.get("/office/system").text


def test_a_package_that_is_gone_says_so(
    client_of: Callable[[str], FlaskClient], post: Callable[..., Any], release_id: int, app: Flask
) -> None:
    for path in app.config["SETTINGS"].packages.glob("*.zip"):
        path.unlink()
    answer = post(client_of("eve"), f"/releases/{release_id}/package", page="/releases/")
    assert answer.status_code == 410
