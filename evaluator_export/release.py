"""The pipeline: rows of answers in, the files of a package out. The steps are the module names.

select → anonymity (generalise) → small_cells → formats → summary → seal; `verify` checks the result without us.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evaluator_export import select, verify
from evaluator_export.anonymity import UNIT, anonymise
from evaluator_export.formats import codebook, csv, datapackage
from evaluator_export.parts import Occasion, Part
from evaluator_export.recipe import Dataset, Recipe
from evaluator_export.small_cells import BASE, ProtectedTable, protect
from evaluator_export.summary import pdf
from forms.definition import FormDefinition


@dataclass(frozen=True)
class Built:
    files: dict[str, bytes]
    manifest: dict[str, Any]


def build(
    recipe: Recipe,
    definitions: dict[str, FormDefinition],
    records: dict[str, list[dict[str, Any]]],
    words: dict[str, dict[str, str]],
    occasion: Occasion,
    versions: Mapping[tuple[str, str], FormDefinition] | None = None,
) -> Built:
    """Return a package's files and manifest.

    `records` maps a form to its records in the period ({"answers", "unit", "version"}); `words` gives labels, EN and FR,
    to the values of hierarchies; `versions` holds the older versions of forms by (form, version), since a question may
    have stood in another group then. The same input gives the same bytes.
    """

    def flat_rows(form: str, rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, str]]]:
        own = (versions or {}).get
        newest = definitions[form]
        return [(row["unit"], select.flat(own((form, row.get("version", ""))) or newest, row["answers"])) for row in rows]

    flat = {form: flat_rows(form, rows) for form, rows in records.items()}
    parts = [_part(dataset, flat.get(dataset.form, []), recipe, occasion) for dataset in recipe.datasets]
    forms = {dataset.name: dataset.form for dataset in recipe.datasets}
    tables = [protect(recipe, spec, flat.get(forms[spec.dataset], []), occasion.secret) for spec in recipe.tables]
    labels = codebook.Labels(definitions, words)
    files: dict[str, bytes] = {f"{part.dataset.name}.csv": csv.dataset(part.dataset, part.result.rows) for part in parts}
    files["tables.csv"] = csv.tables(tables)
    files["codebook.csv"] = codebook.write(recipe, parts, tables, labels)
    files["datapackage.json"] = datapackage.write(recipe, parts, files, occasion, labels)
    files["verify.py"] = Path(verify.__file__).read_bytes()
    for language in ("en", "fr"):
        files[f"summary-{language}.pdf"] = pdf.draw(recipe, parts, tables, labels, occasion, language)
    return Built(files, _manifest(recipe, parts, tables, occasion, definitions, flat))


def _part(dataset: Dataset, rows: list[tuple[str, dict[str, str]]], recipe: Recipe, occasion: Occasion) -> Part:
    allowed, refused = select.split(dataset, (row | {UNIT: unit} for unit, row in rows))
    # By a keyed hash: the order of rows tells neither when they were made nor by whom, and is the same at a rebuild.
    allowed.sort(key=lambda row: hmac.digest(occasion.secret, row[UNIT].encode(), "sha256"))
    frame = pd.DataFrame(
        {column.name: [row.get(column.question, "") for row in allowed] for column in dataset.columns}
        | {UNIT: [row.get(dataset.person, "") or row[UNIT] for row in allowed]},
        dtype=object,
    )
    return Part(dataset, anonymise(dataset, frame, recipe.k, recipe.max_suppressed), refused, len(rows))


def _manifest(
    recipe: Recipe,
    parts: list[Part],
    tables: list[ProtectedTable],
    occasion: Occasion,
    definitions: dict[str, FormDefinition],
    flat: dict[str, Any],
) -> dict[str, Any]:
    return {
        "fieldapp": 1,
        "recipe": {"id": recipe.id, "sha256": recipe.sha256, "purpose": recipe.purpose},
        "centre": occasion.centre,
        "period": {"name": occasion.period.name, "first": str(occasion.period.first), "last": str(occasion.period.last)},
        "cut_off": occasion.cut_off,
        "k": recipe.k,
        "threshold": recipe.threshold,
        "rounding": BASE,
        "forms": {form: {"version": definitions[form].version, "sha256": definitions[form].sha256} for form in sorted(flat)},
        "datasets": {part.dataset.name: _report(part) for part in parts},
        "tables": [table.spec.name for table in tables],
    }


def _report(part: Part) -> dict[str, Any]:
    levels = {
        column.name: column.hierarchy.names[part.result.levels[column.name]] for column in part.dataset.quasi_identifiers
    }
    return {
        "file": f"{part.dataset.name}.csv",
        "rows": len(part.result.rows),
        "quasi_identifiers": list(levels),
        "levels": levels,
        "columns": [column.name for column in part.dataset.columns],
        "classes": part.result.classes,
        "smallest_class": part.result.smallest,
        "loss": round(part.result.loss, 6),
        "suppressed_share": _share(part.result.suppressed, part.result.suppressed + len(part.result.rows)),
        "without_consent_share": _share(part.refused, part.records),
    }


def _share(count: int, of: int) -> float:
    """Return a share in steps of 5 %, so that it tells no small count."""
    return round(round(20 * count / of) / 20, 2) if of else 0.0
