"""Read the headers Accept and Accept-Language, with parameters and q=0 (RFC 9110)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.http import parse_list_header, parse_options_header


@dataclass(frozen=True)
class Range:
    """One entry of an Accept header."""

    kind: str
    parameters: Mapping[str, str]
    quality: float


def parse_accept(accept: str) -> list[Range]:
    """Return the entries of an Accept header; a quality that cannot be read counts as 1."""
    ranges = []
    for text in parse_list_header(accept):
        kind, parameters = parse_options_header(text)
        if kind:
            quality = _quality(parameters.pop("q", "1"))
            ranges.append(Range(kind.lower(), parameters, quality))
    return ranges


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 1.0
    # "nan" is a number for float() and would win or lose every comparison.
    if math.isnan(value):
        return 1.0
    return min(max(value, 0.0), 1.0)


def best_language(header: str, languages: Sequence[str]) -> str:
    """Return the language that a reader prefers; the first when they name none.

    fr-CA and fr-FR mean fr.

    >>> best_language("fr-CA,en;q=0.9", ["en", "fr"])
    'fr'
    """
    qualities: dict[str, float] = {}
    for entry in parse_accept(header):
        name = entry.kind.replace("_", "-").partition("-")[0]
        qualities[name] = max(qualities.get(name, 0.0), entry.quality)
    others = qualities.get("*", 0.0)
    best = max(languages, key=lambda language: qualities.get(language, others))  # the first of equals
    if qualities.get(best, others) > 0:
        return best
    return languages[0]
