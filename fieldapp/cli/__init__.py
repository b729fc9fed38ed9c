"""The `fieldapp` command, for operators. Each command is a module, loaded when it is used."""

import importlib
import logging
import os
import sys

import click

from fieldapp.services.failures import note_failure, set_up_logs
from fieldapp.version import VERSION

log = logging.getLogger("fieldapp.cli")

# What `fieldapp --help` says of each: loading all of them takes two seconds.
COMMANDS = {
    "audit": "Check that nobody changed the log of who did what.",
    "backup": "Make a whole, checked backup while phones send.",
    "board": "The crisis team's board.",
    "centre": "Set up centres.",
    "city": "Add up numbers of many centres, without anybody seeing theirs.",
    "db": "Set up the database and move it between versions.",
    "demo": "Make the demo centre and print how to sign in.",
    "doctor": "Check the installation.",
    "drill": "Restore the newest backup off this machine as a test.",
    "export": "Write all answers of a form, as a ZIP of CSV files.",
    "forms": "Publish forms.",
    "geo": "Bring in outlines of areas.",
    "keys": "Say which keys there are, change them, move their file.",
    "person": "List who can sign in, and give somebody a new password.",
    "products": "Build the dashboard, maps, heat maps and panels.",
    "release": "Try, build and revoke releases.",
    "restore": "Put a backup back, with the server and scheduler stopped.",
    "retention": "See what is erased when, and what was.",
    "run": "Serve the app and run the scheduler until Ctrl-C.",
    "scheduler": "Run only the scheduler: build releases that are due.",
    "serve": "Serve only the web, on FIELDAPP_HOST and FIELDAPP_PORT.",
}


class Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        # Only names of the list: another module of this folder is no command.
        if name not in COMMANDS:
            return None
        # Loaded when it is used, so that a broken package stops only the commands that need it.
        module = importlib.import_module(f"fieldapp.cli.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


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
    except Exception as error:
        # Loaded only now: most commands never need what knows a problem by its class.
        explain = importlib.import_module("fieldapp.cli.problems").explain
        sentences = explain(error)
        if sentences:
            click.echo("\n".join(sentences), err=True)
        elif sys.flags.dev_mode:  # with its message only for whoever asks for it: python -X dev -m fieldapp …
            raise
        else:
            number = note_failure(log, "the command failed", error)
            kind = type(error).__name__
            click.echo(
                f"This failed in a way that nobody foresaw: {kind}, number {number}. Report the lines above.", err=True
            )
    # What was wrong is said in words; the status is for scripts.
    sys.exit(1)
