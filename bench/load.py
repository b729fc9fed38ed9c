"""Phones, readers and exports at a real server with 100,000 records in it. Times of answers are wall time: others wait too."""

import datetime as dt
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services.keys import attach_keys
from fieldapp.services.records import listing
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import WriteTransaction, engine_for
from fieldapp.store.phones import pull
from fieldapp.store.records import records as table
from fieldapp.store.records import submissions
from fieldapp.store.records.records import RecordFilter
from tests.cast import Cast, encounter, make_cast

ROWS = 100_000
PULLED = 5_000
SECRET = "b" * 64
Row = tuple[str, str, str, str]
Item = Callable[[int], dict[str, Any]]


def fill(session: Session, cast: Cast) -> None:
    """Put the records of some years in, and a worker's long caseload."""
    chance = random.Random(1)
    answers = encounter(dt.date(2026, 9, 1))
    body, now = json.dumps(answers), dt.datetime.now(dt.UTC)
    for start in range(0, ROWS, 5000):
        made, kept = [], []
        for number in range(start, start + 5000):
            record_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            same = {"centre_id": cast.centre.id, "instance_id": record_id, "form": "encounter", "version": "2026112402"}
            same |= {"author_id": cast.amina.user_id, "received_at": now, "via": "phone"}
            day = dt.date(2024, 1, 1) + dt.timedelta(days=number % 900)
            made.append(
                {
                    **same, "occurred_on": day, "area": "002", "kind": "check_in", "person": "", "changed_at": now,
                    "heads": [record_id], "contested": [], "review": "", "answers": answers,
                }
            )  # fmt: skip
            kept.append(
                {
                    **same, "root_id": record_id, "prev": [], "device_id": cast.amina.device_id, "seq": number + 1,
                    "finished_at": now, "utc_offset": 0, "sha256": f"{number:064x}", "body": body, "state": "stored",
                    "problems": [],
                }
            )  # fmt: skip
        with WriteTransaction(session):
            table.add_all(session, made)
            submissions.add_all(session, kept)
    due = {"on": "2026-12-01", "code": "K7QM3RXD1", "form": "encounter", "from": "2026-11-24"}
    assert cast.amina.user_id
    wanted = {(cast.amina.user_id, f"due/{uuid.uuid4()}/2026-12-01"): json.dumps(due) for _ in range(PULLED)}
    with WriteTransaction(session):
        keys = list(wanted)
        for start in range(0, PULLED, 400):
            pull.upsert_items(session, {key: wanted[key] for key in keys[start : start + 400]})


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, folder: Path, url: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FIELDAPP_")},
            "FIELDAPP_DATA": str(folder),
            "FIELDAPP_DATABASE_URL": url,
            "FIELDAPP_SECRET_KEY": SECRET,
            "FIELDAPP_PORT": str(self.port),
        }
        self.process = subprocess.Popen([sys.executable, "-m", "fieldapp", "serve"], env=self.environment)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1)
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("The server did not start.")

    def memory(self) -> int:
        """Return the resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024

    def cpu(self) -> float:
        return cpu_of(self.process.pid)


def posts(server: Server, token: str, phones: int, each: int, size: int, make: Item) -> list[float]:
    """Return how long each request took, in ms, when so many phones send so many batches of so many encounters each."""
    took: list[float] = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def phone(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for batch in range(each):
            start = (number * each + batch) * size
            data = json.dumps({"items": [make(start + place) for place in range(size)]})
            began = time.perf_counter()
            connection.request("POST", "/sync/v1/batch", data, headers)
            answer = connection.getresponse()
            text = answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or b'"rejected"' in text:
                raise SystemExit(f"the server said {answer.status}: {text[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=phone, args=(number,)) for number in range(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def p(took: list[float], share: int) -> float:
    return statistics.quantiles(took, n=100)[share - 1]


def pulls(server: Server, token: str, phones: int) -> list[float]:
    took: list[float] = []

    def phone() -> None:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request(
            "GET",
            "/sync/v1/pull?cursor=0",
            headers={"Authorization": f"Bearer {token}", "X-Nonce": "0" * 36, "Accept-Encoding": "gzip"},
        )
        answer = connection.getresponse()
        length = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200 or length < PULLED * 10:
            raise SystemExit(f"the server said {answer.status}")
        connection.close()

    threads = [threading.Thread(target=phone) for _ in range(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def slow_ones(server: Server, token: str) -> list[socket.socket]:
    """Return ten readers that ask for much and read nothing, and thirty that never finish asking."""
    asking = f"GET /sync/v1/pull?cursor=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    half = b"POST /sync/v1/deliver HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{"
    held = []
    for text in [asking * 4] * 10 + [half] * 15 + [b"GET / HTTP/1.1\r\nX-Slow: "] * 15:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", server.port))
        one.sendall(text)
        held.append(one)
    return held


def export(server: Server) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fieldapp", "export", "encounter", "--centre", "rexdale"]
    return subprocess.Popen(command, env=server.environment, stdout=subprocess.DEVNULL)


def rows(items: Callable[[int, int], list[dict[str, Any]]]) -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    url = f"sqlite:///{folder}/load.db"
    engine = engine_for(url)
    attach_keys(engine, Settings(data=str(folder), secret_key=SECRET))
    migrations.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        fill(session, cast)
        best = min(_page_cpu(session, cast) for _ in range(5))
    engine.dispose()
    server = Server(folder, url)
    try:
        return [
            ("page of 250 of 100,000 records: CPU ms", f"{best * 1000:.1f}", "target 20", f"{best * 1000 / 20:.2f}"),
            *_under_load(server, cast, items),
        ]
    finally:
        server.process.terminate()
        server.process.wait()


def _page_cpu(session: Session, cast: Cast) -> float:
    start = time.process_time()
    listing.list_records(session, cast.rosa, record_filter=RecordFilter(), cursor="2025-09-01_50000", size=250)
    return time.process_time() - start


def _under_load(server: Server, cast: Cast, items: Callable[[int, int], list[dict[str, Any]]]) -> list[Row]:
    idle_memory = server.memory()
    fresh = iter(range(100, 10_000))

    def singles(phones: int, each: int) -> list[float]:
        made = items(phones * each, next(fresh))
        return posts(server, cast.token, phones, each, 1, made.__getitem__)

    singles(8, 10)  # warm
    made = items(2000, next(fresh))
    before = server.cpu()
    posts(server, cast.token, 8, 12, 20, made.__getitem__)
    new = (server.cpu() - before) / 1920 * 1000
    before = server.cpu()
    posts(server, cast.token, 8, 12, 20, made.__getitem__)
    again = (server.cpu() - before) / 1920 * 1000
    single = singles(32, 12)
    idle = singles(8, 40)
    exporting = export(server)
    during: list[float] = []
    while exporting.poll() is None:
        during += singles(8, 10)
    held = slow_ones(server, cast.token)
    time.sleep(1)
    besieged = singles(8, 40)
    for one in held:
        one.close()
    pulled = pulls(server, cast.token, 200)
    seconds, megabytes = _measured_export(server)
    return [
        ("over HTTP, 8 phones, batches of 20: server CPU ms each", f"{new:.2f}", "target 1.5", f"{new / 1.5:.2f}"),
        ("  the same batches again", f"{again:.2f}", f"{new:.2f} new", f"{again / new:.2f}"),
        ("single encounters, 32 phones: p99 ms (p50)", f"{p(single, 99):.0f} ({p(single, 50):.0f})", "target 250",
         f"{p(single, 99) / 250:.2f}"),
        ("  8 phones during an export of 100,000: p99 ms", f"{p(during, 99):.0f}", f"{p(idle, 99):.0f} without",
         f"{p(during, 99) / p(idle, 99):.2f}"),
        ("  8 phones, ten stalled readers, 30 slow clients: p99 ms", f"{p(besieged, 99):.0f}", f"{p(idle, 99):.0f} without",
         f"{p(besieged, 99) / p(idle, 99):.2f}"),
        ("200 phones pull 5,000 changes each, all at once: p95 ms", f"{p(pulled, 95):.0f}", "target 1000",
         f"{p(pulled, 95) / 1000:.2f}"),
        ("CSV of 100,000 records: CPU s (MB at most)", f"{seconds:.1f} ({megabytes})", "target 10 (100)",
         f"{seconds / 10:.2f}"),
        ("server's memory: MB idle (after all this)", f"{idle_memory} ({server.memory()})", "target 150",
         f"{idle_memory / 150:.2f}"),
    ]  # fmt: skip


def _measured_export(server: Server) -> tuple[float, int]:
    """Return CPU seconds and the largest resident memory, in MB, of an export."""
    process = export(server)
    used, largest, status = 0.0, 0, Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        lines = status.read_text().splitlines() if status.exists() else []
        largest = max([largest, *(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))])
        used = max(used, cpu_of(process.pid))
        time.sleep(0.02)
    return used, largest // 1024
