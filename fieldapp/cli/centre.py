"""Set up a centre."""

import click

from fieldapp.cli.demo_sign_ins import is_demo
from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.acts import Actor
from fieldapp.services.operations.centres import add_first_admin, set_up_centre
from fieldapp.services.people.one_time_codes import give_one_time_code
from fieldapp.services.people.second_factor import ask_second_factor
from fieldapp.store.people import users


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
        new_centre = set_up_centre(session, slug, name)
        password = add_first_admin(session, new_centre, admin)
        first = users.by_username(session, admin.strip().lower())
        assert first is not None
        code = give_one_time_code(session, Actor.system(new_centre.id), user_id=first.id)
    click.echo(f"{name} is set up. Sign in as {admin} with this password, shown once: {password}")
    click.echo(f"The one-time code for setting up two-step verification, good for a day: {code}")


@centre.command("two-steps")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
def two_steps(slug: str, state: str) -> None:
    """Ask everybody who sees records at a centre for a second step at sign-in, or end that."""
    with opened() as (session, _):
        ask_second_factor(session, Actor.system(centre_named(session, slug).id), is_asked=state == "on")
    if state == "on":
        click.echo("From now on a second step is asked for. Who has none needs: fieldapp person code CENTRE NAME")
    else:
        click.echo("A password alone is enough from now on, but for people who have set up a second step.")
