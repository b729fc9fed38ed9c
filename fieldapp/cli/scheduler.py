"""Run only the scheduler."""

import click

from fieldapp import settings as settings_module
from fieldapp.cli.opening import check_key
from fieldapp.jobs.runner import run_forever
from fieldapp.services.operations.backup import data_lock


@click.command()
def scheduler() -> None:
    """Run only the scheduler: build releases that are due."""
    settings = settings_module.read()
    check_key(settings)
    with data_lock.share(settings):
        run_forever(settings)
