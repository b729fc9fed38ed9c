"""datapackage.json: the Frictionless description of the CSV files.

It has their Table Schema and hashes. Source: https://specs.frictionlessdata.io.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluator_export.datasets.recipe import Recipe
from evaluator_export.formats import codebook, csv_files
from evaluator_export.formats.codebook import values_of
from evaluator_export.labels import BATCH, Labels
from evaluator_export.series import withdrawal
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset
from evaluator_export.tables.protected_counts import write_hidden
from evaluator_export.tables.suppression import HIDDEN


def _hidden(recipe: Recipe) -> list[str]:
    """Return what hidden counts show as: a table can have a threshold of its own."""
    # Tables of the recipe and its default: a reader must know every text that stands for "hidden".
    thresholds = {spec.min_count(recipe.threshold) for spec in recipe.tables}
    return [write_hidden(floor) for floor in sorted(thresholds | {recipe.threshold})]


def write(recipe: Recipe, parts: Sequence[ReleasedDataset], folder: Path, occasion: ReleaseContext, labels: Labels) -> bytes:
    """Return datapackage.json."""
    resources = []
    for part in parts:
        fields = [_field(part, name, labels) for name in part.columns]
        resources.append(_resource(folder, part.name, part.view.dataset.title["en"], fields))
    counts: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in csv_files.TABLE_COLUMNS]
    counts[csv_files.TABLE_COLUMNS.index("count")] = {
        "name": "count",
        "type": "integer",
        "description": "Rounded to a multiple of 5; small counts are hidden.",
    }
    counts[-1] |= {"constraints": {"enum": ["yes", "no"]}}
    tables = _resource(folder, "tables", "Protected tables of counts", counts)
    # So that programs read hidden counts as missing and not as 0, which would be an answer.
    tables["schema"]["missingValues"] = ["", *_hidden(recipe), HIDDEN]
    resources.append(tables)
    withdrawn: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in withdrawal.HEADER]
    for number in ("batch", "row"):
        withdrawn[withdrawal.HEADER.index(number)]["type"] = "integer"
    withdrawn[-1] |= {"constraints": {"enum": [str(what) for what in withdrawal.ListedAs]}}
    resources.append(_resource(folder, "withdrawals", "Rows of earlier packages to delete", withdrawn))
    words: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in codebook.HEADER]
    resources.append(_resource(folder, "codebook", "Codebook, English and French", words))
    body = {
        "name": recipe.id,
        "title": f"{recipe.title['en']}, {occasion.period.name}",
        "description": recipe.purpose["en"],
        "profile": "data-package",
        "created": occasion.cut_off,
        "resources": resources,
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _field(part: ReleasedDataset, name: str, labels: Labels) -> dict[str, Any]:
    dataset = part.view.dataset
    title = labels.column(dataset, name, "en")
    if name == BATCH:
        return {"name": name, "type": "integer", "title": title}
    field: dict[str, Any] = {"name": name, "type": "string", "title": title}
    if name in part.levels:
        field["level"] = part.level_name(name)
    # Several choices can stand in one cell, and a list of allowed values cannot say that.
    if not dataset.columns[name].is_multiple or name in part.levels:
        field["constraints"] = {"enum": values_of(part, name) or [""]}
    return field


def _resource(folder: Path, name: str, title: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    path = folder / f"{name}.csv"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "name": name,
        "title": title,
        "path": path.name,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": {"fields": fields, "missingValues": [""]},
    }
