"""The `fieldapp` command, for operators. Each command is a module, loaded when it is used."""

import importlib
import logging
import os
import sys

import click

from evaluator_export.problems import ExportProblem
from fieldapp.services.failures import note_failure, set_up_logs
from fieldapp.services.problems import ActProblem
from fieldapp.settings import SettingsProblem
from fieldapp.store.database import DAMAGED
from fieldapp.store.session import DatabaseError, OperationalError
from fieldapp.version import VERSION

log = logging.getLogger("fieldapp.cli")

COMMANDS = [
    "audit",
    "backup",
    "board",
    "centre",
    "city",
    "db",
    "demo",
    "doctor",
    "drill",
    "export",
    "forms",
    "geo",
    "keys",
    "person",
    "products",
    "release",
    "restore",
    "retention",
    "run",
    "scheduler",
    "serve",
]


class Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return COMMANDS

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        # Only names of the list: another module of this folder is no command.
        if name not in COMMANDS:
            return None
        # Loaded when it is used, so that a broken package stops only the commands that need it.
        module = importlib.import_module(f"fieldapp.cli.{name}")
        command: click.Command = getattr(module, name)
        return command


@click.command(cls=Commands)
@click.version_option(VERSION, message="fieldapp %(version)s")
def cli() -> None:
    """Collect encounters on phones; give evaluators the numbers without the people."""


def main() -> None:
    """Run the command; a problem is one plain sentence on standard error and exit status 1.

    What nobody foresaw leaves its frames and a number before that sentence, without the message, which may hold an answer.
    """
    set_up_logs(logging.WARNING)
    # Whatever a command writes is for the user of the server alone, whatever folder it lies in.
    os.umask(0o077)
    try:
        cli(standalone_mode=True)
    except (ActProblem, ExportProblem, SettingsProblem) as problem:
        click.echo(str(problem), err=True)
    except OperationalError as error:
        click.echo(f"The database cannot be used: {error.orig}", err=True)
        if "full" in str(error.orig):
            click.echo("The disk is full. Nothing was half-written: make room, then try again.", err=True)
        else:
            click.echo("Check FIELDAPP_DATABASE_URL, and that it has been set up: fieldapp db upgrade", err=True)
    except DatabaseError as error:
        message = f"The database cannot be used: {error.orig}"
        # Words of SQLite for a file that is damaged, or is something else.
        if any(word in str(error.orig) for word in ("malformed", "not a database")):
            message = DAMAGED
        click.echo(message, err=True)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror}", err=True)
    except Exception as error:  # with its message only for whoever asks for it: python -X dev -m fieldapp …
        if sys.flags.dev_mode:
            raise
        number = note_failure(log, "the command failed", error)
        kind = type(error).__name__
        click.echo(f"This failed in a way that nobody foresaw: {kind}, number {number}. Report the lines above.", err=True)
    # Each branch has said what was wrong in words; the status is for scripts.
    sys.exit(1)
