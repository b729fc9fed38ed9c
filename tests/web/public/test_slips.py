"""The page of a slip, as any browser without cookie and script meets it; and what is tried against it."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from fieldapp.key_ring import add_root
from fieldapp.services.acts import utcnow
from fieldapp.services.consent import forgotten
from fieldapp.services.keys import derive_slip_key
from fieldapp.services.records.deliveries import receive_delivery
from fieldapp.settings import Settings
from fieldapp.store.consent import standing
from fieldapp.store.consent.slips import Slip
from fieldapp.store.records.records import Record
from fieldapp.web.public import slips
from fieldapp.web.public.slip_failures import PER_NETWORK, PER_SECOND, WINDOW, SlipFailures
from fieldapp.web.public.slip_forms import SentForms
from sync.sealed import parse_delivery
from sync.slips import tag_slip
from tests.cast import Cast, encounter
from tests.opening import open_engine
from tests.sealing import delivery
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent
from tests.services.records.phone import Phone

ONE, TWO = code(1), code(2)
SLIP, OTHER, NOBODYS = "K7QM3RXDQ2FA", "0101ZZZZ1111", "AAAABBBBCCCC"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Count failures anew for each test, by a clock that stands still."""
    clock = Clock()
    counted = SlipFailures(clock)
    monkeypatch.setattr(slips, "failures", counted)
    yield clock
    if counted.timer:
        counted.timer.cancel()


@pytest.fixture
def client(app: Flask, settings: Settings, web_cast: Cast) -> FlaskClient:
    """Return a browser that takes no cookies, after two people got their slips, with 3 and 2."""
    with Session(open_engine(settings)) as session:
        phone = Phone(session, web_cast, settings.secret_key)
        items = []
        for number, (card, tier, slip) in enumerate([(ONE, "3", SLIP), (TWO, "2", OTHER)], 1):
            people = {"who": "enrolled", "code": card}
            answers = encounter(people=people, consent=consent(tier), talk={"risk_now": "low"})
            items.append(phone.seal(answers, slip=slip, seq=number))
        received = receive_delivery(session, parse_delivery(delivery(*items)), settings.secret_key)
        assert [item["status"] for item in received["items"]] == ["stored", "stored"]
    return app.test_client(use_cookies=False)


def tiers(settings: Settings, cast: Cast) -> dict[str, int]:
    with Session(open_engine(settings)) as session:
        return standing.list_tiers(session, cast.centre.id)


def type_in(client: FlaskClient, slip: str, **more: str) -> TestResponse:
    return client.post("/r", data={"slip": slip, **more})


def tickets(page: str, act: str = "lower") -> list[str]:
    """Return the tickets of the page for acts whose name begins so."""
    return [ticket for ticket in re.findall(r'name="ticket" value="([^"]+)"', page) if ticket.split(".")[1].startswith(act)]


def test_the_page_tells_nobody_what_it_is_until_a_slip_is_typed(client: FlaskClient) -> None:
    answer = client.get("/r")
    assert answer.status_code == 200
    assert "<title>Information</title>" in answer.text
    assert "<script" not in answer.text
    leave, first_field = answer.text.index("Leave now"), answer.text.index("<input")
    assert leave < first_field
    assert answer.text.index("<a ") < answer.text.index("<h1")  # and nothing that can be reached comes before it


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_is_kept_nowhere_and_says_nothing_to_others(client: FlaskClient, method: str) -> None:
    headers = client.open("/r", method=method, data={"slip": SLIP} if method == "POST" else None).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script-src" not in policy and "form-action 'self'" in policy


@pytest.mark.parametrize("typed", [SLIP, "k7qm-3rxd-q2fa", " K7QM 3RXD Q2FA ", "K7QM–3RXD–Q2FA"])
def test_a_slip_shows_what_was_agreed_to(client: FlaskClient, typed: str) -> None:
    answer = type_in(client, typed)
    assert answer.status_code == 200
    assert "What you agreed to" in answer.text
    assert "You are also in public totals." in answer.text
    assert len(answer.data) < 15_000


@pytest.mark.parametrize("typed", ["oiol-ZZZZ-1lI1", "0101zzzz1111"])
def test_letters_that_look_like_digits_are_read_as_these(client: FlaskClient, typed: str) -> None:
    page = type_in(client, typed).text
    assert "People who check the program may use facts too." in page
    assert "You are also in public totals." not in page


def test_it_tells_nothing_about_the_person(client: FlaskClient, web_cast: Cast) -> None:
    page = type_in(client, SLIP).text
    for secret in (ONE, SLIP, "L-amina", "CANARY", "Rexdale", "check_in", "Check-in"):
        assert secret not in page, secret


@pytest.mark.parametrize(
    "typed", ["", NOBODYS, "K7QM", "K7QM-3RXD-Q2FA-9", "K7QM3RXDQ2FU", "é" * 12, "x" * 5000, "\x00" * 12]
)
def test_what_is_no_slip_shows_nothing(client: FlaskClient, typed: str) -> None:
    answer = type_in(client, typed)
    assert answer.status_code == 422
    assert "We do not know this slip" in answer.text
    assert "What you agreed to" not in answer.text


def test_a_slip_lowers_and_shows_that_it_is_done(client: FlaskClient, settings: Settings, web_cast: Cast) -> None:
    to_two, to_one = tickets(type_in(client, SLIP).text)
    answer = client.post("/r", data={"ticket": to_one})
    assert "It is done" in answer.text
    assert "Only your team." in answer.text
    assert tickets(answer.text) == []
    assert tiers(settings, web_cast) == {ONE: 1, TWO: 2}
    # A page that somebody had open shows more than stands now: it raises nothing.
    late = client.post("/r", data={"ticket": to_two})
    assert "Nothing was changed. You had already agreed to less." in late.text
    again = client.post("/r", data={"ticket": to_one})
    assert "Nothing was changed" in again.text
    assert tiers(settings, web_cast) == {ONE: 1, TWO: 2}


def test_all_is_taken_back_in_two_steps(client: FlaskClient, settings: Settings, web_cast: Cast) -> None:
    (ask,) = tickets(type_in(client, SLIP).text, "ask-end")
    before = client.post("/r", data={"ticket": ask})
    assert "You cannot undo this." in before.text
    assert before.text.index("Back, change nothing") < before.text.index("Take everything back now")
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}  # nothing has happened yet
    (end,) = tickets(before.text, "end")
    answer = client.post("/r", data={"ticket": end})
    assert "It is done" in answer.text
    assert "It is taken back" in answer.text
    assert "It is not safe yet" in answer.text  # this server has no second list
    assert tiers(settings, web_cast) == {TWO: 2}
    with Session(open_engine(settings)) as session:
        records = session.execute(sa.select(Record.person, Record.answers).order_by(Record.id)).all()
        assert [person for person, _ in records] == ["", TWO]
        assert "talk" not in records[0].answers
        (slip,) = session.scalars(sa.select(Slip).where(Slip.person == ""))
        assert slip.withdrawal_id
    again = client.post("/r", data={"ticket": end})
    assert "It is taken back" in again.text  # a second tap changes nothing
    seen = type_in(client, SLIP)
    assert "Keep the slip to look here again." in seen.text
    assert tickets(seen.text, "") == []


def test_no_step_is_skipped(client: FlaskClient, settings: Settings, web_cast: Cast) -> None:
    page = type_in(client, SLIP).text
    (ask,) = tickets(page, "ask-end")
    assert tickets(page, "end") == []
    client.post("/r", data={"ticket": ask})
    client.post("/r", data={"ticket": ask.replace("ask-end", "end")})
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}


@pytest.mark.parametrize("act", ["end", "lower"])
def test_what_could_not_be_written_down_is_not_said_to_be_done(
    client: FlaskClient, settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    page = type_in(client, SLIP).text
    if act == "end":
        (ask,) = tickets(page, "ask-end")
        (ticket,) = tickets(client.post("/r", data={"ticket": ask}).text, "end")
    else:
        ticket = next(each for each in tickets(page) if ".lower-1." in each)

    def refuse(path: Path, lines: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(forgotten, "append_lines", refuse)
    answer = client.post("/r", data={"ticket": ticket})
    assert "Nothing was changed." in answer.text
    assert "It is taken back" not in answer.text
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}


def test_no_page_offers_more_than_stands(client: FlaskClient) -> None:
    (only,) = tickets(type_in(client, OTHER).text)
    assert ".lower-1." in only


def test_a_ticket_is_for_its_slip_and_act_alone(
    client: FlaskClient, app: Flask, settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = derive_slip_key(app.extensions["server_keys"].secret)
    (to_one,) = tickets(type_in(client, OTHER).text)
    monkeypatch.setattr(slips, "failures", SlipFailures(lambda: 0.0))
    forged = [
        to_one.replace(tag_slip(OTHER, key), tag_slip(SLIP, key)),
        to_one.replace("lower-1", "lower-3"),
        to_one[:-1],
        to_one.rpartition(".")[0],
        "...",
        "\x00",
        "9" * 100_000,
    ]
    for ticket in forged:
        answer = client.post("/r", data={"ticket": ticket})
        assert answer.status_code == 422, ticket[:80]
        assert "Nothing was changed" in answer.text
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}


def test_a_ticket_is_over_after_a_quarter_of_an_hour(
    client: FlaskClient, settings: Settings, web_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    (to_one,) = tickets(type_in(client, OTHER).text)
    expires = to_one.split(".")[2]
    later = dt.datetime.fromtimestamp(int(expires), dt.UTC)
    monkeypatch.setattr(slips, "utcnow", lambda: later)
    answer = client.post("/r", data={"ticket": to_one})
    assert "The page was open too long" in answer.text
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://localhost.elsewhere.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    client: FlaskClient, settings: Settings, web_cast: Cast, headers: dict[str, str]
) -> None:
    (to_one,) = tickets(type_in(client, OTHER).text)
    for data in ({"ticket": to_one}, {"slip": SLIP}):
        answer = client.post("/r", data=data, headers=headers)
        assert answer.status_code == 403
        assert "What you agreed to" not in answer.text
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 2}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Origin": "null"}, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}],
)
def test_our_own_form_is_read_whatever_the_browser_says_of_it(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/r", data={"slip": SLIP}, headers=headers).status_code == 200


def test_who_guesses_is_told_to_wait_and_holds_up_nobody(client: FlaskClient, clock: Clock) -> None:
    for _ in range(PER_NETWORK):
        assert "We do not know this slip" in type_in(client, NOBODYS).text
    assert "wait a minute" in type_in(client, NOBODYS).text
    assert "What you agreed to" in type_in(client, SLIP).text  # from the same library, in the same minute
    elsewhere = client.post("/r", data={"slip": NOBODYS}, environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert "We do not know this slip" in elsewhere.text
    clock.now += WINDOW
    assert "We do not know this slip" in type_in(client, NOBODYS).text


def test_a_flood_is_stopped_before_anything_is_looked_up(client: FlaskClient, clock: Clock) -> None:
    for number in range(PER_SECOND):
        client.post("/r", data={"slip": NOBODYS}, environ_base={"REMOTE_ADDR": f"10.0.{number}.1"})
    assert type_in(client, SLIP).status_code == 503
    clock.now += 1
    assert type_in(client, SLIP).status_code == 200


def test_no_slip_and_no_address_is_logged_or_kept(
    client: FlaskClient, settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for _ in range(PER_NETWORK + 1):
        client.post("/r", data={"slip": NOBODYS}, environ_base={"REMOTE_ADDR": "198.51.100.7"})
    type_in(client, SLIP)
    assert "wrong slips" in caplog.text
    for secret in (NOBODYS, SLIP, "198.51.100"):
        assert secret not in caplog.text
    assert slips.failures.by_network
    clock.now += WINDOW
    slips.failures.forget()
    assert not slips.failures.by_network
    stored = b"".join(path.read_bytes() for path in settings.folder.iterdir() if path.is_file())
    assert b"198.51.100" not in stored and NOBODYS.encode() not in stored


@pytest.mark.parametrize("language", ["en", "fr", "ar", "so", "es", "ta", "pt"])
def test_the_last_step_is_in_the_same_language(client: FlaskClient, language: str) -> None:
    (ask,) = tickets(type_in(client, SLIP, lang=language).text, "ask-end")
    before = client.post("/r", data={"ticket": ask, "lang": language})
    (end,) = tickets(before.text, "end")
    after = client.post("/r", data={"ticket": end, "lang": language})
    for answer in (before, after):
        assert f'<html lang="{language}"' in answer.text
        assert len(answer.data) < 15_000
        assert "{" not in answer.text


@pytest.mark.parametrize("language", ["en", "fr", "ar", "so", "es", "ta", "pt"])
def test_it_speaks_the_languages_of_the_consent_script(client: FlaskClient, language: str) -> None:
    asked = client.get(f"/r?lang={language}").text
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in asked
    shown = type_in(client, SLIP, lang=language)
    assert f'lang="{language}"' in shown.text
    assert len(shown.data) < 15_000
    assert language == "en" or "What you agreed to" not in shown.text
    by_browser = client.get("/r", headers={"Accept-Language": f"{language}-CA, en;q=0.5"}).text
    assert f'<html lang="{language}"' in by_browser


def test_a_slip_and_its_tickets_go_on_under_a_new_key_of_the_server(
    client: FlaskClient, app: Flask, settings: Settings, web_cast: Cast
) -> None:
    (to_one,) = tickets(type_in(client, OTHER).text)
    watch = app.extensions["server_keys"]
    watch.secret = add_root(watch.secret, utcnow())
    assert "What you agreed to" in type_in(client, SLIP).text
    assert client.post("/r", data={"ticket": to_one}).status_code == 200
    assert tiers(settings, web_cast) == {ONE: 3, TWO: 1}


def test_a_language_that_there_is_not_is_the_browsers(client: FlaskClient) -> None:
    assert '<html lang="fr"' in client.get("/r?lang=xx", headers={"Accept-Language": "fr"}).text


def test_a_slip_that_was_voided_is_as_unknown_as_any_other(client: FlaskClient, app: Flask, settings: Settings) -> None:
    with Session(open_engine(settings)) as session:
        session.get_one(Slip, tag_slip(SLIP, derive_slip_key(app.extensions["server_keys"].secret))).is_lost = True
        session.commit()
    voided, unknown = [re.sub(r'name="form" value="[^"]+"', "", type_in(client, slip).text) for slip in (SLIP, NOBODYS)]
    assert voided == unknown


def test_the_next_person_at_the_computer_gets_nothing_by_back_and_reload(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_forms = SentForms(clock=lambda: moment[0])
    monkeypatch.setattr("fieldapp.web.public.slips.sent_forms", sent_forms)
    moment = [0.0]
    (number,) = re.findall(r'name="form" value="([^"]+)"', client.get("/r").text)
    shown = type_in(client, SLIP, form=number)
    assert "What you agreed to" in shown.text
    (ask,) = tickets(shown.text, "ask-end")
    assert "You cannot undo this." in client.post("/r", data={"ticket": ask, "form": "another"}).text
    moment[0] = 5  # a double tap
    assert "What you agreed to" in type_in(client, SLIP, form=number).text
    moment[0] = 60
    for again in (type_in(client, SLIP, form=number), client.post("/r", data={"ticket": ask, "form": "another"})):
        assert again.status_code == 200
        assert "Type the 12 characters" in again.text
        assert 'name="ticket"' not in again.text
    numbers = re.findall(r'name="form" value="([^"]+)"', shown.text)
    assert len(set(numbers)) == len(numbers) > 1
