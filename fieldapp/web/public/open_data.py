"""Open data: the dashboard's numbers as files, with a licence, a codebook, and an entry for data catalogues (DCAT 3)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from evaluator_export import periods
from evaluator_export.formats import csv_files
from fieldapp.services.products.public import PublicEdition

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
LANGUAGES = ("en", "fr")
NUMBERS = ("indicator", "period", "first_day", "last_day", "value", "shown_as", "state", "unit", "revised")
PARTS = ("indicator", "period", "part", "value", "shown_as")
CODEBOOK = ("file", "column", "value", "english", "french")
FIGURE = ("indicator", "period", "first", "last", "part", "unit", "value")
PARTNERS = ("source", "calendar", "indicator", "period", "first_day", "last_day", "part", "unit", "value")


@dataclass(frozen=True)
class DataFile:
    make: Callable[[PublicEdition, str], bytes]
    mimetype: str
    title: dict[str, str]


def numbers(edition: PublicEdition, root: str) -> bytes:
    return csv_files.rows(NUMBERS, [tuple(_plain(line[name]) for name in NUMBERS) for line in _numbers(edition)])


def _numbers(edition: PublicEdition) -> list[dict[str, Any]]:
    lines = []
    for one in edition.body["indicators"]:
        for number in one["numbers"]:
            period = periods.parse(number["period"])
            lines.append(
                {
                    "indicator": one["id"],
                    "period": period.name,
                    "first_day": str(period.first),
                    "last_day": str(period.last),
                    "value": number["value"],
                    "shown_as": number["text"],
                    "state": number["state"],
                    "unit": one["unit"],
                    "revised": number["revised"],
                }
            )
    return lines


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def parts(edition: PublicEdition, root: str) -> bytes:
    lines = [
        (one["id"], one["parts"]["period"], row["key"], _plain(row["value"]), row["text"])
        for one in edition.body["indicators"]
        if one["parts"]
        for row in one["parts"]["rows"]
    ]
    return csv_files.rows(PARTS, lines)


def partners(edition: PublicEdition, root: str) -> bytes:
    lines = [
        (source["source"], source["calendar"], *(one[name] for name in FIGURE))
        for source in edition.body["partners"]
        for one in source["figures"]
    ]  # fmt: skip
    return csv_files.rows(PARTNERS, lines)


def codebook(edition: PublicEdition, root: str) -> bytes:
    lines = []
    for one in edition.body["indicators"]:
        for about in ("title", "meaning", "formula", "denominator", "read"):
            if not one[about]:
                continue
            lines.append(("indicators.csv", f"indicator: {about}", one["id"], one[about]["en"], one[about]["fr"]))
        for row in one["parts"]["rows"] if one["parts"] else ():
            lines.append(("parts.csv", "part", row["key"], row["label"]["en"], row["label"]["fr"]))
    states = {
        "shown": ("Shown, rounded to a multiple of 5", "Montré, arrondi à un multiple de 5"),
        "hidden": ("Too few to show; not zero", "Trop peu pour être montré; pas zéro"),
        "missing": ("Not counted yet", "Pas encore compté"),
    }
    lines += [("indicators.csv", "state", name, *words) for name, words in states.items()]
    return csv_files.rows(CODEBOOK, list(dict.fromkeys(lines)))


def as_json(edition: PublicEdition, root: str) -> bytes:
    body = {
        "centre": edition.centre,
        "period": edition.period,
        "edition": edition.number,
        "built_at": edition.built_at,
        "licence": LICENCE,
        "rounding": edition.body["rounding"],
        "indicators": [
            {name: value for name, value in one.items() if name != "audience"} for one in edition.body["indicators"]
        ],
        "partners": edition.body["partners"],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def atom(edition: PublicEdition, root: str) -> bytes:
    """Return a feed that tells of new editions: to be told, nobody needs to give an address."""
    page = f"{root}public/{edition.slug}/en/"
    title = f"{edition.centre}, {edition.period}" + (f", revised ({edition.number})" if edition.number > 1 else "")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(page)}</id><title>{escape(edition.centre)}</title><updated>{edition.built_at}</updated>"
        f'<author><name>{escape(edition.centre)}</name></author><link href="{escape(page)}"/>'
        f"<entry><id>{escape(page)}#{edition.sha256[:16]}</id><title>{escape(title)}</title>"
        f'<updated>{edition.built_at}</updated><link href="{escape(page)}"/></entry></feed>\n'
    ).encode()


FILES = {
    "indicators.csv": DataFile(numbers, "text/csv", {"en": "Indicators by period", "fr": "Indicateurs par période"}),
    "parts.csv": DataFile(parts, "text/csv", {"en": "Parts of each indicator", "fr": "Parties de chaque indicateur"}),
    "partners.csv": DataFile(partners, "text/csv", {"en": "Totals of partners", "fr": "Totaux des partenaires"}),
    "codebook.csv": DataFile(codebook, "text/csv", {"en": "Codebook", "fr": "Guide des données"}),
    "indicators.json": DataFile(as_json, "application/json", {"en": "Everything as JSON", "fr": "Tout en JSON"}),
    "feed.atom": DataFile(atom, "application/atom+xml", {"en": "Feed of new editions", "fr": "Fil des nouvelles éditions"}),
}
TITLE = {"en": "Violence interruption: open data", "fr": "Interruption de la violence : données ouvertes"}
NOTE = {
    "en": "Counts are rounded to a multiple of 5; small ones are hidden. No row is about a person.",
    "fr": "Les comptes sont arrondis à un multiple de 5; les petits sont cachés. Aucune ligne ne porte sur une personne.",
}


def catalogue(editions: Sequence[PublicEdition], root: str) -> dict[str, Any]:
    """Return a catalogue of all centres' open data: W3C DCAT 3 as JSON-LD."""
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": f"{root}public/data/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": [_said(text, language) for language, text in TITLE.items()],
        "dcat:dataset": [_entry(one, root) for one in editions],
    }  # fmt: skip


def _said(text: str, language: str) -> dict[str, str]:
    return {"@value": text, "@language": language}


def _entry(edition: PublicEdition, root: str) -> dict[str, Any]:
    spans = [periods.parse(number["period"]) for one in edition.body["indicators"] for number in one["numbers"]]
    return {
        "@id": f"{root}public/{edition.slug}/",
        "@type": "dcat:Dataset",
        "dct:title": [
            _said(f"{edition.centre}: outreach", "en"),
            _said(f"{edition.centre} : intervention de proximité", "fr"),
        ],
        "dct:description": [_said(NOTE[language], language) for language in LANGUAGES],
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": edition.centre},
        "dct:license": {"@id": LICENCE},
        "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/MONTHLY"},
        "dct:modified": {"@value": edition.built_at, "@type": "xsd:dateTime"},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@value": str(min((one.first for one in spans), default="")), "@type": "xsd:date"},
            "dcat:endDate": {"@value": str(max((one.last for one in spans), default="")), "@type": "xsd:date"},
        },
        "dct:language": list(LANGUAGES),
        "dcat:landingPage": {"@id": f"{root}public/{edition.slug}/en/"},
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dct:title": [_said(one.title[language], language) for language in LANGUAGES],
                "dcat:downloadURL": {"@id": f"{root}public/data/{edition.slug}/{name}"},
                "dcat:mediaType": one.mimetype,
                "dct:license": {"@id": LICENCE},
            }
            for name, one in FILES.items()
        ],
    }
