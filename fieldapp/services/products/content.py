"""What an edition of a product holds, and words in both languages for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.labels import Labels

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
