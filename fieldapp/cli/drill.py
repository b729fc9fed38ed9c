"""Restore the newest backup as a test."""

from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.drill import prove_restore


@click.command()
@click.option("--identity", type=click.Path(path_type=Path), help="The file with a custodian's private age key.")
def drill(identity: Path | None) -> None:
    """Restore the newest backup off this machine as a test, and delete that again."""
    try:
        proof = prove_restore(settings_module.read(), identity)
    except BackupProblem as problem:
        raise click.ClickException(str(problem)) from None
    made_at = f"{proof.manifest['made_at'][:16].replace('T', ' ')} UTC"
    rows = sum(proof.manifest["rows"].values())
    click.echo(f"{proof.name}, made {made_at}, was fetched, opened and restored as a test.")
    click.echo(
        f"It has the {proof.manifest['rows']['submission']} submissions and {rows} rows that its manifest names. "
        "A server could start with it. The test's copy was deleted; the centre's server went on."
    )
