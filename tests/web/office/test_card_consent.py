"""The page of a card's consent: found by its code, lowered, ended in two steps; each says what it does."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.settings import Settings
from tests.cast import Cast
from tests.opening import open_engine
from tests.services.consent.endings import CARD, send, talked
from tests.web.conftest import csrf_of

Clients = Callable[[str], FlaskClient]
CASELOAD = "/office/caseload"


@pytest.fixture
def card(settings: Settings, web_cast: Cast) -> str:
    """Return the address of a card's page; her last visit ended the work, so the list does not show her."""
    with Session(open_engine(settings)) as session:
        send(session, web_cast.amina, talked())
    return f"{CASELOAD}/card/1"


def post(client: FlaskClient, path: str, **fields: str) -> str:
    token = csrf_of(client.get(CASELOAD).text)
    return client.post(path, data={"csrf_token": token, **fields}, follow_redirects=True).text


def test_a_card_is_found_by_its_code_which_is_in_no_address(client_of: Clients, card: str) -> None:
    rosa = client_of("rosa")
    token = csrf_of(rosa.get(CASELOAD).text)
    typed = f" {CARD[:4].lower()}-{CARD[4:].lower()} "
    answer = rosa.post(f"{CASELOAD}/card", data={"csrf_token": token, "code": typed})
    assert answer.headers["Location"] == card
    assert "no card with this code" in post(rosa, f"{CASELOAD}/card", code="K7QM-3RXDQ")
    assert "They are also in public totals" in rosa.get(card).text
    for stranger in ("olaf", "eve"):
        assert client_of(stranger).get(card).status_code in (403, 404)


def test_consent_is_lowered_with_a_reason_and_never_raised(client_of: Clients, card: str) -> None:
    rosa = client_of("rosa")
    assert "Choose why" in post(rosa, f"{card}/lower", tier="1")
    assert "can only be lowered" in post(rosa, f"{card}/lower", tier="3", reason="in_person")
    page = post(rosa, f"{card}/lower", tier="1", reason="in_person")
    assert "Only their team uses it" in page
    assert 'value="0"' in page
    assert 'value="1"' not in page


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [("en", "You cannot undo this", "Nobody here sees it"), ("fr", "On ne peut pas annuler", "Personne ici ne le voit")],
)
def test_an_end_says_first_what_cannot_be_undone(
    client_of: Clients, card: str, language: str, first: str, last: str
) -> None:
    rosa = client_of("rosa")
    rosa.post(f"/language/{language}", data={"csrf_token": csrf_of(rosa.get(CASELOAD).text)})
    before = rosa.get(f"{card}/end").text
    assert before.index(first) < before.index('<form method="post" action="/office/caseload/card/1/end"')
    assert rosa.get(card).status_code == 200  # nothing was done by looking
    after = post(rosa, f"{card}/end", reason="lost_slip")
    assert last in after
    assert CARD[4:] not in after
    assert rosa.get(card).status_code == 404


def test_the_page_shows_what_was_said_and_hands_it_out_without_saying_who(client_of: Clients, card: str) -> None:
    rosa = client_of("rosa")
    post(rosa, f"{card}/lower", tier="1", reason="in_person")
    page = rosa.get(card).text
    assert page.index("said to a worker") < page.index("in the office")
    token = csrf_of(rosa.get(CASELOAD).text)
    answer = rosa.post(f"{card}/record", data={"csrf_token": token})
    assert answer.headers["Content-Disposition"] == "attachment; filename=consent-record.json"
    record = answer.get_json()["consent_record"]
    assert [event["event_tier"] for event in record["consent_events"]] == [3, 1]
    assert record["consent_state"] == "consent given"
    for word in (CARD, f"{CARD[:4]}-{CARD[4:]}", "amina", "Amina"):
        assert word not in answer.text
    for stranger in ("olaf", "eve"):
        assert client_of(stranger).post(f"{card}/record", data={"csrf_token": token}).status_code in (400, 403, 404)
