"""Every route against everyone: who may in, who is turned away, and the headers of every answer."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import csrf_of

UUID = "3f0e5a52-52f4-4d1c-9b7e-0d6f5a4b3c2d"
OPEN = {
    "public",
    "dashboards",
    "worker",
    "static",
}  # endpoints for everyone; worker serves the app's shell, which holds no data
PHONE = {
    "sync.manifest",
    "sync.form",
    "sync.areas",
    "sync.batch",
    "sync.sign_in",
    "sync.pull",
    "sync.record",
    "sync.spot_map",
}
EVALUATOR = {
    "evaluator.shelf",
    "evaluator.package",
    "evaluator.second_factor",
    "evaluator.second_factor_check",
    "evaluator.deleted",
    "admin.own_password",
    "admin.own_password_change",
}


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
        for method in (rule.methods or set()) & {"GET", "POST"}:
            found.append((rule.endpoint, method, url))
    return found


def status(client: FlaskClient, method: str, url: str, token: str) -> int:
    data = {"csrf_token": token} if method == "POST" and not url.startswith("/sync/") else None
    kwargs = {"json": {}} if url.startswith("/sync/") and method == "POST" else {"data": data}
    return client.open(url, method=method, **kwargs).status_code


@pytest.mark.parametrize("who", ["nobody", "amina", "eve", "olaf", "rosa"])
def test_everyone_at_every_door(app: Flask, client_of: Callable[[str], FlaskClient], who: str) -> None:
    client = client_of(who)
    page = client.get("/releases/" if who in ("eve", "olaf", "rosa") else "/").text
    if who == "amina":
        page = client_of("nobody").get("/").text
    token = csrf_of(page)
    for endpoint, method, url in routes(app):
        door = endpoint.split(".")[0]
        if door in OPEN:
            continue
        got = status(client, method, url, token)
        where = f"{who} {method} {url} → {got}"
        assert got < 500, where
        if endpoint == "sync.deliver":
            assert got == 422, where  # signed records only; nothing here is one
        elif endpoint == "sync.join":
            assert got == 410, where  # no invitation
        elif door == "odata":
            assert got == 401, where  # a key opens it, no cookie does
        elif door == "collect":
            assert got == 403, where  # no phone has such a token
        elif endpoint in PHONE:
            assert got == 401, where  # a browser's cookie opens nothing on the phone's door
        elif who == "nobody":
            assert got in (302, 400, 401), where
        elif who == "amina" or (who == "eve" and endpoint not in EVALUATOR):
            assert got in (400, 403), where
        elif who == "olaf":
            assert got in (200, 302, 404, 422), where  # his own centre's empty pages, nothing of Rexdale


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
