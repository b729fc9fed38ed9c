"""What dashboards count, before it is rounded and hidden."""

import datetime as dt
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.datasets.recipe import Audience
from evaluator_export.tables.protected_counts import Cell, CellCounter
from fieldapp.services.products import tables
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.settings import Settings
from fieldapp.store.operations.centres import Centre
from tests.opening import open_engine

Counts = dict[str, dict[Cell, int]]


def count_exactly(data: Path, centre: str, names: list[str]) -> Counts:
    """Count public tables over all that a centre has, as the dashboard's indicators do before they are protected."""
    engine = open_engine(Settings(data=str(data)))
    with Session(engine) as session:
        found = session.scalars(sa.select(Centre).where(Centre.slug == centre)).one()
        catalogue = load_catalogue(session, found.id)
        tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        reader = tables.make_reader(session, found, catalogue, tomorrow)
        counts: Counts = {}
        for name, spec in tables.list_table_specs(catalogue, Audience.PUBLIC, names).items():
            counter = CellCounter(spec, b"")
            rows = tables.iterate_rows(reader, found, spec.dataset.form, dt.date(2020, 1, 1), tomorrow.date())
            for day, unit, row in rows:
                counter.add(unit, row, day.isoformat())
            counts[name] = {cell: tally[0] for cell, tally in counter.counted().items()}
    engine.dispose()
    return counts


def subtract(after: Counts, before: Counts) -> Counts:
    """Return what was added to each cell, without those to which nothing was."""
    added: Counts = {}
    for name, cells in after.items():
        earlier = before.get(name, {})
        grown = {cell: number - earlier.get(cell, 0) for cell, number in cells.items()}
        added[name] = {cell: number for cell, number in grown.items() if number}
    return added
