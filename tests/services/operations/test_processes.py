"""The operator's commands and the scheduler as processes of their own: each must find all that it needs."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator_export.package.verify import verify
from tests.commands import Ended, run_command

ROOT = Path(__file__).parents[3]


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FIELDAPP_DATA": str(data)}
    return subprocess.run(
        [sys.executable, "-m", "fieldapp", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def command_here(data: Path, *arguments: str) -> Ended:
    """Run a command that another test, or another line, has shown to start by itself."""
    return run_command({**os.environ, "FIELDAPP_DATA": str(data)}, *arguments)


@pytest.fixture(scope="session")
def new_centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("centre")
    assert command(data, "db", "upgrade").returncode == 0
    made = command(data, "centre", "add", "rexdale", "Rexdale centre", "--admin", "rosa")
    assert made.returncode == 0, made.stderr
    assert "shown once" in made.stdout
    return data


@pytest.fixture
def centre(new_centre: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(new_centre, tmp_path / "data"))


def test_a_release_by_hand_is_built_once_and_copied_again(centre: Path) -> None:
    for _ in range(2):
        built = command(
            centre, "release", "build", "evaluator-quarterly", "--period", "2026-Q1", "--out", str(centre / "out")
        )
        assert built.returncode == 0, built.stderr
    assert verify(centre / "out/evaluator-quarterly-2026-Q1.zip") == []
    assert len(list((centre / "packages").glob("*.zip"))) == 1
    for arguments, words in [
        (("nope", "--period", "2026-Q1"), "There is: evaluator-quarterly"),
        (("evaluator-quarterly", "--period", "2026-01"), "by quarter"),
        (("evaluator-quarterly", "--period", "2199-Q1"), "has not ended"),
    ]:
        refused = command_here(centre, "release", "build", *arguments, "--out", str(centre))
        assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr


def test_the_scheduler_builds_what_is_due_also_after_it_was_killed(centre: Path) -> None:
    with sqlite3.connect(centre / "fieldapp.db") as connection:
        connection.execute("UPDATE series SET first_period = '2026-Q1'")
    environment = {**os.environ, "FIELDAPP_DATA": str(centre)}
    for patience in (1.5, 40):  # the first is killed, most likely midway
        process = subprocess.Popen([sys.executable, "-m", "fieldapp", "scheduler"], cwd=ROOT, env=environment)
        until = time.monotonic() + patience
        while time.monotonic() < until and count(centre, "SELECT count(*) FROM scheduler_beat") == 0:
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with sqlite3.connect(centre / "fieldapp.db") as connection:
            connection.execute("UPDATE release_run SET lease_until = '2000-01-01 00:00:00' WHERE state = 'running'")
    built, periods = "SELECT count(*) FROM release", "SELECT count(DISTINCT series_id || period) FROM release"
    assert count(centre, built) == count(centre, periods) == 6  # of two series
    assert count(centre, "SELECT count(*) FROM release_run WHERE state != 'done'") == 0


def count(data: Path, query: str) -> int:
    with sqlite3.connect(data / "fieldapp.db") as connection:
        found: int = connection.execute(query).fetchone()[0]
    return found


def test_the_doctor_says_what_is_wrong_and_what_is_set(centre: Path, tmp_path: Path) -> None:
    well = command(centre, "doctor")
    assert (well.returncode, "All is well." in well.stdout) == (0, True)
    ill = command_here(tmp_path / "none", "doctor")
    assert (ill.returncode, "fieldapp db upgrade" in ill.stderr) == (1, True)


def test_a_form_is_published_from_the_command_line_or_refused_by_row(centre: Path) -> None:
    form = centre / "form.md"
    table = "| survey |\n| | type | name | label | privacy::class |\n| | integer | n | N | %s |\n| settings |\n| | form_id | version |\n| | v | 1 |\n"
    form.write_text(table % "")
    refused = command_here(centre, "forms", "publish", str(form))
    assert (refused.returncode, "row 2" in refused.stderr) == (1, True)
    form.write_text(table % "operational")
    published = command(centre, "forms", "publish", str(form))
    assert (published.returncode, "v 1 is published" in published.stdout) == (0, True), published.stderr
    unknown = command_here(centre, "forms", "publish", str(form), "--centre", "nowhere")
    assert "There is no centre “nowhere”" in unknown.stderr


def test_a_second_server_on_the_same_port_is_refused_in_words(centre: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {**os.environ, "FIELDAPP_DATA": str(centre), "FIELDAPP_PORT": str(taken.getsockname()[1])}
        done = subprocess.run(
            [sys.executable, "-m", "fieldapp", "run"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert "make run PORT=" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a process that was killed")
def test_where_run_is_killed_its_server_and_scheduler_end_too(centre: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "FIELDAPP_DATA": str(centre), "FIELDAPP_PORT": str(port)}
    running = subprocess.Popen([sys.executable, "-m", "fieldapp", "run"], cwd=ROOT, env=environment)
    assert wait_until(lambda: answers(port)), "it never served"
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    assert len(children) == 2
    running.kill()
    running.wait()
    assert wait_until(lambda: not any(is_running(child) for child in children))
    assert not answers(port)


def is_running(process: str) -> bool:
    """Say whether a process runs; one that ended and that nobody has asked about yet does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(is_true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and not is_true():
        time.sleep(0.1)
    return is_true()
