"""docs/openapi.yaml is what the server really does; and whatever is thrown at the door, it answers in order."""

import datetime as dt
import json
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy.orm import Session

from fieldapp.cli.serve import listener_at, serve_on
from fieldapp.services.keys import current_key, signing_key
from fieldapp.services.phones.devices import enrol_device, invite_device
from fieldapp.settings import Settings
from sync.receipts import ReceiptContent, is_receipt
from tests.cast import PASSWORD, Cast, encounter, envelope
from tests.opening import open_engine
from tests.sealing import Centre, PhoneKey, delivery, sealed

SPEC = yaml.safe_load((Path(__file__).parent.parent.parent / "docs/openapi.yaml").read_text())


def check(body: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": SPEC["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def test_the_description_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(SPEC).iter_errors()] == []


def test_every_route_of_the_doors_for_machines_is_described(app: Flask) -> None:
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/sync/", "/or/", "/odata/", "/public/data/c", "/public/data/<")):
            path = rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}")
            served |= {(path, method.lower()) for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}}
    others = {"head", "parameters"}
    described = {(path, method) for path, methods in SPEC["paths"].items() for method in methods.keys() - others}
    assert served == described


class Door:
    def __init__(self, app: Flask, settings: Settings, cast: Cast):
        self.app, self.client, self.cast = app, app.test_client(), cast
        self.session = Session(open_engine(settings), expire_on_commit=False)
        self.secret = settings.key()
        made = current_key(self.session, cast.centre.id, self.secret)
        self.signing = signing_key(self.session, cast.centre.id, self.secret)
        self.centre, self.key = Centre(made.public_key, made.kid), PhoneKey()
        self.key.device = enrol_device(self.session, cast.amina, label="Phone", public_key=self.key.public).uid

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/sync/v1/{path}", headers={"Authorization": f"Bearer {self.cast.token}"})
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, data: bytes | dict[str, Any]) -> Any:
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        headers = {"Authorization": f"Bearer {self.cast.token}", "Content-Type": "application/json"}
        return self.client.post(f"/sync/v1/{path}", data=data, headers=headers)


@pytest.fixture
def door(app: Flask, settings: Settings, web_cast: Cast) -> Any:
    made = Door(app, settings, web_cast)
    yield made
    made.session.close()
    made.session.get_bind().engine.dispose()


def test_real_answers_are_as_described(door: Door) -> None:
    signed_in = door.post(
        "sign-in", {"username": "amina", "password": PASSWORD, "device": "x", "public_key": door.key.public}
    )
    check(signed_in.json, "Welcome")
    check(door.get("manifest"), "Manifest")
    good, bad, own = (
        envelope(encounter()),
        envelope(encounter(talk={"people_n": "900"})),
        sealed(encounter(), door.centre, door.key),
    )
    check({"items": [good, bad]}, "Batch")
    check(json.loads(delivery(own)), "Delivery")
    for _ in range(2):
        check(door.post("batch", {"items": [good, bad]}).json, "Answers")
        check(door.post("deliver", delivery(own, phones=[{"device": door.key.device}])).json, "Delivered")
    check(door.get("pull?cursor=0"), "Pulled")
    check(door.get(f"records/{good['id']}"), "Own")
    check(door.post("batch", b"{").json, "Problem")
    assert door.cast.amina.user_id
    invitation = invite_device(door.session, door.cast.rosa, user_id=door.cast.amina.user_id)
    given = {"invitation": invitation, "device": "x", "public_key": PhoneKey().public}
    check(door.post("join", given).json, "Welcome")
    again = door.post("join", given)
    assert (again.status_code, again.json["code"]) == (410, "sync.invitation")


def test_a_receipt_is_the_centres_and_the_same_again(door: Door) -> None:
    item = sealed(encounter(), door.centre, door.key)
    first, again = (door.post("deliver", delivery(item)).json["items"][0] for _ in range(2))
    assert first["receipt"] == again["receipt"]
    receipt = first["receipt"]
    held = ReceiptContent(item["id"], first["sha256"], dt.datetime.fromisoformat(receipt["at"]), receipt["position"])
    assert is_receipt(held, receipt["signature"], door.signing.public_key)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["items", "phones", "id", "device", "kid", "box", "signature", "body", "root", "prev", "cards", "due", "x"]), inner, max_size=5), max_leaves=12), st.data())  # fmt: skip
def test_no_json_makes_the_door_stumble(door: Door, noise: Any, data: st.DataObject) -> None:
    """Noise alone, and noise in the place of one part of something good."""
    good = [envelope(encounter()), sealed(encounter(), door.centre, door.key)]
    for path, item in zip(("batch", "deliver"), good, strict=True):
        part = data.draw(st.sampled_from([*item, "root", "prev", "due", "cards"]))
        for body in (noise, {"items": [noise]}, {"items": [{**item, part: noise}], "phones": [noise]}):
            answer = door.post(path, json.dumps(body).encode())
            assert answer.status_code in (200, 422), answer.text
            assert b"Traceback" not in answer.data


def test_a_forged_author_is_nobody(door: Door) -> None:
    item = sealed(encounter(), door.centre, door.key)
    for change in ({"device": str(uuid.uuid4())}, {"id": str(uuid.uuid4())}, {"signature": item["signature"][::-1]}):
        answer = door.post("deliver", delivery({**item, **change}))
        assert answer.status_code in (200, 422)
        assert answer.status_code == 422 or answer.json["items"][0]["status"] == "retry"


@pytest.fixture
def port(settings: Settings, web_cast: Cast) -> int:
    """The real server, on a real socket."""
    chosen = Settings(**{**settings.__dict__, "port": "0"})
    listener = listener_at(chosen)
    threading.Thread(target=serve_on, args=(chosen, listener), daemon=True).start()
    number: int = listener.getsockname()[1]
    return number


def ask(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
        one.sendall(b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        assert b" 200 " in one.recv(100)


def test_a_hundred_megabytes_and_slow_ones_hold_nobody_up(port: int) -> None:
    ask(port)
    slow = []
    for text in [b"GET / HTTP/1.1\r\nX-Slow: "] * 40 + [
        b"POST /sync/v1/deliver HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{"
    ] * 40:
        one = socket.create_connection(("127.0.0.1", port), timeout=10)
        one.sendall(text)
        slow.append(one)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as large:
        large.sendall(
            b"POST /sync/v1/deliver HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"
        )
        assert b"413" in large.recv(200)
    ask(port)
    for one in slow:
        one.close()
