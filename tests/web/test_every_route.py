"""Every route against everyone: who may in, who is turned away, and the headers of every answer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import fieldapp.web
from fieldapp.services.access import ROLES
from fieldapp.settings import Settings
from tests.cast import Cast, crisis_team
from tests.opening import open_engine

WEB = Path(fieldapp.web.__file__).parent
UUID = "3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d"
# Endpoints for everyone, each by its name, so that a new one is open only when somebody writes it down here.
OPEN = {
    "public.choose_language", "public.favicon", "public.healthz", "public.robots", "public.metrics", "public.sign_in", "public.sign_out",
    "public.signed_in",
    "forgotten.ask", "forgotten.change",  # a one-time code says who it is
    # They show nothing but to somebody who has just given a right password.
    "second_step.accept_code", "second_step.ask", "second_step.ask_again", "second_step.check", "second_step.set_up",
    # Nothing of the centre, but what a provider's answer, a one-time code or a session opens.
    "sign_on.leave", "sign_on.leave_to_link", "sign_on.leave_to_confirm", "sign_on.answer", "sign_on.ask_code", "sign_on.use_code",
    "sign_on.signed_out",
    "dashboards.card", "dashboards.catalogue", "dashboards.centre", "dashboards.dashboard", "dashboards.data", "dashboards.file",
    "dashboards.dashboard_of", "dashboards.file_of", "dashboards.framed", "dashboards.indicator", "dashboards.numbers", "dashboards.part", "dashboards.parts", "dashboards.picture", "dashboards.script", "dashboards.start",
    "slips.ask", "slips.answer",  # a slip opens what it shows
    "office.moved",  # says where a page is now, which asks for itself who may see it
    "worker.app", "worker.file", "worker.without_slash",  # the app's shell, which holds no data
    "static",
}  # fmt: skip
PHONE = {
    "sync.manifest",
    "sync.form",
    "sync.areas",
    "sync.batch",
    "sync.sign_in",
    "sync.pull",
    "sync.labels",
    "sync.record",
    "sync.spot_map",
}
CRISIS = {  # the board and the map, and nothing else of the office
    "office.board",
    "office.board_ask",
    "office.board_history",
    "office.board_incidents",
    "office.board_now",
    "office.board_report",
    "office.board_step",
    "office.spot_map",
    "office.outlines",
}
EVALUATOR = {
    "evaluator.shelf",
    "evaluator.package",
    "evaluator.deleted",
    "evaluator.list_deleted",
    "office.account",
    "office.confirm",
    "office.confirm_again",
    "office.own_app",
    "office.own_app_set",
    "office.own_passkey",
    "office.own_passkey_add",
    "office.own_passkey_remove",
    "office.own_password_change",
    "office.own_recovery_codes",
    "office.own_session_end",
    "office.own_sessions_end",
    "office.own_sign_on",
    "office.own_sign_on_remove",
}


OWN = {
    "office.account",
    "office.confirm",
    "office.confirm_again",
    "office.own_app",
    "office.own_app_set",
    "office.own_passkey",
    "office.own_passkey_add",
    "office.own_passkey_remove",
    "office.own_password_change",
    "office.own_recovery_codes",
    "office.own_session_end",
    "office.own_sessions_end",
    "office.own_sign_on",
    "office.own_sign_on_remove",
}  # of everybody who works in a browser
MAY: dict[str, set[str]] = {
    "amina": set(),
    "carla": CRISIS | OWN,
    "eve": EVALUATOR,
}  # admins may see all of their own centre


def routes(app: Flask) -> list[tuple[str, str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        url = rule.rule
        for argument in rule.arguments:
            value = (
                UUID
                if argument == "instance_id"
                else "x"
                if argument
                in ("form", "version", "name", "filename", "code", "token", "sha256", "kind", "subtype", "slug", "language")
                else "1"
            )
            converter = {"instance_id": "<instance_id>"}.get(argument, f"<int:{argument}>")
            url = (
                url.replace("<any(on, off):state>", "on")
                .replace(converter, value)
                .replace(f"<{argument}>", value)
                .replace(f"<path:{argument}>", value)
            )
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found.append((rule.endpoint, method, url))
    return found


def status(client: FlaskClient, method: str, url: str) -> int:
    kwargs = {"json": {}} if url.startswith("/sync/") and method == "POST" else {}
    return client.open(url, method=method, **kwargs).status_code


WHO = {"amina": "worker", "carla": "crisis", "eve": "evaluator", "rosa": "admin", "olaf": "admin"}
# What asks for something else than a session answers everybody alike, whatever cookie they bring.
ALWAYS = {
    "sync.deliver": 422,  # signed records only; nothing here is one
    "sync.attachment": 422,  # the same
    "sync.join": 410,  # no invitation
    **dict.fromkeys(PHONE, 401),  # a phone brings a token; a browser's cookie is none
}
ALWAYS_AT = {"odata": 401, "collect": 403}  # the one asks for a feed key, the other for a phone's token


def expected(who: str, endpoint: str) -> set[int]:
    blueprint = endpoint.split(".", maxsplit=1)[0]
    if endpoint in ALWAYS:
        return {ALWAYS[endpoint]}
    if blueprint in ALWAYS_AT:
        return {ALWAYS_AT[blueprint]}
    if who == "nobody":
        return {302, 401}
    if endpoint == "evaluator.package" and who == "carla":
        return {302}  # to the page on which she sets up two-step verification; only then it is said that she may not
    if endpoint not in MAY.get(who, {endpoint}):
        return {403}
    if who == "olaf":
        return {200, 302, 404, 422}  # his own centre's empty pages, nothing of Rexdale
    return set(range(200, 500)) - {401, 403}


def test_every_role_asks_for_every_route() -> None:
    assert set(WHO.values()) == set(ROLES), "name in WHO somebody of each role, and in MAY what they may open"


def test_every_folder_of_the_web_is_asked_by_everyone(app: Flask) -> None:
    """A folder of pages whose routes nobody registers here would be tested by nobody."""
    folders = {path.name for path in WEB.iterdir() if (path / "__init__.py").is_file()}
    asked = {str(function.__module__).split(".")[2] for function in app.view_functions.values() if is_ours(function)}
    assert folders <= asked, f"register the blueprint of {folders - asked}, or no test asks for its pages"


def is_ours(function: Callable[..., object]) -> bool:
    return function.__module__.startswith("fieldapp.web.")


def test_what_is_listed_here_is_there(app: Flask) -> None:
    endpoints = set(app.view_functions)
    gone = OPEN | PHONE | CRISIS | EVALUATOR | OWN | set(ALWAYS)
    assert not gone - endpoints - {"static"}, "no such routes any more: take them out of this file"
    assert set(ALWAYS_AT) <= set(app.blueprints), "no such blueprint any more: take it out of ALWAYS_AT"


@pytest.mark.parametrize("who", ["nobody", *WHO])
def test_every_route_against_everyone(
    app: Flask, web_cast: Cast, settings: Settings, client_of: Callable[[str], FlaskClient], who: str
) -> None:
    with Session(open_engine(settings)) as session:
        crisis_team(session, web_cast)
    client = client_of(who)
    app.config["WTF_CSRF_ENABLED"] = False  # or a missing token would be refused before the role is looked at
    for endpoint, method, url in routes(app):
        if endpoint not in OPEN:
            got = status(client, method, url)
            wanted = sorted(expected(who, endpoint))
            wanted_words = f"{wanted}" if len(wanted) < 9 else "anything but 401 and 403"
            assert got in wanted, f"{method} {url} ({endpoint}) answers {who} {got}, not {wanted_words}"


def test_every_answer_carries_the_headers(app: Flask, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("rosa")
    for url in ("/", "/healthz", "/office/", "/app/", "/nothing", "/sync/v1/manifest", "/releases/"):
        headers = client.get(url).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], url
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] in ("no-store", "no-cache"), url


def test_no_page_asks_anything_of_another_host(app: Flask, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("rosa")
    for url in ("/", "/office/", "/office/forms", "/releases/", "/app/"):
        page = client.get(url, follow_redirects=True).text
        assert "http://" not in page and "https://" not in page, url
        assert "<script>" not in page and " style=" not in page and " onclick=" not in page, url


def test_a_post_without_its_token_is_refused(client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("rosa")
    for url in ("/office/people", "/office/forms", "/sign-out", "/language/fr", "/releases/1/package"):
        assert client.post(url).status_code == 400


def test_unknown_pages_are_404_in_plain_words(client_of: Callable[[str], FlaskClient]) -> None:
    answer = client_of("nobody").get("/nothing")
    assert answer.status_code == 404
    assert "nothing here" in answer.text
    assert "Traceback" not in answer.text
