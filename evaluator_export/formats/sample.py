"""Invented rows with the schema of a dataset: to write code before any data may be seen.

Made from lists, not data.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evaluator_export import tabular
from evaluator_export.labels import BATCH
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset
from evaluator_export.tabular import CategoricalColumn
from forms.definition import FormDefinition

ROWS = 200


def write(path: Path, part: ReleasedDataset, definition: FormDefinition, occasion: ReleaseContext) -> None:
    """Write a sample of a dataset.

    Each value is drawn from those that there could be, all equally likely.
    """
    # From the dataset's definition alone; the sample must be the same whatever the data are, or it
    # would say something about them.
    seed = hashlib.sha256(f"sample {part.view.dataset.sha256}".encode()).digest()
    chance = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    columns: dict[str, CategoricalColumn] = {}
    for name in part.columns:
        values: Sequence[str] = ("1",)
        if name != BATCH:
            values = possible(part, name, definition, occasion)
        codes = chance.integers(0, len(values), ROWS).astype(np.int32)
        columns[name] = tabular.reorder(CategoricalColumn(codes, tuple(values)), np.arange(ROWS))
    tabular.write(path, columns)


def possible(part: ReleasedDataset, name: str, definition: FormDefinition, occasion: ReleaseContext) -> Sequence[str]:
    """Return the values that a column could have, whatever the data."""
    dataset = part.view.dataset
    field = next(field for field in dataset.policy.fields if field.name == name)
    level = part.levels.get(name, field.minimum)
    if field.role == "pseudonym":
        # Visibly invented, so that nobody takes a sample for the data or joins the two.
        return [f"SAMPLE{number:03}" for number in range(40)]
    if field.hierarchy is not None:
        # Days and places have no list of values; the period's own ends give labels that exist.
        leaves = field.hierarchy.domain or (occasion.period.first.isoformat(), occasion.period.last.isoformat())
        return list(dict.fromkeys(field.hierarchy.at(leaf, level) for leaf in leaves))
    question = dataset.columns[name].question
    for element in definition.elements:
        if element.is_answered and definition.column(element) == question and element.choices:
            return [choice.name for choice in definition.choices[element.choices]]
    return ["1"]
