"""Back up the data folder and the database."""

from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Make a whole, checked backup in DIR, a new folder, while phones send; without the key."""
    try:
        result = take_backup(settings_module.read(), folder)
    except BackupProblem as problem:
        raise click.ClickException(str(problem)) from None
    size = sum(part["size"] for part in result.manifest["parts"])
    click.echo(f"{result.where} is a whole backup: {result.manifest['rows']['submission']} submissions, {size:,} bytes.")
    click.echo(f"SHA-256 of its manifest.json: {result.sha256}")
    for words in result.left_out:
        click.echo(words)
    if result.is_safe:
        click.echo("It was read back. What is in it and in the one before it is safe: phones delete their copies of that.")
    click.echo("It is not encrypted: whoever has it can read it. Take it off this machine, to a place that is locked.")
