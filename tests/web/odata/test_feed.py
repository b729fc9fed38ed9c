"""The feed for Power BI and Excel: a key reads one recipient's releases, nothing else; every pull is written down."""

import base64
import datetime as dt
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from evaluator_export import periods
from fieldapp.services.problems import ActProblem
from fieldapp.services.products.odata.build import build_feed_files
from fieldapp.services.products.odata.keys import list_keys, make_key, revoke_key
from fieldapp.services.releases.build import build_release
from fieldapp.services.releases.downloads import revoke_release
from fieldapp.settings import Settings
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.products.entity_sets import EntitySet
from fieldapp.store.products.feed_file import Feed, Query, parse_order, write_feed_file
from fieldapp.store.releases.releases import Release, ReleaseSeries
from tests.cast import Cast, a_series, make_cast
from tests.opening import open_engine
from tests.services.products.figures import fill

pytestmark = pytest.mark.xdist_group("feed")  # its release is built once, by one process
DATABASE = "fieldapp.db"


def settings_in(folder: Path) -> Settings:
    return Settings(data=str(folder), database_url=f"sqlite:///{folder / DATABASE}", secret_key="k" * 64)


@dataclass
class Reader:
    client: FlaskClient
    key: str
    app: Flask
    cast: Cast

    def get(self, path: str, key: str | None = None, **headers: str) -> TestResponse:
        pair = base64.b64encode(f"anybody:{self.key if key is None else key}".encode()).decode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"/odata/v4/{path}", headers={"Authorization": f"Basic {pair}", **named})

    def json(self, path: str, **headers: str) -> Any:
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def session(self) -> Session:
        configured: Settings = self.app.config["SETTINGS"]
        return Session(open_engine(configured), expire_on_commit=False)


@dataclass(frozen=True)
class BuiltFeed:
    folder: Path
    key: str
    cast: Cast


@pytest.fixture(scope="module")
def built_feed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltFeed:
    """A centre with a release and its feed, built once; each test works on a copy of the folder."""
    folder = tmp_path_factory.mktemp("feed")
    configured = settings_in(folder)
    shutil.copyfile(sqlite_template, folder / DATABASE)
    engine = open_engine(configured)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        series = a_series(session, cast)
        fill(session, cast, 160, dt.date(2026, 4, 1), 88)
        build_release(session, series, periods.parse("2026-Q2"), configured.packages, configured.key())
        key = make_key(session, cast.rosa, series_id=series.id, label="Power BI at the university")
        build_feed_files(session, configured.packages)
        session.expunge_all()
    engine.dispose()
    return BuiltFeed(folder, key, cast)


@pytest.fixture
def settings(built_feed: BuiltFeed, tmp_path: Path) -> Settings:
    shutil.copytree(built_feed.folder, tmp_path, dirs_exist_ok=True)
    return settings_in(tmp_path)


@pytest.fixture
def web_cast(built_feed: BuiltFeed) -> Cast:
    return built_feed.cast


@pytest.fixture
def reader(app: Flask, built_feed: BuiltFeed) -> Reader:
    return Reader(app.test_client(), built_feed.key, app, built_feed.cast)


def test_without_a_key_nothing_and_how_to_ask(reader: Reader) -> None:
    for answer in (reader.client.get("/odata/v4/"), reader.get("", key="fa_wrong"), reader.get("encounters", key="")):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert answer.get_json()["error"]["code"] == "feed.key"


def test_a_key_is_for_one_series_and_can_be_taken_away(reader: Reader) -> None:
    with reader.session() as session:
        for wrong in (reader.cast.eve, reader.cast.amina):
            with pytest.raises(ActProblem, match="role"):
                make_key(session, wrong, series_id=1, label="mine")
        with pytest.raises(ActProblem):
            make_key(session, reader.cast.olaf, series_id=1, label="of another centre")
        with pytest.raises(ActProblem, match="whose key"):
            make_key(session, reader.cast.rosa, series_id=1, label=" ")
        (one,) = list_keys(session, reader.cast.rosa).keys
        assert reader.key not in (one.key_hash, one.label) and one.last_used_at is None
        assert reader.get("encounters").status_code == 200
        with pytest.raises(ActProblem):
            revoke_key(session, reader.cast.olaf, key_id=one.id)
        revoke_key(session, reader.cast.rosa, key_id=one.id)
    assert reader.get("encounters").status_code == 401


def test_what_is_revoked_is_gone_from_the_feed_at_once(reader: Reader) -> None:
    with reader.session() as session:
        release = session.scalars(sa.select(Release)).one()
        revoke_release(session, reader.cast.rosa, release_id=release.id, because="a wrong recipient")
    assert reader.get("encounters").status_code == 404  # at once, before the new file is there
    with reader.session() as session:
        build_feed_files(session, reader.app.config["SETTINGS"].packages)
    assert "encounters" not in {one["name"] for one in reader.json("")["value"]}


def test_after_the_agreement_nothing_is_read_and_no_key_made(reader: Reader) -> None:
    packages = reader.app.config["SETTINGS"].packages
    with reader.session() as session:
        series = session.scalars(sa.select(ReleaseSeries)).one()
        series.agreement = {"ends_on": "2020-01-31"}
        session.commit()
        for path in ("", "encounters", "$metadata"):
            answer = reader.get(path)
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "feed.agreement_over")
        with pytest.raises(ActProblem) as refused:
            make_key(session, reader.cast.rosa, series_id=series.id, label="Power BI")
        assert refused.value.code == "feed.agreement_over"
        build_feed_files(session, packages)
        assert list(packages.glob(f"feeds/{series.id}-*")) == []  # nothing lies there for nobody
        session.rollback()
        series.agreement = {"ends_on": "2999-01-31"}
        session.commit()
        build_feed_files(session, packages)
    assert reader.get("encounters").status_code == 200


def test_it_holds_what_was_released_and_nothing_else(reader: Reader) -> None:
    names = {one["name"] for one in reader.json("")["value"]}
    assert {"encounters", "table_encounters_by_type", "indicators"} <= names
    rows = reader.json("encounters")["value"]
    assert rows and set(rows[0]) == {
        "id", "batch", "month", "area", "time_of_day", "setting", "risk_now", "referral_made",
    }  # fmt: skip
    classes: dict[tuple[str, ...], int] = {}
    for row in rows:
        place = tuple(row[name] for name in ("batch", "month", "area", "time_of_day", "setting"))
        classes[place] = classes.get(place, 0) + 1
    assert min(classes.values()) >= 20
    counts = reader.json("table_encounters_by_type")["value"]
    assert all(row["is_hidden"] == (row["value"] is None) for row in counts)
    assert all(row["value"] is None or row["value"] % 5 == 0 for row in counts)
    assert "CANARY" not in json.dumps(rows)


def test_the_schema_is_what_the_rows_are(reader: Reader) -> None:
    answer = reader.get("$metadata")
    assert answer.mimetype == "application/xml" and answer.headers["OData-Version"] == "4.0"
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = {one.get("Name"): one for one in ET.fromstring(answer.data).iter(f"{edm}EntityType")}
    for name, kind in types.items():
        listed = [one.get("Name") for one in kind.iter(f"{edm}Property")]
        for row in reader.json(f"{name}?$top=1")["value"]:
            assert list(row) == listed


def test_queries(reader: Reader) -> None:
    whole = reader.json("encounters?$count=true")
    assert whole["@odata.count"] == len(whole["value"])
    some = reader.json("encounters?$filter=risk_now eq 'low' and not (setting eq 'school')&$select=risk_now&$count=true")
    assert {tuple(row) for row in some["value"]} == {("risk_now",)}
    assert some["@odata.count"] == sum(row["risk_now"] == "low" for row in whole["value"])
    assert reader.get("encounters/$count?$filter=risk_now in ('low', 'nothing')").text == str(some["@odata.count"])
    ordered = reader.json("encounters?$orderby=risk_now desc,id&$top=5&$skip=3")["value"]
    best = sorted(whole["value"], key=lambda row: row["id"])
    best.sort(key=lambda row: row["risk_now"], reverse=True)
    assert ordered == best[3:8]
    assert reader.json("encounters(1)")["id"] == 1
    assert reader.json("encounters?$top=0&$count=true")["value"] == []
    for text in (
        "startswith(risk_now,'lo')",
        "contains(risk_now,'%')",
        "endswith(risk_now,'_')",
        "length(risk_now) gt 100",
    ):
        found = reader.json(f"encounters?$filter={text}")["value"]
        assert len(found) == (some["@odata.count"] if text.startswith("startswith") else 0), text
    months = reader.json("table_encounters_by_type?$filter=year(first_day) eq 2026 and value ge 5 and is_total eq false")[
        "value"
    ]
    assert all(row["value"] >= 5 for row in months)


def test_pages_lead_on_until_all_is_read_once(reader: Reader) -> None:
    whole = reader.json("encounters?$orderby=risk_now desc")["value"]
    found, link = [], "encounters?$orderby=risk_now desc"
    while link:
        body = reader.json(link, Prefer="odata.maxpagesize=7")
        assert len(body["value"]) <= 7
        found += body["value"]
        link = body.get("@odata.nextLink", "").rpartition("/odata/v4/")[2]
    assert found == whole
    limited = reader.json("encounters?$top=9", Prefer="odata.maxpagesize=7")
    rest = reader.json(limited["@odata.nextLink"].rpartition("/odata/v4/")[2], Prefer="odata.maxpagesize=7")
    assert len(limited["value"]) + len(rest["value"]) == 9 and "@odata.nextLink" not in rest


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$filter=nothing eq 1", 400),
        ("$filter=risk_now eq", 400),
        ("$filter=risk_now", 400),
        ("$filter=risk_now eq 'a' or", 400),
        ("$filter=drop(risk_now) eq 1", 400),
        ("$filter=risk_now lt null", 400),
        ("$filter=id eq 99999999999999999999999", 400),
        ("$filter=" + "not " * 300 + "id eq 1", 400),
        ("$filter=length(risk_now)", 400),
        ("$filter=risk_now eq '" + "a" * 3000 + "'", 400),
        ("$orderby=nothing", 400),
        ("$orderby=id sideways", 400),
        ("$orderby=id,id", 400),
        ("$select=nothing", 400),
        ("$top=-1", 400),
        ("$top=many", 400),
        ("$skip=1.5", 400),
        ("$count=maybe", 400),
        ("$format=xml", 400),
        ("$skiptoken=zzz", 400),
        ("$expand=records", 501),
        ("$apply=aggregate", 501),
        ("$search=name", 501),
    ],
    ids=range(23),
)
def test_what_it_does_not_know_is_refused_and_never_left_out(reader: Reader, query: str, status: int) -> None:
    answer = reader.client.get(
        "/odata/v4/encounters", query_string=dict([query.split("=", 1)]),
        headers={"Authorization": f"Bearer {reader.key}"},
    )  # fmt: skip
    assert answer.status_code == status, answer.text
    assert answer.get_json()["error"]["message"] and "Traceback" not in answer.text


def test_other_ways_in_are_refused(reader: Reader) -> None:
    assert reader.get("nothing").status_code == 404
    assert reader.get("encounters(999999999)").status_code == 404
    assert reader.get("about").status_code == 404
    assert reader.get("encounters", Accept="application/xml").status_code == 406
    assert reader.get("encounters", OData_MaxVersion="3.0").status_code == 501
    assert reader.client.post("/odata/v4/encounters", headers={"Authorization": f"Bearer {reader.key}"}).status_code == 405
    assert reader.client.delete("/odata/v4/encounters").status_code in (401, 405)


def test_quotes_and_signs_are_only_text(reader: Reader) -> None:
    for text in ("o''brien", "'' or 1 eq 1 or ''", '";DROP TABLE encounters', "%", "_", "\\"):
        answer = reader.get("encounters?$filter=" + f"risk_now eq '{text}'".replace("%", "%25").replace(";", "%3B"))
        assert answer.status_code in (200, 400)
        assert answer.status_code == 400 or answer.get_json()["value"] == []
    assert reader.json("encounters?$top=1")["value"]


def test_it_is_not_sent_again_while_nothing_has_changed_and_every_pull_is_written_down(reader: Reader) -> None:
    first = reader.get("encounters")
    again = reader.get("encounters", If_None_Match=first.headers["ETag"])
    assert again.status_code == 304 and again.data == b""
    with reader.session() as session:
        lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "feed.read")).all()
        assert [line.details["set"] for line in lines] == ["encounters"]
        assert lines[0].details["rows"] == len(first.get_json()["value"])
        assert list_keys(session, reader.cast.rosa).keys[0].last_used_at is not None


ENTITY = EntitySet("things", (("name", "Edm.String"), ("size", "Edm.Int64"), ("share", "Edm.Double")))


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(alphabet="abéZ '%", max_size=3)),
            st.one_of(st.none(), st.integers(-5, 5)),
            st.one_of(st.none(), st.floats(-2, 2)),
        ),
        max_size=25,
    ),
    order=st.lists(
        st.sampled_from(["name", "name desc", "size", "size desc", "share desc", "id desc"]),
        max_size=3,
        unique_by=lambda one: one.split()[0],
    ),
    page=st.integers(1, 6),
)
def test_paging_gives_every_row_once_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, rows: Any, order: list[str], page: int
) -> None:
    path = tmp_path_factory.mktemp("feed") / "f.db"
    write_feed_file(path, [(ENTITY, rows)], {"made_of": []})
    feed = Feed(path)
    wanted = Query(order=parse_order(",".join(order), ENTITY) if order else ())
    whole = feed.read(ENTITY, wanted, 1000).rows
    assert len(whole) == len(rows)
    found: list[Any] = []
    after = ""
    while True:
        part = feed.read(ENTITY, Query(order=wanted.order, after=after), page)
        found += part.rows
        after = part.after
        if not after:
            break
    assert found == list(whole)


def test_the_office_makes_a_key_and_shows_it_once(
    reader: Reader, client_of: Callable[[str], FlaskClient], post: Callable[..., Any]
) -> None:
    client = client_of("rosa")
    made = post(client, "/office/feed", page="/office/feed", series="1", label="Council")
    assert made.status_code == 201 and "fa_" in made.text
    assert "fa_" not in client.get("/office/feed").text
    assert post(client, "/office/feed", page="/office/feed", series="1", label="").status_code == 422
    assert client_of("eve").get("/office/feed").status_code == 403


POWER_QUERY = (
    "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,application/atomsvc+xml;q=0.8,"
    "application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
RECORDED = {
    "Power BI and Excel": POWER_QUERY,
    "Power Query for OData 4": "application/json;odata.metadata=minimal",
    "SAP": "application/json;odata.metadata=minimal;IEEE754Compatible=true",
    "text for large numbers": "application/json;IEEE754Compatible=true",
    "with a charset": "application/json; charset=utf-8",
    "OData 3": "application/json;odata=minimalmetadata",
    "no metadata": "application/json;odata.metadata=none",
    "full metadata": "application/json; odata.metadata=full",
    "streaming": "application/json;odata.metadata=minimal;odata.streaming=true",
    "quoted": 'application/json;odata.metadata="minimal"',
    "capitals": "Application/JSON;OData.Metadata=Minimal",
    "anything": "*/*",
    "any application": "application/*;q=0.5",
    "Java": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    "a browser": BROWSER,
    "JSON and text": "application/json, text/plain, */*",
    "XML or JSON": "application/xml, application/json;q=0.1",
    "nothing": "",
}


@pytest.mark.parametrize("accept", RECORDED.values(), ids=RECORDED)
def test_what_real_programs_send_is_answered_everywhere(reader: Reader, accept: str) -> None:
    names = [one["name"] for one in reader.json("")["value"]]
    pages = ["", *names, "encounters(1)", "encounters?$count=true&$top=2", "encounters/$count", "$metadata"]
    for path in pages:
        answer = reader.get(path, Accept=accept)
        assert answer.status_code == 200, (path, answer.text[:200])
        assert reader.get(path, Accept=accept, If_None_Match=answer.headers["ETag"]).status_code == 304
    for path, status in (("nothing", 404), ("encounters(999999)", 404), ("encounters?$top=many", 400), ("$metadata/x", 404)):
        answer = reader.get(path, Accept=accept)
        assert answer.status_code == status and answer.get_json()["error"]["message"], path
    refused = reader.get("", key="fa_wrong", Accept=accept)
    assert refused.status_code == 401 and refused.get_json()["error"]["code"] == "feed.key"


def test_the_answer_says_how_it_is_written_and_is_written_so(reader: Reader) -> None:
    minimal = reader.get("table_encounters_by_type?$top=1&$count=true", Accept=POWER_QUERY)
    assert "odata.metadata=minimal" in minimal.headers["Content-Type"]
    (plain,) = minimal.get_json()["value"]
    assert isinstance(plain["id"], int) and isinstance(minimal.get_json()["@odata.count"], int)

    for path in ("", "table_encounters_by_type", "table_encounters_by_type(1)"):
        none = reader.get(path, Accept="application/json;odata.metadata=none", Prefer="odata.maxpagesize=1")
        assert "odata.metadata=none" in none.headers["Content-Type"]
        body = none.get_json()
        assert {name for name in body if name.startswith("@")} <= {"@odata.nextLink", "@odata.count"}, path

    large = reader.get("table_encounters_by_type?$top=1&$count=true", Accept=RECORDED["SAP"])
    assert "IEEE754Compatible=true" in large.headers["Content-Type"]
    (row,) = large.get_json()["value"]
    assert row["id"] == str(plain["id"]) and large.get_json()["@odata.count"] == str(minimal.get_json()["@odata.count"])
    assert row["is_hidden"] is plain["is_hidden"] and list(row) == list(plain)

    full = reader.get("table_encounters_by_type?$top=1&$select=period", Accept=RECORDED["full metadata"])
    (row,) = full.get_json()["value"]
    assert (
        row["@odata.type"] == "#fieldapp.table_encounters_by_type" and row["period"] == plain["period"] and "id" not in row
    )
    assert row["@odata.id"].endswith(f"/odata/v4/table_encounters_by_type({plain['id']})")

    etags = {reader.get("encounters", Accept=accept).headers["ETag"] for accept in RECORDED.values()}
    assert len(etags) == 4  # minimal, none, full, numbers as text: a copy of one is never taken for another


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "application/atom+xml, text/html",
        "application/json;q=0",
        "application/json;q=0, */*",
        "*/*;q=0",
        "application/json;odata=verbose",
        "application/json;odata.metadata=everything",
        "application/json;charset=iso-8859-1",
    ],
)
def test_what_cannot_be_written_is_refused_in_words(reader: Reader, accept: str) -> None:
    for path in ("", "encounters", "encounters(1)"):
        answer = reader.get(path, Accept=accept)
        assert answer.status_code == 406, path
        assert "application/json" in answer.get_json()["error"]["message"]
        assert reader.get(f"{path}?$format=json", Accept=accept).status_code == 200  # the address comes before the header


def test_the_schema_and_the_count_are_sent_unless_refused_expressly(reader: Reader) -> None:
    assert reader.get("$metadata", Accept="application/xml;q=0, application/json").status_code == 406
    assert reader.get("$metadata?$format=xml").status_code == 200
    assert reader.get("$metadata?$format=json").status_code == 406
    assert reader.get("encounters/$count", Accept="text/plain;q=0").status_code == 406
    assert reader.get("encounters/$count", Accept="application/json").text.isdecimal()


def test_the_format_in_the_address(reader: Reader) -> None:
    link = "encounters?$format=application/json;odata.metadata=none;IEEE754Compatible=true"
    body = reader.json(link, Prefer="odata.maxpagesize=3")
    assert "@odata.context" not in body and isinstance(body["value"][0]["id"], str)
    following = reader.json(body["@odata.nextLink"].rpartition("/odata/v4/")[2], Prefer="odata.maxpagesize=3")
    assert "@odata.context" not in following and isinstance(following["value"][0]["id"], str)
    for wrong in ("atom", "xml", "application/json;odata.metadata=x", "jsonp"):
        for path in ("", "encounters"):
            assert reader.get(f"{path}?$format={wrong}").status_code == 400, wrong
