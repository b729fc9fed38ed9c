"""A backup of some hundred MB and its restore, beside the floor: copying, hashing, compressing and encrypting the same bytes.

`python -m bench.backup`; BENCH_MB says how large (500), BENCH_PLACE=folder leaves the SFTP server out. A phone delivers at a
server meanwhile: its slowest hundredth stands beside the same without a backup.
"""

import hashlib
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pyrage
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup.restore import restore_from_place
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.phones import devices
from sync.envelope import parse_batch
from tests.cast import batch, encounter, envelope, make_cast
from tests.services.operations.backups import Custodians
from tests.services.servers import sftp_server

SIZE = int(os.environ.get("BENCH_MB", "500")) * 1_000_000
SECRET = "5e" * 32
SEED = 400  # encounters that are taken in as phones send them; the others are like these, with content of their own
MULTIPLIED = {"submission": ["instance_id", "root_id"], "record": ["instance_id"]}


def fill(settings: Settings) -> None:
    """Make a database of the size that was asked for."""
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    migrations.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        session.commit()
        for _ in range(SEED // 20):
            receive_batch(session, cast.amina, parse_batch(batch(*(envelope(encounter()) for _ in range(20)))))
    # As a server does when it first starts; a restore would else look at all that is put in below.
    with Session(engine, expire_on_commit=False) as session:
        cut_in_every_centre(session)
        tell_in_every_centre(session)
    engine.dispose()
    path = settings.folder / "fieldapp.db"
    with sqlite3.connect(path) as database:
        while path.stat().st_size < SIZE:
            for table, names in MULTIPLIED.items():
                _double(database, table, names)
            database.execute("UPDATE centre_log SET position = (SELECT max(log_position) FROM submission)")
            database.commit()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _double(database: sqlite3.Connection, table: str, names: list[str]) -> None:
    """Add as many rows as a table has, with other ids and other content, of the same length."""
    (count,) = database.execute(f"SELECT max(id) FROM {table}").fetchone()
    selected = []
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    for column in columns:
        term = f'"{column}"'
        if column in ("id", "log_position", "seq"):
            term = f"{term} + {count}"
        elif column in names:
            term = "lower(hex(randomblob(18)))" if column == names[0] else term
        elif column in ("body", "answers"):
            term = f"CASE typeof({term}) WHEN 'blob' THEN randomblob(length({term})) ELSE {term} END"
        selected.append(term)
    listed = ", ".join(f'"{column}"' for column in columns)
    database.execute(f"INSERT INTO {table} ({listed}) SELECT {', '.join(selected)} FROM {table}")


PHONE = """
import sys, time
from bench import backup
backup.deliver(sys.argv[1], float(sys.argv[2]))
"""


def deliver(data: str, seconds: float) -> None:
    """Take in encounters one by one for some time; print how long each took, in milliseconds."""
    settings = Settings(data=data, secret_key=SECRET)
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    with Session(engine, expire_on_commit=False) as session:
        phone = devices.list_for(session, 1)[0]
        actor = Actor(1, "worker", phone.user_id, phone.id)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            message = parse_batch(batch(envelope(encounter())))
            start = time.perf_counter()
            receive_batch(session, actor, message)
            print((time.perf_counter() - start) * 1000, flush=True)
            time.sleep(0.02)


def measure_phone(settings: Settings, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PHONE, str(settings.folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def describe(phone: "subprocess.Popen[str]") -> str:
    times = sorted(float(line) for line in phone.communicate()[0].split())
    return f"p50 {statistics.median(times):.0f} ms, p99 {times[int(len(times) * 0.99)]:.0f} ms of {len(times)}"


def measure_floor(source: Path, work: Path, keys: list[str]) -> None:
    """Copy, hash, compress and encrypt the same bytes, with nothing around it."""
    started = time.perf_counter()
    before = os.times()
    target = work / "floor"
    with source.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    shutil.copyfile(source, target)
    with target.open("rb") as file, (work / "floor.gz").open("wb") as packed:
        subprocess.run(["gzip", "-1"], stdin=file, stdout=packed, check=True)
    pyrage.encrypt_file(
        str(work / "floor.gz"), str(work / "floor.age"), [pyrage.x25519.Recipient.from_str(key) for key in keys]
    )
    seconds = time.perf_counter() - started
    used = sum(os.times()[:4]) - sum(before[:4])
    size = (work / "floor.age").stat().st_size / 1e6
    print(f"floor: cp, sha256, gzip -1 and age of it: {seconds:.1f} s, {used:.1f} s of the processor, {size:.0f} MB")
    for name in ("floor", "floor.gz", "floor.age"):
        (work / name).unlink()


def run(arguments: list[str], settings: Settings) -> tuple[float, float]:
    """Return the wall and processor seconds of a command of ours, run as the scheduler runs it."""
    before = os.times()
    started = time.perf_counter()
    environment = {**os.environ, **settings.environment()}
    command = ["nice", "-n", "10", sys.executable, "-m", "fieldapp", *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, used


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        work = Path(name)
        custodians = Custodians(work / "keys")
        (work / "copies").mkdir()
        address = str(work / "copies")
        (work / "secrets").mkdir()
        if os.environ.get("BENCH_PLACE") != "folder":
            server = stack.enter_context(sftp_server(work))
            address = f"sftp://institute@127.0.0.1:{server.port}/copies"
            (work / "secrets/backups").write_text(server.password)
            (work / "secrets/backups-host-key").write_text(server.host_key)
        here = Settings(
            data=str(work / "data"), secret_key=SECRET, copies=address, custodians=str(custodians.public),
            delivery_secrets=str(work / "secrets"),
        )  # fmt: skip
        fill(here)
        source = here.folder / "fieldapp.db"
        print(f"database: {source.stat().st_size / 1e6:.0f} MB, place: {address.split(':')[0]}", flush=True)
        measure_floor(source, work, custodians.keys)
        print("a phone alone:", describe(measure_phone(here, 20)), flush=True)
        phone = measure_phone(here, 3600)
        assert phone.stdout
        phone.stdout.readline()  # it sends by now
        wall, used = run(["backup"], here)
        phone.terminate()
        print(f"backup: {wall:.1f} s, {used:.1f} s of the processor", flush=True)
        print("a phone meanwhile:", describe(phone), flush=True)
        there = replace(here, data=str(work / "other"))
        started = time.perf_counter()
        before = time.process_time()
        restore_from_place(there, identity=custodians.files[0])
        print(f"restore: {time.perf_counter() - started:.1f} s, {time.process_time() - before:.1f} s of the processor")


if __name__ == "__main__":
    main()
