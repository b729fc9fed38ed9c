"""Every operation of docs/openapi.yaml against a real server, by Schemathesis: what it invents from the description is answered in order."""

import base64
import datetime as dt
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.cli.serve import listener_at, serve_on
from fieldapp.services.phones.devices import set_up_collect
from fieldapp.services.phones.rules import set_phone_rules
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import make_key
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.build import build_release
from fieldapp.settings import Settings
from sync.envelope import parse_batch
from tests.cast import a_series, batch, encounter, envelope, make_cast
from tests.opening import open_engine
from tests.programme import definition_of
from tests.services.products.figures import fill

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fuzzed")]

SPEC = yaml.safe_load((Path(__file__).parent.parent.parent / "docs/openapi.yaml").read_text())
METHODS = ("get", "head", "post", "put")
OPERATIONS = [(path, method) for path, methods in SPEC["paths"].items() for method in METHODS if method in methods]
EXAMPLES = 40
PATIENCE = 120  # seconds; a busy machine takes longer over the same
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]


@dataclass(frozen=True)
class Target:
    """A server with a centre in it, and what opens each of its entrances."""

    address: str
    token: str
    feed_key: str
    known: dict[str, str]  # what stands in the place of a path's parameters, and is really there


@pytest.fixture(scope="module")
def target(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzzed")
    chosen = Settings(data=str(folder), database_url=f"sqlite:///{folder / 'fieldapp.db'}", secret_key="k" * 64, port="0")
    shutil.copyfile(sqlite_template, folder / "fieldapp.db")
    engine = open_engine(chosen)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        series = a_series(session, cast)
        fill(session, cast, 160, dt.date(2026, 4, 1), 88)
        build_release(session, series, periods.parse("2026-Q2"), chosen.packages, chosen.key())
        feed_key = make_key(session, cast.rosa, series_id=series.id, label="Power BI")
        build_feed_files(session, chosen.packages)
        set_phone_rules(session, cast.rosa, lock_minutes=5, shred_days=7, has_voice_notes=False, allows_collect=True)
        assert cast.amina.user_id
        collect = set_up_collect(session, cast.rosa, user_id=cast.amina.user_id)
        item = envelope(encounter())
        receive_batch(session, cast.amina, parse_batch(batch(item)))
    engine.dispose()
    listener = listener_at(chosen)
    threading.Thread(target=serve_on, args=(chosen, listener), daemon=True).start()
    known = {
        "token": collect, "form": "encounter", "version": definition_of("encounter").version, "key": "nbhd158",
        "slug": cast.centre.slug, "name": "encounters", "instance_id": item["id"],
    }  # fmt: skip
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    # It takes connections before it can answer them.
    urllib.request.urlopen(f"{address}/healthz", timeout=PATIENCE).close()
    yield Target(address, cast.token, feed_key, known)


SCHEMA = schemathesis.openapi.from_dict(SPEC)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_what_is_invented_from_the_description_is_answered_in_order(path: str, method: str, target: Target) -> None:
    operation = SCHEMA[path][method]
    pair = base64.b64encode(f"anybody:{target.feed_key}".encode()).decode()
    sign_in = f"Basic {pair}" if path.startswith("/odata/") else f"Bearer {target.token}"

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(), st.booleans(), st.booleans())
    def fuzz(case: Any, is_signed_in: bool, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {
                **(case.path_parameters or {}),
                **{name: value for name, value in target.known.items() if f"{{{name}}}" in path},
            }
        headers = {"Authorization": sign_in} if is_signed_in else {}
        answer = case.call(base_url=target.address, headers=headers, timeout=PATIENCE)
        case.validate_response(answer, checks=CHECKS)
        assert "Traceback" not in answer.text

    fuzz()


def test_every_operation_is_tried() -> None:
    described = {(path, method) for path, methods in SPEC["paths"].items() for method in methods if method != "parameters"}
    assert set(OPERATIONS) == described
