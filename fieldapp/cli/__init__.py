"""The operator's door: the `fieldapp` command."""

import sys

import click
from sqlalchemy.exc import OperationalError

from evaluator_export.problems import ExportProblem
from fieldapp.cli.centre import centre
from fieldapp.cli.db import db
from fieldapp.cli.demo import demo
from fieldapp.cli.doctor import doctor
from fieldapp.cli.forms import forms
from fieldapp.cli.release import release
from fieldapp.cli.run import run, scheduler
from fieldapp.services.problems import ActProblem
from fieldapp.settings import SettingsProblem


@click.group()
def cli() -> None:
    """Collect encounters on phones; give evaluators the numbers without the people."""


for command in (run, scheduler, demo, db, forms, release, centre, doctor):
    cli.add_command(command)


def main() -> None:
    """Run the command; a problem is one plain sentence on standard error and exit status 1, never a trace."""
    try:
        cli(standalone_mode=True)
    except (ActProblem, ExportProblem, SettingsProblem) as problem:
        click.echo(str(problem), err=True)
    except OperationalError as error:
        click.echo(f"The database cannot be used: {error.orig}", err=True)
        click.echo("Check FIELDAPP_DATABASE_URL, and that it has been set up: fieldapp db upgrade", err=True)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror}", err=True)
    sys.exit(1)
