"""A City's sums as rows: by period, table and cell, with what a hidden one can be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator_export import periods
from evaluator_export.citysum.protect import ROUNDED_BY, bound_text
from evaluator_export.citysum.registry import Registry
from evaluator_export.products.indicators import State
from evaluator_export.tables.protected_counts import TOTAL

LANGUAGES = ("en", "fr")
COLUMNS = (
    "table", "title_en", "title_fr", "period", "first_day", "last_day", "part", "part_en", "part_fr",
    "value", "at_least", "at_most", "shown_as", "state", "centres",
)  # fmt: skip
WHOLE = {"en": "Total", "fr": "Total"}

Result = Mapping[str, Any]


@dataclass(frozen=True)
class SumRow:
    """One cell of a City's sum."""

    table: str
    title: Mapping[str, str]
    period: str
    cell: tuple[str, ...]
    label: Mapping[str, str]
    text: str
    value: int | None
    at_least: int
    at_most: int
    state: State
    centres: int

    def list_fields(self) -> tuple[str, ...]:
        """Return the row as COLUMNS."""
        span = periods.parse(self.period)
        titles = [self.title[language] for language in LANGUAGES]
        labels = [self.label[language] for language in LANGUAGES]
        number = "" if self.value is None else str(self.value)
        part = "|".join(self.cell)
        return (
            self.table, *titles, self.period, str(span.first), str(span.last), part, *labels,
            number, str(self.at_least), str(self.at_most), self.text, self.state, str(self.centres),
        )  # fmt: skip


def list_rows(registry: Registry, results: Sequence[Result]) -> list[SumRow]:
    """Return all rows of some results, by table, period and cell; the total first."""
    rows: list[SumRow] = []
    for name in sorted(registry.tables):
        for result in results:
            rows += _iterate_rows(registry, name, result)
    return rows


def _iterate_rows(registry: Registry, name: str, result: Result) -> Iterator[SumRow]:
    table = registry.tables[name]
    is_exact = not table["least"]
    # The sum of several centres is rounded once, so its bounds are as wide as those of one centre.
    cells = list(zip(map(tuple, table["cells"]), result["tables"][name], strict=True))
    for cell, text in sorted(cells, key=lambda pair: pair[0] != TOTAL):
        low, high = bound_text(text, 0 if is_exact else ROUNDED_BY)
        is_hidden = text.startswith("<")
        state = State.FEW if is_hidden else State.VALUE
        if is_exact and text == "0":
            state = State.ZERO
        yield SumRow(
            table=name,
            title=registry.words[name]["title"],
            period=result["period"],
            cell=cell,
            label=_label(registry.words[name], cell),
            text=text,
            value=None if is_hidden else int(text),
            at_least=low,
            at_most=high,
            state=state,
            centres=len(result["members"]),
        )


def _label(words: Mapping[str, Any], cell: tuple[str, ...]) -> dict[str, str]:
    if cell == TOTAL:
        return WHOLE
    labels = {}
    for language in LANGUAGES:
        parts = [words["labels"][place].get(value, {}).get(language, value) for place, value in enumerate(cell)]
        labels[language] = ", ".join(parts)
    return labels


def make_body(registry: Registry, results: Sequence[Result]) -> dict[str, Any]:
    """Return a City's sums as JSON holds them, with who took part."""
    return {
        "format": 1,
        "city": registry.city,
        "centres": dict(registry.titles),
        "least_to_open": registry.least,
        "took_part": {result["period"]: list(result["members"]) for result in results},
        "signed_by": {result["period"]: list(result["signed_by"]) for result in results},
        "rows": [dict(zip(COLUMNS, row.list_fields(), strict=True)) for row in list_rows(registry, results)],
    }
