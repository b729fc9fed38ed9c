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
from click.testing import CliRunner
from sqlalchemy.orm import Session

from evaluator_export.package.verify import verify
from evaluator_export.periods import parse
from evaluator_export.problems import ExportProblem
from evaluator_export.series.ledger import compute_row_tag
from fieldapp.cli import cli
from fieldapp.jobs.timetable import build_due_releases
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases import build as building
from fieldapp.services.releases.build import build_release, list_due_periods
from fieldapp.services.releases.datasets import load_program_datasets
from fieldapp.services.releases.downloads import download_release, list_releases
from fieldapp.services.releases.gathering.gather import gather_release
from fieldapp.services.releases.retries import retry_release
from fieldapp.services.stored_problems import explain, read_problems, write_lines
from fieldapp.settings import Settings
from fieldapp.store.records.records import Record
from fieldapp.store.releases import releases
from fieldapp.store.releases.datasets import Dataset, PublishedRow
from fieldapp.store.releases.releases import Release, ReleaseRun, ReleaseSeries
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, encounter, envelope
from tests.opening import open_engine
from tests.services.releases.records import fill

SECRET = "s" * 64
NOT_FOR_EVALUATORS = {"said": "read_out", "understood": "yes", "tier_said": "1"}


@pytest.fixture
def series(session: Session, cast: Cast) -> ReleaseSeries:
    return a_series(session, cast)


def reasons(run: ReleaseRun) -> list[str]:
    return [problem.code for problem in read_problems(run.problem)]


def names(session: Session, now: dt.datetime) -> list[str]:
    return [period.name for _, period in list_due_periods(session, now)]


def test_a_period_is_due_three_local_days_after_its_end(session: Session, series: ReleaseSeries) -> None:
    assert names(session, dt.datetime(2026, 7, 4, 3, 59, tzinfo=dt.UTC)) == []
    assert names(session, dt.datetime(2026, 7, 4, 4, 1, tzinfo=dt.UTC)) == ["2026-Q2"]


def test_what_was_missed_is_caught_up_oldest_first(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = dt.datetime(2027, 1, 20, tzinfo=dt.UTC)
    monkeypatch.setattr("fieldapp.jobs.timetable.utcnow", lambda: later)
    assert names(session, later) == ["2026-Q2", "2026-Q3", "2026-Q4"]
    for _ in range(2):
        build_due_releases(session, Settings(data=str(tmp_path), secret_key=SECRET))
    built = list_releases(session, cast.eve).releases
    assert [release.period for release in built] == ["2026-Q4", "2026-Q3", "2026-Q2"]
    assert names(session, later) == []
    beat = releases.scheduler_beat(session)
    assert beat and beat.at == later


def test_the_package_holds_what_it_promises_and_no_canary(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 240, dt.date(2026, 7, 1))
    said = {"said": "read_out", "understood": "yes", "tier_said": "1"}
    code = encounter(dt.date(2026, 8, 1), people={"who": "enrolled", "code": "K7QM-3RXDQ"}, consent=said)
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


def test_a_rebuild_gives_the_same_bytes(session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path) -> None:
    fill(session, cast, 120, dt.date(2026, 7, 1))
    cut_off = dt.datetime.now(dt.UTC)
    made = []
    for name in ("a", "b"):
        gathered = gather_release(session, series, parse("2026-Q3"), cut_off)
        work = tmp_path / name
        work.mkdir()
        made.append(building.write_package(session, series, gathered, work, SECRET).path.read_bytes())
    assert made[0] == made[1]


def test_what_arrives_after_the_cut_off_waits_outside(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    cut_off = dt.datetime.now(dt.UTC)
    fill(session, cast, 60, dt.date(2026, 7, 1))
    assert [part.rows for part in gather_release(session, series, parse("2026-Q3"), cut_off).datasets] == [0, 0, 0, 0]


def test_a_period_is_built_once(session: Session, series: ReleaseSeries, tmp_path: Path) -> None:
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET) is None


def test_a_runner_that_died_is_replaced_after_its_lease(session: Session, series: ReleaseSeries, tmp_path: Path) -> None:
    run = building._claim_run(session, series, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    assert run
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET) is None  # the lease holds
    session.execute(sa.update(ReleaseRun).values(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)))
    session.commit()
    old_token = run.token
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    # The first runner wakes up: its token is not good any more.
    assert not releases.finish_run(session, run.run_id, old_token, "done", dt.datetime.now(dt.UTC))


def test_a_failure_is_shown_and_tried_again(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building, "write_package", full)
        with pytest.raises(OSError, match="No space"):
            build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    run = list_releases(session, cast.rosa).runs[0]
    assert (run.state, reasons(run)) == ("failed", ["release.disk_full"])
    assert list(tmp_path.glob("*.zip")) == []
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)


def test_a_period_is_never_lost_however_often_it_failed(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    clock = [dt.datetime(2026, 7, 5, tzinfo=dt.UTC)]
    told: list[str] = []
    monkeypatch.setattr("fieldapp.jobs.timetable.utcnow", lambda: clock[0])
    monkeypatch.setattr("fieldapp.services.releases.build.utcnow", lambda: clock[0])
    monkeypatch.setattr("fieldapp.jobs.timetable.send_alert", lambda _, what: told.append(what))
    settings = Settings(data=str(tmp_path), secret_key=SECRET)
    usage = building.shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(building.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        for _ in range(3 * 24 * 60 // 5):  # three days, asked every five minutes
            build_due_releases(session, settings)
            clock[0] += dt.timedelta(minutes=5)
    run = list_releases(session, cast.rosa).runs[0]
    assert run.state == "failed"
    assert reasons(run) == ["release.disk"]
    assert 10 < run.attempts < 25  # ever later, not each minute
    assert 2 <= len(told) <= 5  # about once a day
    clock[0] += dt.timedelta(hours=6)
    build_due_releases(session, settings)
    [built] = list_releases(session, cast.rosa).releases
    assert built.period == "2026-Q2"
    with zipfile.ZipFile(settings.packages / f"{built.sha256}.zip") as package:
        assert {"summary-en.pdf", "summary-fr.pdf", "tables.csv"} <= set(package.namelist())
        assert ",2026-Q2," in package.read("tables.csv").decode()


def test_an_agreement_that_is_renewed_and_a_recipe_that_is_mended_bring_the_period(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    good = series.recipe
    for problem in ({"agreement": {"ends_on": "2026-01-31"}}, {"recipe": "recipe: 2"}):
        for name, value in problem.items():
            setattr(series, name, value)
        session.commit()
        for _ in range(7):
            with pytest.raises(ExportProblem):
                build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
        series.agreement, series.recipe = {}, good
        session.commit()
    assert build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)  # the next one does not wait for it
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)


def failed(session: Session, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseRun:
    """Return a run that has failed just now."""
    usage = building.shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(building.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(ExportProblem):
            build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    return session.scalars(sa.select(ReleaseRun)).one()


def test_whoever_asks_for_it_gets_it_built_at_the_next_turn(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = failed(session, series, tmp_path, monkeypatch)
    session.execute(sa.update(ReleaseRun).values(attempts=9))
    session.commit()
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    assert "2026-Q2" not in names(session, soon)
    for stranger in (cast.olaf, cast.eve, cast.amina):
        with pytest.raises(ActProblem):
            retry_release(session, stranger, run_id=run.id)
    retry_release(session, cast.rosa, run_id=run.id)
    assert "2026-Q2" in names(session, soon)
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    with pytest.raises(ActProblem, match="is built"):
        retry_release(session, cast.rosa, run_id=run.id)


def test_a_series_that_is_switched_off_says_so(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = failed(session, series, tmp_path, monkeypatch)
    series.is_active = False
    session.commit()
    with pytest.raises(ActProblem, match="switched off"):
        retry_release(session, cast.rosa, run_id=run.id)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on the disk"),
        (PermissionError(13, "denied", "/var/CANARY"), "could not read or write a file"),
        (sa.exc.OperationalError("INSERT CANARY", {"answer": "CANARY"}, Exception("CANARY")), "database did not answer"),
        (KeyError("CANARY"), "A software error (KeyError)"),
    ],
)
def test_why_it_failed_is_said_without_anything_of_the_records(error: Exception, said: str) -> None:
    assert said in write_lines(explain(error))
    assert "CANARY" not in write_lines(explain(error))


def test_the_command_builds_what_failed_and_says_only_what_is_so(
    url: str, session: Session, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDAPP_DATA", str(tmp_path))
    monkeypatch.setenv("FIELDAPP_SECRET_KEY", SECRET)
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", url)
    asked = ["release", "build", "evaluator-quarterly", "--period", "2026-Q2", "--out", str(tmp_path / "out")]
    usage = building.shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(building.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        for _ in range(7):
            answer = CliRunner().invoke(cli, asked)
            assert answer.exit_code == 1
            assert "MB left" in answer.output
            assert "nother process" not in answer.output
    now = dt.datetime.now(dt.UTC)
    session.execute(sa.update(ReleaseRun).values(state="running", started_at=now, lease_until=now + building.LEASE))
    session.commit()
    answer = CliRunner().invoke(cli, asked)
    assert "has not said that it ended" in answer.output
    session.execute(sa.update(ReleaseRun).values(state="failed"))
    session.commit()
    answer = CliRunner().invoke(cli, asked)
    assert answer.exit_code == 0, answer.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["evaluator-quarterly-2026-Q2.zip"]


def _race(url: str, folder: str, seed: int) -> None:
    chance = random.Random(seed)
    engine = open_engine(Settings(data=folder, database_url=url, secret_key=SECRET))
    with Session(engine, expire_on_commit=False) as session:
        series = session.scalars(sa.select(ReleaseSeries)).one()
        for period in ("2026-Q2", "2026-Q3"):
            if chance.random() < 0.2:
                os._exit(1)
            build_release(session, series, parse(period), Path(folder), SECRET)
    engine.dispose()


def test_five_processes_build_each_period_once(url: str, session: Session, series: ReleaseSeries, tmp_path: Path) -> None:
    context: Any = multiprocessing.get_context("spawn")
    runners = [context.Process(target=_race, args=(url, str(tmp_path), seed)) for seed in range(5)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    session.rollback()
    built = session.scalars(sa.select(Release.period).order_by(Release.period)).all()
    assert built == ["2026-Q2", "2026-Q3"]


def had(session: Session, series: ReleaseSeries) -> list[list[tuple[int, int]]]:
    """Return, a release each, the batches of encounters in it: number and rows."""
    return [
        [
            (entry["number"], entry["rows"])
            for entry in one.manifest["datasets"].get("encounters", {"ledger": {"entries": []}})["ledger"]["entries"]
        ]
        for one in releases.of_series(session, series.id)
    ]


def test_late_rows_come_in_the_next_batch_and_none_comes_twice(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    fill(session, cast, 100, dt.date(2026, 4, 1), seed=2)  # of the quarter before, too late
    fill(session, cast, 100, dt.date(2026, 7, 1), seed=3)
    assert build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    (first,), (second,) = had(session, series)
    assert (first[0], second[0]) == (1, 2)
    assert first[1] + second[1] <= 400
    assert second[1] > 0
    count = session.execute(sa.text("SELECT count(*) FROM published_row")).scalar()
    assert count == first[1] + second[1]
    for path in tmp_path.glob("*.zip"):
        assert verify(path) == []


def test_a_second_recipient_gets_the_same_batches(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    other = ReleaseSeries(
        centre_id=cast.centre.id, key="others", title={"en": "O", "fr": "O"}, cadence="quarter", first_period="2026-Q2",
        recipe=series.recipe.replace("id: evaluator-quarterly", "id: others").replace("{use: encounters}", "{use: encounters, columns: [month, area, risk_now], coarser: {area: 2}}"),
        secret="77" * 32,
    )  # fmt: skip
    session.add(other)
    session.commit()
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    fill(session, cast, 150, dt.date(2026, 7, 1), seed=2)
    for name in ("2026-Q2", "2026-Q3"):
        assert build_release(session, other, parse(name), tmp_path, SECRET)
    assert build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    ours, theirs = had(session, series), had(session, other)
    assert [entry for one in ours for entry in one] == [entry for one in theirs for entry in one]
    assert len(session.execute(sa.text("SELECT number FROM batch")).all()) == len([entry for one in ours for entry in one])


@pytest.mark.parametrize("loss", ["published_row", "batch", "head"])
def test_whoever_loses_the_ledger_publishes_no_more(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, loss: str
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    statements = {
        "published_row": "DELETE FROM published_row",
        "batch": "DELETE FROM batch",
        "head": "UPDATE dataset SET head = ''",
    }
    session.execute(sa.text(statements[loss]))
    if loss == "batch":
        session.execute(sa.text("DELETE FROM published_row"))
        session.execute(sa.text("UPDATE dataset SET head = ''"))
    session.commit()
    with pytest.raises(ExportProblem, match="damaged or lost"):
        build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    assert len(list(tmp_path.glob("*.zip"))) == 1
    assert reasons(list_releases(session, cast.rosa).runs[0])[0] == "ledger.damaged"


def test_what_consent_takes_back_later_is_counted_and_never_published_again(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    for record in session.scalars(sa.select(Record).order_by(Record.id).limit(30)):
        record.answers = {**record.answers, "people": {**record.answers["people"], "who": "known_not_enrolled"}}
    session.commit()
    gathered = gather_release(session, series, parse("2026-Q3"), dt.datetime.now(dt.UTC))
    assert 0 < gathered.datasets[0].withdrawn <= 30
    assert gathered.batches == []


def test_an_agreement_that_is_over_stops_it(session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path) -> None:
    series.agreement = {"reference": "DSA-7", "ends_on": "2026-01-31"}
    session.commit()
    with pytest.raises(ExportProblem, match="ended on 2026-01-31"):
        build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)


def test_a_full_disk_is_refused_before_anything_is_read(
    session: Session, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = building.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(building.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(ExportProblem, match="MB left"):
        build_release(session, series, parse("2026-Q2"), tmp_path / "packages", SECRET)
    assert list((tmp_path / "packages").iterdir()) == []


def _build(url: str, folder: str) -> None:
    engine = open_engine(Settings(data=folder, database_url=url, secret_key=SECRET))
    with Session(engine, expire_on_commit=False) as session:
        build_release(session, session.scalars(sa.select(ReleaseSeries)).one(), parse("2026-Q2"), Path(folder), SECRET)
    engine.dispose()


def test_a_build_that_is_killed_leaves_nothing_half_and_is_built_anew(
    url: str, session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    packages = tmp_path / "packages"
    context: Any = multiprocessing.get_context("spawn")
    steps = set()
    for _ in range(4):
        builder = context.Process(target=_build, args=(url, str(packages)))
        builder.start()
        wanted = ["reading", "writing"][len(steps) % 2]
        while builder.is_alive():
            session.rollback()
            step = session.scalars(sa.select(ReleaseRun.step)).one_or_none()
            if step == wanted:
                steps.add(step)
                break
        builder.kill()
        builder.join()
        session.rollback()
        assert list_releases(session, cast.eve).releases == []
        assert list(packages.glob("*.zip")) == []
        session.execute(sa.update(ReleaseRun).values(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)))
        session.execute(sa.update(ReleaseRun).values(attempts=1))
        session.commit()
        if len(steps) == 2:
            break
    assert steps == {"reading", "writing"}
    assert build_release(session, series, parse("2026-Q2"), packages, SECRET)
    assert [path.suffix for path in packages.iterdir()] == [".zip"]


def test_a_build_that_is_overtaken_while_it_publishes_leaves_no_package(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    fill(session, cast, 40, dt.date(2026, 4, 1))
    write = building.write_package

    def write_and_lose(*given: Any) -> Any:
        made = write(*given)
        session.execute(sa.update(ReleaseRun).values(token="somebody else"))
        session.commit()
        return made

    with monkeypatch.context() as patched:
        patched.setattr(building, "write_package", write_and_lose)
        assert build_release(session, series, parse("2026-Q2"), packages, SECRET) is None
    assert list(packages.iterdir()) == []


@pytest.mark.parametrize("how", ["killed", "refused"])
def test_a_package_that_was_moved_and_then_not_published_is_gone_at_the_next_build(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    packages = tmp_path / "packages"
    fill(session, cast, 40, dt.date(2026, 4, 1))
    first = build_release(session, series, parse("2026-Q2"), packages, SECRET)
    assert first

    class Killed(BaseException):
        """Ends a process without a word."""

    replace = Path.replace

    def stop(path: Path, target: Path) -> Path:
        moved = replace(path, target)
        if target.parent == packages:
            raise Killed if how == "killed" else OSError
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        if how == "killed":
            patched.setattr(building, "_discard_folder", lambda *_: None)
        with pytest.raises((Killed, OSError)):
            build_release(session, series, parse("2026-Q3"), packages, SECRET)
    session.rollback()
    of_before = packages / "another copy.zip"  # what no build has left is nobody's to remove
    of_before.write_bytes(b"rows")
    expected = {f"{first.sha256}.zip", of_before.name}
    if how == "killed":
        assert len(list(packages.glob("*.zip"))) == 3
        session.execute(sa.update(ReleaseRun).values(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)))
        session.commit()
        again = build_release(session, series, parse("2026-Q3"), packages, SECRET)
        assert again
        expected.add(f"{again.sha256}.zip")
    assert {path.name for path in packages.iterdir()} == expected


@pytest.mark.parametrize(
    ("cadence", "first", "before", "after", "name"),
    [
        (
            "week",
            "2026-W10",
            "2026-03-12T03:59:00+00:00",
            "2026-03-12T04:01:00+00:00",
            "2026-W10",
        ),  # ends on 8 March: clocks go on
        (
            "week",
            "2026-W44",
            "2026-11-05T04:59:00+00:00",
            "2026-11-05T05:01:00+00:00",
            "2026-W44",
        ),  # ends on 1 November: back
        ("month", "2026-10", "2026-11-04T04:59:00+00:00", "2026-11-04T05:01:00+00:00", "2026-10"),
    ],
)
def test_days_on_which_clocks_change_move_nothing(
    session: Session, series: ReleaseSeries, cadence: str, first: str, before: str, after: str, name: str
) -> None:
    series.cadence, series.first_period = cadence, first
    session.commit()
    assert names(session, dt.datetime.fromisoformat(before)) == []
    assert names(session, dt.datetime.fromisoformat(after)) == [name]


def another_dataset(session: Session, cast: Cast, name: str, **changes: str) -> None:
    """Give the centre a second dataset of encounters, at other levels."""
    text = load_program_datasets()["encounters"].replace("name: encounters", f"name: {name}")
    for old, new in {"date[month,quarter,year]": "date[quarter,year]", **changes}.items():
        assert old in text
        text = text.replace(old, new)
    session.add(
        Dataset(
            centre_id=cast.centre.id, name=name, text=text, secret="ab" * 32, head="", created_at=dt.datetime.now(dt.UTC)
        )
    )
    session.commit()


def a_second_series(session: Session, cast: Cast, uses: str) -> ReleaseSeries:
    recipe = f"recipe: 2\nid: second\ntitle: {{en: O, fr: O}}\npurpose: {{en: p, fr: p}}\naudience: evaluator\nthreshold: 20\ndatasets: [{uses}]\ntables: [encounters_by_type]\n"
    made = ReleaseSeries(
        centre_id=cast.centre.id, key="second", title={"en": "O", "fr": "O"}, recipe=recipe, cadence="quarter",
        first_period="2026-Q2", secret="77" * 32,
    )  # fmt: skip
    session.add(made)
    session.commit()
    return made


def left_as(session: Session, name: str) -> set[str]:
    """Return which records left as rows of a dataset."""
    kept = session.scalars(sa.select(Dataset).where(Dataset.name == name)).one()
    tags = set(session.scalars(sa.select(PublishedRow.tag).where(PublishedRow.dataset_id == kept.id)))
    units = [str(one) for one in session.scalars(sa.select(Record.instance_id))]
    return {unit for unit in units if compute_row_tag(bytes.fromhex(kept.secret), unit) in {bytes(one) for one in tags}}


def test_a_record_leaves_under_one_datasets_name_only(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    another_dataset(session, cast, "encounters_2")
    second = a_second_series(session, cast, "{use: encounters_2}")
    old = left_as(session, "encounters")
    assert len(old) > 100
    gathered = gather_release(session, second, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    assert gathered.datasets[0].elsewhere == len(old)
    built = build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)
    assert built is not None
    assert not left_as(session, "encounters_2") & old
    with zipfile.ZipFile(tmp_path / f"{built.sha256}.zip") as package:
        assert "encounters_by_type,2026-Q2," in package.read("tables.csv").decode()  # tables still leave
    fill(session, cast, 200, dt.date(2026, 7, 1), seed=2)
    assert build_release(session, second, parse("2026-Q3"), tmp_path, SECRET)
    new = left_as(session, "encounters_2")
    assert len(new) > 100  # it holds what had not left
    assert not new & old
    assert build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    assert not left_as(session, "encounters") & new  # and the other way round


def test_two_datasets_of_one_recipe_share_no_record(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 300, dt.date(2026, 4, 1))
    another_dataset(session, cast, "encounters_2")
    second = a_second_series(session, cast, "{use: encounters}, {use: encounters_2}")
    assert build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)
    assert left_as(session, "encounters")
    assert not left_as(session, "encounters") & left_as(session, "encounters_2")


def test_two_builds_at_once_do_not_publish_a_record_under_two_names(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    another_dataset(session, cast, "encounters_2")
    second = a_second_series(session, cast, "{use: encounters_2}")
    whole = building.write_package

    def overtaken(*parts: Any) -> Any:
        made = whole(*parts)
        with monkeypatch.context() as patch:
            patch.setattr(building, "write_package", whole)
            assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(building, "write_package", overtaken)
        with pytest.raises(ActProblem, match="same records"):
            build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)
    assert left_as(session, "encounters_2") == set()
    assert build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)  # the next try knows
    assert not left_as(session, "encounters") & left_as(session, "encounters_2")


def test_whoever_loses_the_ledger_of_the_other_name_publishes_no_more(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    another_dataset(session, cast, "encounters_2")
    second = a_second_series(session, cast, "{use: encounters_2}")
    for statement in ("DELETE FROM published_row", "DELETE FROM batch", "UPDATE dataset SET head = ''"):
        session.execute(sa.text(statement))
    session.commit()
    with pytest.raises(ExportProblem, match="damaged or lost"):
        build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)


def test_too_many_rows_like_no_other_wait_and_the_ledger_remembers_nothing(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    another_dataset(session, cast, "narrow", **{"suppress: {": "suppress: {max_singled_out: 0, "})
    record = session.scalars(sa.select(Record).order_by(Record.id).limit(1)).one()
    record.answers = {**record.answers, "talk": {**record.answers["talk"], "risk_now": "imminent"}}
    session.commit()
    second = a_second_series(session, cast, "{use: narrow}")
    gathered = gather_release(session, second, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    assert gathered.datasets[0].too_fine > 0
    built = build_release(session, second, parse("2026-Q2"), tmp_path, SECRET)
    assert built is not None
    assert built.manifest["datasets"]["narrow"]["rows"] == 0
    assert left_as(session, "narrow") == set()
    assert verify(tmp_path / f"{built.sha256}.zip") == []


def test_the_share_without_consent_does_not_rise_because_rows_left(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    """A third of the records stay for lack of consent; that share is the same before and after the others have left."""
    for month, seed in ((4, 1), (7, 2)):
        fill(session, cast, 160, dt.date(2026, month, 1), seed=seed)
        for number in range(80):
            day = dt.date(2026, month, 1) + dt.timedelta(days=number)
            answers = encounter(day, people={"who": "known_not_enrolled"}, consent=NOT_FOR_EVALUATORS)
            receive_batch(session, cast.amina, parse_batch(batch(envelope(answers, day=day))))
    shares = []
    for name in ("2026-Q2", "2026-Q3"):
        built = build_release(session, series, parse(name), tmp_path, SECRET)
        assert built is not None
        shares.append(built.manifest["datasets"]["encounters"]["without_consent_share"])
    assert shares == [pytest.approx(0.35, abs=0.06), pytest.approx(0.35, abs=0.06)]


def test_datasets_of_which_nothing_was_published_follow_the_programme(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    fill(session, cast, 200, dt.date(2026, 4, 1))
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    session.execute(sa.update(Dataset).where(Dataset.name == "participants").values(text=Dataset.text + "\n# old\n"))
    session.commit()
    assert build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
    kept = session.scalars(sa.select(Dataset).where(Dataset.name == "participants")).one()
    assert kept.text == load_program_datasets()["participants"]


def test_a_batch_of_a_later_period_is_not_passed_over_when_an_earlier_period_came_after_it(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    def another(key: str) -> ReleaseSeries:
        recipe = series.recipe.replace("id: evaluator-quarterly", f"id: {key}")
        return ReleaseSeries(
            centre_id=series.centre_id, key=key, title={"en": key, "fr": key}, cadence="quarter",
            first_period="2026-Q3", recipe=recipe, secret="77" * 32,
        )  # fmt: skip

    first, third = another("first"), another("third")
    session.add_all([first, third])
    session.commit()
    fill(session, cast, 200, dt.date(2026, 4, 1))
    fill(session, cast, 150, dt.date(2026, 7, 1), seed=2)
    assert build_release(session, first, parse("2026-Q3"), tmp_path, SECRET)
    assert build_release(session, series, parse("2026-Q2"), tmp_path, SECRET)
    # Its rows of Q3 are batch 1, and batch 2 is of Q2, which is not for it: a package without them would look whole.
    with pytest.raises(ExportProblem):
        build_release(session, third, parse("2026-Q3"), tmp_path, SECRET)
