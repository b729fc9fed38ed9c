"""An unexpected error leaves its frames and a number in the log, and never what it was about."""

import datetime as dt
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export import periods
from fieldapp.jobs import runner
from fieldapp.jobs.timetable import Job, build_due_releases
from fieldapp.services.failures import LogFormatter, frames_of, note_failure, set_up_logs
from fieldapp.services.products import catalogue, editions, tables
from fieldapp.services.releases.gathering import gather
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.products import products as store
from fieldapp.store.releases import releases
from tests.cast import Cast, a_series
from tests.services.failing import CANARY, NUMBER, is_traced, outer

ROOT = Path(__file__).parent.parent.parent


def caught() -> BaseException:
    try:
        outer()
    except KeyError as error:
        return error
    raise AssertionError


def test_the_frames_are_there_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    number = note_failure(logging.getLogger("fieldapp"), "something failed", caught())
    is_traced(caplog.text)
    assert number in caplog.text and "KeyError" in caplog.text


def test_one_error_has_one_number_however_often_it_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    error, log = caught(), logging.getLogger("fieldapp")
    assert note_failure(log, "inside", error) == note_failure(log, "outside", error)
    assert caplog.text.count(":inner") == 1
    assert note_failure(log, "another", caught()) != note_failure(log, "another", caught())


def test_an_error_that_takes_no_number_is_traced_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    class Frozen(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    number = note_failure(logging.getLogger("fieldapp"), "a delivery failed", Frozen(CANARY))
    assert number in caplog.text and "Frozen" in caplog.text and CANARY not in caplog.text


def test_causes_are_traced_too_also_those_that_were_hidden() -> None:
    def convert(is_hidden: bool) -> BaseException:
        try:
            try:
                outer()
            except KeyError as error:
                raise ValueError(CANARY) from (None if is_hidden else error)
        except ValueError as error:
            return error

    for is_hidden in (False, True):
        text = frames_of(convert(is_hidden))
        assert "ValueError" in text and "KeyError" in text and ":inner" in text and CANARY not in text
    group = ExceptionGroup(CANARY, [caught(), ValueError(CANARY)])
    assert "KeyError" in frames_of(group) and CANARY not in frames_of(group)


def test_chains_without_end_and_deep_calls_stay_short() -> None:
    first, second = caught(), caught()
    first.__cause__, second.__cause__ = second, first
    assert frames_of(first).count("caused by") == 1

    def deep() -> None:
        deep()

    with pytest.raises(RecursionError) as failed:
        deep()
    assert len(frames_of(failed.value).splitlines()) < 60


def test_what_the_database_says_about_values_stays_out(session: Session) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError) as failed:
        session.execute(sa.text("SELECT nothing FROM nowhere WHERE name = :name"), {"name": CANARY})
    session.rollback()
    assert CANARY in str(failed.value)
    text = frames_of(failed.value)
    assert (CANARY not in text and "SELECT" not in text and "while handling" in text) or "caused by" in text
    assert "sqlalchemy/engine" in text


def test_a_job_that_fails_is_traced(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class Once:
        def __init__(self, **_: Any):
            self.jobs: list[Any] = []

        def add_job(self, tick: Any, _: str, arguments: list[Job], **__: Any) -> None:
            self.jobs.append((tick, arguments))

        def start(self) -> None:
            for tick, arguments in self.jobs:
                tick(*arguments)

    monkeypatch.setattr(runner, "BlockingScheduler", Once)
    monkeypatch.setattr(runner, "TIMETABLE", [Job("releases", 60, outer)])
    runner.run_forever(Settings(database_url="sqlite://"))
    is_traced(caplog.text)
    assert "the job releases failed" in caplog.text


def test_a_release_that_fails_is_traced_once_and_its_page_says_the_number(
    session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    series = a_series(session, cast)
    monkeypatch.setattr(gather, "gather_release", outer)
    monkeypatch.setattr("fieldapp.jobs.timetable.list_due_periods", lambda *_: [(series, periods.parse("2026-Q2"))])
    build_due_releases(session, Settings(data=str(tmp_path), secret_key="s" * 64))
    is_traced(caplog.text)
    assert caplog.text.count(":inner") == 1
    run = releases.find_run(session, series.id, "2026-Q2")
    assert run is not None and CANARY not in run.problem
    (number,) = NUMBER.findall(run.problem)
    assert number in caplog.text


@pytest.mark.parametrize("where", ["count", "build"])
def test_a_product_that_fails_is_traced_and_its_page_says_the_number(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    product = next(one for one in catalogue.list_products() if one.kind == "heat_map")
    with WriteTransaction(session):
        store.state(session, cast.centre.id, product.name).is_on = True
    if where == "count":
        monkeypatch.setattr(tables, "count_due_tables", outer)
    else:
        monkeypatch.setattr(tables, "count_due_tables", lambda *_: [])
        monkeypatch.setattr(editions, "KINDS", {product.kind: outer})
    editions.build_due(session, dt.datetime.now(dt.UTC))
    is_traced(caplog.text)
    if where == "build":
        problem = store.state(session, cast.centre.id, product.name).problem
        assert "KeyError" in problem and CANARY not in problem
        assert NUMBER.findall(problem)[0] in caplog.text


def test_the_log_has_time_and_level_and_what_libraries_log_shows_no_values() -> None:
    try:
        outer()
    except KeyError:
        found = sys.exc_info()
    record = logging.LogRecord("waitress", logging.ERROR, "x.py", 1, "Exception while serving /or/SECRET/x", (), found)
    record.exc_text = f"KeyError: {CANARY}"  # as another handler left it
    set_up_logs()
    assert all(allow(record) for allow in logging.getLogger("waitress").filters)  # type: ignore[operator]
    text = LogFormatter().format(record)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR waitress ", text)
    assert CANARY not in text and "SECRET" not in text and ":inner" in text


FAIL = """
import sys
from tests.services.failing import outer
import fieldapp.cli.doctor
from fieldapp import cli, settings
fieldapp.cli.doctor.settings_module.read = outer
sys.argv = ["fieldapp", "doctor"]
cli.main()
"""
THREAD = """
import threading
from tests.services.failing import outer
from fieldapp.services.failures import set_up_logs
set_up_logs()
thread = threading.Thread(target=outer)
thread.start()
thread.join()
outer()
"""


@pytest.mark.parametrize("program", [FAIL, THREAD], ids=["command", "thread"])
def test_a_command_or_thread_that_fails_is_traced(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    is_traced(done.stderr)
    if program is FAIL:
        number = NUMBER.findall(done.stderr.splitlines()[0])[-1]
        assert number in done.stderr.splitlines()[-1] and "nobody foresaw" in done.stderr
