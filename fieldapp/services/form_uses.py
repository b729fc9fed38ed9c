"""Who reads which question of a form: releases by their recipes, and the lists of the office."""

from pathlib import Path
from typing import Any

import yaml

from forms.definition import FormDefinition
from forms.problems import N_

RECIPES = Path(__file__).parent.parent / "programme" / "recipes"
LISTS = N_("lists of records")


def uses_of(definition: FormDefinition) -> dict[str, list[str]]:
    """Return by the name of a question's column what reads it: the titles of releases, or `LISTS`."""
    uses: dict[str, list[str]] = {}
    for path in sorted(RECIPES.glob("*.yaml")):
        recipe: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for dataset in recipe["datasets"]:
            if dataset["form"] != definition.id:
                continue
            read = {column["from"] for column in dataset["columns"]} | {dataset.get("person", "")}
            consent = dataset.get("consent", {})
            read |= {consent.get("question", ""), consent.get("unless", {}).get("question", "")}
            for question in filter(None, read):
                titles = uses.setdefault(question, [])
                if recipe["id"] not in titles:
                    titles.append(recipe["id"])
    for path_ in definition.summary.values():
        if element := definition.by_path.get(path_):
            uses.setdefault(definition.column(element), []).append(LISTS)
    return uses
