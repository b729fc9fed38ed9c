"""Connections that bring nothing, a byte at a time: phones are let in beside them, and they are closed."""

import http.client
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fieldapp.cli import patient_server
from fieldapp.cli.serve import CONNECTIONS, listener_at, serve_on
from fieldapp.settings import Settings
from tests.cast import Cast

HEAD = b"GET / HTTP/1.1\r\nX-Slow: "
BODY = b"POST /sync/v1/deliver HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def port(settings: Settings, web_cast: Cast) -> int:
    """The real server, on a real socket."""
    chosen = Settings(**{**settings.__dict__, "port": "0"})
    listener = listener_at(chosen)
    threading.Thread(target=serve_on, args=(chosen, listener), daemon=True).start()
    number: int = listener.getsockname()[1]
    return number


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process, which is both sides, hold thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4_096:
        pytest.skip("this process may not hold so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4_096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ask(one: socket.socket) -> bool:
    one.sendall(HEALTH)
    answer = http.client.HTTPResponse(one)
    answer.begin()
    answer.read()  # whole, or the next answer on this connection would begin in the middle of this one
    return answer.status == 200


@pytest.mark.slow
def test_a_thousand_and_ten_slow_connections_keep_no_phone_out(port: int, many_files: None) -> None:
    with ExitStack() as stack:
        held = []
        for number in range(1_010):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            one.sendall(HEAD if number % 2 else BODY)
            held.append(one)
        assert len(held) > CONNECTIONS
        for _ in range(30):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as phone:
                assert ask(phone)
        # The first ones had to go for those that came later; the newest wait for their time to be up.
        assert held[0].recv(1) == b""


def test_a_head_and_a_body_that_come_too_slowly_are_closed_and_a_phone_stays(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_server, "HEAD_SECONDS", 0.0)
    monkeypatch.setattr(patient_server, "GRACE", 0.0)
    monkeypatch.setattr(patient_server, "LEAST_SPEED", 1_000_000)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as phone:
        assert ask(phone)
        for begun in (HEAD, BODY):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
                slow.sendall(begun)
                assert slow.recv(1) == b""
        assert ask(phone)


def test_a_body_is_given_the_time_that_the_worst_network_needs(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as phone:
        phone.sendall(BODY)
        for _ in range(8):
            phone.sendall(b" " * 1_000)
        phone.sendall(b" " * 999)
        assert b" 4" in phone.recv(4_000)[:20]  # it is no delivery, and is told so


def test_who_holds_most_gives_way_and_what_is_answered_does_not() -> None:
    class Held:
        def __init__(self, address: str, since: float, is_answered: bool = False):
            self.addr, self.since, self.will_close = (address, 1), since, False
            self.requests = ["one"] if is_answered else []

    def make(held: list[Held]) -> patient_server.PatientServer:
        server = object.__new__(patient_server.PatientServer)
        server.active_channels = dict(enumerate(held))
        return server

    greedy = [Held("192.0.2.1", since) for since in range(40)]
    busy = Held("192.0.2.1", -1.0, is_answered=True)
    phone = Held("192.0.2.2", -5.0)
    make([*greedy, busy, phone]).make_room()
    assert [one.since for one in greedy if one.will_close] == list(range(patient_server.ROOM))
    assert not busy.will_close
    assert not phone.will_close
