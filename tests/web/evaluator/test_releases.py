"""The shelf of releases: seen by those who may, fetched with a second factor, until it expires or is revoked."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export.package.verify import verify
from evaluator_export.periods import parse
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from fieldapp.store.releases.releases import Release, ReleaseSeries
from tests.cast import PASSWORD, Cast, a_series
from tests.opening import open_engine
from tests.second_steps import code_of
from tests.web.conftest import csrf_of

Post = Callable[..., Any]
Clients = Callable[[str], FlaskClient]


def change(settings: Settings, statement: Any) -> None:
    engine = open_engine(settings)
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


@pytest.fixture
def release_id(settings: Settings, web_cast: Cast) -> int:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        series = a_series(session, web_cast, first_period="2026-Q3")
        built = build_release(session, series, parse("2026-Q3"), settings.packages, settings.key())
        assert built
        identity = built.id
    engine.dispose()
    return identity


def second_factor(client: FlaskClient, ahead: int = 0) -> str:
    """Set one up as a person would; return its key."""
    page = client.get("/office/account/app").text
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', page)
    assert key, page
    answer = client.post("/office/account/app", data={"csrf_token": csrf_of(page), "code": code_of(key[1], ahead)})
    assert answer.status_code == 200, answer.text
    return key[1]


def fetch(post: Post, client: FlaskClient, release_id: int) -> Any:
    return post(client, f"/releases/{release_id}/package", page="/releases/")


def test_another_centre_gets_nothing(client_of: Clients, post: Post, release_id: int) -> None:
    olaf = client_of("olaf")
    assert "No data release yet" in olaf.get("/releases/").text
    second_factor(olaf)
    assert fetch(post, olaf, release_id).status_code == 404
    for act in ("deleted",):
        assert post(olaf, f"/releases/{release_id}/{act}", page="/releases/", name="Olaf").status_code == 404
    assert post(olaf, f"/office/releases/{release_id}/revoke", because="because I can").status_code == 404


def test_an_evaluator_who_is_not_among_the_readers_sees_nothing(
    client_of: Clients, post: Post, release_id: int, settings: Settings, web_cast: Cast
) -> None:
    eve = client_of("eve")
    second_factor(eve)
    change(settings, sa.update(ReleaseSeries).values(readers=[web_cast.rosa.user_id]))
    assert "No data release yet" in eve.get("/releases/").text
    assert fetch(post, eve, release_id).status_code == 404
    assert post(eve, f"/releases/{release_id}/deleted", page="/releases/", name="Eve").status_code == 404
    assert "Outreach, 2026-Q3" in client_of("rosa").get("/releases/").text


def test_a_password_alone_does_not_fetch_it(client_of: Clients, post: Post, release_id: int) -> None:
    answer = fetch(post, client_of("eve"), release_id)
    assert answer.status_code == 302
    assert answer.location == "/office/account/app?to=/releases/"


def test_an_evaluator_sees_downloads_and_verifies(client_of: Clients, post: Post, release_id: int, tmp_path: Path) -> None:
    eve = client_of("eve")
    page = eve.get("/releases/").text
    assert "Outreach, 2026-Q3" in page
    key = re.search(r"--key (\S+)</p>", page)
    assert key
    second_factor(eve)
    answer = fetch(post, eve, release_id)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=evaluator-quarterly-2026-Q3.zip"
    path = tmp_path / "package.zip"
    path.write_bytes(answer.data)
    assert verify(path, key[1]) == []
    rosa = client_of("rosa")
    assert "A release was downloaded" in rosa.get("/office/system").text
    assert "1 download" in rosa.get("/releases/").text
    assert "1 download" not in eve.get("/releases/").text
    assert "You downloaded the package" in eve.get("/releases/").text


def test_a_second_factor_is_not_left_to_the_next_person_at_the_browser(
    client_of: Clients, post: Post, release_id: int
) -> None:
    client = client_of("eve")
    second_factor(client)
    post(client, "/sign-out", page="/releases/")
    page = client.get("/").text
    client.post("/", data={"csrf_token": csrf_of(page), "username": "rosa", "password": PASSWORD})
    assert fetch(post, client, release_id).status_code == 302


def test_a_code_is_good_once_and_guessing_is_stopped(client_of: Clients, post: Post, release_id: int) -> None:
    eve = client_of("eve")
    key = second_factor(eve)
    assert key not in eve.get("/office/account/app").text  # it is shown until it is confirmed, never after

    def confirm(code: str) -> int:
        return int(post(eve, "/office/confirm?to=/releases/", page="/releases/", confirm_code=code).status_code)

    assert confirm(code_of(key)) == 422
    for _ in range(5):
        assert confirm("000000") == 422
    assert confirm(code_of(key, 30)) == 429


def test_an_admin_helps_who_lost_their_phone(client_of: Clients, post: Post, web_cast: Cast, release_id: int) -> None:
    eve, rosa = client_of("eve"), client_of("rosa")
    second_factor(eve)
    assert "Remove two-step verification" in rosa.get("/office/people").text
    url = f"/office/people/{web_cast.eve.user_id}/second-factor"
    assert post(client_of("olaf"), url).status_code == 404
    assert post(eve, url, page="/releases/").status_code == 403
    assert post(rosa, url).status_code == 302
    assert eve.get("/office/account").status_code == 302, "she is signed out, too"
    assert "QR code" in client_of("eve").get("/office/account/app").text
    assert post(rosa, f"/office/people/{web_cast.rosa.user_id}/second-factor").status_code == 422


def test_with_an_age_key_only_the_recipient_can_open_it(
    client_of: Clients, post: Post, release_id: int, settings: Settings, tmp_path: Path
) -> None:
    recipient = pyrage.x25519.Identity.generate()
    change(settings, sa.update(ReleaseSeries).values(age_key=str(recipient.to_public())))
    eve = client_of("eve")
    second_factor(eve)
    answer = fetch(post, eve, release_id)
    assert answer.headers["Content-Disposition"].endswith(".zip.age")
    (tmp_path / "p.zip").write_bytes(pyrage.decrypt(answer.data, [recipient]))
    assert verify(tmp_path / "p.zip") == []
    assert "decrypted first" in verify(_kept(tmp_path, answer.data))[0]


def _kept(folder: Path, data: bytes) -> Path:
    path = folder / "p.zip.age"
    path.write_bytes(data)
    return path


def test_what_is_revoked_cannot_be_fetched_and_its_deletion_is_written_down(
    client_of: Clients, post: Post, release_id: int, app: Flask
) -> None:
    rosa, eve = client_of("rosa"), client_of("eve")
    second_factor(eve)
    assert post(eve, f"/office/releases/{release_id}/revoke", page="/releases/", because="no longer").status_code == 403
    post(rosa, f"/office/releases/{release_id}/revoke", page="/releases/", because="")
    assert fetch(post, eve, release_id).status_code == 200
    post(rosa, f"/office/releases/{release_id}/revoke", page="/releases/", because="A column was wrong.")
    assert fetch(post, eve, release_id).status_code == 410
    assert list(app.config["SETTINGS"].packages.glob("*.zip*")) == []
    page = eve.get("/releases/").text
    assert "A column was wrong." in page
    assert "Download the package" not in page
    post(eve, f"/releases/{release_id}/deleted", page="/releases/", name="")
    assert "every copy is deleted.</p>" not in eve.get("/releases/").text
    post(eve, f"/releases/{release_id}/deleted", page="/releases/", name="Eve Adams")
    assert "Eve Adams confirmed" in rosa.get("/releases/").text


def test_what_expired_cannot_be_fetched(client_of: Clients, post: Post, release_id: int, settings: Settings) -> None:
    change(settings, sa.update(Release).values(expires_at=sa.text("'2020-01-01 00:00:00+00:00'")))
    eve = client_of("eve")
    second_factor(eve)
    assert fetch(post, eve, release_id).status_code == 410
    assert "no longer to download" in eve.get("/releases/").text


def test_after_the_last_day_of_an_agreement_nobody_gets_its_packages(
    client_of: Clients, post: Post, release_id: int, settings: Settings
) -> None:
    change(settings, sa.update(ReleaseSeries).values(agreement={"ends_on": "2020-01-31"}))
    eve = client_of("eve")
    second_factor(eve)
    assert fetch(post, eve, release_id).status_code == 410
    page = eve.get("/releases/").text
    assert "The agreement with the recipient is over, so nobody gets this package any more." in page
    assert "Download the package" not in page
    change(settings, sa.update(ReleaseSeries).values(agreement={"ends_on": "2999-01-31"}))
    assert fetch(post, eve, release_id).status_code == 200
    assert "Download the package" in eve.get("/releases/").text


def test_a_package_that_is_gone_says_so(client_of: Clients, post: Post, release_id: int, app: Flask) -> None:
    for path in app.config["SETTINGS"].packages.glob("*.zip"):
        path.unlink()
    eve = client_of("eve")
    second_factor(eve)
    assert fetch(post, eve, release_id).status_code == 410
