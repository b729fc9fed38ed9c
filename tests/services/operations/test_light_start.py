"""What a started server and scheduler load: Python itself writes it down, import by import."""

import contextlib
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import run_command

ROOT = Path(__file__).parents[3]
IMPORTED = re.compile(r"^import time:.*\|\s+([\w.]+)$", re.MULTILINE)
# What reads and writes workbooks, computes releases, draws, changes a schema and sends: none is needed until somebody asks.
HEAVY = {
    "PIL", "alembic", "h3", "highspy", "lxml", "minio", "minisign", "numpy", "odata_query", "openpyxl", "pandas", "paramiko",
    "pikepdf", "pyarrow", "pyrage", "pyreadstat", "pyxform", "reportlab", "scipy", "segno", "shapely", "urllib3", "xlrd",
    "xlsxwriter",
}  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "FIELDAPP_DATA": str(tmp_path), "FIELDAPP_PORT": str(port)}
    assert run_command(environment, "db", "upgrade").returncode == 0
    return environment


def packages_loaded_by(command: str, environment: dict[str, str], is_at_work: Callable[[], bool]) -> set[str]:
    """Run a command until it does its work; return the top-level packages that its process imported."""
    log = Path(environment["FIELDAPP_DATA"]) / "imports.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "fieldapp", command], cwd=ROOT, env=environment, stderr=errors
        )
        try:
            until = time.monotonic() + 60
            while not is_at_work():
                assert process.poll() is None, f"{command} ended: {log.read_text()[-500:]}"
                assert time.monotonic() < until, f"{command} did not come to its work"
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    imported = {name.partition(".")[0] for name in IMPORTED.findall(log.read_text())}
    assert {"fieldapp", "sqlalchemy"} <= imported, "Python wrote nothing down: this would prove nothing"
    return imported


def test_a_server_that_shows_its_pages_has_loaded_nothing_that_only_releases_and_workbooks_need(
    environment: dict[str, str],
) -> None:
    base = f"http://127.0.0.1:{environment['FIELDAPP_PORT']}"

    def shows_pages() -> bool:
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=5).close()
        except urllib.error.URLError as error:
            assert isinstance(error.reason, ConnectionRefusedError), error  # it does not listen yet
            return False
        for path in ("/", "/app/"):
            urllib.request.urlopen(base + path, timeout=5).close()
        return True

    assert packages_loaded_by("serve", environment, shows_pages) & HEAVY == set()


def test_a_scheduler_with_nothing_to_build_has_loaded_nothing_that_builds_or_sends(
    environment: dict[str, str],
) -> None:
    def has_looked() -> bool:
        with contextlib.closing(sqlite3.connect(Path(environment["FIELDAPP_DATA"]) / "fieldapp.db")) as connection:
            return bool(connection.execute("SELECT count(*) FROM scheduler_beat").fetchone()[0])

    assert packages_loaded_by("scheduler", environment, has_looked) & HEAVY == set()
