"""Turn a release's batches and counts into the files of a package.

The steps are folders of this package, in this order:

policy → search → series (batches, ledger) → tables → formats → summary → package; `verify` checks the
result without us, and nothing is signed before it has.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluator_export import tabular
from evaluator_export.coarse_counts import coarsen_count
from evaluator_export.datasets.recipe import Recipe, RecipientView
from evaluator_export.formats import codebook, csv_files, datapackage, notebooks, report, sample, spss, xlsx
from evaluator_export.labels import BATCH, Labels
from evaluator_export.package import verify
from evaluator_export.policy.policy import Role
from evaluator_export.series import batch
from evaluator_export.series.ledger import compute_genesis_hash
from evaluator_export.series.pseudonyms import make_pseudonyms
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedBatch, ReleasedDataset
from evaluator_export.series.withdrawal import FILE, HEADER, ListedAs, list_left_out
from evaluator_export.summary import pdf
from evaluator_export.tables.protected_counts import BASE, ProtectedTable
from evaluator_export.tabular import CategoricalColumn
from forms.definition import FormDefinition

FORMAT = 2
# What the README says of withdrawals.csv, in both languages: rows to delete, none, or a package without rows.
ROWS_TO_DELETE = """withdrawals.csv lists {rows} rows of earlier packages. Delete them within 30 days, in every copy, and
say so on the centre's page.
withdrawals.csv nomme {rows} lignes de paquets précédents. Supprimez-les dans les 30 jours, dans chaque copie, et
dites-le sur la page du centre."""
NO_ROWS_TO_DELETE = """withdrawals.csv says that no row has to be deleted this time.
withdrawals.csv dit qu’aucune ligne n’est à supprimer cette fois-ci."""
TOTALS_ONLY = """This package has totals only: there is no row to delete.
Ce paquet n’a que des totaux : il n’y a aucune ligne à supprimer."""
README = """{title}, {period}
{centre}

Begin with summary-en.pdf (en français : summary-fr.pdf). codebook.csv explains every column and value in both languages.
Check the package: python verify.py PACKAGE.zip --key KEY, with the key that the centre gave you. start.ipynb and start.Rmd
read the data. The folder sample holds invented rows with the same columns.

{withdrawals}
"""


def assemble_dataset(
    view: RecipientView, sent: Sequence[ReleasedBatch], before: str, occasion: ReleaseContext, **counts: Any
) -> ReleasedDataset:
    """Return one dataset with the columns, levels and order of rows of one recipient."""
    levels = _levels(view, sent)
    hidden = {field.name for field in view.dataset.policy.list_fields_with_role(Role.PSEUDONYM)}
    sources = {name: f"{name}{batch.AT}{level}" for name, level in levels.items()} | dict.fromkeys(hidden, batch.PERSON)
    whole: dict[str, list[CategoricalColumn]] = {name: [] for name in (BATCH, *view.columns)}
    for released in sent:
        entry = released.entry
        # For this recipient alone. Two recipients with the same rows in the same order could put
        # their columns side by side.
        order = batch.make_recipient_order(occasion.secret, entry.number, entry.rows)
        if released.left_out:
            order = order[~np.isin(order, list(released.left_out))]
        number_column = CategoricalColumn(np.zeros(len(order), np.int32), (str(entry.number),))
        whole[BATCH].append(number_column)
        for name in view.columns:
            # The batch file has a column for each level from the frozen one up, so a coarser view
            # needs no search of its own.
            whole[name].append(tabular.reorder(released.columns[sources.get(name, name)], order))
    columns = {name: tabular.concat_columns(pieces) for name, pieces in whole.items()}
    for name in hidden & set(view.columns):
        columns[name] = make_pseudonyms(columns[name], [columns[level] for level in levels], occasion)
    return ReleasedDataset(view, levels, columns, sent, before or compute_genesis_hash(view.dataset.name), **counts)


def _levels(view: RecipientView, sent: Sequence[ReleasedBatch]) -> dict[str, int]:
    """Return the level of each quasi-identifier for a recipient: the frozen one or coarser."""
    identifiers = view.dataset.policy.identifiers
    least = tuple(field.minimum for field in identifiers)
    if sent:
        least = tuple(sent[0].entry.levels)
    frozen = {field.name: level for field, level in zip(identifiers, least, strict=True)}
    names = [name for name in view.columns if name in frozen]
    return {name: max(frozen[name], view.coarser.get(name, 0)) for name in names}


def write_package_files(
    recipe: Recipe,
    parts: Sequence[ReleasedDataset],
    tables: Sequence[ProtectedTable],
    definitions: Mapping[str, FormDefinition],
    words: Mapping[str, Mapping[str, str]],
    occasion: ReleaseContext,
    folder: Path,
) -> dict[str, Any]:
    """Write a package's files into a folder and return what its manifest says.

    The same input gives the same bytes.

    `words` gives labels, EN and FR, to the values of hierarchies.
    """
    labels = Labels(definitions, words)
    folder.mkdir(parents=True, exist_ok=True)
    # Each format is written by itself from the same columns; verify_formats.py reads all of them
    # back and compares.
    for part in parts:
        for kind in ("csv", "parquet"):
            tabular.write(folder / f"{part.name}.{kind}", part.columns)
        spss.write(folder, part, labels, occasion)
        (folder / "sample").mkdir(exist_ok=True)
        sample.write(folder / "sample" / f"{part.name}.csv", part, definitions[part.view.dataset.form], occasion)
    title = f"{recipe.title['en']}, {occasion.period.name}"
    texts = {
        "tables.csv": csv_files.tables(tables),
        FILE: csv_files.rows(HEADER, [line.as_cells() for line in occasion.withdrawals.lines]),
        "codebook.csv": codebook.write(parts, tables, labels),
        "report.json": report.write(recipe, parts, tables, occasion),
        # The checker as it is today goes along: a recipient can check a package in ten years.
        "verify.py": Path(verify.__file__).read_bytes(),
        "README.txt": _write_readme(recipe, occasion),
        "start.ipynb": notebooks.python(title, parts, recipe.threshold),
        "start.Rmd": notebooks.r(title, parts, recipe.threshold),
    }
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    # After the other files, since it names their sizes and hashes; before the manifest, which names
    # it, too.
    (folder / "datapackage.json").write_bytes(datapackage.write(recipe, parts, folder, occasion, labels))
    xlsx.write(folder / "data.xlsx", parts, tables, labels, occasion)
    for language in ("en", "fr"):
        (folder / f"summary-{language}.pdf").write_bytes(pdf.draw(recipe, parts, tables, labels, occasion, language))
    return manifest(recipe, parts, tables, occasion, definitions)


def _write_readme(recipe: Recipe, occasion: ReleaseContext) -> bytes:
    withdrawals = occasion.withdrawals
    about = NO_ROWS_TO_DELETE
    if withdrawals.rows:
        about = ROWS_TO_DELETE.format(rows=withdrawals.rows)
    elif any(line.what == ListedAs.TOTALS_ONLY for line in withdrawals.lines):
        about = TOTALS_ONLY
    text = README.format(title=recipe.title["en"], period=occasion.period.name, centre=occasion.centre, withdrawals=about)
    return text.encode()


def manifest(
    recipe: Recipe,
    parts: Sequence[ReleasedDataset],
    tables: Sequence[ProtectedTable],
    occasion: ReleaseContext,
    definitions: Mapping[str, FormDefinition],
) -> dict[str, Any]:
    forms = sorted({dataset.form for dataset in recipe.datasets.values()})
    return {
        "fieldapp": FORMAT,
        "recipe": {"id": recipe.id, "sha256": recipe.sha256, "purpose": recipe.purpose, "audience": recipe.audience},
        "centre": occasion.centre,
        "recipient": occasion.recipient,
        "agreement": dict(occasion.agreement),
        "period": {"name": occasion.period.name, "first": str(occasion.period.first), "last": str(occasion.period.last)},
        "cut_off": occasion.cut_off,
        # Whoever reads the package has to know what "<25" hides: a rounded count under threshold and margin.
        "threshold": recipe.threshold,
        "threshold_margin": BASE,
        "rounding": BASE,
        "forms": {form: {"version": definitions[form].version, "sha256": definitions[form].sha256} for form in forms},
        "datasets": {part.name: _describe_dataset(part, recipe.threshold, occasion) for part in parts},
        "tables": {table.spec.name: table.spec.method for table in tables},
        "withdrawals": {"file": FILE, "rows": occasion.withdrawals.rows},
        "replaces": [dict(package) for package in occasion.withdrawals.replaces],
        "table_periods": sorted({table.period for table in tables}),
        "table_thresholds": {table.spec.name: table.spec.threshold for table in tables if table.spec.threshold},
    }


def _describe_dataset(part: ReleasedDataset, threshold: int, occasion: ReleaseContext) -> dict[str, Any]:
    model = part.view.dataset.policy.model
    left_out = {}
    for sent in part.sent:
        if sent.left_out:
            left_out[str(sent.entry.number)] = list_left_out(occasion.secret, sent.entry, sent.left_out)
    return {
        "file": f"{part.name}.csv",
        "rows": part.rows,
        "columns": list(part.columns),
        "k": model.k,
        "distinct": {demand.field: demand.distinct for demand in model.diversities if demand.field in part.columns},
        "max_confidence": {
            demand.field: demand.max_confidence
            for demand in model.diversities
            if demand.field in part.columns and demand.max_confidence < 1
        },
        "policy": part.view.dataset.sha256,
        "quasi_identifiers": list(part.levels),
        "levels": {name: {"level": level, "name": part.level_name(name)} for name, level in part.levels.items()},
        "frozen": [field.name for field in part.view.dataset.policy.identifiers],
        "singled_out": {"columns": part.measured, **part.singled_out, "limit": part.view.dataset.policy.max_singled_out},
        "held_back_share": part.withheld_share,
        "without_consent_share": part.without_consent_share,
        "withdrawn": coarsen_count(part.withdrawn, threshold),
        # Rows of the whole batch, in the recipient's own order, that are not in the file.
        "left_out": left_out,
        "ledger": {"before": part.before, "entries": [sent.entry.as_json() for sent in part.sent]},
    }
