"""Pages that moved: what people bookmarked, and what an open page still sends, arrives where it is now."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from fieldapp.web.office.former_addresses import find_new_path
from tests.web.conftest import csrf_of

Clients = Callable[[str], FlaskClient]

BOOKMARKS = {
    "/office/encounters": "/office/records",
    "/office/encounters?form=encounter&since=2026-01-01": "/office/records?form=encounter&since=2026-01-01",
    "/office/encounters/3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d": "/office/records/3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d",
    "/office/encounters?worker=Zo%C3%A9%20%26%20co": "/office/records?worker=Zo%C3%A9%20%26%20co",
    "/office/attention": "/office/review",
    "/office/attention/7": "/office/review/7",
    "/office/figures": "/office/numbers",
    "/office/password": "/office/account",
}
FORMS = {
    "/office/encounters.zip?form=encounter": "/office/records.zip?form=encounter",
    "/office/encounters/abc/review": "/office/records/abc/review",
    "/office/attention/7/settle": "/office/review/7/dismiss",
    "/office/attention/phones/3/settle": "/office/review/phones/3/dismiss",
    "/office/attention/phones/3/let-in": "/office/review/phones/3/let-in",
}


@pytest.mark.parametrize(("former", "address"), BOOKMARKS.items())
def test_a_bookmark_leads_to_the_page_with_its_filter(client_of: Clients, former: str, address: str) -> None:
    response = client_of("rosa").get(former)
    assert (response.status_code, response.location) == (308, address)


@pytest.mark.parametrize(("former", "address"), FORMS.items())
def test_a_form_of_a_page_that_was_open_keeps_what_was_typed(client_of: Clients, former: str, address: str) -> None:
    rosa = client_of("rosa")
    token = csrf_of(rosa.get("/office/records").text)
    response = rosa.post(former, data={"csrf_token": token})
    assert (response.status_code, response.location) == (308, address)


def test_nobody_is_led_out_of_the_office(client_of: Clients) -> None:
    location = client_of("rosa").get("/office/encounters/%5C%5Cevil.example/a%3Fb").location
    assert location == "/office/records/%5C%5Cevil.example/a%3Fb"
    assert client_of("rosa").get("/office/encounters/%0d%0aX-Evil:1").status_code == 404


def test_only_the_centre_sees_the_page_behind_a_bookmark(client_of: Clients) -> None:
    assert client_of("amina").get("/office/encounters", follow_redirects=True).status_code == 403
    assert client_of("rosa").get("/office/encounters", follow_redirects=True).status_code == 200
    assert client_of("rosa").get("/office/figures", follow_redirects=True).status_code == 200


def test_only_the_last_word_of_an_address_changes() -> None:
    assert find_new_path("/office/encounters/settle/review") == "/office/records/settle/review"
