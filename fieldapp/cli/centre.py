"""Set up a centre."""

import click

from fieldapp.cli.opening import opened
from fieldapp.services.centres import add_first_admin, set_up_centre


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
        password = add_first_admin(session, set_up_centre(session, slug, name), admin)
    click.echo(f"{name} is set up. Sign in as {admin} with this password, shown once: {password}")
