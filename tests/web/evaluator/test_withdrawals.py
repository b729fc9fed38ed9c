"""The pages of rows that were taken back: for who has them, and for the office."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.releases.downloads import download_release
from fieldapp.settings import Settings
from fieldapp.store.releases.releases import Release
from tests.cast import Cast
from tests.opening import open_engine
from tests.services.releases.taking_back import PEOPLE, a_series_of_people, publish, take_back, to_delete

Clients = Callable[[str], FlaskClient]
Post = Callable[..., Any]
PAGE = "/office/releases/withdrawals"


@pytest.fixture
def database(settings: Settings, web_cast: Cast) -> Any:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def read_feed(app: Flask, key: str) -> Any:
    pair = base64.b64encode(f"x:{key}".encode()).decode()
    return app.test_client().get("/odata/v4/encounters", headers={"Authorization": f"Basic {pair}"})


def test_who_has_the_rows_is_asked_and_the_office_sees_until_they_answer(
    database: Session, settings: Settings, web_cast: Cast, client_of: Clients, post: Post, app: Flask
) -> None:
    series = a_series_of_people(database, web_cast, settings.folder)
    first = publish(database, series, "2026-Q2", settings.packages, settings.key())
    download_release(database, web_cast.eve, release_id=first.id, packages=settings.packages)
    key = make_key(database, web_cast.rosa, series_id=series.id, label="A reader")
    build_feed_files(database, settings.packages)
    rosa, eve = client_of("rosa"), client_of("eve")
    assert "Nobody has taken everything back." in rosa.get(PAGE).text
    assert len(read_feed(app, key).json["value"]) == len(PEOPLE)

    take_back(database, web_cast, PEOPLE[3])
    assert read_feed(app, key).status_code == 404  # the file that has the row is not read any more
    build_feed_files(database, settings.packages)
    assert read_feed(app, key).json["value"] == []  # without that row alone, it would show which it is
    assert "nobody can get packages that have them" in rosa.get(PAGE).text
    page = eve.get("/releases/").text
    assert "withheld: rows taken back" in page and "Download the package" not in page

    second = publish(database, series, "2026-Q3", settings.packages, settings.key())
    count = len(to_delete(settings.packages, second))
    build_feed_files(database, settings.packages)
    assert len(read_feed(app, key).json["value"]) == len(PEOPLE) - count
    assert f"lists {count} rows of earlier packages" in eve.get("/releases/").text
    page = rosa.get(PAGE).text
    assert "&lt;5" in page and "not yet" in page and "To be confirmed by" in page
    assert PEOPLE[3] not in page
    assert eve.get(PAGE).status_code == 403
    assert "Nobody has taken everything back." in client_of("olaf").get(PAGE).text

    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=31)
    database.execute(sa.update(Release).where(Release.id == second.id).values(created_at=long_ago))
    database.commit()
    assert "1 recipient has not confirmed" in rosa.get("/office/").text
    assert "Not confirmed since" in rosa.get(PAGE).text and f"/office/releases/{second.id}/revoke" in rosa.get(PAGE).text
    path = f"/releases/{second.id}/list-deleted"
    assert post(client_of("olaf"), path, page="/releases/", name="Olaf").status_code == 404
    post(eve, path, page="/releases/", name="")
    assert "Write the name" in eve.get("/releases/").text
    post(eve, path, page="/releases/", name="Eve Adams")
    assert "Eve Adams confirmed" in eve.get("/releases/").text
    page = rosa.get(PAGE).text
    assert "Eve Adams confirmed" in page
    deleted = page.partition('data-label="Deleted everywhere">')[2].partition("</td>")[0]
    assert deleted.strip() and "not yet" not in deleted
    assert "has not confirmed" not in rosa.get("/office/").text
