"""Releases: once a period, caught up after downtime, whatever dies midway; and nothing in them that must not be."""

import datetime as dt
import multiprocessing
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from evaluator_export.verify import verify
from fieldapp.jobs.timetable import build_due_releases
from fieldapp.services import build_release as building
from fieldapp.services.build_release import build_release, due
from fieldapp.services.gather_release import gather
from fieldapp.services.receive_batch import receive_batch
from fieldapp.services.releases import download_release, list_releases
from fieldapp.settings import Settings
from fieldapp.store import releases
from fieldapp.store.database import engine_for
from fieldapp.store.releases import Release, ReleaseRun, Series
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, encounter, envelope

SECRET = "s" * 64


@pytest.fixture
def series(session: Session, cast: Cast) -> Series:
    return a_series(session, cast)


def fill(session: Session, cast: Cast, count: int, start: dt.date, seed: int = 1) -> None:
    chance = random.Random(seed)
    items = []
    for _ in range(count):
        day = start + dt.timedelta(days=chance.randrange(80))
        answers = encounter(
            day,
            talk={"risk_now": chance.choice(["low", "none", "raised"])},
            when_where={"nbhd": chance.choice(["002", "004"]), "enc_hour": chance.choice(["19", "22"])},
        )
        items.append(envelope(answers, day=day))
    for first in range(0, count, 100):
        receive_batch(session, cast.amina, parse_batch(batch(*items[first : first + 100])))


def names(session: Session, now: dt.datetime) -> list[str]:
    return [period.name for _, period in due(session, now)]


def test_a_period_is_due_three_local_days_after_its_end(session: Session, series: Series) -> None:
    assert names(session, dt.datetime(2026, 7, 4, 3, 59, tzinfo=dt.UTC)) == []
    assert names(session, dt.datetime(2026, 7, 4, 4, 1, tzinfo=dt.UTC)) == ["2026-Q2"]


def test_what_was_missed_is_caught_up_oldest_first(
    session: Session, cast: Cast, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = dt.datetime(2027, 1, 20, tzinfo=dt.UTC)
    monkeypatch.setattr("fieldapp.jobs.timetable.utcnow", lambda: later)
    assert names(session, later) == ["2026-Q2", "2026-Q3", "2026-Q4"]
    for _ in range(2):
        build_due_releases(session, Settings(data=str(tmp_path)))
    built = list_releases(session, cast.eve).releases
    assert [release.period for release in built] == ["2026-Q4", "2026-Q3", "2026-Q2"]
    assert names(session, later) == []
    beat = releases.scheduler_beat(session)
    assert beat and beat.at == later


def test_the_package_holds_what_it_promises_and_no_canary(
    session: Session, cast: Cast, series: Series, tmp_path: Path
) -> None:
    fill(session, cast, 240, dt.date(2026, 7, 1))
    code = encounter(
        dt.date(2026, 8, 1), people={"who": "enrolled", "code": "K7QM-3RXDQ"}, consent={"said": "earlier", "tier_said": "1"}
    )
    receive_batch(session, cast.amina, parse_batch(batch(envelope(code, day=dt.date(2026, 8, 1)))))
    release = build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    assert release
    path, _ = download_release(session, cast.eve, release_id=release.id, packages=tmp_path)
    assert verify(path) == []
    with zipfile.ZipFile(path) as package:
        content = b"".join(package.read(name) for name in package.namelist())
        rows = package.read("encounters.csv").decode().splitlines()
    assert len(rows) == 241
    for secret in (b"CANARY", b"K7QM", b"3RXD", b"amina", b"2026-08-01,", b"L-amina"):
        assert secret not in content


def test_a_rebuild_gives_the_same_bytes(session: Session, cast: Cast, series: Series, tmp_path: Path) -> None:
    fill(session, cast, 120, dt.date(2026, 7, 1))
    cut_off = dt.datetime.now(dt.UTC)
    made = []
    for name in ("a", "b"):
        gathered = gather(session, series, parse("2026-Q3"), cut_off)
        work = tmp_path / name
        work.mkdir()
        made.append(building.write_package(session, series, gathered, work, SECRET).path.read_bytes())
    assert made[0] == made[1]


def test_what_arrives_after_the_cut_off_waits_outside(session: Session, cast: Cast, series: Series, tmp_path: Path) -> None:
    cut_off = dt.datetime.now(dt.UTC)
    fill(session, cast, 60, dt.date(2026, 7, 1))
    assert [part.rows for part in gather(session, series, parse("2026-Q3"), cut_off).parts] == [0, 0, 0]


def test_a_period_is_built_once(session: Session, series: Series, tmp_path: Path) -> None:
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET) is None


def test_a_runner_that_died_is_replaced_after_its_lease(session: Session, series: Series, tmp_path: Path) -> None:
    run = building._claim(session, series, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    assert run
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET) is None  # the lease holds
    session.execute(sa.update(ReleaseRun).values(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)))
    session.commit()
    old_token = run.token
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    # The first runner wakes up: its token is not good any more.
    assert not releases.finish(session, run.id, old_token, "done", dt.datetime.now(dt.UTC))


def test_a_failure_is_shown_and_tried_again(
    session: Session, cast: Cast, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building, "write_package", full)
        with pytest.raises(OSError, match="No space"):
            build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    run = list_releases(session, cast.rosa).runs[0]
    assert (run.state, "No space left" in run.problem) == ("failed", True)
    assert list(tmp_path.glob("*.zip")) == []
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)


def _race(url: str, folder: str, seed: int) -> None:
    chance = random.Random(seed)
    engine = engine_for(url)
    with Session(engine, expire_on_commit=False) as session:
        series = session.scalars(sa.select(Series)).one()
        for period in ("2026-Q2", "2026-Q3"):
            if chance.random() < 0.2:
                os._exit(1)
            build_release(session, series, parse(period), Path(folder), SECRET)
    engine.dispose()


def test_five_processes_build_each_period_once(url: str, session: Session, series: Series, tmp_path: Path) -> None:
    context: Any = multiprocessing.get_context("spawn")
    runners = [context.Process(target=_race, args=(url, str(tmp_path), seed)) for seed in range(5)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    session.rollback()
    built = session.scalars(sa.select(Release.period).order_by(Release.period)).all()
    assert built == ["2026-Q2", "2026-Q3"]
