"""Read what each format says, as its reader would: from the file or page alone."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

from fieldapp.web.editions import period_name

Get = Callable[[str], Any]  # an address of the feed → JSON


@dataclass(frozen=True)
class Said:
    """A number as a format says it. `value`: None where it does not show. `state`: "" of pages, which say it in words."""

    value: float | None
    state: str


@dataclass
class Told:
    """What a format tells: numbers by indicator and period, parts, years, and words."""

    numbers: dict[tuple[str, str], Said] = field(default_factory=dict)
    parts: dict[tuple[str, str, str], float | None] = field(default_factory=dict)  # by indicator, period and part
    years: dict[str, Said] = field(default_factory=dict)
    before: dict[str, Said] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    chances: dict[str, float] = field(default_factory=dict)
    counts: dict[str, dict[str, int | None]] = field(default_factory=dict)  # of a year: part, whole, …


COUNTS = (
    "part",
    "part_counts",
    "whole",
    "whole_counts",
    "before_part",
    "before_part_counts",
    "before_whole",
    "before_whole_counts",
)


def read_json(client: FlaskClient) -> Told:
    told = Told()
    for indicator in client.get("/public/data/rexdale/indicators.json").get_json()["indicators"]:
        name = indicator["id"]
        for number in indicator["numbers"]:
            told.numbers[name, number["period"]] = Said(number["value"], number["state"])
        for row in indicator["series"]["rows"]:
            for period, text in zip(indicator["series"]["periods"], row["texts"], strict=True):
                if text:
                    told.parts[name, period, row["key"]] = float(text) if text.isdecimal() else None
        if indicator["year"]:
            _add_year(told, name, _flatten_year(indicator["year"]))
    return told


def _flatten_year(year: Mapping[str, Any]) -> dict[str, Any]:
    before = year["before"] or {"value": None, "state": "not_yet"}
    return {**year, **{f"before_{key}": value for key, value in before.items()}}


def read_csv(client: FlaskClient) -> Told:
    told = Told()
    for line in _read_lines(client, "indicators.csv"):
        told.numbers[line["indicator"], line["period"]] = Said(_parse(line["value"]), line["state"])
    for line in _read_lines(client, "parts.csv"):
        told.parts[line["indicator"], line["period"], line["part"]] = _parse(line["value"])
    for line in _read_lines(client, "years.csv"):
        _add_year(told, line["indicator"], line)
    return told


def _read_lines(client: FlaskClient, name: str) -> Iterator[dict[str, str]]:
    text = client.get(f"/public/data/rexdale/{name}").data.decode("utf-8-sig")
    yield from csv.DictReader(io.StringIO(text))


def read_feed(get: Get) -> Told:
    told = Told()
    for row in _list_rows(get, "indicator_numbers"):
        told.numbers[row["indicator"], row["period"]] = Said(_parse(row["value"]), row["state"])
    for row in _list_rows(get, "indicator_parts"):
        told.parts[row["indicator"], row["period"], row["part"]] = _parse(row["value"])
    for row in _list_rows(get, "indicator_years"):
        _add_year(told, row["indicator"], row)
    return told


def _list_rows(get: Get, name: str) -> Iterator[dict[str, Any]]:
    address = name
    while address:
        page = get(address)
        yield from page["value"]
        address = page.get("@odata.nextLink", "").rpartition("/v4/")[2]


def _add_year(told: Told, name: str, row: Mapping[str, Any]) -> None:
    told.years[name] = Said(_parse(row["value"]), row["state"])
    if row.get("before_state"):
        told.before[name] = Said(_parse(row["before_value"]), row["before_state"])
    told.words[name] = row["word"]
    told.chances[name] = float(row["chance"])
    told.counts[name] = {column: _parse_count(row.get(column)) for column in COUNTS}


def _parse(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _parse_count(value: Any) -> int | None:
    return None if value in (None, "") else int(value)


class _Tables(HTMLParser):
    """Collects a page's tables: caption, and a heading and a cell of each row."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[tuple[str, str]]]] = []
        self.texts: dict[str, str] = {}
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(("", []))
        if tag in ("caption", "th", "td"):
            self.inside = tag
            self.texts[tag] = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[self.inside] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""
        if tag == "caption":
            self.tables[-1] = (self.texts["caption"].strip(), self.tables[-1][1])
        if tag == "tr" and self.tables:
            self.tables[-1][1].append((self.texts["th"].strip(), self.texts["td"].strip()))


def read_page(client: FlaskClient, language: str, names: Mapping[str, str], period_names: Mapping[str, str]) -> Told:
    """Read a page of the dashboard: the tables under its charts.

    `names`: indicators by their title. `period_names`: periods by their name in words.
    """
    parser = _Tables()
    parser.feed(client.get(f"/public/rexdale/{language}/").get_data(as_text=True))
    told = Told()
    for caption, rows in parser.tables:
        title = next((title for title in names if caption.startswith(f"{title},")), "")
        for heading, cell in rows if title else ():
            if heading in period_names:
                told.numbers[names[title], period_names[heading]] = Said(parse_number(cell), "")
    return told


def list_period_names(told: Told, language: str) -> dict[str, str]:
    return {period_name(period, language): period for _, period in told.numbers}


def parse_number(text: str) -> float | None:
    """Return the number that a cell begins with, as a reader takes it; None of words."""
    found = re.match(r"(?:about |environ )?(\d[\d\u202f\u00a0,]*)(?:\s*%|\s|$)", text)
    return float(re.sub(r"[^\d]", "", found[1])) if found else None
