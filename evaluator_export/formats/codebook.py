"""The codebook: every column and every value, in English and French."""

from collections.abc import Sequence

from evaluator_export.datasets.recipe import TableSpec
from evaluator_export.formats import csv_files
from evaluator_export.labels import BATCH, Labels
from evaluator_export.policy.hierarchies import MISSING
from evaluator_export.series import withdrawal
from evaluator_export.series.released_dataset import ReleasedDataset
from evaluator_export.tables.protected_counts import ProtectedTable

HEADER = ("file", "column", "value", "english", "french", "role", "level")
LANGUAGES = ("en", "fr")
HEADINGS = ("row", "column", "layer")
WITHDRAWAL_COLUMNS = {
    "dataset": ("Dataset whose file has the row", "Ensemble dont le fichier a la ligne"),
    "period": ("Period of the package that has the row", "Période du paquet qui a la ligne"),
    "batch": ("Batch of the row", "Lot de la ligne"),
    "row": (
        "Which row of the batch, from 1, in the order of your file",
        "Quelle ligne du lot, à partir de 1, dans l’ordre de votre fichier",
    ),
    "what": ("What this line says", "Ce que dit cette ligne"),
}


def lines(parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable], labels: Labels) -> list[tuple[str, ...]]:
    """Return the codebook's rows, without its header."""
    rows: list[tuple[str, ...]] = []
    for part in parts:
        dataset = part.view.dataset
        file = f"{part.name}.csv"
        roles = {field.name: field.role for field in dataset.policy.fields}
        for name in part.columns:
            titles = [labels.column(dataset, name, language) for language in LANGUAGES]
            level = ""
            if name in part.levels:
                level = part.level_name(name)
            rows.append((file, name, "", *titles, roles.get(name, "keep"), level))
            if name == BATCH:
                continue  # the number of the release: it has no list of values
            for value in values_of(part, name):
                words = [labels.value(dataset, name, value, code) for code in LANGUAGES]
                rows.append((file, name, value, *words, "", ""))
    for table in tables:
        spec = table.spec
        # Public tables are described, too: a count without its title is a number that can be quoted
        # as anything.
        rows.append(("tables.csv", "table", spec.name, spec.title["en"], spec.title["fr"], "count", ""))
        for position, name in enumerate(table.headings):
            for value in sorted({cell[position] for cell, _ in table.cells} - {MISSING}):
                words = [labels.value(spec.dataset, name, value, code) for code in LANGUAGES]
                rows.append(("tables.csv", HEADINGS[position], value, *words, name, level_of(spec, position)))
    for name, (english, french) in WITHDRAWAL_COLUMNS.items():
        rows.append((withdrawal.FILE, name, "", english, french, "keep", ""))
    for what, (english, french) in withdrawal.MEANINGS.items():
        rows.append((withdrawal.FILE, "what", str(what), english, french, "", ""))
    # Tables of several periods share their headings and values.
    return list(dict.fromkeys(rows))


def level_of(spec: TableSpec, position: int) -> str:
    """Return the name of the level at which a table shows one of its columns."""
    _, hierarchy, level = spec.sources[position]
    return hierarchy.names[level]


def write(parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable], labels: Labels) -> bytes:
    """Return codebook.csv."""
    return csv_files.rows(HEADER, lines(parts, tables, labels))


def values_of(part: ReleasedDataset, name: str) -> list[str]:
    """Return the values that occur in a column; of a column with several choices, each choice."""
    values = set(part.columns[name].values)
    column = part.view.dataset.columns.get(name)
    if column is not None and column.is_multiple:
        choices: set[str] = set()
        # A cell with several choices joins them with ";"; each choice has its line, not each
        # combination.
        choices.update(*(value.split(";") for value in values))
        values = choices
    return sorted(values - {MISSING})
