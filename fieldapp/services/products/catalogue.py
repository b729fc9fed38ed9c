"""The list of products and indicators, as the programme writes them (program/products.yaml, kpis.yaml)."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator_export.products.indicators import Indicator, read_kpis, tables_by_calendar
from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from fieldapp.services.problems import N_, ActProblem

LIVE = "live"
PANEL = {"encounters_by_area": "encounters", "mediations_by_area": "mediations", "shifts_by_area": "shifts"}
REACH = ("reach_by_age", "reach_by_gender", "reach_by_race")


@dataclass(frozen=True)
class Product:
    name: str
    kind: str
    title: dict[str, str]
    audience: dict[str, str]
    question: dict[str, str]
    sources: dict[str, str]
    format: dict[str, str]
    access: str  # public, staff, crisis, evaluator, key
    cadence: str
    owner: dict[str, str]


@functools.cache
def products() -> Sequence[Product]:
    return tuple(Product(**item) for item in read_yaml((PROGRAM / "products.yaml").read_text(encoding="utf-8")))


def product_named(name: str) -> Product:
    """Return a product; raise ActProblem "product.unknown"."""
    for product in products():
        if product.name == name:
            return product
    raise ActProblem("product.unknown", N_("There is no such product."))


@functools.cache
def kpis() -> Sequence[Indicator]:
    return tuple(read_kpis((PROGRAM / "kpis.yaml").read_text(encoding="utf-8")))


@functools.cache
def counted_tables() -> Mapping[str, Sequence[str]]:
    """Return the tables that are counted for every period of a calendar."""
    found = tables_by_calendar(kpis())
    for calendar, more in (("month", PANEL), ("year", REACH)):
        found[calendar] = list(dict.fromkeys([*found.get(calendar, ()), *more]))
    return found
