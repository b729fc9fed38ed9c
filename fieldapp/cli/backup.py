"""Back up the data folder and the database."""

from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine, take_backup


@click.command()
@click.argument("target", metavar="[DIR|FILE.age]", required=False, type=click.Path(path_type=Path))
def backup(target: Path | None) -> None:
    """Make a whole, checked backup while phones send: in a new folder, in an encrypted file.

    Without a name it is made in the place off this machine (FIELDAPP_COPIES).
    """
    settings = settings_module.read()
    try:
        result = take_backup(settings, target) if target else back_up_off_machine(settings)
    except BackupProblem as problem:
        raise click.ClickException(str(problem)) from None
    size = sum(part["size"] for part in result.manifest["parts"])
    click.echo(f"{result.address} is a whole backup: {result.manifest['rows']['submission']} submissions, {size:,} bytes.")
    click.echo(f"SHA-256 of {'it' if result.is_sealed else 'its manifest.json'}: {result.sha256}")
    for words in result.left_out:
        click.echo(words)
    if result.is_safe:
        click.echo("It was read back. What is in it and in the one before it is safe: phones delete their copies of that.")
    if result.is_sealed:
        click.echo("It is encrypted: only the custodians' private keys open it. Take it off this machine.")
    else:
        click.echo("It is not encrypted: whoever has it can read it. Take it off this machine, to a place that is locked.")
