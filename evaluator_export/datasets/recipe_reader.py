"""Read a recipe from YAML, with everything that is wrong in it at once."""

from collections.abc import Mapping
from typing import Any

import yaml

from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import AUDIENCES, Audience, Recipe, RecipientView
from evaluator_export.datasets.table_reader import Menu, TableReader
from evaluator_export.policy.policy import Field, Role
from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import ExportProblem, Reason, make_yaml_reason
from evaluator_export.yaml_text import read_yaml
from forms.definition import FormDefinition

FORMAT = 2
KEYS = ("id", "title", "purpose", "audience", "threshold")


def list_dataset_names(text: str, menu: Menu) -> list[str]:
    """Return the names of the datasets that a recipe (YAML) reads, each once.

    Raises ExportProblem when the text is no recipe; what it names need not be there.
    """
    body = _parse_body(text)
    dataset_by_table = {str(item["name"]): str(item["dataset"]) for item in menu}
    names = [item.get("use") for item in body.get("datasets") or ()]
    names += [dataset_by_table.get(str(table)) for table in body.get("tables") or ()]
    return list(dict.fromkeys(str(name) for name in names if name))


def read_recipe(
    text: str,
    datasets: Mapping[str, DatasetSpec],
    definitions: Mapping[str, FormDefinition],
    menu: Menu,
) -> Recipe:
    """Return the recipe written in YAML.

    `datasets` by name, `definitions` by form id. `menu`: the tables that there are; a recipe only
    chooses among them. Raises ExportProblem with everything that is wrong.
    """
    body = _parse_body(text)
    # Read in the order in which problems should be listed: who, then rows, then tables.
    reader = _RecipeReader(str(body["audience"]), datasets, definitions)
    threshold = reader.read_threshold(body["threshold"])
    # What a city has, anybody can ask for: rows would be public.
    if reader.audience == Audience.CITY and body.get("datasets"):
        reader.refuse("recipe.city")
    views = [reader.read_view(item) for item in body.get("datasets") or ()]
    tables = reader.read_tables([str(name) for name in body.get("tables") or ()], menu)
    names = [view.dataset.name for view in views if view]
    names += [table.name for table in tables]
    # Files of a package are named after datasets and tables: two of a name would be one file.
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            reader.refuse("recipe.twice", {"name": name})
    reader.raise_problems()
    return Recipe(
        id=str(body["id"]),
        text=text,
        title=body["title"],
        purpose=body["purpose"],
        audience=Audience(reader.audience),
        threshold=threshold,
        views=tuple(view for view in views if view),
        tables=tuple(tables),
    )


def _parse_body(text: str) -> dict[str, Any]:
    try:
        body = read_yaml(text)
    except yaml.YAMLError as error:
        raise ExportProblem(make_yaml_reason(error)) from None
    if not isinstance(body, dict) or body.get("recipe") != FORMAT:
        raise ExportProblem(Reason("recipe.format", {"format": FORMAT}))
    missing = [key for key in KEYS if not body.get(key)]
    if missing:
        raise ExportProblem(Reason("recipe.lacks", {"keys": ", ".join(missing)}))
    return body


class _RecipeReader(TableReader):
    """Reads what a recipe has beside tables, too."""

    def read_threshold(self, threshold: Any) -> int:
        """Return the threshold of a recipe, after checking its audience."""
        if self.audience not in AUDIENCES:
            audiences = ", ".join(AUDIENCES)
            self.refuse("recipe.audience", {"audience": self.audience, "known": audiences})
        if isinstance(threshold, int) and threshold >= HARD_FLOOR:
            return threshold
        self.refuse("recipe.threshold", {"threshold": str(threshold), "least": HARD_FLOOR})
        return HARD_FLOOR

    def read_view(self, item: Mapping[str, Any]) -> RecipientView | None:
        """Return what a recipient gets of a dataset; None when there is no such dataset."""
        dataset = self.datasets.get(str(item.get("use")))
        if dataset is None or not dataset.has_rows:
            with_rows = [name for name, other in self.datasets.items() if other.has_rows]
            self.refuse_dataset(item.get("use"), with_rows)
            return None
        never_in_rows = (Role.PERSON, Role.DROP)
        fields = {
            field.name: field
            for field in dataset.policy.fields
            if field.role not in never_in_rows  # a recipe names what it gets
        }
        # Pseudonyms only by name: they join a person's rows, so nobody gets them by leaving
        # `columns` out.
        default = [name for name, field in fields.items() if field.role != Role.PSEUDONYM]
        columns = [str(name) for name in item.get("columns") or default]
        only_counted = {field.name for field in dataset.policy.list_fields_with_role(Role.DROP)}
        for name in columns:
            if name in only_counted:
                self.refuse("recipe.only_counted", {"column": name}, dataset.name)
        coarser = {str(name): int(level) for name, level in (item.get("coarser") or {}).items()}
        for name in dict.fromkeys([*columns, *coarser]):
            if name not in fields and name not in only_counted:
                details = {"column": name, "dataset": dataset.name}
                self.refuse("recipe.column", details, dataset.name)
        for name, level in coarser.items():
            if name in fields and not _has_level(fields[name], level):
                self.refuse("recipe.level", {"column": name, "level": level}, dataset.name)
        return RecipientView(dataset, tuple(columns), coarser)


def _has_level(field: Field, level: int) -> bool:
    if field.role != Role.QUASI_IDENTIFIER or field.hierarchy is None:
        return False
    return 0 <= level <= field.hierarchy.top
