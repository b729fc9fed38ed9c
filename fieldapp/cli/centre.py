"""Set up a centre."""

import click

from fieldapp.cli.demo_sign_ins import is_demo
from fieldapp.cli.opening import opened
from fieldapp.services.operations.centres import add_first_admin, set_up_centre


@click.group()
def centre() -> None:
    """Set up centres."""


@centre.command()
@click.argument("slug")
@click.argument("name")
@click.option("--admin", required=True, help="Sign-in name of the centre's first admin.")
def add(slug: str, name: str, admin: str) -> None:
    """Make a centre with the programme's forms and one admin."""
    with opened() as (session, _):
        if is_demo(session):
            raise click.ClickException(
                "This database holds the demo, whose accounts have a published password. "
                "Set a real centre up in another folder: FIELDAPP_DATA=/srv/fieldapp"
            )
        password = add_first_admin(session, set_up_centre(session, slug, name), admin)
    click.echo(f"{name} is set up. Sign in as {admin} with this password, shown once: {password}")
