"""A centre's datasets and recipes, read against its forms.

The program's own datasets are installed before the first release.
"""

import csv
import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator_export.datasets import recipe_reader
from evaluator_export.datasets.dataset_reader import read_dataset
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import Recipe
from evaluator_export.datasets.table_reader import Menu
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from fieldapp.services.acts import ActContext, act
from fieldapp.services.definitions import list_follow_up_forms, load_definition
from fieldapp.store.forms import versions
from fieldapp.store.releases import datasets
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session
from forms.definition import FormDefinition


@functools.cache
def hierarchies() -> Mapping[str, list[list[str]]]:
    """Return the program's hierarchies by name: level names, then one row per value."""
    tables = {}
    for path in sorted((PROGRAM / "hierarchies").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            tables[path.stem] = list(csv.reader(file))
    # The words stand in the same folder, and are no hierarchy.
    tables.pop("words")
    return tables


@functools.cache
def hierarchy_words() -> Mapping[str, dict[str, str]]:
    """Return the words for values of hierarchies, by value: in English and French."""
    with (PROGRAM / "hierarchies" / "words.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["value"]: {"en": row["en"], "fr": row["fr"]} for row in rows}


@functools.cache
def load_program_datasets() -> Mapping[str, str]:
    """Return the YAML of the program's datasets by name."""
    return _read_yaml_files("datasets")


@functools.cache
def load_count_only_datasets() -> Mapping[str, str]:
    """Return the YAML of what only counts are made from, by name.

    No rows of it are ever released, so nothing about it is stored for a centre.
    """
    return _read_yaml_files("counts")


def _read_yaml_files(folder: str) -> dict[str, str]:
    paths = sorted((PROGRAM / folder).glob("*.yaml"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


@functools.cache
def load_table_menu() -> Menu:
    """Return the tables that recipes and products can choose among."""
    menu: Menu = read_yaml((PROGRAM / "tables.yaml").read_text(encoding="utf-8"))
    return menu


def load_program_recipe(key: str) -> str:
    return (PROGRAM / "recipes" / f"{key}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class DatasetCatalogue:
    """The datasets of a centre by name: stored rows, their meaning, and their problems.

    `definitions` are the newest definitions of their forms, and of the forms that follow up such records, by form.
    """

    stored: Mapping[str, datasets.Dataset]
    datasets: Mapping[str, DatasetSpec]
    definitions: Mapping[str, FormDefinition]
    problems: Mapping[str, Sequence[Reason]]


def is_missing_datasets(session: Session, centre_id: int) -> bool:
    """Say whether the centre lacks a dataset of the program, or has it as it was before."""
    stored = _load_stored(session, centre_id)
    return any(name not in stored or _is_outdated(stored[name]) for name in load_program_datasets())


def _load_stored(session: Session, centre_id: int) -> dict[str, datasets.Dataset]:
    return {dataset.name: dataset for dataset in datasets.of_centre(session, centre_id)}


def _is_outdated(stored: datasets.Dataset) -> bool:
    """Say whether nothing of a dataset was published, and the program has another text now."""
    return not stored.head and stored.text != load_program_datasets().get(stored.name, stored.text)


@act("datasets.install")
def install_program_datasets(ctx: ActContext) -> None:
    """Give a centre the datasets of the program that it lacks.

    Those of which nothing was published are renewed; the text of the others never changes, since
    their published rows were made safe by it.
    """
    stored = _load_stored(ctx.session, ctx.centre_id)
    for dataset in stored.values():
        # Batches are rows that left. With one of them out, a new text could put the same person's
        # rows into other groups than those that recipients hold.
        if _is_outdated(dataset) and not datasets.batches(ctx.session, dataset.id):
            dataset.text = load_program_datasets()[dataset.name]
    missing = [name for name in load_program_datasets() if name not in stored]
    for name in missing:
        dataset = datasets.Dataset(
            centre_id=ctx.centre_id,
            name=name,
            text=load_program_datasets()[name],
            # It keys the tags that stand for published rows. Each dataset has its own, so that a
            # tag of one says nothing about the rows of another.
            secret=secrets.token_hex(32),
            head="",
            created_at=ctx.now,
        )
        ctx.session.add(dataset)
    ctx.describe(f"centre/{ctx.centre_id}", datasets=missing)


def load_catalogue(session: Session, centre_id: int) -> DatasetCatalogue:
    """Return the datasets of a centre, each read against the newest version of its form.

    Datasets of the program that the centre lacks are in it too, with nothing published and no
    secret: enough to choose them and to preview a release.
    """
    stored: dict[str, datasets.Dataset] = {}
    for name, text in load_program_datasets().items():
        # The centre's own text comes over it two lines below: what was published by it stays as it
        # was.
        stored[name] = datasets.Dataset(centre_id=centre_id, name=name, text=text, secret="", head="")
    stored |= _load_stored(session, centre_id)
    texts = dict(load_count_only_datasets())
    texts |= {name: dataset.text for name, dataset in stored.items()}

    definitions = {definition.id: definition for definition in list_follow_up_forms(session, centre_id)}
    specs: dict[str, DatasetSpec] = {}
    problems: dict[str, Sequence[Reason]] = {}
    for name, text in texts.items():
        form = str((read_yaml(text) or {}).get("form", ""))
        if form not in definitions:
            newest = versions.latest(session, centre_id, form)
            if newest is not None:
                definitions[form] = load_definition(newest)
        try:
            specs[name] = read_dataset(text, definitions.get(form), hierarchies())
        except ExportProblem as problem:
            # One dataset that no longer fits its form must not stop the releases that do not use
            # it.
            problems[name] = problem.reasons
    return DatasetCatalogue(stored, specs, definitions, problems)


def read_recipe(text: str, catalogue: DatasetCatalogue) -> Recipe:
    """Return a recipe from its YAML.

    Raises ExportProblem with everything wrong in it and in the datasets that it reads.
    """
    # Only of what this recipe reads, and before the recipe itself: its columns cannot be checked
    # against a dataset that cannot be read.
    reasons: list[Reason] = []
    for name in recipe_reader.list_dataset_names(text, load_table_menu()):
        reasons.extend(catalogue.problems.get(name, ()))
    if reasons:
        raise ExportProblem(*reasons)
    return recipe_reader.read_recipe(text, catalogue.datasets, catalogue.definitions, load_table_menu())


def recipe_text(series: ReleaseSeries) -> str:
    """Return the recipe of a series as YAML.

    A series from before recipes had this format has none of its own, and uses the program's.
    """
    return series.recipe or load_program_recipe(series.key)
