"""The codebook: every column and every value, in English and French."""

from collections.abc import Sequence

from evaluator_export.formats.csv import write as write_csv
from evaluator_export.generalise import ALL, OTHER
from evaluator_export.parts import Part
from evaluator_export.recipe import Column, Dataset, Recipe
from evaluator_export.small_cells import ProtectedTable
from forms.definition import FormDefinition
from forms.lists import in_language

HEADER = ("file", "column", "value", "english", "french", "role", "level")
FIXED = {ALL: {"en": "All together", "fr": "Tous ensemble"}, OTHER: {"en": "Another value", "fr": "Autre valeur"}}


class Labels:
    """Words for values: the form's own for answers, the caller's for the values of hierarchies."""

    def __init__(self, definitions: dict[str, FormDefinition], words: dict[str, dict[str, str]]):
        self.definitions, self.words = definitions, words

    def value(self, dataset: Dataset, column: Column, value: str, language: str) -> str:
        if ";" in value:
            return "; ".join(self.value(dataset, column, part, language) for part in value.split(";"))
        if value in FIXED:
            return FIXED[value][language]
        if value in self.words:
            return self.words[value][language]
        definition = self.definitions[dataset.form]
        for element in definition.elements:
            if element.is_answered and definition.column(element) == column.question:
                return definition.choice_label(element, value, language)
        return value


def write(recipe: Recipe, parts: Sequence[Part], tables: Sequence[ProtectedTable], labels: Labels) -> bytes:
    rows: list[tuple[str, ...]] = []
    for part in parts:
        for column in part.dataset.columns:
            level = column.hierarchy.names[part.result.levels.get(column.name, column.minimum)]
            titles = [in_language(column.title, language) for language in ("en", "fr")]
            rows.append((f"{part.dataset.name}.csv", column.name, "", *titles, column.role, level))
            for value in values_of(part, column):
                words = [labels.value(part.dataset, column, value, language) for language in ("en", "fr")]
                rows.append((f"{part.dataset.name}.csv", column.name, value, *words, "", ""))
    datasets = {dataset.name: dataset for dataset in recipe.datasets}
    for table in tables:
        rows.append(("tables.csv", "table", table.spec.name, table.spec.title["en"], table.spec.title["fr"], "count", ""))
        columns = {column.name: column for column in datasets[table.spec.dataset].columns}
        for position, name in enumerate(table.headings):
            for value in sorted({cell[position] for cell, _ in table.cells}):
                words = [labels.value(datasets[table.spec.dataset], columns[name], value, code) for code in ("en", "fr")]
                rows.append(("tables.csv", ("row", "column")[position], value, *words, name, ""))
    return write_csv(HEADER, list(dict.fromkeys(rows)))


def values_of(part: Part, column: Column) -> list[str]:
    """Return the values that occur in a column; of a column with several choices, each choice."""
    values = {str(value) for value in part.result.rows[column.name]}
    if column.many:
        values = {name for value in values for name in value.split(";")}
    return sorted(values - {""})
