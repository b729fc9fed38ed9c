"""The server of `run --tls` logs as the others do."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fieldapp.cli import local_tls, run
from fieldapp.store import migrations
from fieldapp.store.database import engine_for

TIME_AND_LEVEL = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S* "


def test_the_server_for_real_phones_logs_with_time_and_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_for(f"sqlite:///{tmp_path}/fieldapp.db")
    migrations.upgrade(engine)
    engine.dispose()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setattr(run, "TLS_PORT", probe.getsockname()[1])
    certificate, key = local_tls.certificate(tmp_path / "tls")
    command = run._tls_command(str(certificate), str(key))
    environment = {**os.environ, "FIELDAPP_DATA": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        master = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
    try:
        os.kill(wait_for_worker(master.pid), signal.SIGKILL)
        line = wait_for_line(tmp_path / "log", "SIGKILL")
    finally:
        os.killpg(master.pid, signal.SIGTERM)
        master.wait(timeout=30)
    assert re.match(TIME_AND_LEVEL + r"(WARNING|ERROR) gunicorn", line), line


def test_it_says_neither_address_nor_message_of_a_request_that_failed() -> None:
    code = (
        "from gunicorn.config import Config; from fieldapp.cli.tls_logs import PlainLogger; log = PlainLogger(Config())\n"
        "try: {}['an answer']\n"
        "except KeyError: log.exception('Error handling request %s', '/or/a-token/formList')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert re.match(TIME_AND_LEVEL + "ERROR gunicorn.error a request could not be served", said), said
    assert "a-token" not in said and "an answer" not in said


def wait_for_worker(master: int) -> int:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.1)
    raise AssertionError("no worker was started")


def wait_for_line(log: Path, word: str) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for line in log.read_text().splitlines():
            if word in line:
                return line
        time.sleep(0.1)
    raise AssertionError(log.read_text())
