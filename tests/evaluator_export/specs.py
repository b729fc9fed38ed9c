"""Specifications of counted tables."""

from evaluator_export.policy import recipe
from evaluator_export.policy.recipe import PUBLIC, TableSpec
from fieldapp.services.releases.datasets import table_menu
from tests.evaluator_export.centre import FORMS, all_datasets

DATASETS = all_datasets()


def spec(name: str, audience: str = PUBLIC) -> TableSpec:
    return recipe.read_tables_for_audience(audience, [name], DATASETS, FORMS, table_menu())[name]
