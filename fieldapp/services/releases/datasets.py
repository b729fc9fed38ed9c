"""A centre's datasets and recipes, read against its forms; the programme's own are taken in before the first release."""

import csv
import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from evaluator_export.datasets import recipe_reader
from evaluator_export.datasets.dataset_reader import read_dataset
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import Recipe
from evaluator_export.datasets.table_reader import Menu
from evaluator_export.problems import ExportProblem, Reason
from fieldapp.paths import PROGRAM
from fieldapp.services.acts import ActContext, act
from fieldapp.services.definitions import definition_of
from fieldapp.store.forms import versions
from fieldapp.store.releases import datasets
from fieldapp.store.releases.releases import Series
from fieldapp.store.session import Session
from forms.definition import FormDefinition


@functools.cache
def hierarchies() -> Mapping[str, list[list[str]]]:
    """Return the programme's hierarchies by name: level names, then a row a value."""
    tables = {}
    for path in sorted((PROGRAM / "hierarchies").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            tables[path.stem] = list(csv.reader(file))
    tables.pop("words")
    return tables


@functools.cache
def hierarchy_words() -> Mapping[str, dict[str, str]]:
    with (PROGRAM / "hierarchies" / "words.csv").open(encoding="utf-8") as file:
        return {row["value"]: {"en": row["en"], "fr": row["fr"]} for row in csv.DictReader(file)}


@functools.cache
def programme_datasets() -> Mapping[str, str]:
    """Return the programme's datasets as they are written, by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((PROGRAM / "datasets").glob("*.yaml"))}


@functools.cache
def count_sets() -> Mapping[str, str]:
    """Return what tables are counted from besides datasets: no rows of it ever leave, so a centre keeps nothing about it."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((PROGRAM / "counts").glob("*.yaml"))}


@functools.cache
def table_menu() -> Menu:
    """Return the tables that recipes and products can choose among."""
    found: Menu = yaml.safe_load((PROGRAM / "tables.yaml").read_text(encoding="utf-8"))
    return found


def programme_recipe(key: str) -> str:
    return (PROGRAM / "recipes" / f"{key}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Catalogue:
    """The datasets of a centre: as they are kept, as they read, the forms that they are of; and what is wrong with some."""

    kept: Mapping[str, datasets.Dataset]
    datasets: Mapping[str, DatasetSpec]
    definitions: Mapping[str, FormDefinition]
    problems: Mapping[str, Sequence[Reason]]


def lacks_some(session: Session, centre_id: int) -> bool:
    """Say whether the programme has datasets that the centre has not taken in, or not as they are written now."""
    known = {one.name: one for one in datasets.of_centre(session, centre_id)}
    return any(name not in known or _is_old(known[name]) for name in programme_datasets())


def _is_old(kept: datasets.Dataset) -> bool:
    """Say whether nothing of a dataset was published and the programme writes it otherwise now."""
    return not kept.head and kept.text != programme_datasets().get(kept.name, kept.text)


@act("datasets.take_in")
def take_in_datasets(ctx: ActContext) -> None:
    """Give a centre the datasets of the programme that it lacks, and renew those of which nothing was published."""
    known = {one.name: one for one in datasets.of_centre(ctx.session, ctx.centre_id)}
    for kept in known.values():
        if _is_old(kept) and not datasets.batches(ctx.session, kept.id):
            kept.text = programme_datasets()[kept.name]
    fresh = [name for name in programme_datasets() if name not in known]
    for name in fresh:
        text = programme_datasets()[name]
        ctx.session.add(
            datasets.Dataset(
                centre_id=ctx.centre_id, name=name, text=text, secret=secrets.token_hex(32), head="", created_at=ctx.now
            )
        )
    ctx.describe(f"centre/{ctx.centre_id}", datasets=fresh)


def catalogue(session: Session, centre_id: int) -> Catalogue:
    """Return the datasets of a centre, each read against the newest version of its form.

    Those of the programme that the centre has not taken in stand there too, with nothing published and no secret: enough to
    choose and to try.
    """
    kept = {
        name: datasets.Dataset(centre_id=centre_id, name=name, text=text, secret="", head="")
        for name, text in programme_datasets().items()
    } | {one.name: one for one in datasets.of_centre(session, centre_id)}
    definitions: dict[str, FormDefinition] = {}
    found, problems = {}, {}
    for name, text in {**count_sets(), **{name: one.text for name, one in kept.items()}}.items():
        form = str((yaml.safe_load(text) or {}).get("form", ""))
        if form not in definitions and (newest := versions.latest(session, centre_id, form)):
            definitions[form] = definition_of(newest)
        try:
            found[name] = read_dataset(text, definitions.get(form), hierarchies())
        except ExportProblem as problem:
            problems[name] = problem.reasons
    return Catalogue(kept, found, definitions, problems)


def read_recipe(text: str, known: Catalogue) -> Recipe:
    """Return a recipe; raise ExportProblem with everything wrong in it and in the datasets that it reads."""
    broken = [
        reason for name in recipe_reader.list_dataset_names(text, table_menu()) for reason in known.problems.get(name, ())
    ]
    if broken:
        raise ExportProblem(*broken)
    return recipe_reader.read_recipe(text, known.datasets, known.definitions, table_menu())


def recipe_text(series: Series) -> str:
    """Return the recipe of a series; one that was written before recipes were of this format is the programme's."""
    return series.recipe or programme_recipe(series.key)
