"""People who sign in, by command: for a centre whose admin is locked out."""

import click

from fieldapp.cli.opening import centre_named, opened
from fieldapp.services.access import OFFICE_ROLES
from fieldapp.services.acts import Actor
from fieldapp.services.people.accounts import (
    RestoredAccess,
    list_people,
    make_unknown_person,
    restore_access,
)
from fieldapp.services.people.one_time_codes import PASSWORD, SET_UP, SIGN_ON, give_one_time_code
from fieldapp.store.people.users import User
from fieldapp.store.session import Session


@click.group()
def person() -> None:
    """List who can sign in at a centre, and give somebody a new password."""


@person.command("list")
@click.argument("centre")
def list_(centre: str) -> None:
    """List the people of a CENTRE: name, role, whether they can sign in."""
    with opened() as (session, _):
        # As the system: no admin may be left who could ask, and the log shows that a command did
        # it.
        people = list_people(session, Actor.system(centre_named(session, centre).id))
    rows = [("SIGN-IN NAME", "LABEL", "ROLE", "STATE", "SECOND FACTOR")]
    for user in people.users:
        state = "active"
        if not user.active:
            state = "switched off"
        second_factor = "no"
        if user.id in people.second_factors:
            second_factor = "yes"
        rows.append((user.username, user.label, user.role, state, second_factor))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@person.command()
@click.argument("centre")
@click.argument("name")
@click.option("--password", "is_password", is_flag=True, help="For choosing a new password, and not for the second step.")
@click.option("--sign-on", "is_sign_on", is_flag=True, help="For linking their account at the sign-on provider.")
def code(centre: str, name: str, is_password: bool, is_sign_on: bool) -> None:
    """Give NAME at a CENTRE a one-time code for setting up two-step verification."""
    purpose = SET_UP
    if is_password:
        purpose = PASSWORD
    elif is_sign_on:
        purpose = SIGN_ON
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, centre).id)
        user = _find_person(session, actor, name)
        if user.role not in OFFICE_ROLES and not is_password:
            raise click.ClickException(f"{name} sees no records in a browser, so no second step is asked for.")
        new_code = give_one_time_code(session, actor, user_id=user.id, purpose=purpose)
    where = "after the password"
    if is_password:
        where = "at /forgotten-password/"
    elif is_sign_on:
        where = "after signing in by the provider for the first time"
    click.echo(f"The one-time code of {name}, good for a day, {where}: {new_code}")


def _find_person(session: Session, actor: Actor, name: str) -> User:
    """Return a person of the centre by user name."""
    for user in list_people(session, actor).users:
        if user.username == name.strip().lower():
            return user
    raise make_unknown_person(name)


@person.command()
@click.argument("centre")
@click.argument("name")
@click.option("--second-factor", is_flag=True, help="Take their second factor away too, for a lost phone.")
@click.option("--switch-on", is_flag=True, help="Let them in again if they were switched off.")
def reset(centre: str, name: str, second_factor: bool, switch_on: bool) -> None:
    """Give NAME at a CENTRE a new password, which is shown once."""
    with opened() as (session, _):
        actor = Actor.system(centre_named(session, centre).id)
        done = restore_access(session, actor, username=name, second_factor=second_factor, switch_on=switch_on)
        needs_code = done.is_active and done.user_id in list_people(session, actor).without_factor
        code = give_one_time_code(session, actor, user_id=done.user_id) if needs_code else ""
    # After the work is committed, so that a password that is shown always works.
    click.echo(f"The new password of {name}, shown once: {done.password}")
    for line in _told(done, second_factor):
        click.echo(line)
    if code:
        click.echo(f"The one-time code for setting up two-step verification, good for a day: {code}")


def _told(done: RestoredAccess, second_factor: bool) -> list[str]:
    """Return what else the command did, and what it left alone."""
    # Said in full, since somebody who is locked out will ask what has happened to their phone.
    lines = [f"The old password and all sessions have ended. Phones that were signed out: {done.phones}."]
    if done.had_second_factor:
        lines.append("The second factor was taken away; they set up a new one.")
    elif second_factor:
        lines.append("There was no second factor to take away.")
    else:
        lines.append("The second factor, if there is one, is as it was (--second-factor takes it away).")
    if not done.is_active:
        lines.append("This person is switched off and stays so: the password does not work until --switch-on is given.")
    return lines
