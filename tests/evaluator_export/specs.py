"""Specifications of counted tables."""

from evaluator_export.datasets import table_reader
from evaluator_export.datasets.recipe import Audience, TableSpec
from fieldapp.services.releases.datasets import load_table_menu
from tests.evaluator_export.centre import FORMS, all_datasets

DATASETS = all_datasets()


def spec(name: str, audience: Audience = Audience.PUBLIC) -> TableSpec:
    return table_reader.read_tables_for_audience(audience, [name], DATASETS, FORMS, load_table_menu())[name]
