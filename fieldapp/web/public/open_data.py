"""Open data: the dashboard's numbers as files, with a licence and a codebook.

A catalogue describes them for other portals (W3C DCAT 3).
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from evaluator_export import periods
from evaluator_export.formats import csv_files
from evaluator_export.products.change import Word
from evaluator_export.products.indicators import State, read_state
from evaluator_export.products.partner_totals import bound_value
from fieldapp.services.products.content import iterate_parts
from fieldapp.services.products.public import KeptEdition, PublicEdition

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
LANGUAGES = ("en", "fr")
# The columns of each file.
NUMBERS = (
    "indicator", "period", "first_day", "last_day", "value", "at_least", "at_most", "shown_as", "state", "ripe_on", "unit",
    "revised",
)  # fmt: skip
PARTS = ("indicator", "period", "part", "value", "at_least", "at_most", "shown_as")
YEARS = (
    "indicator", "first_day", "last_day", "value", "at_least", "at_most", "state", "unit",
    "part", "part_counts", "whole", "whole_counts",
    "before_first_day", "before_last_day", "before_value", "before_at_least", "before_at_most", "before_state",
    "before_part", "before_part_counts", "before_whole", "before_whole_counts",
    "word", "chance",
)  # fmt: skip
# Of a year and of the one before; editions of before there were counts have none.
YEAR_VALUES = ("value", "at_least", "at_most", "state", "part", "part_counts", "whole", "whole_counts")
CODEBOOK = ("file", "column", "value", "english", "french")
PARTNERS = (
    "source", "calendar", "indicator", "title_en", "title_fr", "period", "first_day", "last_day",
    "part", "part_en", "part_fr", "unit", "value", "at_least", "at_most", "shown_as", "state",
)  # fmt: skip


# Written here in both languages and not through the catalogue: a file is the same for everybody.
STATES = {
    State.VALUE: {
        "en": "Shown; rounded to a multiple of 5, unless anybody could count it",
        "fr": "Montré; arrondi à un multiple de 5, sauf ce que chacun peut compter",
    },
    # Both at once, so that a hidden number never says whether there was anybody.
    State.FEW: {"en": "None, or too few to show", "fr": "Aucun, ou trop peu pour être montré"},
    State.ZERO: {"en": "Exactly none", "fr": "Exactement aucun"},
    State.NOT_YET: {
        "en": "Not counted yet: ripe_on says from which day on",
        "fr": "Pas encore compté : ripe_on dit à partir de quel jour",
    },
}
CHANGES = {
    Word.MORE: {"en": "More than a year before", "fr": "Plus qu’un an plus tôt"},
    Word.PERHAPS_MORE: {"en": "Perhaps more than a year before", "fr": "Peut-être plus qu’un an plus tôt"},
    Word.SAME: {"en": "About the same as a year before", "fr": "À peu près comme un an plus tôt"},
    Word.PERHAPS_FEWER: {"en": "Perhaps fewer than a year before", "fr": "Peut-être moins qu’un an plus tôt"},
    Word.FEWER: {"en": "Fewer than a year before", "fr": "Moins qu’un an plus tôt"},
    Word.UNSURE: {"en": "Too few to compare", "fr": "Trop peu pour comparer"},
    Word.NOT_YET: {"en": "No year before to compare with", "fr": "Pas d’année précédente à comparer"},
}


@dataclass(frozen=True)
class DataFile:
    make: Callable[[PublicEdition, str], bytes]
    mimetype: str
    title: dict[str, str]


def write_numbers(edition: PublicEdition, root: str, only: str = "") -> bytes:
    """Return indicators.csv: a line for each period of each indicator, or of `only` one."""
    lines = []
    for indicator in _list_indicators(edition, only):
        lines += [_make_number_line(indicator, number) for number in indicator["numbers"]]
    return csv_files.rows(NUMBERS, lines)


def _list_indicators(edition: PublicEdition, only: str) -> list[dict[str, Any]]:
    return [indicator for indicator in edition.body["indicators"] if only in ("", indicator["id"])]


def _make_number_line(indicator: dict[str, Any], number: dict[str, Any]) -> tuple[str, ...]:
    period = periods.parse(number["period"])
    values = {
        "indicator": indicator["id"],
        "period": period.name,
        "first_day": period.first,
        "last_day": period.last,
        "value": number["value"],
        "at_least": number.get("at_least"),
        "at_most": number.get("at_most"),
        "shown_as": number["text"],
        "state": read_state(number["state"]),
        "ripe_on": number.get("ripe_on"),
        "unit": indicator["unit"],
        "revised": number["revised"],
    }
    return tuple(_write_cell(values[name]) for name in NUMBERS)


def _write_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # Without a trailing .0, so that a whole number reads as one.
        return f"{value:g}"
    return str(value)


def write_parts(edition: PublicEdition, root: str, only: str = "") -> bytes:
    """Return parts.csv: a line for each part of an indicator in each of its periods."""
    lines = []
    for indicator in _list_indicators(edition, only):
        for part in iterate_parts(indicator):
            bounds = map(_write_cell, (part.value, part.at_least, part.at_most))
            lines.append((indicator["id"], part.period, part.key, *bounds, part.text))
    return csv_files.rows(PARTS, lines)


def write_years(edition: PublicEdition, root: str) -> bytes:
    """Return years.csv: the newest year of each indicator beside the one before."""
    lines = []
    for indicator in edition.body["indicators"]:
        year = indicator.get("year")
        if year:
            values = {name: indicator[source] for name, source in (("indicator", "id"), ("unit", "unit"))}
            values |= {"word": year["word"], "chance": year["chance"]}
            values |= _list_year_values(year)
            values |= {f"before_{name}": value for name, value in _list_year_values(year["before"]).items()}
            lines.append(tuple(_write_cell(values.get(name)) for name in YEARS))
    return csv_files.rows(YEARS, lines)


def _list_year_values(year: dict[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a year; of one that there is not, only that it is not counted yet."""
    if year is None:
        return {"state": State.NOT_YET}
    values = {name: year.get(name) for name in YEAR_VALUES}
    return {"first_day": year["first"], "last_day": year["last"], **values}


def write_partners(edition: PublicEdition, root: str) -> bytes:
    """Return partners.csv: partners' totals as they gave them, and what a hidden one may be."""
    lines = []
    for source in edition.body["partners"]:
        for total in source["figures"]:
            lines.append(_make_partner_line(source, total))
    return csv_files.rows(PARTNERS, lines)


def _make_partner_line(source: dict[str, Any], total: dict[str, Any]) -> tuple[str, ...]:
    label = total.get("label") or {}
    values = {
        "source": source["source"],
        "calendar": source["calendar"],
        "indicator": total["indicator"],
        "title_en": total["title"]["en"],
        "title_fr": total["title"]["fr"],
        "period": total["period"],
        "first_day": total["first"],
        "last_day": total["last"],
        "part": total["part"],
        "part_en": label.get("en"),
        "part_fr": label.get("fr"),
        "unit": total["unit"],
        "shown_as": total["value"],
        **bound_value(total["value"], total["unit"]),
    }
    return tuple(_write_partner_cell(values[name]) for name in PARTNERS)


def _write_partner_cell(value: Any) -> str:
    # Written out: a partner's numbers may be greater than those of ours, and none may come out as 1e+06.
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return _write_cell(value)


def write_codebook(edition: PublicEdition, root: str) -> bytes:
    """Return codebook.csv: what each indicator, part and state means, in both languages."""
    lines = []
    for indicator in edition.body["indicators"]:
        for about in ("title", "meaning", "formula", "denominator", "read"):
            text = indicator[about]
            if text:
                lines.append(("indicators.csv", f"indicator: {about}", indicator["id"], text["en"], text["fr"]))
        for row in indicator["parts"]["rows"] if indicator["parts"] else ():
            lines.append(("parts.csv", "part", row["key"], row["label"]["en"], row["label"]["fr"]))
    for state, words in STATES.items():
        lines.append(("indicators.csv", "state", state, words["en"], words["fr"]))
    for word, words in CHANGES.items():
        lines.append(("years.csv", "word", word, words["en"], words["fr"]))
    # Indicators share parts: each is explained once.
    # In the order in which they were first said, which is that of the dashboard.
    return csv_files.rows(CODEBOOK, list(dict.fromkeys(lines)))


def write_json(edition: PublicEdition, root: str) -> bytes:
    """Return indicators.json: all of an edition."""
    # Copies: pages show the same edition.
    indicators = [dict(indicator) for indicator in edition.body["indicators"]]
    for indicator in indicators:
        # Only public ones are in it; the word would make readers look for others.
        del indicator["audience"]
    body = {
        "centre": edition.centre,
        "period": edition.period,
        "edition": edition.number,
        "built_at": edition.built_at,
        "licence": LICENCE,
        "rounding": edition.body["rounding"],
        "indicators": indicators,
        "withdrawals": edition.body.get("withdrawals", []),
        "partners": edition.body["partners"],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def write_atom(edition: PublicEdition, root: str) -> bytes:
    """Return a feed of all editions, newest first.

    Nobody needs to give an address to follow it.
    """
    page = f"{root}public/{edition.slug}/en/"
    this = f"{root}public/data/{edition.slug}/feed.atom"
    entries = [_write_entry(edition.centre, page, past) for past in edition.editions]
    return (
        # By hand, since it is ten elements; each text in it is escaped.
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(page)}</id><title>{escape(edition.centre)}</title><updated>{edition.built_at}</updated>"
        f"<author><name>{escape(edition.centre)}</name></author>"
        f'<link rel="self" type="application/atom+xml" href="{escape(this)}"/><link href="{escape(page)}"/>'
        f"{''.join(entries)}</feed>\n"
    ).encode()


def _write_entry(centre: str, page: str, edition: KeptEdition) -> str:
    title = f"{centre}, {edition.period}"
    if edition.number > 1:
        title += f", revised ({edition.number})"
    address = f"{page}edition/{edition.period}/"
    # The hash in the id: readers of feeds take an entry they have seen for old news.
    # Sixteen characters of the hash are enough to tell one edition from the next.
    return (
        f"<entry><id>{escape(address)}#{edition.sha256[:16]}</id><title>{escape(title)}</title>"
        f'<updated>{edition.built_at}</updated><link href="{escape(address)}"/></entry>'
    )


FILES = {
    "indicators.csv": DataFile(write_numbers, "text/csv", {"en": "Indicators by period", "fr": "Indicateurs par période"}),
    "years.csv": DataFile(
        write_years, "text/csv", {"en": "The newest year beside the one before", "fr": "La dernière année et la précédente"}
    ),
    "parts.csv": DataFile(write_parts, "text/csv", {"en": "Parts of each indicator", "fr": "Parties de chaque indicateur"}),
    "partners.csv": DataFile(write_partners, "text/csv", {"en": "Totals of partners", "fr": "Totaux des partenaires"}),
    "codebook.csv": DataFile(write_codebook, "text/csv", {"en": "Codebook", "fr": "Guide des données"}),
    "indicators.json": DataFile(write_json, "application/json", {"en": "Everything as JSON", "fr": "Tout en JSON"}),
    "feed.atom": DataFile(
        write_atom, "application/atom+xml", {"en": "Feed of new editions", "fr": "Fil des nouvelles éditions"}
    ),
}
# Codes of the vocabularies that DCAT-AP 3 asks for.
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
LANGUAGE_CODES = {
    "en": "http://publications.europa.eu/resource/authority/language/ENG",
    "fr": "http://publications.europa.eu/resource/authority/language/FRA",
}
THEME = "http://publications.europa.eu/resource/authority/data-theme/SOCI"
KEYWORDS = {
    "en": ("violence interruption", "outreach", "community safety"),
    "fr": ("interruption de la violence", "intervention de proximité", "sécurité communautaire"),
}
ABOUT = {
    "en": "What outreach workers did, as protected numbers that anybody may use.",
    "fr": "Ce que les intervenantes et intervenants ont fait, en chiffres protégés que chacun peut utiliser.",
}
TITLE = {"en": "Violence interruption: open data", "fr": "Interruption de la violence : données ouvertes"}
NOTE = {
    "en": "Counts are rounded to a multiple of 5; small ones are hidden. No row is about a person.",
    "fr": "Les comptes sont arrondis à un multiple de 5; les petits sont cachés. Aucune ligne ne porte sur une personne.",
}


def make_catalogue(editions: Sequence[PublicEdition], root: str) -> dict[str, Any]:
    """Return a catalogue of all centres' open data: W3C DCAT 3 as JSON-LD."""
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "vcard": "http://www.w3.org/2006/vcard/ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": f"{root}public/data/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": [_tag_language(text, language) for language, text in TITLE.items()],
        "dct:description": [_tag_language(text, language) for language, text in ABOUT.items()],
        "dct:publisher": _describe_publisher(editions[0].centre if len(editions) == 1 else TITLE["en"]),
        "foaf:homepage": {"@id": f"{root}public/data/"},
        "dct:language": [{"@id": LANGUAGE_CODES[language]} for language in LANGUAGES],
        "dct:license": {"@id": LICENCE},
        "dcat:dataset": [_make_entry(edition, root) for edition in editions],
    }  # fmt: skip


def _list_keywords() -> list[dict[str, str]]:
    keywords = []
    for language, words in KEYWORDS.items():
        keywords += [_tag_language(word, language) for word in words]
    return keywords


def _describe_publisher(name: str) -> dict[str, str]:
    return {"@type": "foaf:Organization", "foaf:name": name}


def _tag_language(text: str, language: str) -> dict[str, str]:
    return {"@value": text, "@language": language}


def _make_entry(edition: PublicEdition, root: str) -> dict[str, Any]:
    first_day, last_day = _find_span(edition)
    return {
        "@id": f"{root}public/{edition.slug}/",
        "@type": "dcat:Dataset",
        "dct:title": [
            _tag_language(f"{edition.centre}: outreach", "en"),
            _tag_language(f"{edition.centre} : intervention de proximité", "fr"),
        ],
        "dct:description": [_tag_language(NOTE[language], language) for language in LANGUAGES],
        "dct:identifier": f"{root}public/{edition.slug}/",
        "dct:publisher": _describe_publisher(edition.centre),
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": edition.centre,
            "vcard:hasURL": {"@id": f"{root}public/{edition.slug}/en/"},
        },
        "dcat:keyword": _list_keywords(),
        "dcat:theme": [{"@id": THEME}],
        "dct:license": {"@id": LICENCE},
        "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/MONTHLY"},
        "dct:modified": {"@value": edition.built_at, "@type": "xsd:dateTime"},
        # From the numbers and not from today's date: a quiet month must not make the data look
        # newer than they are.
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@value": first_day, "@type": "xsd:date"},
            "dcat:endDate": {"@value": last_day, "@type": "xsd:date"},
        },
        "dct:language": [{"@id": LANGUAGE_CODES[language]} for language in LANGUAGES],
        "dcat:landingPage": {"@id": f"{root}public/{edition.slug}/en/"},
        "dcat:distribution": [_make_distribution(edition.slug, name, root) for name in FILES],
    }


def _find_span(edition: PublicEdition) -> tuple[str, str]:
    """Return the first and last day that an edition has numbers of; "" and "" if none."""
    days: list[dt.date] = []
    for indicator in edition.body["indicators"]:
        for number in indicator["numbers"]:
            period = periods.parse(number["period"])
            days += [period.first, period.last]
    if not days:
        return "", ""
    return str(min(days)), str(max(days))


def _make_distribution(slug: str, name: str, root: str) -> dict[str, Any]:
    file = FILES[name]
    return {
        "@type": "dcat:Distribution",
        "dct:title": [_tag_language(file.title[language], language) for language in LANGUAGES],
        "dcat:accessURL": {"@id": f"{root}public/data/"},
        "dcat:downloadURL": {"@id": f"{root}public/data/{slug}/{name}"},
        "dcat:mediaType": {"@id": f"{MEDIA_TYPES}{file.mimetype}"},
        "dct:license": {"@id": LICENCE},
    }
