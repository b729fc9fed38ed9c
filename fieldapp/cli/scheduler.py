"""Run only the scheduler."""

import click

from fieldapp import settings as settings_module
from fieldapp.jobs.runner import run_forever


@click.command()
def scheduler() -> None:
    """Run only the scheduler: build releases that are due."""
    run_forever(settings_module.read())
