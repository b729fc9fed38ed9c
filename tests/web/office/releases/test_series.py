"""What goes to whom: chosen, tried and kept by an admin; refused where it would let something out."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa
import yaml
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from fieldapp.store.releases.releases import PackageDelivery, ReleaseRun, ReleaseSeries
from tests.cast import Cast, a_series
from tests.opening import open_engine
from tests.services.releases.records import fill
from tests.web.conftest import csrf_of, revision_of
from tests.web.office.releases.series_form import GOOD

Clients = Callable[[str], FlaskClient]
NEW = "/office/series/new"


@pytest.fixture
def rosa(client_of: Clients, settings: Settings, web_cast: Cast) -> FlaskClient:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        a_series(session, web_cast, first_period="2026-Q3")
    engine.dispose()
    return client_of("rosa")


def send(client: FlaskClient, url: str, action: str, **changes: Any) -> Any:
    page = client.get(url).text
    given = {"csrf_token": csrf_of(client.get("/office/people").text), "revision": revision_of(page, url)}
    return client.post(url, data={**given, **GOOD, **changes, "action": action})


def kept(settings: Settings) -> list[ReleaseSeries]:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        found = list(session.scalars(sa.select(ReleaseSeries).order_by(ReleaseSeries.id)))
    engine.dispose()
    return found


@pytest.mark.parametrize("name", ["eve", "amina", "nobody"])
def test_only_an_admin_sees_and_changes_it(client_of: Clients, rosa: FlaskClient, name: str) -> None:
    client = client_of(name)
    for url in ("/office/series", NEW, "/office/series/1"):
        assert client.get(url).status_code in (302, 403)


def test_another_centre_does_not_see_it(client_of: Clients, rosa: FlaskClient) -> None:
    olaf = client_of("olaf")
    assert "Outreach" not in olaf.get("/office/series").text
    assert olaf.get("/office/series/1").status_code == 404
    for action in ("try", "save"):
        assert send(olaf, "/office/series/1", action).status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title_fr": ""}, "title in both languages"),
        ({"purpose_en": "x"}, "Say what it is for"),
        ({"recipient": " "}, "Say who gets it"),
        ({"audience": "city"}, "Untick the datasets"),
        ({"audience": "police"}, "audience is"),
        ({"use": [], "table": []}, "at least one dataset or table"),
        ({"column:encounters": []}, "at least one column"),
        ({"column:encounters": ["note"]}, "no column “note”"),
        ({"use": ["nothing"], "column:nothing": ["x"]}, "no dataset “nothing”"),
        ({"table": ["everything"]}, "no table “everything”"),
        ({"first_period": "2026-Q4"}, "to match how often"),
        ({"first_period": "soon"}, "to match how often"),
        ({"threshold": "2"}, "never be under 3"),
        ({"keep_days": "0"}, "from 1 to 3650"),
        ({"age_key": "age1wrong"}, "no age public key"),
        ({"sftp_host": "h"}, "not complete"),
        ({"s3_endpoint": "https://s", "s3_bucket": "b", "s3_secret": "s"}, "sent only encrypted"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_kept(
    rosa: FlaskClient, settings: Settings, changes: dict[str, Any], said: str
) -> None:
    answer = send(rosa, NEW, "save", **changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert len(kept(settings)) == 1
    assert "Institute A" in answer.text or "recipient" in changes  # what was typed stays


def test_it_is_kept_as_chosen_and_read_back(rosa: FlaskClient, settings: Settings) -> None:
    key = str(pyrage.x25519.Identity.generate().to_public())
    answer = send(rosa, NEW, "save", age_key=key, email_to="a@example.org")
    assert answer.status_code == 302
    made = kept(settings)[-1]
    recipe = yaml.safe_load(made.recipe)
    assert recipe["datasets"] == [{"use": "encounters", "columns": GOOD["column:encounters"], "coarser": {"area": 2}}]
    assert recipe["tables"] == ["encounters_by_type"]
    assert (made.key, made.cadence, made.keep_days, made.age_key) == ("institute-a-month", "month", 30, key)
    assert made.agreement["approvals"] == ["A. One, 1 Nov", "B. Two, 2 Nov"]
    assert made.targets == [{"kind": "email", "to": "a@example.org"}]
    page = rosa.get(answer.location).text
    assert "a@example.org" in page
    assert "DSA-7" in rosa.get("/office/series").text


def test_trying_shows_what_would_leave_and_keeps_nothing(rosa: FlaskClient, settings: Settings, web_cast: Cast) -> None:
    engine = open_engine(settings)
    today = dt.date.today()
    last_month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    with Session(engine, expire_on_commit=False) as session:
        fill(session, web_cast, 160, last_month - dt.timedelta(days=60))
    answer = send(rosa, NEW, "try", first_period=f"{last_month - dt.timedelta(days=60):%Y-%m}")
    assert answer.status_code == 200
    assert "What would be released" in answer.text
    assert "1 in " in answer.text
    assert "of the rows are like no other on all columns" in answer.text
    assert "What the recipient will see" in answer.text
    assert "CANARY" not in answer.text
    assert len(kept(settings)) == 1
    with Session(engine) as session:
        assert session.execute(sa.text("SELECT count(*) FROM batch")).scalar() == 0
        assert session.execute(sa.text("SELECT count(*) FROM published_row")).scalar() == 0
        assert session.execute(sa.text("SELECT count(*) FROM dataset")).scalar() == 0
    engine.dispose()


def test_what_cannot_be_tried_is_said_beside_its_field(rosa: FlaskClient) -> None:
    for period in ("2026-99", "2026-Q4", "soon", ""):
        answer = send(rosa, NEW, "try", first_period=period)
        assert answer.status_code == 422
        assert 'id="first_period-error"' in answer.text


def test_the_first_thing_that_a_new_centre_does_may_be_to_keep_one(client_of: Clients, settings: Settings) -> None:
    answer = send(client_of("olaf"), NEW, "save")
    assert answer.status_code == 422  # his centre has no forms; nothing is broken by asking
    assert "encounter" in answer.text


def test_too_few_people_are_told_what_would_help(rosa: FlaskClient) -> None:
    answer = send(rosa, NEW, "try")
    assert "No row would be released yet" in answer.text


def test_a_released_series_keeps_its_rhythm(rosa: FlaskClient, settings: Settings) -> None:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        series = session.scalars(sa.select(ReleaseSeries)).one()
        build_release(session, series, parse("2026-Q3"), settings.packages, settings.key())
    engine.dispose()
    answer = send(rosa, "/office/series/1", "save")
    assert answer.status_code == 422
    assert "How often a series is built cannot change" in answer.text
    assert send(rosa, "/office/series/1", "save", cadence="quarter", first_period="2026-Q3").status_code == 302


def after(settings: Settings, statement: Any) -> None:
    engine = open_engine(settings)
    with Session(engine) as session:
        session.execute(statement)
        session.commit()
    engine.dispose()


def test_what_failed_is_said_and_can_be_built_again(rosa: FlaskClient, settings: Settings, client_of: Clients) -> None:
    after(
        settings,
        sa.insert(ReleaseRun).values(
            series_id=1, period="2026-Q3", state="failed", token="t", attempts=7, problem="Over for <b>A</b>, 5 % left",
            lease_until=dt.datetime.now(dt.UTC), started_at=dt.datetime.now(dt.UTC), ended_at=dt.datetime.now(dt.UTC),
            step="", done=0,
        ),
    )  # fmt: skip
    page = rosa.get("/releases/").text
    assert "Over for &lt;b&gt;A&lt;/b&gt;, 5 % left" in page
    assert "Tried 7 times" in page and "Next try" in page and "Build again" in page
    eve = client_of("eve")
    assert "Build again" not in eve.get("/releases/").text
    token = csrf_of(rosa.get("/office/people").text)
    answer = rosa.post("/office/releases/runs/1/retry", data={"csrf_token": token}, follow_redirects=True)
    assert "in about a minute" in answer.text
    assert rosa.post("/office/releases/runs/99/retry", data={"csrf_token": token}).status_code == 404
    after(settings, sa.update(ReleaseRun).values(state="done"))
    assert rosa.post("/office/releases/runs/1/retry", data={"csrf_token": token}).status_code == 409


def test_what_could_not_be_sent_is_said_and_can_be_sent_again(rosa: FlaskClient, settings: Settings) -> None:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        series = session.scalars(sa.select(ReleaseSeries)).one()
        series.targets = [{"kind": "email", "to": "a@example.org"}]
        session.commit()
        build_release(session, series, parse("2026-Q3"), settings.packages, settings.key())
    engine.dispose()
    after(settings, sa.update(PackageDelivery).values(state="failed", problem="<b>550</b> 100 % full", attempts=1))
    page = rosa.get("/releases/").text
    assert "&lt;b&gt;550&lt;/b&gt; 100 % full" in page
    token = csrf_of(rosa.get("/office/people").text)
    assert rosa.post("/office/releases/deliveries/1/retry", data={"csrf_token": token}).status_code == 302
    page = rosa.get("/releases/").text
    assert "on its way" in page and "Send again" not in page
