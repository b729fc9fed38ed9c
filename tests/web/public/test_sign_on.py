"""Signing in by a real sign-on provider (node oidc-provider): nobody comes in but who was linked here before."""

import dataclasses
import html
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.app import create_app
from fieldapp.services.people import accounts, one_time_codes, second_factor, sign_on
from fieldapp.services.people.one_time_codes import SIGN_ON
from fieldapp.services.people.web_sessions import CONFIRMED_FOR
from fieldapp.settings import Settings
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people.sign_on_links import SignOnLink
from tests.cast import PASSWORD, Cast
from tests.commands import Ended, run_command
from tests.opening import open_engine
from tests.second_steps import code_of, set_up_app
from tests.sign_on import NAME, RealProvider, Visitor, real_provider, settings_of
from tests.web.conftest import Clock, csrf_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[RealProvider]:
    with real_provider() as provider:
        yield provider


@pytest.fixture
def settings(settings: Settings, running: RealProvider) -> Settings:
    """Settings with a provider that runs."""
    return dataclasses.replace(settings, **settings_of(running.issuer))


class Scene:
    """A centre with a sign-on provider; nobody is linked yet."""

    def __init__(self, app: Flask, settings: Settings, cast: Cast):
        self.app, self.settings, self.cast = app, settings, cast

    def do(self, work: Callable[[Session], Any]) -> Any:
        engine = open_engine(self.settings)
        with Session(engine, expire_on_commit=False) as session:
            done = work(session)
            session.commit()
        engine.dispose()
        return done

    def by_password(self, name: str) -> FlaskClient:
        client = self.app.test_client()
        answer = post(client, "/", client.get("/").text, username=name, password=PASSWORD)
        assert answer.status_code == 302
        return client

    def go(self, client: FlaskClient, start: str = "/sign-on/", visitor: Visitor | None = None, **there: str) -> Any:
        """Go to the provider from a page and come back with its answer."""
        leaving = client.get(start, headers={"Sec-Fetch-Site": "same-origin"})
        assert leaving.status_code == 302, leaving.text
        return client.get((visitor or Visitor()).visit(leaving.location, **there))

    def link(self, name: str, subject: str = "jane@city") -> FlaskClient:
        """Link somebody's account, after their password."""
        client = self.by_password(name)
        assert NAME in client.get("/office/account/sign-on").text
        assert self.go(client, "/sign-on/link", name=subject).location == "/office/account"
        return client

    def code(self, name: str, purpose: str = SIGN_ON) -> str:
        user_id = self.cast.actor(name).user_id or 0
        actor = self.cast.system
        return str(
            self.do(lambda session: one_time_codes.give_one_time_code(session, actor, user_id=user_id, purpose=purpose))
        )

    def ask_everybody(self) -> str:
        """Let the centre ask for two steps; return the key of Rosa's app."""
        key = self.do(lambda session: set_up_app(session, self.cast.rosa, self.settings.key()))
        self.do(lambda session: second_factor.ask_second_factor(session, self.cast.system, is_asked=True))
        return str(key)

    def trust(self, is_trusted: bool = True) -> None:
        self.do(lambda session: sign_on.trust_second_step(session, self.cast.system, is_trusted=is_trusted))

    def lines(self, *acts: str) -> list[tuple[str, dict[str, Any]]]:
        query = sa.select(AuditEvent.act, AuditEvent.details).where(AuditEvent.act.in_(acts)).order_by(AuditEvent.id)
        return [(row[0], row[1]) for row in self.do(lambda session: session.execute(query).all())]


@pytest.fixture
def scene(app: Flask, settings: Settings, web_cast: Cast) -> Scene:
    return Scene(app, settings, web_cast)


def post(client: FlaskClient, url: str, page: str, **data: str) -> Any:
    return client.post(url, data={"csrf_token": csrf_of(page), **data})


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def doctor(settings: Settings) -> Ended:
    return run_command({**settings.environment(), "PATH": os.environ["PATH"]}, "doctor")


def test_nobody_comes_in_because_the_provider_knows_them(scene: Scene) -> None:
    # Neither by a name that is the same here, nor by an e-mail address.
    for name in ("rosa", "jane@city"):
        client = scene.app.test_client()
        answer = scene.go(client, name=name)
        assert answer.location == "/sign-on/first-time"
        assert "Not linked yet" in client.get("/sign-on/first-time").text
        assert client.get("/office/").status_code == 302
    assert scene.lines("sign_in.failed", "sign_in.ok") == [("sign_in.failed", {"by": "sign_on"})] * 2
    assert scene.do(lambda session: session.scalars(sa.select(SignOnLink)).all()) == []


def test_who_linked_their_account_signs_in_by_the_button(scene: Scene) -> None:
    scene.link("rosa")
    client = scene.app.test_client()
    page = client.get("/?next=/office/caseload").text
    button = re.search(r'href="(/sign-on/[^"]*)"[^>]*>Sign in with City account', page)
    assert button
    assert scene.go(client, html.unescape(button[1])).location == "/office/caseload"
    assert client.get("/office/caseload").status_code == 200
    account = text_of(client.get("/office/account").text)
    assert "Your account there opens this one" in account and "Last used" in account
    assert "City account" in client.get("/office/people").text
    # Somebody else there is nobody here.
    assert scene.go(scene.app.test_client(), name="joe@city").location == "/sign-on/first-time"


def test_another_site_signs_nobody_in(scene: Scene) -> None:
    scene.link("rosa")
    for where in ("cross-site", "same-site"):
        answer = scene.app.test_client().get("/sign-on/?next=/office/people", headers={"Sec-Fetch-Site": where})
        assert answer.location == "/?next=/office/people", "they choose for themselves"


def test_another_site_links_nobody(scene: Scene) -> None:
    rosa = scene.by_password("rosa")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {}):
        assert rosa.get("/sign-on/link", headers=headers).location == "/office/account/sign-on"


def test_a_link_that_leads_elsewhere_is_not_followed(scene: Scene) -> None:
    scene.link("rosa")
    client = scene.app.test_client()
    assert scene.go(client, "/sign-on/?next=//elsewhere.example").location == "/office/"


def test_nothing_of_what_the_provider_says_is_stored(scene: Scene) -> None:
    scene.link("rosa", "jane@city")
    scene.go(scene.app.test_client())
    content = b"".join(path.read_bytes() for path in scene.settings.folder.glob("fieldapp.db*"))
    assert b"subject_hash" in content
    for word in (b"jane@city", b"example.org", b"eyJ"):
        assert word not in content


def test_the_first_time_a_one_time_code_links_an_account(scene: Scene) -> None:
    client = scene.app.test_client()
    scene.go(client)
    page = client.get("/sign-on/first-time").text
    code = scene.code("eve")
    wrong = [
        ("eve", "k3m9x-qw7ha-2bzrt"),
        ("rosa", code),
        ("nobody", code),
        ("amina", code),
        ("eve", scene.code("eve", "password")),
    ]
    for username, attempt in wrong:
        answer = post(client, "/sign-on/first-time", page, username=username, code=attempt)
        assert answer.status_code == 422 and "do not go together" in answer.text, username
    assert post(client, "/sign-on/first-time", page, username="eve", code="").status_code == 422
    # Without having been at the provider a code opens nothing.
    stranger = scene.app.test_client()
    front = stranger.get("/").text
    assert post(stranger, "/sign-on/first-time", front, username="eve", code=code).location == "/"
    assert post(client, "/sign-on/first-time", page, username="Eve ", code=code).location == "/releases/"
    assert client.get("/releases/").status_code == 200
    # It counts once.
    other = scene.app.test_client()
    scene.go(other, name="joe@city")
    page = other.get("/sign-on/first-time").text
    assert post(other, "/sign-on/first-time", page, username="eve", code=code).status_code == 422
    assert [act for act, _ in scene.lines("sign_on.link_by_code")] == ["sign_on.link_by_code"]


def test_a_command_gives_a_code_too(scene: Scene) -> None:
    environment = {**scene.settings.environment(), "PATH": os.environ["PATH"]}
    given = run_command(environment, "person", "code", "rexdale", "eve", "--sign-on")
    code = re.search(r"([a-z2-9]{5}-){2}[a-z2-9]{5}", given.stdout)
    assert code, given.stderr
    client = scene.app.test_client()
    scene.go(client)
    page = client.get("/sign-on/first-time").text
    assert post(client, "/sign-on/first-time", page, username="eve", code=code[0]).location == "/releases/"
    assert run_command(environment, "person", "code", "rexdale", "amina", "--sign-on").returncode == 1


def test_a_worker_gets_no_code_and_has_no_link(scene: Scene) -> None:
    rosa = scene.by_password("rosa")
    page = rosa.get("/office/people").text
    amina = scene.cast.amina.user_id
    assert f"/office/people/{amina}/sign-on/code" not in page
    assert post(rosa, f"/office/people/{amina}/sign-on/code", page).status_code == 404
    assert f"/office/people/{scene.cast.eve.user_id}/sign-on/code" in page
    answer = post(rosa, f"/office/people/{scene.cast.eve.user_id}/sign-on/code", page)
    assert "One-time code for linking" in answer.text


def test_one_account_there_opens_one_here(scene: Scene) -> None:
    scene.link("rosa")
    eve = scene.by_password("eve")
    eve.get("/office/account/sign-on")
    answer = scene.go(eve, "/sign-on/link")
    assert answer.status_code == 409 and "opens another account here already" in answer.text
    # One's own link moves.
    rosa = scene.by_password("rosa")
    assert scene.go(rosa, "/sign-on/link", name="rosa@city").location == "/office/account"
    assert scene.go(scene.app.test_client()).location == "/sign-on/first-time"
    assert scene.go(scene.app.test_client(), name="rosa@city").location == "/office/"


def test_who_was_switched_off_or_whose_link_was_removed_does_not_come_in(scene: Scene) -> None:
    scene.link("eve")
    client = scene.app.test_client()
    assert scene.go(client).location == "/releases/"
    eve = scene.cast.eve.user_id or 0
    scene.do(lambda session: accounts.set_person_active(session, scene.cast.rosa, user_id=eve, active=False))
    assert client.get("/releases/").status_code == 302, "it ends at once"
    assert scene.go(scene.app.test_client()).location == "/sign-on/first-time"
    scene.do(lambda session: accounts.set_person_active(session, scene.cast.rosa, user_id=eve, active=True))
    scene.go(client)
    by_password = scene.by_password("eve")
    rosa = scene.by_password("rosa")
    answer = post(rosa, f"/office/people/{eve}/sign-on/remove", rosa.get("/office/people").text)
    assert answer.location == "/office/people"
    assert client.get("/releases/").status_code == 302, "who came in by it is out"
    assert by_password.get("/releases/").status_code == 200, "who came in by a password is not"
    assert scene.go(scene.app.test_client()).location == "/sign-on/first-time"


def test_ones_own_link_can_be_removed_but_not_the_only_way_in(scene: Scene) -> None:
    rosa = scene.link("rosa")
    assert post(rosa, "/office/account/sign-on/remove", rosa.get("/office/account").text).location == "/office/account"
    assert "Not linked" in rosa.get("/office/account").text
    scene.ask_everybody()
    scene.trust()
    code = scene.code("eve")
    eve = scene.app.test_client()
    scene.go(eve, second="on")
    post(eve, "/sign-on/first-time", eve.get("/sign-on/first-time").text, username="eve", code=code)
    post(eve, "/office/account/sign-on/remove", eve.get("/office/account").text)
    assert "You could not sign in any more" in eve.get("/office/account").text


def test_an_answer_counts_in_the_browser_that_asked_and_once(scene: Scene) -> None:
    scene.link("rosa")
    client = scene.app.test_client()
    back = Visitor().visit(client.get("/sign-on/").location)
    stranger = scene.app.test_client()
    assert stranger.get(back).location == "/", "it never left for the provider"
    stranger.get("/sign-on/")
    answer = stranger.get(back)
    assert answer.status_code == 400 and "begun in another browser" in answer.text
    assert client.get(back).location == "/office/"
    assert client.get(back).location == "/", "a second time it opens nothing"
    # Also where it is asked for once more: the provider takes a code once.
    again = scene.app.test_client()
    leaving = again.get("/sign-on/").location
    back = Visitor().visit(leaving)
    state = re.search(r"state=([^&]+)", back)
    assert state
    tampered = back.replace("code=", "code=x")
    answer = again.get(tampered)
    assert answer.status_code == 403 and "cannot be accepted" in answer.text


def test_who_cancels_there_is_told_so(scene: Scene) -> None:
    client = scene.app.test_client()
    answer = scene.go(client, cancel="yes")
    assert answer.status_code == 403
    assert client.get("/office/").status_code == 302
    assert "City account did not confirm who you are, or you cancelled there" in answer.text
    french = scene.app.test_client()
    french.get("/", headers={"Accept-Language": "fr"})
    leaving = french.get("/sign-on/", headers={"Accept-Language": "fr"})
    answer = french.get(Visitor().visit(leaving.location, cancel="yes"), headers={"Accept-Language": "fr"})
    assert "n’a pas confirmé" in text_of(answer.text)


def test_our_second_step_is_asked_for_unless_the_centre_accepts_theirs(scene: Scene) -> None:
    key = scene.ask_everybody()
    client = scene.app.test_client()
    scene.go(client)
    code = scene.code("rosa")
    post(client, "/sign-on/first-time", client.get("/sign-on/first-time").text, username="rosa", code=code)
    assert client.get("/office/").status_code == 302, "a one-time code is no second step"
    # What the provider says of a second step counts for nothing yet.
    client = scene.app.test_client()
    assert scene.go(client, second="on").location.startswith("/second-step/")
    page = client.get("/second-step/").text
    assert post(client, "/second-step/", page, code=code_of(key)).location == "/office/"
    scene.trust()
    client = scene.app.test_client()
    assert scene.go(client).location.startswith("/second-step/"), "none was asked for there"
    assert scene.go(scene.app.test_client(), second="on").location == "/office/"
    # And again as before.
    scene.trust(False)
    assert scene.go(scene.app.test_client(), second="on").location.startswith("/second-step/")


def test_who_turns_trust_off_signs_out_who_came_in_by_it(scene: Scene) -> None:
    scene.link("eve")
    eve = scene.app.test_client()
    scene.go(eve)
    rosa = scene.by_password("rosa")
    page = rosa.get("/office/people").text
    post(rosa, "/office/people/sign-on/trust", page, trusted="yes")
    assert "Set up two-step verification for yourself first" in rosa.get("/office/people").text
    scene.do(lambda session: set_up_app(session, scene.cast.rosa, scene.settings.key()))
    post(rosa, "/office/people/sign-on/trust", page, trusted="yes")
    assert "counts as ours" in rosa.get("/office/people").text
    assert eve.get("/releases/").status_code == 200
    post(rosa, "/office/people/sign-on/trust", page, trusted="no")
    assert eve.get("/releases/").status_code == 302
    assert rosa.get("/office/people").status_code == 200


def begin_with_trust(scene: Scene, visitor: Visitor) -> FlaskClient:
    """Let Rosa sign in by the provider, whose second step counts."""
    scene.link("rosa")
    scene.ask_everybody()
    scene.trust()
    client = scene.app.test_client()
    assert scene.go(client, visitor=visitor, second="on").location == "/office/"
    return client


def test_what_reaches_far_asks_the_provider_again(scene: Scene, clock: Clock) -> None:
    visitor = Visitor()
    client = begin_with_trust(scene, visitor)
    address = "/office/account/sign-on"
    assert client.get(address).status_code == 200, "just confirmed"
    clock.wait(CONFIRMED_FOR)
    page = client.get(address)
    assert page.status_code == 403
    link = re.search(r'href="(/sign-on/again[^"]*)"', page.text)
    assert link
    # The provider knows them, and has to ask all the same.
    asked = visitor.asked
    answer = scene.go(client, html.unescape(link[1]), visitor=visitor)
    assert visitor.asked == asked + 1
    assert answer.status_code == 403 and "does not count as a second step" in answer.text, "without a second step there"
    answer = scene.go(client, html.unescape(link[1]), name="joe@city", second="on")
    assert answer.status_code == 403, "somebody else"
    assert client.get(address).status_code == 403
    assert scene.go(client, html.unescape(link[1]), visitor=visitor, second="on").location == address
    assert client.get(address).status_code == 200


def test_what_was_typed_waits_while_the_provider_is_asked(scene: Scene, clock: Clock) -> None:
    client = begin_with_trust(scene, Visitor())
    people = client.get("/office/people").text
    clock.wait(CONFIRMED_FOR)
    page = post(client, "/office/people", people, username="new.worker", label="W-09", role="worker")
    assert page.status_code == 403 and "opens in a new page" in page.text
    form = page.text[page.text.index('<form method="post" action="/office/people"') :]
    typed = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))
    assert typed["username"] == "new.worker"
    assert client.post("/office/people", data=typed).status_code == 403, "not confirmed yet"
    done = scene.go(client, "/sign-on/again", second="on")
    assert done.status_code == 200 and "Close this page" in done.text
    assert client.post("/office/people", data=typed).status_code == 201


def test_only_who_may_can_confirm_by_the_provider(scene: Scene) -> None:
    rosa = scene.by_password("rosa")
    assert rosa.get("/sign-on/again").status_code == 403
    stranger = scene.app.test_client()
    for url in ("/sign-on/again", "/sign-on/link"):
        assert stranger.get(url).status_code == 302
        assert stranger.get(url).location.startswith("/?next=")


def test_an_evaluator_downloads_after_the_second_step_of_the_provider(scene: Scene) -> None:
    scene.link("eve")
    eve = scene.app.test_client()
    scene.go(eve, second="on")
    answer = post(eve, "/releases/7/package", eve.get("/office/account").text)
    assert answer.location.startswith("/office/account/app"), "the centre does not accept theirs"
    scene.trust()
    eve = scene.app.test_client()
    scene.go(eve, second="on")
    assert post(eve, "/releases/7/package", eve.get("/office/account").text).status_code == 404, "there is no such release"


def test_who_signs_out_here_can_sign_out_there(scene: Scene) -> None:
    scene.link("rosa")
    client = scene.app.test_client()
    visitor = Visitor()
    scene.go(client, visitor=visitor)
    answer = post(client, "/sign-out", client.get("/office/account").text)
    assert answer.location == "/sign-on/signed-out"
    assert client.get("/office/").status_code == 302
    page = client.get("/sign-on/signed-out").text
    link = re.search(r'href="(http[^"]+)"[^>]*>Sign out of City account', page)
    assert link
    assert visitor.sign_out(html.unescape(link[1])).rstrip("?") == "http://localhost/"
    asked = visitor.asked
    scene.go(client, visitor=visitor)
    assert visitor.asked == asked + 1, "it asks again"
    # Who came in by a password is not sent there.
    rosa = scene.by_password("rosa")
    assert post(rosa, "/sign-out", rosa.get("/office/account").text).location == "/"


def test_without_the_provider_people_sign_in_by_password_and_doctor_says_it(settings: Settings, web_cast: Cast) -> None:
    with real_provider() as provider:
        here = dataclasses.replace(settings, sign_on_issuer=provider.issuer)
        scene = Scene(create_app(here), here, web_cast)
        scene.link("rosa")
        assert provider.issuer not in doctor(here).stderr
        provider.stop()
        # A process that did not ask before.
        scene = Scene(create_app(here), here, web_cast)
        client = scene.app.test_client()
        answer = client.get("/sign-on/")
        assert answer.status_code == 503 and "Sign in with your user name and password" in answer.text
        assert NAME in client.get("/").text
        rosa = scene.by_password("rosa")
        assert rosa.get("/office/").status_code == 200
        told = doctor(here)
        assert f"PUT RIGHT: {provider.issuer} does not answer" in told.stderr
        assert here.sign_on_secret not in told.stdout + told.stderr
        provider.start()
        assert provider.issuer not in doctor(here).stderr


def test_doctor_names_a_centre_that_could_not_do_without_the_provider(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no administrator could sign in" not in doctor(scene.settings).stderr
    scene.do(lambda session: second_factor.ask_second_factor(session, scene.cast.system, is_asked=True))
    assert "At rexdale no administrator could sign in" in doctor(scene.settings).stderr


def test_without_a_provider_there_is_no_button_and_no_page(settings: Settings, web_cast: Cast) -> None:
    app = create_app(dataclasses.replace(settings, **dict.fromkeys(settings_of(""), "")))
    client = app.test_client()
    assert "sign-on" not in client.get("/").text
    for url in ("/sign-on/", "/sign-on/first-time", "/sign-on/answer", "/sign-on/signed-out", "/sign-on/link"):
        assert client.get(url).status_code == 404
