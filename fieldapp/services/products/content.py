"""What an edition of a product holds, and words in both languages for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.labels import Labels
from evaluator_export.products.indicators import bound_count

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class EditionContent:
    """The content of one edition: `body` becomes JSON; `files` are bytes by file name."""

    body: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def label_column(labels: Labels, dataset: DatasetSpec, column: str) -> dict[str, str]:
    """Return the title of a column, by language."""
    return {language: labels.column(dataset, column, language) for language in LANGUAGES}


def label_value(labels: Labels, dataset: DatasetSpec, column: str, value: str) -> dict[str, str]:
    """Return the words for a value of a column, by language; a dash where it has none."""
    return {language: labels.value(dataset, column, value, language) or "–" for language in LANGUAGES}


def read_count(text: str) -> int | None:
    """Return the number that a protected count shows; None for "<20" and for an empty cell."""
    if text.isdecimal():
        return int(text)
    return None


@dataclass(frozen=True)
class PartOfPeriod:
    """A count by group in one period, as published.

    The true one lies between `at_least` and `at_most`.
    """

    period: str
    key: str
    label: dict[str, str]
    text: str
    value: int | None
    at_least: float | None
    at_most: float | None


def iterate_parts(indicator: Mapping[str, Any]) -> Iterator[PartOfPeriod]:
    """Yield the parts of an indicator in each period that was counted, oldest first.

    Editions of before there were series have the newest period alone.
    """
    series = indicator.get("series") or _make_series_of_one(indicator["parts"])
    for place, period in enumerate(series["periods"]):
        for row in series["rows"]:
            text = row["texts"][place]
            if text:
                bounds = bound_count(text, is_exact=bool(indicator.get("exact")))
                yield PartOfPeriod(period, row["key"], row["label"], text, read_count(text), **bounds)


def _make_series_of_one(parts: Mapping[str, Any] | None) -> dict[str, Any]:
    if parts is None:
        return {"periods": [], "rows": []}
    return {"periods": [parts["period"]], "rows": [{**row, "texts": [row["text"]]} for row in parts["rows"]]}
