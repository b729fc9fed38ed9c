"""What sealing costs: intake and a table build, in CPU seconds, of the code in this folder.

To compare with an older version: run it in turns in two worktrees, `python -m bench.at_rest`; BENCH_RECORDS makes it smaller.
"""

import datetime as dt
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy.orm import Session

from bench import consent
from evaluator_export import periods
from evaluator_export.datasets.recipe import Audience
from fieldapp.services.products import tables
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, make_cast
from tests.services.consent.consents import met

TURNS = int(os.environ.get("BENCH_TURNS", "3"))


def take_in(session: Session, cast: Cast, people: list[str]) -> float:
    """Return the CPU milliseconds of one encounter in a batch of 20."""
    chance = random.Random(os.urandom(8))
    waves = [
        parse_batch(batch(*(met(chance.choice(people), dt.date(2026, 7, 1), "3") for _ in range(20)))) for _ in range(25)
    ]
    start = time.process_time()
    for wave in waves:
        assert {answer["status"] for answer in receive_batch(session, cast.amina, wave)} == {"stored"}
    return (time.process_time() - start) * 1000 / 500


def count_tables(session: Session, cast: Cast) -> float:
    catalogue = load_catalogue(session, cast.centre.id)
    specs = tables.list_table_specs(
        catalogue, Audience.PUBLIC, ["participants_active", "encounters_by_area", "encounters_by_type"]
    )
    quarter = periods.parse("2026-Q2")
    start = time.process_time()
    reader = tables.make_reader(session, cast.centre, catalogue, consent.NOW)
    tables.count_tables(reader, cast.centre, [(quarter, spec) for spec in specs.values()], {})
    return time.process_time() - start


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        engine = engine_for(f"sqlite:///{folder}/fieldapp.db")
        try:
            from fieldapp.services.keys import attach_keys
        except ImportError:
            pass
        else:
            attach_keys(engine, Settings(data=str(folder), secret_key="k" * 64))
        migrations.upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            cast = make_cast(session)
            a_series(session, cast)
            people = consent.fill(session, cast)
            took = [f"{take_in(session, cast, people):.2f}" for _ in range(TURNS + 1)][1:]
            counted = [f"{count_tables(session, cast):.1f}" for _ in range(TURNS)]
        print(f"{consent.RECORDS:,} records", "ms an encounter:", *took, "s a table build:", *counted, flush=True)
        print("bytes of the file:", (folder / "fieldapp.db").stat().st_size)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
