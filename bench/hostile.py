"""Phones beside a form made to be slow, and beside connections made to be slow: how long the phones wait, in one run."""

import datetime as dt
import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bench.load import Row, Server, p, posts
from fieldapp.services.forms.published import publish_form
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from forms.sheets import read_sheets
from forms.xlsform import compile_workbook
from tests.cast import Cast, another_worker_token, envelope, make_cast

DAY = dt.date(2026, 9, 1)
# Each person's number is compared with everybody's; a pattern that engines which try one way after another need long for.
SLOW_FORM = """
| survey |              |        |        |             |                                                |
|        | type         | name   | label  | privacy     | constraint                                     |
|        | begin repeat | person | Person |             |                                                |
|        | integer      | nick   | Number | operational | count(${person}[nick = current()/../nick]) = 1 |
|        | end repeat   |        |        |             |                                                |
|        | text         | said   | Said   | free-text   | regex(., '[a-z]*[a-z0-9]*!')                   |
| settings | form_id  | version |
|          | meetings | 1       |
"""
HELD_OPEN = 1_010
ROUNDS = 3
CLOSED = b""


def make_hostile_items() -> list[dict[str, Any]]:
    """Return the records that take longest: most instances, the longest text, the deepest nesting."""
    many = {"person": [{"nick": str(number)} for number in range(9_000)]}
    nested: Any = "1"
    for _ in range(150):
        nested = {"person": [nested]}
    long = {"said": "a" * 1_000}
    return [envelope(answers, "meetings", DAY, version="1") for answers in (many, long, nested)]


def _torment(server: Server, token: str, until: threading.Event) -> None:
    """Send such records again and again, under new ids, as a phone does that gets no answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while not until.is_set():
        data = json.dumps({"items": make_hostile_items()})
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        try:
            connection.request("POST", "/sync/v1/batch", data, headers)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        connection.close()


@contextmanager
def tormented(server: Server, token: str, phones: int) -> Iterator[None]:
    """Let so many phones send such records meanwhile."""
    until = threading.Event()
    threads = [threading.Thread(target=_torment, args=(server, token, until), daemon=True) for _ in range(phones)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    yield
    until.set()
    for thread in threads:
        thread.join(130)


@contextmanager
def held_open(server: Server, count: int = HELD_OPEN) -> Iterator[list[int]]:
    """Hold so many connections open that send a byte each second, of a header or of a body; yield how many were closed."""
    until, closed = threading.Event(), [0]
    head = b"POST /sync/v1/deliver HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n"

    def hold() -> None:
        held: list[socket.socket] = []
        while not until.is_set():
            while len(held) < count and not until.is_set():
                try:
                    one = socket.create_connection(("127.0.0.1", server.port), timeout=1)
                    one.setblocking(False)
                    one.send(head if len(held) % 2 else b"GET / HTTP/1.1\r\nX-Slow: ")
                    held.append(one)
                except OSError:
                    break
            before = len(held)
            held = [one for one in held if _send_byte(one)]
            closed[0] += before - len(held)
            until.wait(1)
        for one in held:
            one.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    time.sleep(4)
    yield closed
    until.set()
    thread.join(30)


def _send_byte(one: socket.socket) -> bool:
    try:
        one.send(b"x")
        return one.recv(1) != CLOSED
    except BlockingIOError:
        return True
    except OSError:
        one.close()
        return False


def rows(items: Callable[[int, int], list[dict[str, Any]]]) -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    url = f"sqlite:///{folder}/hostile.db"
    engine = engine_for(url)
    migrations.upgrade(engine)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        workbook = read_sheets(SLOW_FORM.encode(), ".md").to_xlsx()
        publish_form(session, cast.system, compiled=compile_workbook(workbook), workbook=workbook)
        other = another_worker_token(session, cast)
    engine.dispose()
    server = Server(folder, url)
    try:
        return _measure(server, cast, other, items)
    finally:
        server.process.terminate()
        server.process.wait()


def _measure(server: Server, cast: Cast, other: str, items: Callable[[int, int], list[dict[str, Any]]]) -> list[Row]:
    fresh = iter(range(20_000, 30_000))

    def singles() -> list[float]:
        made = items(8 * 30, next(fresh))
        return posts(server, cast.token, 8, 30, 1, made.__getitem__)

    def compare(beside: Callable[[], AbstractContextManager[object]]) -> tuple[list[float], list[float]]:
        """Take turns, so that what else runs on the machine meets both alike."""
        alone: list[float] = []
        besides: list[float] = []
        for _ in range(ROUNDS):
            alone += singles()
            with beside():
                besides += singles()
        return alone, besides

    singles()  # warm
    results = [
        ("8 phones beside 1 that sends the slowest records", compare(lambda: tormented(server, other, 1))),
        ("  beside 6 of them", compare(lambda: tormented(server, other, 6))),
        (f"  beside {HELD_OPEN:,} slow connections", compare(lambda: held_open(server))),
    ]
    return [
        (f"{name}: p99 ms (p50)", f"{p(besides, 99):.0f} ({p(besides, 50):.0f})", f"{p(alone, 99):.0f} ({p(alone, 50):.0f}) without",
         f"{p(besides, 99) / p(alone, 99):.2f}")
        for name, (alone, besides) in results
    ]  # fmt: skip


def main() -> None:
    from bench.__main__ import items

    for row in rows(items):
        print("  ".join(row))


if __name__ == "__main__":
    main()
