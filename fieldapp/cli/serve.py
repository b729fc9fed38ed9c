"""Serve only the web.

A loop reads whole requests and sends answers, so no slow client holds a thread (patient_server.py).
"""

import contextlib
import logging
import os
import signal
import socket
import sys
from types import FrameType

import click

from fieldapp import settings as settings_module
from fieldapp.cli.opening import check_key, refuse_exposed
from fieldapp.cli.patient_server import make_server
from fieldapp.settings import Settings

THREADS = 4  # more of them only wait for each other: one writer, one interpreter
BACKLOG = 1024
CONNECTIONS = 800  # open at once; a process may have 1,024 files, the database's among them
PATIENCE = 60  # seconds that a connection may say nothing
MAX_BODY = 8_100_000  # bytes; a little above the app's own limit, which answers in words


@click.command()
def serve() -> None:
    """Serve only the web, on FIELDAPP_HOST and FIELDAPP_PORT.

    Put a proxy that speaks https in front of it.
    """
    settings = settings_module.read()
    refuse_exposed(settings)
    check_key(settings)
    listener = listener_at(settings)
    # SQLite has one writer: one process with a queue is fastest there. PostgreSQL takes several.
    if settings.url.startswith("sqlite"):
        serve_on(settings, listener)
    else:
        _serve_with_others(settings, listener, os.cpu_count() or 1)


def listener_at(settings: Settings) -> socket.socket:
    """Return a socket that listens on the settings' address."""
    family = socket.AF_INET
    if ":" in settings.host:
        family = socket.AF_INET6
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, int(settings.port)))
    listener.listen(BACKLOG)
    return listener


def serve_on(settings: Settings, listener: socket.socket) -> None:
    """Serve the app on a socket until the process ends."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news
    from fieldapp.app import create_app  # noqa: PLC0415  after the fork: no process shares another's connections

    server = make_server(
        create_app(settings),
        listener,
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=PATIENCE,
        cleanup_interval=5,
        max_request_body_size=MAX_BODY,
        clear_untrusted_proxy_headers=settings.trusted_proxies == "0",
        ident=None,
    )
    server.print_listen("Serving on http://{}:{}")
    server.run()


def _serve_with_others(settings: Settings, listener: socket.socket, count: int) -> None:
    """Serve in `count` processes, at most 4.

    When one of them ends, all do: the service manager then starts the whole again.
    """
    children = []
    for _ in range(min(count, 4)):
        child = os.fork()
        if child == 0:
            serve_on(settings, listener)
            sys.exit(0)
        children.append(child)

    def stop(*_: int | FrameType | None) -> None:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    os.wait()
    stop()
