"""Two-step verification through the pages, without a script, as somebody with an authenticator app uses them."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.people import accounts, one_time_codes, second_factor, web_sessions
from fieldapp.services.people.web_sessions import CONFIRMED_FOR
from fieldapp.settings import Settings
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.web import second_steps
from tests.cast import PASSWORD, Cast
from tests.opening import open_engine
from tests.passkeys import SoftPasskey
from tests.second_steps import code_of, set_up_app
from tests.web.conftest import Clock, csrf_of, revision_of

Clients = Callable[[str], FlaskClient]


class Scene:
    """A centre that asks for two-step verification, where Rosa has an app and Eve has nothing yet."""

    def __init__(self, app: Flask, settings: Settings, cast: Cast):
        self.app, self.settings, self.cast = app, settings, cast
        self.key = self.do(lambda session: set_up_app(session, cast.rosa, settings.key()))
        self.do(lambda session: second_factor.ask_second_factor(session, cast.system, is_asked=True))

    def do(self, work: Callable[[Session], Any]) -> Any:
        engine = open_engine(self.settings)
        with Session(engine, expire_on_commit=False) as session:
            done = work(session)
            session.commit()
        engine.dispose()
        return done

    def signed_in_lines(self) -> list[str]:
        """Return what the audit log says of sign-ins."""
        query = sa.select(AuditEvent.act).where(AuditEvent.act.startswith("sign_in.")).order_by(AuditEvent.id)
        return list(self.do(lambda session: session.scalars(query).all()))

    def one_time_code(self, purpose: str = "set_up") -> str:
        return str(
            self.do(
                lambda session: one_time_codes.give_one_time_code(
                    session, self.cast.rosa, user_id=self.cast.eve.user_id, purpose=purpose
                )
            )
        )

    def first_step(self, name: str, to: str = "") -> FlaskClient:
        client = self.app.test_client()
        address = f"/?next={to}" if to else "/"
        answer = send(client, address, client.get(address).text, username=name, password=PASSWORD)
        assert answer.status_code == 302
        assert answer.location.startswith("/second-step/")
        return client

    def sign_in(self, to: str = "", ahead: int = 0) -> FlaskClient:
        """Sign Rosa in with her app."""
        client = self.first_step("rosa", to)
        answer = step(client, "/second-step/", code=code_of(self.key, ahead))
        assert answer.status_code == 302, answer.text
        return client


@pytest.fixture
def scene(app: Flask, settings: Settings, web_cast: Cast) -> Scene:
    return Scene(app, settings, web_cast)


def send(client: FlaskClient, url: str, page: str, **data: str) -> Any:
    return client.post(url, data={"csrf_token": csrf_of(page), **data})


def step(client: FlaskClient, url: str, **data: str) -> Any:
    return send(client, url, client.get("/second-step/").text, **data)


def hidden_of(page: str) -> dict[str, str]:
    start = page.index('action="/office/confirm')
    form = page[start : page.index("</form>", start)]
    return {name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


def action_of(page: str) -> str:
    found = re.search(r'action="(/office/confirm[^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


def test_a_password_alone_opens_nothing(scene: Scene) -> None:
    client = scene.first_step("rosa")
    for url in ("/office/", "/office/people", "/office/account", "/releases/", "/office/board"):
        assert client.get(url).status_code == 302, url
    page = client.get("/second-step/").text
    for code in ("", "000000", "x" * 40, code_of("A" * 32)):
        assert send(client, "/second-step/", page, code=code).status_code == 422
    # Neither can they set up another one instead.
    for url in ("/second-step/code", "/second-step/set-up"):
        assert send(client, url, page, code=code_of(scene.key)).status_code == 422
    assert client.get("/office/").status_code == 302
    assert scene.signed_in_lines() == ["sign_in.first_step"]
    assert client.get_cookie("known") is None, "only a whole sign-in makes a browser known"


def test_an_app_opens_the_page_that_was_asked_for(scene: Scene) -> None:
    client = scene.first_step("rosa", "/office/caseload")
    page = client.get("/second-step/?next=/office/caseload").text
    action = re.search(r'action="(/second-step/[^"]*)"', page)
    assert action
    answer = send(client, html.unescape(action[1]), page, code=code_of(scene.key))
    assert answer.location == "/office/caseload"
    assert client.get("/office/caseload").status_code == 200
    assert scene.signed_in_lines() == ["sign_in.first_step", "sign_in.ok"]
    assert client.get_cookie("known")


@pytest.mark.parametrize("to", ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere.example"])
def test_the_second_step_leads_to_no_other_site(scene: Scene, to: str) -> None:
    client = scene.first_step("rosa")
    assert step(client, f"/second-step/?next={to}", code=code_of(scene.key)).location == "/office/"


def test_a_first_step_is_forgotten_after_ten_minutes_and_with_a_new_password(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = scene.first_step("rosa"), scene.first_step("rosa")
    page, others = client.get("/second-step/").text, other.get("/second-step/").text
    now = second_steps.time.time()
    monkeypatch.setattr(second_steps.time, "time", lambda: now + second_steps.LASTS + 1)
    assert send(client, "/second-step/", page, code=code_of(scene.key)).location == "/"
    monkeypatch.undo()
    scene.do(lambda session: accounts.restore_access(session, scene.cast.system, username="rosa"))
    assert send(other, "/second-step/", others, code=code_of(scene.key)).location == "/"
    assert client.get("/office/").status_code == other.get("/office/").status_code == 302


def test_the_first_time_a_one_time_code_sets_it_up_and_recovery_codes_are_shown_once(scene: Scene) -> None:
    code = scene.one_time_code()
    client = scene.first_step("eve", "/releases/")
    assert "QR code" not in client.get("/second-step/").text
    assert step(client, "/second-step/set-up", code="000000").status_code == 422
    assert step(client, "/second-step/code", code=code[:-1]).status_code == 422
    assert step(client, "/second-step/code?next=/releases/", code=code).status_code == 302
    page = client.get("/second-step/?next=/releases/").text
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', page)
    assert key
    assert step(client, "/second-step/set-up", code="000000").status_code == 422
    assert key[1] in client.get("/second-step/").text, "a page that is loaded again shows the same one"
    shown = step(client, "/second-step/set-up?next=/releases/", code=code_of(key[1]))
    codes = re.findall(r'<li class="code">([a-z0-9-]+)</li>', shown.text)
    assert len(codes) == 10
    assert shown.headers["Cache-Control"] == "no-store"
    assert client.get("/releases/").status_code == 200
    again = scene.first_step("eve")
    assert step(again, "/second-step/", code=codes[4]).status_code == 302
    assert "9 are left" in again.get("/office/account").text


def test_a_one_time_code_that_was_replaced_says_so_and_the_newest_goes_on(scene: Scene) -> None:
    client = scene.first_step("eve")
    first = scene.one_time_code()
    assert step(client, "/second-step/code", code=first).status_code == 302
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', client.get("/second-step/").text)
    assert key
    newest = scene.one_time_code()
    late = step(client, "/second-step/set-up", code=code_of(key[1]))
    assert late.status_code == 422
    assert "gave a newer one" in late.text and 'action="/second-step/code' in late.text
    assert "gave a newer one" in step(client, "/second-step/code", code=first).text
    assert step(client, "/second-step/code", code=newest).status_code == 302
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', client.get("/second-step/").text)
    assert key
    assert step(client, "/second-step/set-up", code=code_of(key[1])).status_code == 200


def test_a_worker_and_their_phone_are_not_held_up(scene: Scene) -> None:
    client = scene.app.test_client()
    answer = send(client, "/", client.get("/").text, username="amina", password=PASSWORD)
    assert answer.location == "/app/"
    sent = client.post("/sync/v1/sign-in", json={"username": "amina", "password": PASSWORD})
    assert sent.status_code not in (401, 403)


def test_a_second_step_is_asked_again_before_something_grave_and_what_was_typed_stays(scene: Scene, clock: Clock) -> None:
    client = scene.sign_in()
    clock.wait(CONFIRMED_FOR)
    page = client.get("/office/people").text
    typed = {"username": "nadia", "label": "Nadia “N” <&>", "role": "admin"}
    asked = send(client, "/office/people", page, **typed)
    assert asked.status_code == 403
    assert {**hidden_of(asked.text), **typed} == hidden_of(asked.text)
    wrong = client.post(action_of(asked.text), data={**hidden_of(asked.text), "confirm_code": "000000"})
    assert wrong.status_code == 422
    fields = {**hidden_of(wrong.text), "confirm_code": code_of(scene.key, 30)}
    right = client.post(action_of(wrong.text), data=fields)
    assert right.status_code == 307
    assert right.location == "/office/people"
    added = client.post(right.location, data=fields)  # as the browser does it
    assert added.status_code == 201, added.text
    assert "nadia" in added.text and "One-time code" in added.text
    # It counts for ten minutes.
    url = f"/office/people/{scene.cast.eve.user_id}/password"
    clock.wait(CONFIRMED_FOR / 2)
    people = client.get("/office/people").text
    assert send(client, url, people, revision=revision_of(people, url)).status_code == 200
    clock.wait(CONFIRMED_FOR / 2)
    people = client.get("/office/people").text
    assert send(client, url, people, revision=revision_of(people, url)).status_code == 403


@pytest.mark.parametrize(
    ("page", "url", "data"),
    [
        ("/office/records", "/office/records.zip?form=encounter", {"purpose": "work"}),
        ("/office/feed", "/office/feed", {"series": "1", "label": "Council"}),
        ("/office/account", "/office/account/recovery-codes", {}),
        ("/office/people", "/office/people/3/code", {}),
        ("/office/people", "/office/people/1/invite", {}),
        ("/office/people", "/office/people/1/collect", {}),
        ("/office/people", "/office/people", {"username": "w-99", "label": "W-99", "role": "worker"}),
        ("/office/people", "/office/people/3/second-factor", {}),
        ("/releases/", "/releases/1/package", {}),
    ],
)
def test_what_reaches_far_asks_first(scene: Scene, clock: Clock, page: str, url: str, data: dict[str, str]) -> None:
    client = scene.sign_in()
    clock.wait(CONFIRMED_FOR)
    answer = send(client, url, client.get(page).text, **data)
    assert answer.status_code == 403
    assert "Confirm that it is you" in answer.text
    assert f"to={url.split('?', maxsplit=1)[0]}" in action_of(answer.text)


def test_confirming_leads_to_no_other_site(scene: Scene) -> None:
    client = scene.sign_in()
    page = client.get("/office/people").text
    answer = send(client, "/office/confirm?to=//elsewhere.example/", page, confirm_code=code_of(scene.key, 30))
    assert answer.location == "/office/account"


def test_turning_it_on_signs_out_who_came_with_a_password_alone(
    app: Flask, settings: Settings, web_cast: Cast, client_of: Clients
) -> None:
    eve, rosa = client_of("eve"), client_of("rosa")
    assert "One password is enough" in rosa.get("/office/").text
    page = rosa.get("/office/people").text
    assert send(rosa, "/office/people/two-steps", page).status_code == 422, "not before she has one herself"
    app_page = rosa.get("/office/account/app").text
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', app_page)
    assert key
    assert send(rosa, "/office/account/app", app_page, code=code_of(key[1])).status_code == 200
    assert send(rosa, "/office/people/two-steps", rosa.get("/office/people").text).status_code == 302
    assert "One password is enough" not in rosa.get("/office/").text
    assert eve.get("/releases/").status_code == 302
    page = rosa.get("/office/people").text
    assert len(re.findall(r"/office/people/\d+/code\"", page)) == 1, "for Eve; Rosa has one, and workers need none"


def test_setting_one_up_ends_the_sessions_that_began_with_a_password_alone(client_of: Clients) -> None:
    here, there = client_of("rosa"), client_of("rosa")
    page = here.get("/office/account/app").text
    key = re.search(r'class="code wrap">([A-Z2-7]+)<', page)
    assert key
    send(here, "/office/account/app", page, code=code_of(key[1]))
    assert here.get("/office/account").status_code == 200
    assert there.get("/office/account").status_code == 302


def test_the_time_of_the_second_step_is_at_the_server(scene: Scene) -> None:
    client = scene.sign_in()
    scene.do(
        lambda session: session.execute(
            sa.update(web_sessions.WebSession).values(second_factor_at=web_sessions.utcnow() - CONFIRMED_FOR)
        )
    )
    page = client.get("/office/account").text
    assert send(client, "/office/account/recovery-codes", page).status_code == 403


def options_of(page: str) -> str:
    found = re.search(r'data-options="([^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


def test_a_passkey_is_added_used_and_removed_on_the_pages(scene: Scene) -> None:
    client = scene.sign_in()
    assert "data-options" not in client.get("/office/account").text
    device = SoftPasskey()
    page = client.get("/office/account/passkey").text
    wrong = send(client, "/office/account/passkey", page, passkey="{}", label="desk")
    assert wrong.location == "/office/account/passkey"
    page = client.get("/office/account/passkey").text
    added = send(client, "/office/account/passkey", page, passkey=device.make(options_of(page)), label="desk <1>")
    assert added.location == "/office/account"
    assert "desk &lt;1&gt;" in client.get("/office/account").text
    again = scene.first_step("rosa")
    page = again.get("/second-step/").text
    answer = device.answer(options_of(page))
    assert send(again, "/second-step/", page, passkey=answer).status_code == 302
    assert again.get("/office/").status_code == 200
    thief = scene.first_step("rosa")
    page = thief.get("/second-step/").text
    assert send(thief, "/second-step/", page, passkey=answer).status_code == 422, "an answer is good once"
    page = client.get("/office/account").text
    (remove,) = re.findall(r'action="(/office/account/passkeys/\d+/remove)"', page)
    assert send(client, remove, page).status_code == 302
    assert "data-options" not in thief.get("/second-step/").text


def test_a_passkey_of_another_host_is_not_offered(scene: Scene) -> None:
    client = scene.sign_in()
    device = SoftPasskey()
    page = client.get("/office/account/passkey").text
    send(client, "/office/account/passkey", page, passkey=device.make(options_of(page)), label="")
    other = scene.first_step("rosa")
    assert "data-options" in other.get("/second-step/").text
    assert "data-options" not in other.get("/second-step/", headers={"Host": "elsewhere.example"}).text
