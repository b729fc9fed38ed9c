"""Say how the installation is: every setting with its source, and what does not work."""

import dataclasses
import os
import shutil
import sys

import click
import sqlalchemy as sa

from fieldapp import settings as settings_module
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.web import assets

SECRET = {"secret_key", "database_url", "smtp_url"}
LOW = 500_000_000  # bytes free on the disk


@click.command()
def doctor() -> None:
    """Check the installation. Exit status 1 when something must be put right."""
    settings = settings_module.read()
    for setting in dataclasses.fields(Settings):
        name = f"FIELDAPP_{setting.name.upper()}"
        source = "set" if name in os.environ else "file" if f"{name}_FILE" in os.environ else "default"
        value = getattr(settings, setting.name)
        shown = "(hidden)" if setting.name in SECRET and value else value or "(empty)"
        click.echo(f"{name:28} {shown:24} {source:8} {setting.metadata['text']}")
    problems = []
    try:
        engine = engine_for(settings.url)
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        if not migrations.is_current(engine):
            problems.append("The database needs: fieldapp db upgrade")
    except sa.exc.OperationalError:
        problems.append("The database cannot be reached.")
    if not assets.is_built():
        problems.append("The client is not built. Run: make build")
    settings.folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.folder).free < LOW:
        problems.append("The disk has less than 500 MB left.")
    for problem in problems:
        click.echo(f"PUT RIGHT: {problem}", err=True)
    if not problems:
        click.echo("All is well.")
    sys.exit(1 if problems else 0)
