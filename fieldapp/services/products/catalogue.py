"""Products and indicators as the program lists them (program/products.yaml, kpis.yaml)."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator_export.products.indicators import Indicator, read_kpis, tables_by_calendar
from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import load_table_menu

LIVE = "live"
PANEL = {"encounters_by_area": "encounters", "mediations_by_area": "mediations", "shifts_by_area": "shifts"}
REACH = ("reach_by_age", "reach_by_gender", "reach_by_race")


@dataclass(frozen=True)
class Product:
    """A product of products.yaml: who it is for, what it answers, how often it is built.

    `kind` is how it is built; LIVE ones are a page that is always up to date, without editions.
    """

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


# The program's files do not change while a process runs, so each is read once.
@functools.cache
def list_products() -> Sequence[Product]:
    """Return all products, in the order of products.yaml."""
    return tuple(Product(**item) for item in read_yaml((PROGRAM / "products.yaml").read_text(encoding="utf-8")))


def get_product(name: str) -> Product:
    """Return a product; raise ActProblem "product.unknown"."""
    for product in list_products():
        if product.name == name:
            return product
    raise ActProblem("product.unknown", N_("There is no such product."))


@functools.cache
def load_kpis() -> Sequence[Indicator]:
    """Return all indicators, in the order of kpis.yaml."""
    return tuple(read_kpis((PROGRAM / "kpis.yaml").read_text(encoding="utf-8")))


@functools.cache
def list_ripening() -> Mapping[str, int]:
    """Return how many days after a period's end a table's outcomes are known; by its name."""
    days: dict[str, int] = {}
    for kpi in load_kpis():
        for name in kpi.tables:
            days[name] = max(kpi.ripens, days.get(name, 0))
    return days


@functools.cache
def list_counted_tables() -> Mapping[str, Sequence[str]]:
    """Return the names of the tables that are counted for every period, by calendar."""
    names_by_calendar = tables_by_calendar(load_kpis())
    # Twelve months of events whose months or quarters are too small to show. Never of people: two spans that overlap
    # would tell who came new, and who took consent back.
    about_people = {item["name"] for item in load_table_menu() if item.get("counts") == "persons"}
    all_names = dict.fromkeys(itertools.chain.from_iterable(names_by_calendar.values()))
    names_by_calendar["twelve"] = [name for name in all_names if name not in about_people]
    # The panel and the reach of groups read tables that no indicator needs.
    for calendar, more in (("month", PANEL), ("year", REACH)):
        names = [*names_by_calendar.get(calendar, ()), *more]
        names_by_calendar[calendar] = list(dict.fromkeys(names))
    return names_by_calendar
