"""The tables of maps and heat maps: finer than public ones, and sums of frozen pieces."""

from collections.abc import Mapping

from evaluator_export.datasets.recipe import Audience, TableSpec
from fieldapp.services.products.tables import list_table_specs
from fieldapp.services.releases.datasets import DatasetCatalogue

LAYERS = {
    "encounters": {"en": "Encounters", "fr": "Rencontres"},
    "mediations": {"en": "Mediations", "fr": "Médiations"},
    "incidents": {"en": "Critical incidents", "fr": "Incidents critiques"},
}
CELLS = "cells_encounters"
GRIDS = ("grid_weekday_hour", "grid_area_month", "grid_area_weekday", "grid_setting_hour", "grid_mediations")


def list_map_specs(catalogue: DatasetCatalogue) -> Mapping[str, TableSpec]:
    """Return the tables of maps that can be counted at a centre, by name."""
    names = [CELLS]
    for layer in LAYERS:
        names += [f"spots_{layer}", f"times_{layer}", f"when_{layer}", f"nights_{layer}"]
    return list_table_specs(catalogue, Audience.STAFF, names)


def list_grid_specs(catalogue: DatasetCatalogue) -> Mapping[str, TableSpec]:
    """Return the tables of the heat map that can be counted at a centre, by name."""
    return list_table_specs(catalogue, Audience.STAFF, GRIDS)
