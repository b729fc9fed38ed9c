"""What asking for standing consent costs: a table build, a release and intake, each beside the same without the question.

Everybody stands at 3, so that both count the same: where somebody said no, less is read.
Run by itself: python -m bench.consent; BENCH_RECORDS and BENCH_PAIRS make it smaller.
"""

import contextlib
import datetime as dt
import os
import random
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy.orm import Session

from evaluator_export import periods
from evaluator_export.datasets.recipe import Audience
from fieldapp.services.consent import standing
from fieldapp.services.keys import attach_keys
from fieldapp.services.products import tables
from fieldapp.services.records import folding
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.services.releases.gathering import gather
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.base import Base
from fieldapp.store.consent import standing as words
from fieldapp.store.database import WriteTransaction, engine_for
from fieldapp.store.records import records
from fieldapp.store.session import Session as StoreSession
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, encounter, make_cast
from tests.programme import definition_of
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent, met

Row = tuple[str, str, str, str]
RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "2"))
PEOPLE = 20_000
FIRST, LAST = dt.date(2026, 4, 1), dt.date(2026, 6, 30)
NOW = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)


class NotAsked(standing.Standings):
    """Asks nobody: what a build would be without standing consent."""

    def __init__(self, session: StoreSession, centre_id: int, is_of_all: bool = False):
        self.centre_id = centre_id
        self.tiers, self.falls, self.seen = {}, {}, set()
        self.is_of_all = is_of_all

    def of(self, person: str) -> int | None:
        return None

    def of_record(self, person: str, is_refused: bool) -> int | None:
        return None

    def check(self, session: StoreSession) -> None:
        """Let everything be published."""


def fill(session: Session, cast: Cast) -> list[str]:
    """Put a quarter's encounters with people who have cards straight into the database; return their codes."""
    chance = random.Random(1)
    people = [code(seed) for seed in range(PEOPLE)]
    base = encounter(FIRST, people={"who": "enrolled", "code": people[0]}, consent=consent("3"))
    version = definition_of("encounter").version
    moment = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    with WriteTransaction(session):
        columns = {
            "centre_id": cast.centre.id,
            "tier": 3,
            "since": FIRST,
            "is_in_doubt": False,
            "wording": "",
            "moved_at": moment,
        }
        session.connection().execute(
            StoreTables.standing.insert(),
            [{**columns, "person": person, "heads": [str(uuid.UUID(int=1))]} for person in people],
        )
    for start in range(0, RECORDS, 20_000):
        rows, said = [], []
        for _ in range(min(20_000, RECORDS - start)):
            day = FIRST + dt.timedelta(days=chance.randrange(91))
            person = chance.choice(people)
            number = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            at = dt.datetime.combine(day, dt.time(23), dt.UTC)
            where = {
                "enc_date": str(day),
                "enc_hour": f"{chance.randrange(24):02}",
                "nbhd": f"{chance.randrange(1, 150):03}",
            }
            answers = {
                **base, "when_where": {**base["when_where"], **where}, "people": {**base["people"], "code": person},
                "talk": {**base["talk"], "risk_now": chance.choice(["low", "none", "raised"])},
            }  # fmt: skip
            rows.append(
                {
                    "centre_id": cast.centre.id, "instance_id": number, "form": "encounter", "version": version, "via": "token",
                    "author_id": cast.amina.user_id, "received_at": at, "changed_at": at, "heads": [], "contested": [],
                    "review": "", "answers": answers, "occurred_on": day, "area": where["nbhd"], "kind": "check_in", "person": person,
                }
            )  # fmt: skip
            said.append(
                {
                    "centre_id": cast.centre.id, "root_id": number, "person": person, "tier": 3, "asked": True, "finished_at": at,
                    "position": 0, "lowered_at": at if chance.random() < 0.03 else None, "waits": False, "statement_id": number,
                    "knew": [], "wording": "", "language": "", "how": "form",
                }
            )  # fmt: skip
        with WriteTransaction(session):
            records.add_all(session, rows)
            session.connection().execute(StoreTables.word.insert(), said)
    return people


NOTHING = words.StandingUpdate({}, {})


class StoreTables:
    standing: Any = Base.metadata.tables["standing"]
    word: Any = Base.metadata.tables["consent_word"]


@contextlib.contextmanager
def not_asked() -> Iterator[None]:
    """Let readers ask nobody, and intake write down nothing of what was said."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(tables, "Standings", NotAsked))
        stack.enter_context(mock.patch("fieldapp.services.releases.gathering.assembly.Standings", NotAsked))
        stack.enter_context(mock.patch.object(words, "update_standings", lambda *given: NOTHING))
        stack.enter_context(mock.patch.object(words, "list_tiers", lambda *given: {}))
        stack.enter_context(mock.patch.object(folding, "show_standing", lambda *given: None))
        yield


def pairs(work: Callable[[int], object], count: int = PAIRS) -> tuple[float, float]:
    """Return the CPU seconds of some work with the question and without, the medians of runs in turn."""
    asked, without = [], []
    for turn in range(count):
        for is_asked in (turn % 2 == 0, turn % 2 == 1):
            with contextlib.nullcontext() if is_asked else not_asked():
                start = time.process_time()
                work(turn * 2 + is_asked)
                (asked if is_asked else without).append(time.process_time() - start)
    return statistics.median(asked), statistics.median(without)


def make_row(what: str, asked: float, without: float) -> Row:
    return (what, f"{asked:.1f} s CPU", f"{without:.1f} without the question", f"{asked / without - 1:+.1%}")


def count_tables(session: Session, cast: Cast) -> Row:
    catalogue = load_catalogue(session, cast.centre.id)
    names = ["participants_active", "encounters_by_area", "encounters_by_type"]
    specs = tables.list_table_specs(catalogue, Audience.PUBLIC, names)
    quarter = periods.parse("2026-Q2")
    counted = []

    def work(turn: int) -> None:
        reader = tables.make_reader(session, cast.centre, catalogue, NOW)
        found = tables.count_tables(reader, cast.centre, [(quarter, spec) for spec in specs.values()], {})
        with WriteTransaction(session):
            reader.standings.check(session)
        counted.append([table.published for table in found])

    asked, without = pairs(work)
    assert all(one == counted[0] for one in counted), "the two count differently"
    return make_row(f"{RECORDS:,} records: three public tables of a quarter", asked, without)


def build_release(session: Session, cast: Cast) -> Row:
    series = a_series(session, cast)
    rows = []

    def work(turn: int) -> None:
        made = gather.gather_release(session, series, periods.parse("2026-Q2"), NOW)
        with WriteTransaction(session):
            made.standings.check(session)
        rows.append([part.records for part in made.datasets])

    asked, without = pairs(work)
    assert all(one == rows[0] for one in rows), "the two release differently"
    return make_row(f"{RECORDS:,} records: a release gathered, before its files are written", asked, without)


def take_in(session: Session, cast: Cast, people: list[str]) -> Row:
    chance = random.Random(2)
    waves = []
    for _ in range(250):
        waves.append(batch(*(met(chance.choice(people), dt.date(2026, 7, 1), "3") for _ in range(20))))

    def work(turn: int) -> None:
        for _ in range(25):
            answers = receive_batch(session, cast.amina, parse_batch(waves.pop()))
            assert {answer["status"] for answer in answers} == {"stored"}

    asked, without = pairs(work, 5)
    return make_row("intake of 500 encounters with cards, batches of 20", asked, without)


def rows() -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    try:
        engine = engine_for(f"sqlite:///{folder}/fieldapp.db")
        attach_keys(engine, Settings(data=str(folder), secret_key="k" * 64))
        migrations.upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            cast = make_cast(session)
            people = fill(session, cast)
            found = []
            for measure in (count_tables, build_release):
                found.append(measure(session, cast))
                print(*found[-1], sep=" | ", flush=True)
            found.append(take_in(session, cast, people))
            print(*found[-1], sep=" | ", flush=True)
        engine.dispose()
        return found
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    rows()
