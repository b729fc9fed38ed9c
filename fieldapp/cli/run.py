"""Serve: the web, the scheduler beside it, and TLS for real phones on the local network."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

import click

from fieldapp import settings as settings_module
from fieldapp.cli import local_tls
from fieldapp.cli.demo_sign_ins import greet, refuse_beside_real_centres
from fieldapp.cli.opening import check_key, refuse_exposed
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.keys import attach_keys
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.operations import centres
from fieldapp.store.session import Engine, Session
from fieldapp.store.sweeping import sweep_clear_text

TLS_PORT = 8443
PR_SET_PDEATHSIG = 1  # of Linux's prctl.h


@click.command()
@click.option("--demo", is_flag=True, help="Set up the database and, when it is empty, the demo; print its sign-ins.")
@click.option("--tls", is_flag=True, help="Also serve the local network over https, and show a QR code for a phone.")
def run(demo: bool, tls: bool) -> None:
    """Serve the app and run the scheduler until Ctrl-C."""
    settings = settings_module.read()
    # Before the children start: each would fail by itself with a message of its own.
    _refuse_taken(settings.host, int(settings.port))
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    if demo:
        _make_demo(engine)
    if not migrations.is_current(engine):
        raise click.ClickException("The database is not set up for this version. Run: fieldapp db upgrade")
    engine.dispose()
    # Here and not in a child: its question and its refusal belong on this terminal.
    refuse_exposed(settings)
    check_key(settings)
    commands = [[sys.executable, "-m", "fieldapp", part] for part in ("serve", "scheduler")]
    environments = [dict(os.environ), dict(os.environ)]
    if tls:
        _refuse_taken("0.0.0.0", TLS_PORT)  # noqa: S104  phones on the local network must reach it
        certificate, key = local_tls.certificate(settings.folder / "tls")
        commands.append(_tls_command(str(certificate), str(key)))
        environments.append({**os.environ, "FIELDAPP_SECURE_COOKIES": "yes"})
    children = [
        subprocess.Popen(command, env=environment, preexec_fn=_end_with_parent)  # noqa: PLW1509  this process has one thread
        for command, environment in zip(commands, environments, strict=True)
    ]
    click.echo(f"fieldapp serves on http://localhost:{settings.port} (Ctrl-C ends it)")
    if tls:
        local_tls.explain(TLS_PORT)
    sys.exit(_watch(children))


def _make_demo(engine: Engine) -> None:
    """Set up the database and the demo where they are not there yet, and print the sign-ins."""
    if not migrations.is_current(engine):
        migrations.upgrade(engine)
    sweep_clear_text(engine)
    with Session(engine) as session:
        # What an older version stored is brought in line before anybody can read it.
        cut_in_every_centre(session)
        tell_in_every_centre(session)
        refuse_beside_real_centres(session)
        is_there = bool(centres.list_all(session))
    if is_there:
        greet()
    # In another process, so that the demo's seed and memory do not linger in this one.
    elif subprocess.run([sys.executable, "-m", "fieldapp", "demo"]).returncode:
        sys.exit(1)


def _tls_command(certificate: str, key: str) -> list[str]:
    """Return the command that serves the local network over https, for trying real phones."""
    return [
        sys.executable, "-m", "gunicorn", "fieldapp.app:create_app()", "--bind", f"0.0.0.0:{TLS_PORT}", "--workers", "1",
        "--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--log-level", "warning",
        "--logger-class", "fieldapp.cli.tls_logs.PlainLogger",
        "--certfile", certificate, "--keyfile", key,
    ]  # fmt: skip


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent is killed.

    The parent has no time to do so itself.

    Elsewhere nothing happens: there the next start says that the port is taken.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        # A port that was just left is free, though the system holds it for a while.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            text = f"Port {port} cannot be used ({error.strerror}). Choose another one: make run PORT={port + 1}"
            raise click.ClickException(text) from None


def _watch(children: list[subprocess.Popen[bytes]]) -> int:
    """Wait until one child ends or we are told to stop; then end them all."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    status = 0
    try:
        # One without the other is worse than none: a server without its scheduler sends no release,
        # and nobody sees why.
        while all(child.poll() is None for child in children):
            time.sleep(0.3)
        status = 1
        click.echo("One of the processes ended; stopping the others.", err=True)
    except KeyboardInterrupt:
        pass
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
    return status
