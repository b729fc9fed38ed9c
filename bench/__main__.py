"""`make bench`: each figure beside its floor or peer, measured in the same run where that is possible.

CPU time, not wall time, wherever it can be had: this also runs on busy machines. Peers' figures that cannot be measured here
(other products) are from our own earlier measurements and say so.
"""

import datetime as dt
import gc
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bench import forms as form_language
from bench import full_phone, hostile, load, phone, records
from bench import products as city
from fieldapp.services.acts import Actor
from fieldapp.services.keys import attach_keys, current_key, load_receipt_signer
from fieldapp.services.phones.devices import enrol_device
from fieldapp.services.records import listing
from fieldapp.services.records.deliveries import receive_batch, receive_delivery
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.records.records import RecordFilter
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from sync.sealed import parse_delivery
from tests.cast import Cast, encounter, make_cast
from tests.programme import definition_of
from tests.sealing import Centre, PhoneKey, delivery, sealed

SECRET = "a secret of the server"
ROOT = Path(__file__).parent.parent
Row = tuple[str, str, str, str]


def cpu(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the least CPU time of some rounds, in seconds, of this process."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def items(count: int, seed: int) -> list[dict[str, str]]:
    chance = random.Random(seed)
    day = dt.date(2026, 9, 1)
    made = []
    for _ in range(count):
        answers = encounter(day, when_where={"nbhd": chance.choice(["002", "004"])})
        body = json.dumps(answers)
        made.append(
            {
                "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                "form": "encounter",
                "version": definition_of("encounter").version,
                "finished_at": "2026-09-01T22:00:00-04:00",
                "body": body,
                "sha256": hashlib.sha256(body.encode()).hexdigest(),
            }
        )
    return made


def batches(made: list[dict[str, str]], size: int) -> list[bytes]:
    return [json.dumps({"items": made[start : start + size]}).encode() for start in range(0, len(made), size)]


def intake(session: Session, cast: Cast, folder: Path) -> list[Row]:
    """Batches of 20 through parsing, the form's logic, audit, receipts and a durable commit; and the bare inserts."""
    signs = load_receipt_signer(session, cast.centre.id, SECRET)
    fresh, again = items(1000, 1), items(1000, 1)
    for wave in batches(items(100, 2), 20):
        receive_batch(session, cast.amina, parse_batch(wave), signer=signs)
    waves = batches(fresh, 20)
    start = time.process_time(), time.perf_counter()
    for wave in waves:
        receive_batch(session, cast.amina, parse_batch(wave), signer=signs)
    ours, ours_wall = (time.process_time() - start[0]) / 1000, (time.perf_counter() - start[1]) / 1000
    start_replay = time.process_time()
    for wave in batches(again, 20):
        receive_batch(session, cast.amina, parse_batch(wave), signer=signs)
    replay = (time.process_time() - start_replay) / 1000
    ids = {item["id"] for item in fresh}
    same, least = bare_same(session, folder, ids), bare_least(folder, fresh)
    rate = f"{1 / ours_wall:.0f}/s"
    return [
        (
            "intake, batch of 20, durable, receipts: CPU ms each",
            f"{ours * 1000:.2f}",
            "target 1.5",
            f"{ours * 1000 / 1.5:.2f}",
        ),
        ("  its rate beside the bare insert of the same rows", rate, f"{1 / same:.0f}/s bare", f"{same / ours_wall:.2f}"),
        ("  beside the bare insert of id and answers alone", rate, f"{1 / least:.0f}/s bare", f"{least / ours_wall:.2f}"),
        (
            "  the same batches again: CPU ms per encounter",
            f"{replay * 1000:.2f}",
            f"{ours * 1000:.2f} new",
            f"{replay / ours:.2f}",
        ),
    ]


def bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def in_twenties(connection: sqlite3.Connection, inserts: list[tuple[str, list[Any]]]) -> float:
    """Return the seconds that a row takes when 20 of each statement go into one durable transaction."""
    start = time.perf_counter()
    count = len(inserts[0][1])
    for first in range(0, count, 20):
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in inserts:
            connection.executemany(statement, rows[first : first + 20])
        connection.execute("COMMIT")
    return (time.perf_counter() - start) / count


def bare_least(folder: Path, made: list[dict[str, str]]) -> float:
    connection = bare(folder / "bare.db")
    connection.execute("CREATE TABLE s (id TEXT PRIMARY KEY, body TEXT)")
    return in_twenties(connection, [("INSERT INTO s VALUES (?, ?)", [(item["id"], item["body"]) for item in made])])


def bare_same(session: Session, folder: Path, ids: set[str]) -> float:
    """Insert what the intake wrote for these encounters, in its own tables with their indexes, without any of its work."""
    session.rollback()
    source = sqlite3.connect(folder / "bench.db")
    engine = engine_for(f"sqlite:///{folder}/same.db")
    migrations.upgrade(engine)
    engine.dispose()
    inserts = []
    for name in ("submission", "record"):
        rows = [row for row in source.execute(f"SELECT * FROM {name} ORDER BY id") if ids & set(row)]
        inserts.append((f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows))
    return in_twenties(bare(folder / "same.db"), inserts)


def sealed_records(session: Session, cast: Cast) -> list[Row]:
    """Deliveries of 20 sealed records: signatures checked, boxes opened, then the same way as an open batch."""
    made = current_key(session, cast.centre.id, SECRET)
    centre, key = Centre(made.public_key, made.kid), PhoneKey()
    worker = Actor(cast.centre.id, "worker", cast.amina.user_id)
    key.device = enrol_device(session, worker, label="Bench", public_key=key.public).uid
    answers = encounter(dt.date(2026, 9, 1))
    finished = {"finished_at": "2026-09-01T22:00:00-04:00"}
    waves = [
        delivery(*(sealed(answers, centre, key, seq=20 * wave + number + 1, **finished) for number in range(20)))
        for wave in range(20)
    ]
    start = time.process_time()
    for wave in waves:
        found = receive_delivery(session, parse_delivery(wave), SECRET)
        assert {item["status"] for item in found["items"]} == {"stored"}
    each = (time.process_time() - start) / 400 * 1000
    return [("  the same, sealed and signed: CPU ms per encounter", f"{each:.2f}", "target 1.5", f"{each / 1.5:.2f}")]


def logic() -> list[Row]:
    definition = definition_of("encounter")
    answers, now = encounter(dt.date(2026, 9, 1)), local_time(dt.datetime(2026, 9, 1, 22))
    ours = cpu(lambda: [validate(definition, answers, now) for _ in range(300)]) / 300
    text = definition.to_json()
    parse = cpu(lambda: [json.loads(text) for _ in range(300)]) / 300
    ratio = f"{ours / parse:.2f}"
    return [
        (
            "form's logic on the server: CPU ms per encounter",
            f"{ours * 1000:.2f}",
            f"{parse * 1000:.2f} to parse the form",
            ratio,
        )
    ]


def page(session: Session, cast: Cast) -> list[Row]:
    first = cpu(lambda: listing.list_records(session, cast.rosa, record_filter=RecordFilter()))
    deep = cpu(lambda: listing.list_records(session, cast.rosa, record_filter=RecordFilter(), cursor="2026-09-01_500"))
    return [
        ("page of 25 records, deep: CPU ms", f"{deep * 1000:.1f}", f"{first * 1000:.1f} first page", f"{deep / first:.2f}")
    ]


def release_engine() -> list[Row]:
    code = "import bench.release as b; b.main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [tuple(row) for row in json.loads(done.stdout)]


def phone_app() -> list[Row]:
    size = json.loads((ROOT / "static/dist/size.json").read_text())
    kilobytes, budget = size["brotli"] / 1024, size["budget"] / 1024
    return [
        (
            "phone app to the first question: KB brotli",
            f"{kilobytes:.1f}",
            f"budget {budget:.0f}",
            f"{kilobytes / budget:.2f}",
        ),
        ("  beside Enketo 9.0.1 (measured earlier)", f"{kilobytes:.1f}", "236.1", f"{kilobytes / 236.1:.2f}"),
        ("  beside ODK Web Forms 0.22 (measured earlier)", f"{kilobytes:.1f}", "1042", f"{kilobytes / 1042:.3f}"),
    ]


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        engine = engine_for(f"sqlite:///{folder}/bench.db")
        attach_keys(engine, Settings(data=str(folder), secret_key="k" * 64))
        migrations.upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            cast = make_cast(session)
            rows = [
                *phone_app(),
                *form_language.rows(),
                *phone.rows(),
                *records.rows(),
                *full_phone.rows(),
                *logic(),
                *intake(session, cast, folder),
                *sealed_records(session, cast),
                *page(session, cast),
            ]
        rows += load.rows(items)
        rows += hostile.rows(items)
        rows += release_engine()
        rows += city.rows()
        engine.dispose()
    finally:
        shutil.rmtree(folder)
    widths = [max(len(row[column]) for row in [*rows, ("what", "figure", "floor or peer", "ratio")]) for column in range(4)]
    for row in [("what", "figure", "floor or peer", "ratio"), *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"({os.cpu_count()} cores, Python {sys.version.split()[0]}, {dt.date.today()})")


if __name__ == "__main__":
    main()
