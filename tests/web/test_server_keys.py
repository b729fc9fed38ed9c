"""A server that runs takes a new key within a second: nobody is signed out, and what phones sealed opens."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services import keys
from fieldapp.services.operations import key_rotation
from fieldapp.settings import Settings
from fieldapp.web import server_keys
from tests.cast import Cast
from tests.opening import open_engine
from tests.web.conftest import csrf_of


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "etc").mkdir(mode=0o700)
    (tmp_path / "data").mkdir(mode=0o700)
    made = Settings(data=str(tmp_path / "data"), database_url=settings.url, key_file=str(tmp_path / "etc/key"))
    made.make_key()
    return made


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "WAIT", 0)
    monkeypatch.setattr(server_keys, "LOOK", 0)


def test_keys_change_under_a_running_server(
    app: Flask, settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    engine = open_engine(settings)
    rosa, watch = client_of("rosa"), app.extensions["server_keys"]
    with Session(engine, expire_on_commit=False) as session:
        keys.current_key(session, web_cast.centre.id, watch.secret)
    open_form = csrf_of(rosa.get("/office/people").text)
    first = watch.secret
    with Session(engine) as session:
        assert key_rotation.rotate_root(session, settings)
        key_rotation.rotate_cookies(session, settings, is_at_once=False)
    assert rosa.get("/office/").status_code == 200
    assert app.test_client().get("/healthz").status_code == 200
    assert watch.secret == settings.key() != first
    posted = rosa.post("/language/fr", data={"csrf_token": open_form})  # a form that was open all the time
    assert posted.status_code == 302
    assert client_of("olaf").get("/office/").status_code == 200
    with Session(engine) as session:
        key_rotation.rotate_cookies(session, settings, is_at_once=True)
    assert rosa.get("/office/").status_code in (302, 401)
    assert client_of("rosa").get("/office/").status_code == 200
    engine.dispose()


def test_a_key_file_that_goes_away_or_is_cut_changes_nothing_for_a_server_that_runs(
    app: Flask, settings: Settings, client_of: Callable[[str], FlaskClient]
) -> None:
    rosa, before = client_of("rosa"), settings.key()
    text = settings.key_path.read_text()
    settings.key_path.write_text(text[:50])
    assert rosa.get("/office/").status_code == 200
    settings.key_path.unlink()
    assert rosa.get("/office/").status_code == 200
    assert app.extensions["server_keys"].secret == before
