"""What a request says it would like: Accept and Accept-Language, entry by entry, with parameters and q=0."""

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


def ranges_of(accept: str) -> list[Range]:
    """Return the entries of an Accept header; one whose quality cannot be read counts as fully wanted."""
    found = []
    for text in parse_list_header(accept):
        kind, parameters = parse_options_header(text)
        if kind:
            quality = _quality(parameters.pop("q", "1"))
            found.append(Range(kind.lower(), parameters, quality))
    return found


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return 1.0 if math.isnan(value) else min(max(value, 0.0), 1.0)


def best_language(header: str, languages: Sequence[str]) -> str:
    """Return which of `languages` a reader likes best; the first when they name none. fr-CA and fr-FR mean fr.

    >>> best_language("fr-CA,en;q=0.9", ["en", "fr"])
    'fr'
    """
    wishes: dict[str, float] = {}
    for one in ranges_of(header):
        name = one.kind.replace("_", "-").partition("-")[0]
        wishes[name] = max(wishes.get(name, 0.0), one.quality)
    others = wishes.get("*", 0.0)
    best = max(languages, key=lambda language: wishes.get(language, others))  # the first of equals
    return best if wishes.get(best, others) > 0 else languages[0]
