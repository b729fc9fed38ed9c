"""What somebody chose for a release series, its checks, and the recipe of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from evaluator_export import periods
from evaluator_export.datasets.dataset_spec import DatasetSpec, Family
from evaluator_export.datasets.recipe import Audience
from evaluator_export.package import seal
from evaluator_export.policy.policy import Role
from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.yaml_text import read_yaml
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import DatasetCatalogue, read_recipe, recipe_text
from fieldapp.services.transports import targets
from fieldapp.store.releases.releases import ReleaseSeries

# Whose row it is, under the code or another name, and what is dropped.
NEVER_RELEASED = (Role.PERSON, Role.PSEUDONYM, Role.DROP)


@dataclass(frozen=True)
class SeriesInput:
    """What somebody chose for a series, as they chose it: it may be incomplete or wrong."""

    title: dict[str, str]
    purpose: dict[str, str]
    recipient: str
    audience: str
    cadence: str
    first_period: str
    threshold: int
    columns: dict[str, list[str]] = field(default_factory=dict)  # of the datasets that are chosen
    coarser: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    age_key: str = ""
    keep_days: int = 90
    agreement: dict[str, Any] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)
    is_active: bool = True


class SeriesRefused(ActProblem):
    """Input with something wrong in it.

    `fields` says what is wrong, by field; `reasons` says what does not fit together.
    """

    def __init__(self, fields: dict[str, str], reasons: Sequence[Reason] = ()):
        super().__init__("series.refused", N_("Something is missing or wrong: see the fields."))
        self.fields = fields
        self.reasons = reasons


def list_releasable_columns(dataset: DatasetSpec) -> list[str]:
    """Return the columns that a recipient can get of a dataset."""
    return [column.name for column in dataset.policy.fields if column.role not in NEVER_RELEASED]


def make_series_input(series: ReleaseSeries, catalogue: DatasetCatalogue) -> SeriesInput:
    """Return a stored series as the input that would give it again."""
    body = read_yaml(recipe_text(series))
    items = body.get("datasets") or ()
    return SeriesInput(
        title=body["title"],
        purpose=body["purpose"],
        recipient=series.recipient,
        audience=str(body["audience"]),
        cadence=series.cadence,
        first_period=series.first_period,
        threshold=int(body["threshold"]),
        columns={str(item["use"]): _list_columns(item, catalogue) for item in items},
        coarser={str(item["use"]): dict(item.get("coarser") or {}) for item in items},
        tables=[str(name) for name in body.get("tables") or ()],
        age_key=series.age_key,
        keep_days=series.keep_days,
        agreement=series.agreement,
        targets=series.targets,
        readers=series.readers,
        is_active=series.is_active,
    )


def _list_columns(item: dict[str, Any], catalogue: DatasetCatalogue) -> list[str]:
    """Return the columns that a recipe takes of a dataset: all of them where it names none."""
    if item.get("columns"):
        return [str(column) for column in item["columns"]]
    dataset = catalogue.datasets.get(str(item["use"]))
    return list_releasable_columns(dataset) if dataset else []


def build_recipe(key: str, series_input: SeriesInput) -> str:
    """Return the YAML recipe that the input amounts to."""
    body: dict[str, Any] = {
        "recipe": 2,
        "id": key,
        "title": series_input.title,
        "purpose": series_input.purpose,
        "audience": series_input.audience,
        "threshold": series_input.threshold,
    }
    datasets = []
    for name, columns in series_input.columns.items():
        # Named one by one, also where all are taken: a column that the program adds later is not
        # sent until somebody ticks it.
        item: dict[str, Any] = {"use": name, "columns": columns}
        if series_input.coarser.get(name):
            item["coarser"] = series_input.coarser[name]
        datasets.append(item)
    if datasets:
        body["datasets"] = datasets
    body["tables"] = series_input.tables
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1000)


def check_input(series_input: SeriesInput) -> dict[str, str]:
    """Return what is wrong with the input: a sentence by the name of the field."""
    problems: dict[str, str] = {}
    for language in ("en", "fr"):
        if not series_input.title.get(language, "").strip():
            problems[f"title_{language}"] = N_("Give a title in both languages.")
        if len(series_input.purpose.get(language, "").strip()) < 10:
            problems[f"purpose_{language}"] = N_("Say what it is for in both languages: it is printed in every package.")
    if not series_input.recipient.strip():
        problems["recipient"] = N_("Say who gets it.")
    return problems | check_content(series_input) | _check_delivery(series_input)


def check_content(series_input: SeriesInput) -> dict[str, str]:
    """Return what is wrong with what is chosen, and when; a preview needs no more than this."""
    problems: dict[str, str] = {}
    if series_input.threshold < HARD_FLOOR:
        problems["threshold"] = N_("It may never be under 3.")
    # What the City holds, anybody can ask it for, so that rows about people would be public.
    if series_input.audience == Audience.CITY and series_input.columns:
        problems["audience"] = N_("The City gets tables only: what it has can be asked for by others. Untick the datasets.")
    if not (series_input.columns or series_input.tables):
        problems["tables"] = N_("Choose at least one dataset or table.")
    if not all(series_input.columns.values()):
        problems["datasets"] = N_("A dataset needs at least one column.")
    if not _is_of_cadence(series_input.first_period, series_input.cadence):
        problems["first_period"] = N_(
            "Write 2026-W47 for weeks, 2026-10 for months, 2026-Q4 for quarters, to match how often the series is built."
        )
    return problems


def _is_of_cadence(name: str, cadence: str) -> bool:
    try:
        return periods.parse(name).cadence == cadence
    except ExportProblem:
        return False


def _check_delivery(series_input: SeriesInput) -> dict[str, str]:
    """Return what is wrong with how packages are stored and sent."""
    problems: dict[str, str] = {}
    if not 1 <= series_input.keep_days <= 3650:
        problems["keep_days"] = N_("Give a number of days from 1 to 3650.")
    if series_input.age_key:
        # Checked here, since a key with a typing error would be noticed only when the first package
        # could not be sealed.
        try:
            seal.check_recipients([series_input.age_key])
        except ExportProblem:
            problems["age_key"] = N_("This is no age public key: it begins with age1 and has 62 characters.")
    for target in series_input.targets:
        if targets.check_target(target):
            problems["targets"] = N_("A delivery target is not complete.")
        elif target["kind"] != targets.EMAIL and not series_input.age_key:
            problems["age_key"] = N_("Packages are sent only encrypted: give the recipient's age public key.")
    return problems


def check_recipe(text: str, catalogue: DatasetCatalogue) -> Sequence[Reason]:
    """Return what is wrong in a recipe and in the datasets that it reads."""
    try:
        read_recipe(text, catalogue)
    except ExportProblem as problem:
        return problem.reasons
    return ()


def has_rows_about_people(series_input: SeriesInput, catalogue: DatasetCatalogue) -> bool:
    """Say whether a chosen dataset has a row for each person, or for each month of one."""
    datasets = [catalogue.datasets.get(name) for name in series_input.columns]
    return any(dataset is not None and dataset.family == Family.PEOPLE for dataset in datasets)
