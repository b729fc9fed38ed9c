"""datapackage.json: the Frictionless description of the CSV files, with their schema and hashes."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from evaluator_export.formats import csv
from evaluator_export.formats.codebook import HEADER, Labels, values_of
from evaluator_export.parts import Occasion, Part
from evaluator_export.recipe import Recipe
from forms.lists import in_language


def write(recipe: Recipe, parts: Sequence[Part], files: dict[str, bytes], occasion: Occasion, labels: Labels) -> bytes:
    resources = [
        _resource(
            part.dataset.name, part.dataset.title["en"], files, [_field(part, column) for column in part.dataset.columns]
        )
        for part in parts
    ]
    counts = [{"name": name, "type": "string"} for name in csv.TABLE_COLUMNS[:-1]]
    counts.append(
        {"name": "count", "type": "integer", "description": "Rounded to a multiple of 5; small counts are hidden."}
    )
    tables = _resource("tables", "Protected tables of counts", files, counts)
    tables["schema"]["missingValues"] = ["", f"<{recipe.threshold}"]
    resources.append(tables)
    words: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in HEADER]
    resources.append(_resource("codebook", "Codebook, English and French", files, words))
    body = {
        "name": recipe.id,
        "title": f"{recipe.title['en']}, {occasion.period.name}",
        "description": recipe.purpose["en"],
        "profile": "data-package",
        "created": occasion.cut_off,
        "resources": resources,
    }
    return json.dumps(body, ensure_ascii=False, indent=2).encode()


def _field(part: Part, column: Any) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": "string", "title": in_language(column.title, "en")}
    if not column.many:
        field["constraints"] = {"enum": values_of(part, column) or [""]}
    return field


def _resource(name: str, title: str, files: dict[str, bytes], fields: list[dict[str, Any]]) -> dict[str, Any]:
    data = files[f"{name}.csv"]
    return {
        "name": name,
        "title": title,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {"fields": fields, "missingValues": [""]},
    }
