"""Waitress, with an end to patience: slow clients cannot keep phones out.

It takes whole requests in a loop and answers them by threads, so a slow client holds no thread. What it would hold is
a connection, and of these there are only so many. So a request must arrive, and an answer be taken, at some least speed;
and where all connections are taken, who holds most of them gives up those that have brought nothing for longest.
"""

import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

log = logging.getLogger("fieldapp.web")

HEAD_SECONDS = 15.0  # for the head of a request, from its first byte
GRACE = 30.0  # seconds in which a body, or an answer, may stand still
LEAST_SPEED = 300  # bytes a second after that; the worst mobile network brings more
LOG_EVERY = 60.0
ROOM = 16  # connections that are given up at once where all are taken


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when it has brought nothing whole."""

    def __init__(self, *arguments: Any, **options: Any):
        self.since = time.monotonic()  # it was opened, or the last whole request on it came
        self.begun: float | None = None  # the first byte of the request that is not whole yet
        self.taken_since: float | None = None  # the first look at which an answer waited to be taken
        self.bytes_received = 0  # of that request
        self.bytes_sent = 0  # of that answer
        super().__init__(*arguments, **options)

    def received(self, data: bytes) -> Any:
        before = self.request
        done = super().received(data)
        now = time.monotonic()
        if self.request is None:
            self.begun = None
            self.since = now
        elif self.request is not before:
            self.begun = now
            self.bytes_received = len(data)
            if before is not None:
                self.since = now
        else:
            self.bytes_received += len(data)
        return done

    def send(self, data: bytes, do_close: bool = True) -> Any:
        count = super().send(data, do_close)
        self.bytes_sent += count or 0
        return count

    def is_overdue(self, now: float) -> bool:
        """Say whether its request, or the taking of an answer, is slower than may be."""
        if self.total_outbufs_len:
            if self.taken_since is None:
                self.taken_since = now
                self.bytes_sent = 0
            return _is_too_slow(now - self.taken_since, self.bytes_sent)
        self.taken_since = None
        request = self.request
        if self.begun is None or request is None:
            return False
        if not request.headers_finished:
            return now - self.begun > HEAD_SECONDS
        return _is_too_slow(now - self.begun, self.bytes_received)


def _is_too_slow(seconds: float, count: int) -> bool:
    return count < (seconds - GRACE) * LEAST_SPEED


class PatientServer(TcpWSGIServer):  # type: ignore[misc]
    """A server whose connections cannot all be held by who uses them for nothing."""

    channel_class = Channel
    next_channel_cleanup = 0.0

    closed = 0  # connections that were given up since the log said so
    said_at = 0.0

    def readable(self) -> bool:
        now = time.time()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = now + self.adj.cleanup_interval
            self.maintenance(now)
        if len(self._map) < self.adj.connection_limit:
            return bool(self.accepting)
        # Nobody is let in before the next round of the loop, in which these are closed.
        self.make_room()
        return False

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        moment = time.monotonic()
        for channel in self.active_channels.values():
            if channel.is_overdue(moment):
                self.give_up(channel)
                if not channel.requests:
                    channel.total_outbufs_len = 0  # what is left of the answer is not waited for again
        # Not for each of them, or who sends slowly fills the log.
        if self.closed and moment - self.said_at > LOG_EVERY:
            log.warning("%s slow or idle connections were closed so that others get in", self.closed)
            self.closed = 0
            self.said_at = moment

    def make_room(self) -> None:
        """Give up connections of who holds most, the longest idle ones first."""
        # What is being answered is never given up: that is what the others wait for.
        idle = [channel for channel in self.active_channels.values() if not channel.requests and not channel.will_close]
        counts = Counter(_find_address(channel) for channel in idle)
        idle.sort(key=lambda channel: (-counts[_find_address(channel)], channel.since))
        for channel in idle[:ROOM]:
            self.give_up(channel)

    def give_up(self, channel: Channel) -> None:
        """Close a connection in the next round of the loop."""
        channel.will_close = True
        self.closed += 1


def _find_address(channel: Channel) -> str:
    return str(channel.addr[0]) if isinstance(channel.addr, tuple) else ""


def make_server(application: Callable[..., Any], listener: socket.socket, **adjustments: Any) -> PatientServer:
    """Return a server for a WSGI application on a socket that listens already."""
    # poll() and not select(), which fails beyond 1,024 files.
    settings = Adjustments(sockets=[listener], asyncore_use_poll=True, **adjustments)
    info = listener.family, listener.type, listener.proto, listener.getsockname()
    return PatientServer(application, map={}, _sock=listener, adj=settings, bind_socket=False, sockinfo=info)
