"""Put a backup back."""

from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.names import parse_names
from fieldapp.services.operations.backup.restore import restore as put_back
from fieldapp.services.operations.backup.restore import restore_from_place


@click.command()
@click.argument("source", metavar="[DIR|FILE.age|NAME]", required=False, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Move the data that is there aside; nothing is deleted.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="A copy of the server's key file, for a machine that has none yet: no backup has it.",
)
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help="The file with a custodian's private age key, for an encrypted backup.",
)
@click.option("--older", is_flag=True, help="Put this one back though a newer one lies beside it.")
@click.option("--drill", is_flag=True, help="Only try it: phones must never reach what this restores.")
@click.option("--without-list", is_flag=True, help="Put it back though the second list of what people took back is lost.")
@click.option("--other-centre", is_flag=True, help="Put it back though it may not be of the centre that is here.")
@click.option("--without-journal", is_flag=True, help="Put it back without what came after it.")
@click.option("--after", type=click.IntRange(0), help="The highest number of a copy that phones show (Mine, This phone).")
def restore(
    source: Path | None,
    replace: bool,
    key: Path | None,
    identity: Path | None,
    older: bool,
    drill: bool,
    without_list: bool,
    other_centre: bool,
    without_journal: bool,
    after: int | None,
) -> None:
    """Put a backup back, with the server and the scheduler stopped.

    Without a name it is the newest in the place off this machine (FIELDAPP_COPIES); NAME is one of those there.
    """
    settings = settings_module.read()
    try:
        if source is None or (settings.copies and not source.exists() and parse_names([str(source)])):
            name = str(source or "")
            done = restore_from_place(
                settings,
                name,
                replace,
                key,
                identity=identity,
                older=older,
                after=after,
                is_drill=drill,
                without_list=without_list,
                other_centre=other_centre,
                without_journal=without_journal,
            )
        else:
            done = put_back(
                settings,
                source,
                replace,
                key,
                identity=identity,
                older=older,
                after=after,
                is_drill=drill,
                without_list=without_list,
                other_centre=other_centre,
                without_journal=without_journal,
            )
    except BackupProblem as problem:
        raise click.ClickException(str(problem)) from None
    made_at = f"{done.manifest['made_at'][:16].replace('T', ' ')} UTC"
    if done.journal.segments:
        count = len(done.journal.segments)
        click.echo(f"The backup is in its place, with {count} parts of the journal after it: all up to {made_at}.")
    else:
        click.echo(f"The backup of {made_at} is in its place: {done.manifest['rows']['submission']} submissions.")
    if done.journal.problem:
        click.echo(
            f"The journal ends early: {done.journal.problem} Parts that could not be used: {done.journal.unused}. What was "
            "in them is on phones only where they have not deleted it yet.",
            err=True,
        )
    for where in done.aside:
        click.echo(f"What was there before is in {where}")
    for where in done.unnoted:
        click.echo(f"The number of this restore could not be noted in {where}. Make sure that the former server never runs.")
    if done.unknown_packages:
        click.echo(
            "These packages were built after the backup was made. Its ledger does not know them, so their rows would be "
            f"published again. Start only `fieldapp serve`, and switch their series off before the scheduler runs: "
            f"{', '.join(done.unknown_packages)}"
        )
    if drill:
        click.echo("This is a drill: look at it, never let phones reach it, and delete its folder.")
        return
    click.echo(
        "Start the server. Phones send again what they sent after the backup; older apps cannot. Then look at "
        "the office's home page and at People and phones: they say which numbers of which phones are missing. "
        f"What the office did after {made_at} is undone: people switched off, phones locked or wiped, "
        "new passwords, invitations. What people took back or lowered since counts again, by the list outside the "
        "database; answers that had been cut are cut again within a minute."
    )
    if without_list:
        click.echo(
            "The second list was not checked: what is not in it does not count. Stop releases until workers and office have "
            "lowered and ended again what they know of, on each card's own page. Should that list come back, it counts "
            "automatically."
        )
    elif settings.second_forgotten_file is None:
        click.echo(
            "There is no second list (FIELDAPP_FORGOTTEN_COPY). On a new machine, what people took back after the backup "
            "is in no list: lower and end again what workers and office know of, on each card's own page."
        )
