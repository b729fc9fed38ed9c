"""The page of what is erased when, and the operator's commands for it."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.cli import cli
from fieldapp.services.consent.retention import make_hold
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.consent.retention import LegalHold, RetentionPlan
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope
from tests.opening import open_engine
from tests.services.consent.holds import second_admin
from tests.web.conftest import csrf_of

Clients = Callable[[str], FlaskClient]
PAGE = "/office/system/retention"


def add_plan(settings: Settings, cast: Cast) -> int:
    now = dt.datetime.now(dt.UTC)
    with Session(open_engine(settings)) as session:
        plan = RetentionPlan(
            centre_id=cast.centre.id, rule="not_taken_in", planned_at=now, goes_at=now + dt.timedelta(days=7), count=12,
            tags_sha256="0" * 64,
        )  # fmt: skip
        session.add(plan)
        session.commit()
        return plan.id


def post(client: FlaskClient, path: str, **fields: str) -> str:
    token = csrf_of(client.get(PAGE).text)
    return client.post(f"{PAGE}/{path}", data={"csrf_token": token, **fields}, follow_redirects=True).text


def test_the_page_says_what_goes_and_lets_it_be_put_off_once(settings: Settings, web_cast: Cast, client_of: Clients) -> None:
    rosa = client_of("rosa")
    assert "Nothing is due." in rosa.get(PAGE).text
    assert PAGE in rosa.get("/office/system").text
    number = add_plan(settings, web_cast)
    assert "could not be opened" in rosa.get(PAGE).text
    assert "Say in a few words why" in post(rosa, f"{number}/delay", because="no")
    assert "30 days later" in post(rosa, f"{number}/delay", because="We look at them once more.")
    page = rosa.get(PAGE).text
    assert "We look at them once more." in page
    assert f"{number}/delay" not in page
    assert "put off once already" in post(rosa, f"{number}/delay", because="We look at them once more.")
    assert client_of("olaf").post(f"{PAGE}/{number}/delay").status_code in (400, 404)


def test_a_hold_is_made_on_the_page_and_what_is_wrong_is_said(
    settings: Settings, web_cast: Cast, client_of: Clients
) -> None:
    item = envelope(encounter())
    with Session(open_engine(settings)) as session:
        receive_batch(session, web_cast.amina, parse_batch(batch(item)))
    rosa = client_of("rosa")
    day = (dt.date.today() + dt.timedelta(days=90)).isoformat()
    assert "no record under this number" in post(rosa, "hold", record="x", reference="File 1", until=day)
    assert "must be in the future" in post(rosa, "hold", record=item["id"], reference="File 1", until="soon")
    page = post(rosa, "hold", record=item["id"], reference="File 1", until=day)
    assert "Nothing of this record is erased for 14 days." in page
    assert "One more administrator has to agree." in page
    assert "I agree" not in page  # who made it has agreed already
    assert "File 1" in page
    with Session(open_engine(settings)) as session:
        assert session.scalars(sa.select(LegalHold.root_id)).all() == [item["id"]]


def test_a_second_administrator_agrees_and_the_operator_can_where_there_is_none(
    settings: Settings, web_cast: Cast, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [envelope(encounter()), envelope(encounter())]
    with Session(open_engine(settings)) as session:
        receive_batch(session, web_cast.amina, parse_batch(batch(*items)))
        until = dt.date.today() + dt.timedelta(days=90)
        for item in items:
            make_hold(session, web_cast.rosa, root_id=item["id"], reference="File 1", until=until)
        sam = second_admin(session, web_cast)
        session.execute(sa.update(LegalHold).where(LegalHold.id == 1).values(made_by=sam.user_id))
        session.commit()
    rosa = client_of("rosa")
    assert rosa.get(PAGE).text.count("I agree") == 1
    assert "until its last day" in post(rosa, "hold/1/confirm")
    assert "You made this yourself." in post(rosa, "hold/2/confirm")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    agreed = CliRunner().invoke(cli, ["retention", "agree", web_cast.centre.slug, "2"])
    assert agreed.output == "Agreed.\n"
    with Session(open_engine(settings)) as session:
        holds = session.execute(
            sa.select(LegalHold.confirmed_by, LegalHold.confirmed_at.is_not(None)).order_by(LegalHold.id)
        )
        assert [tuple(hold) for hold in holds] == [(web_cast.rosa.user_id, True), (None, True)]


def test_a_record_is_erased_on_its_page_with_a_reason(settings: Settings, web_cast: Cast, client_of: Clients) -> None:
    item = envelope(encounter())
    with Session(open_engine(settings)) as session:
        receive_batch(session, web_cast.amina, parse_batch(batch(item)))
    rosa = client_of("rosa")
    page = f"/office/records/{item['id']}"
    token = csrf_of(rosa.get(page).text)
    refused = rosa.post(f"{page}/erase", data={"csrf_token": token}, follow_redirects=True)
    assert "Without a reason nothing was erased." in refused.text
    assert "CANARY" in rosa.get(page).text
    done = rosa.post(f"{page}/erase", data={"csrf_token": token, "reason": "by_mistake"}, follow_redirects=True)
    assert "The record is erased." in done.text
    assert rosa.get(page).status_code == 404
    with Session(open_engine(settings)) as session:
        assert session.scalars(sa.select(Submission.body)).all() == [""]


def test_what_was_refused_is_erased_on_its_page_with_a_reason(
    settings: Settings, web_cast: Cast, client_of: Clients
) -> None:
    answers = encounter()
    answers["talk"]["people_n"] = "900"
    with Session(open_engine(settings)) as session:
        [answer] = receive_batch(session, web_cast.amina, parse_batch(batch(envelope(answers))))
        assert answer["status"] == "rejected"
        number = session.scalars(sa.select(Submission.id)).one()
    rosa = client_of("rosa")
    page = f"/office/review/{number}"
    token = csrf_of(rosa.get(page).text)
    refused = rosa.post(f"{page}/erase", data={"csrf_token": token}, follow_redirects=True)
    assert "Without a reason nothing was erased." in refused.text
    done = rosa.post(f"{page}/erase", data={"csrf_token": token, "reason": "by_mistake"}, follow_redirects=True)
    assert "The record is erased." in done.text
    with Session(open_engine(settings)) as session:
        assert session.scalars(sa.select(Submission.body)).all() == [""]


def test_a_wrong_day_is_not_believed(settings: Settings, web_cast: Cast, client_of: Clients) -> None:
    rosa = client_of("rosa")
    assert "another day" in post(rosa, "day", day="2020-01-01")
    assert "another day" in post(rosa, "day", day="tomorrow")


def test_the_commands_show_and_rehearse(settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", settings.url)
    monkeypatch.setenv("FIELDAPP_DATA", str(settings.data))
    number = add_plan(settings, web_cast)
    shown = CliRunner().invoke(cli, ["retention", "show", "rexdale"])
    assert shown.exit_code == 0, shown.output
    assert "12 by not_taken_in" in shown.output
    assert "Legal holds: 0" in shown.output
    rehearsed = CliRunner().invoke(cli, ["retention", "run", "--rehearse"])
    assert "rexdale: 0 by audit" in rehearsed.output
    ran = CliRunner().invoke(cli, ["retention", "run"])
    assert "Erased: 0." in ran.output
    with Session(open_engine(settings)) as session:
        assert session.get_one(RetentionPlan, number).done_at is None
