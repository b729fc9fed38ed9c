"""The public pages and open data: off until switched on, the same numbers everywhere, nothing of people, no cookies."""

import csv
import datetime as dt
import gzip
import html
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.services.acts import Actor
from fieldapp.services.products.editions import build_edition
from fieldapp.services.products.partners import import_partner_totals
from fieldapp.services.products.registry import switch_product
from fieldapp.settings import Settings
from fieldapp.store.products import products
from tests.cast import Cast, publish_others
from tests.opening import open_engine
from tests.services.products.figures import NOW, PARTNER, fill


@pytest.fixture
def published(app: Flask, web_cast: Cast) -> Cast:
    """A centre whose dashboard of June is public."""
    settings: Settings = app.config["SETTINGS"]
    with Session(open_engine(settings), expire_on_commit=False) as session:
        publish_others(session, web_cast)
        fill(session, web_cast, 120, dt.date(2026, 4, 1), 88)
        switch_product(session, web_cast.rosa, name="dashboard", is_on=True)
        import_partner_totals(session, web_cast.rosa, name="TTC", calendar="four-week periods", data=PARTNER)
        build_edition(session, web_cast.centre.id, "dashboard", periods.parse("2026-06"), NOW)
    return web_cast


PAGES = ["/public/rexdale/", "/public/rexdale/en/", "/public/rexdale/fr/", "/public/rexdale/en/encounters/", "/public/rexdale/en/card.png",
         "/public/rexdale/en/encounters/chart.svg", "/public/rexdale/fr/encounters/numbers.csv", "/public/rexdale/en/encounters/parts.csv",
         "/public/data/rexdale/indicators.csv", "/embed/rexdale/en/part", "/embed/rexdale/en/"]  # fmt: skip


@pytest.mark.parametrize("url", PAGES)
def test_nothing_is_there_before_it_is_switched_on(client_of: Callable[[str], FlaskClient], url: str) -> None:
    assert client_of("nobody").get(url).status_code == 404


def test_the_first_pages_say_that_nothing_is_public_yet(client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    assert "No centre" in client.get("/public/").text
    assert "No centre" in client.get("/public/data/").text
    assert json.loads(client.get("/public/data/catalog.jsonld").data)["dcat:dataset"] == []


@pytest.mark.parametrize(
    "url",
    [
        "/public/jane/en/",
        "/public/rexdale/xx/",
        "/public/rexdale/en/timeliness/",
        "/public/rexdale/en/nothing/",
        "/public/rexdale/en/nothing/chart.svg",
        "/public/rexdale/en/timeliness/chart.svg",
        "/public/rexdale/en/timeliness/numbers.csv",
        "/public/data/rexdale/records.csv",
        "/public/data/rexdale/..%2fsecret",
        "/embed/rexdale/en/part?kpi=timeliness",
        "/embed/rexdale/en/part?kpi=%3Cscript%3E",
        "/public/%3Cscript%3E/en/",
    ],
)
def test_what_is_not_public_is_not_there(published: Cast, client_of: Callable[[str], FlaskClient], url: str) -> None:
    answer = client_of("nobody").get(url)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_pages_carry_no_cookie_and_can_be_kept_by_caches(published: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    for url in PAGES[1:]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert "Set-Cookie" not in answer.headers, url
        assert "Cookie" not in answer.headers.get("Vary", ""), url
        assert answer.headers["Cache-Control"].startswith("public, max-age=300")
        again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304 and again.data == b"", url
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_only_the_embedded_parts_may_be_read_and_framed_elsewhere(
    published: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("rosa")
    for url in ("/embed/kpi.js", "/embed/rexdale/en/part", "/public/data/rexdale/indicators.json"):
        assert client.get(url).headers["Access-Control-Allow-Origin"] == "*"
    assert "frame-ancestors *" in client.get("/embed/rexdale/en/").headers["Content-Security-Policy"]
    for url in ("/public/rexdale/en/", "/office/", "/office/board", "/", "/public/"):
        headers = client.get(url).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], url
        assert "Access-Control-Allow-Origin" not in headers, url


def test_the_whole_page_is_small_on_the_wire(published: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    page = client.get("/public/rexdale/en/", headers={"Accept-Encoding": "gzip"})
    style = next(part.split('"')[0] for part in gzip.decompress(page.data).decode().split('href="') if ".css" in part[:60])
    css = client.get(style, headers={"Accept-Encoding": "br"})
    icon = client.get("/favicon.ico", follow_redirects=True, headers={"Accept-Encoding": "br"})
    assert len(page.data) + len(css.data) + len(icon.data) < 20_000  # bytes; 60 KB was allowed


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_page_csv_json_and_feed_say_the_same(published: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    body = json.loads(client.get("/public/data/rexdale/indicators.json").data)
    lines = rows(client.get("/public/data/rexdale/indicators.csv").text)
    from_json = [(one["id"], n["period"], n["text"]) for one in body["indicators"] for n in one["numbers"]]
    assert from_json == [(line["indicator"], line["period"], line["shown_as"]) for line in lines]
    shown = next(line for line in lines if line["indicator"] == "encounters" and line["period"] == "2026-06")
    assert shown["state"] == "value"
    page = client.get("/public/rexdale/en/encounters/").text
    assert f"<td>{shown['shown_as']}</td>" in page
    years = {line["indicator"]: line for line in rows(client.get("/public/data/rexdale/years.csv").text)}
    assert f'<p class="now">{years["encounters"]["value"]}</p>' in page
    in_json = next(one["year"] for one in body["indicators"] if one["id"] == "encounters")
    assert [str(in_json[name]) for name in ("first", "last", "word")] == [
        years["encounters"][name] for name in ("first_day", "last_day", "word")
    ]
    known = {line["value"] for line in rows(client.get("/public/data/rexdale/codebook.csv").text)}
    assert {line["indicator"] for line in lines} | {
        line["part"] for line in rows(client.get("/public/data/rexdale/parts.csv").text)
    } <= known
    assert rows(client.get("/public/data/rexdale/partners.csv").text)[0]["source"] == "TTC"
    feed = ET.fromstring(client.get("/public/data/rexdale/feed.atom").data)
    assert feed.tag.endswith("feed") and "2026-06" in "".join(feed.itertext())
    assert "timeliness" not in json.dumps(body)


def test_each_ward_that_shows_has_a_chart_and_the_others_a_line(
    published: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    page = client_of("nobody").get("/public/rexdale/en/").text
    card = page[page.index("Encounters by ward") :].partition("</li>\n{% endfor")[0]
    panels = card[card.index('<ul class="panels">') : card.index("</ul>")]
    assert "Ward 01" in panels and "Ward 02" not in panels
    assert 'aria-label="Ward 01, Etobicoke North: ' in panels and "2nd quarter 2026" in panels
    assert "fewer than 25" in card[card.index("</ul>") :]
    lines = rows(client_of("nobody").get("/public/data/rexdale/parts.csv").text)
    months = {line["period"] for line in lines if line["indicator"] == "encounters"}
    assert months == {"2026-04", "2026-05", "2026-06"}  # not the newest alone


FERRIES = """indicator;title_en;title_fr;unit;period;from;to;part;part_en;part_fr;value
trips;Trips;Trajets;count;2026-P1;2026-01-01;2026-01-28;total;;;1000
trips;Trips;Trajets;count;2026-P2;2026-01-29;2026-02-25;total;;;<20
trips;Trips;Trajets;count;2026-P3;2026-02-26;2026-03-25;total;;;2500000
trips;Trips;Trajets;count;2026-P3;2026-02-26;2026-03-25;bus;Bus;Autobus;2499985
trips;Trips;Trajets;count;2026-P3;2026-02-26;2026-03-25;ferry;Ferry;Traversier;<20
trips;Trips;Trajets;count;2026-P3;2026-02-26;2026-03-25;boat;Boat;Bateau;<20
late;Late;Retards;percent;2026-P1;2026-01-01;2026-01-28;total;;;12,5
""".encode("cp1252")


def test_partners_have_charts_parts_and_titles_in_both_languages(
    published: Cast, app: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    with Session(open_engine(app.config["SETTINGS"]), expire_on_commit=False) as session:
        import_partner_totals(session, published.rosa, name="Ferries", calendar="four-week periods", data=FERRIES)
        build_edition(session, published.centre.id, "dashboard", periods.parse("2026-06"), NOW)
    client = client_of("nobody")
    page = client.get("/public/rexdale/en/").text
    section = page.partition("From partners")[2].partition("</section>")[0]
    assert "2,500,000" in section and "12.5%" in section and "Ferry" in section
    assert "2 others: fewer than 20 each, or none." in section
    chart = section.partition("<svg")[2].partition("</svg>")[0]
    assert chart.count('class="bar') == 2 and chart.count('class="few"') == 1 and "2026-P2" in chart
    french = client.get("/public/rexdale/fr/").text
    assert all(word in french for word in ("Trajets", "Traversier", "2\u202f500\u202f000"))
    lines = rows(client.get("/public/data/rexdale/partners.csv").text)
    trips = [line for line in lines if line["source"] == "Ferries" and line["indicator"] == "trips"]
    assert [(one["value"], one["at_least"], one["at_most"], one["state"]) for one in trips[:3]] == [
        ("1000", "1000", "1000", "value"),
        ("", "0", "19", "few"),
        ("2500000", "2500000", "2500000", "value"),
    ]
    assert (trips[4]["title_fr"], trips[4]["part_fr"], trips[4]["shown_as"]) == ("Trajets", "Traversier", "<20")


def test_an_edition_has_an_address_that_stays(published: Cast, app: Flask, client_of: Callable[[str], FlaskClient]) -> None:
    """What was cited in June is found again in July, as it was."""
    client = client_of("nobody")
    before = client.get("/public/data/rexdale/indicators.csv").text
    later = NOW + dt.timedelta(days=31)
    with Session(open_engine(app.config["SETTINGS"]), expire_on_commit=False) as session:
        build_edition(session, published.centre.id, "dashboard", periods.parse("2026-07"), later)
    newest = client.get("/public/data/rexdale/indicators.csv").text
    assert "2026-07" in newest and newest != before
    assert client.get("/public/data/rexdale/edition/2026-06/indicators.csv").text == before
    page = client.get("/public/rexdale/en/edition/2026-06/")
    assert page.status_code == 200 and "This is the edition of June 2026" in page.text
    assert "/public/data/rexdale/edition/2026-06/indicators.csv" in page.text
    assert "L’édition de juin 2026" in client.get("/public/rexdale/fr/edition/2026-06/").text
    front = client.get("/public/rexdale/en/").text
    assert "/public/rexdale/en/edition/2026-06/" in front and "This is the edition" not in front
    feed = ET.fromstring(client.get("/public/data/rexdale/feed.atom").data)
    entries = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert [entry[1].text for entry in entries] == ["Rexdale centre, 2026-07", "Rexdale centre, 2026-06"]
    assert any(link.get("rel") == "self" for link in feed.findall("{http://www.w3.org/2005/Atom}link"))
    for wrong in ("2026-05", "2026-Q2", "x"):
        assert client.get(f"/public/rexdale/en/edition/{wrong}/").status_code == 404
        assert client.get(f"/public/data/rexdale/edition/{wrong}/indicators.csv").status_code == 404


def test_an_edition_from_when_more_was_shown_has_no_address(
    published: Cast, app: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    with Session(open_engine(app.config["SETTINGS"]), expire_on_commit=False) as session:
        edition = products.latest(session, published.centre.id, "dashboard")
        assert edition is not None
        body = json.loads(edition.body) | {"format": 2}
        edition.body = json.dumps(body, sort_keys=True, separators=(",", ":"))
        session.commit()
    client = client_of("nobody")
    assert client.get("/public/rexdale/en/edition/2026-06/").status_code == 404
    page = client.get("/public/rexdale/en/")
    assert page.status_code == 200 and "edition/2026-06" not in page.text


def test_an_edition_of_a_switched_off_dashboard_is_gone_too(
    published: Cast, app: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("nobody")
    assert client.get("/public/rexdale/en/edition/2026-06/").status_code == 200
    with Session(open_engine(app.config["SETTINGS"]), expire_on_commit=False) as session:
        switch_product(session, published.rosa, name="dashboard", is_on=False)
    assert client.get("/public/rexdale/en/edition/2026-06/").status_code == 404
    assert client.get("/public/data/rexdale/edition/2026-06/indicators.csv").status_code == 404


def test_the_catalogue_names_every_file_with_its_licence(published: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    ((entry),) = json.loads(client.get("/public/data/catalog.jsonld").data)["dcat:dataset"]
    assert entry["@type"] == "dcat:Dataset" and {one["@language"] for one in entry["dct:title"]} == {"en", "fr"}
    assert len(entry["dcat:distribution"]) == 7
    for one in entry["dcat:distribution"]:
        path = one["dcat:downloadURL"]["@id"].split("localhost", 1)[1]
        answer = client.get(path)
        assert answer.status_code == 200 and one["dcat:mediaType"]["@id"].endswith(f"/{answer.mimetype}")
        assert "creativecommons.org" in one["dct:license"]["@id"]


def test_every_number_has_its_definition_source_and_how_it_is_protected(
    published: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("nobody")
    for language, words in (
        ("en", ("How it is counted", "Rexdale centre", "none or a few")),
        ("fr", ("Mode de calcul", "Rexdale centre", "aucun ou quelques-uns")),
    ):
        page = client.get(f"/public/rexdale/{language}/").text
        assert page.count('class="indicator"') == page.count(f"<dt>{words[0]}</dt>")
        assert all(word in page for word in words)
        assert page.count("<table") >= page.count('<svg viewBox="0 0 320')  # a table for each chart
    page = client.get("/public/rexdale/en/").text
    assert "four-week periods" in page and "TTC" in page


def test_the_picture_for_other_sites_is_a_picture(
    published: Cast, client_of: Callable[[str], FlaskClient], tmp_path: Path
) -> None:
    from PIL import Image  # noqa: PLC0415

    for language in ("en", "fr"):
        data = client_of("nobody").get(f"/public/rexdale/{language}/card.png").data
        assert Image.open(io.BytesIO(data)).size == (1200, 630)


def test_another_centre_switches_nothing_of_ours(published: Cast, app: Flask) -> None:
    settings: Settings = app.config["SETTINGS"]
    with Session(open_engine(settings)) as session:
        switch_product(
            session, Actor(published.other_centre.id, "admin", published.olaf.user_id), name="dashboard", is_on=False
        )
    assert app.test_client().get("/public/rexdale/en/").status_code == 200


def test_how_many_took_all_back_is_on_the_page_in_words(published: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("nobody")
    for language, words in (("en", "Consent taken back"), ("fr", "Consentement repris")):
        page = client.get(f"/public/rexdale/{language}/").text
        section = page[page.index(words) :].partition("</section>")[0]
        assert "2026" in section and "&lt;25" in section
    everything = json.loads(client.get("/public/data/rexdale/indicators.json").data)
    assert {number["text"] for number in everything["withdrawals"]} == {"<25"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_chart_is_taken_along_as_a_picture_and_as_numbers(
    published: Cast, client_of: Callable[[str], FlaskClient], language: str
) -> None:
    client = client_of("nobody")
    page = client.get(f"/public/rexdale/{language}/encounters/").text
    for name in ("chart.svg", "numbers.csv"):
        assert f"/public/rexdale/{language}/encounters/{name}" in page
    answer = client.get(f"/public/rexdale/{language}/encounters/chart.svg")
    assert answer.mimetype == "image/svg+xml"
    picture = ET.fromstring(answer.data)
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    # What the page says: title, number; and where it is from.
    now = re.search(r'<p class="now[^"]*">([^<]*)', page)
    assert now
    assert {"en": "Encounters", "fr": "Rencontres"}[language] in texts
    assert html.unescape(now[1]).strip() in texts
    assert f"http://localhost/public/rexdale/{language}/encounters/" in texts
    # No style or script, which a page or a document may forbid.
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {"svg", "rect", "text", "g", "line"}
    # The lines of the whole file, and no others.
    everything = client.get("/public/data/rexdale/indicators.csv").text.splitlines()
    numbers = client.get(f"/public/rexdale/{language}/encounters/numbers.csv").text.splitlines()
    assert numbers == [everything[0], *[line for line in everything if line.startswith("encounters,")]]
    whole = client.get("/public/data/rexdale/parts.csv").text.splitlines()
    parts = client.get(f"/public/rexdale/{language}/safeto/parts.csv").text.splitlines()
    assert parts == [whole[0], *[line for line in whole if line.startswith("safeto,")]]
