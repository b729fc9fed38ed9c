"""Who can sign in to the demo, and whether a database holds the demo or a real centre."""

import click

from fieldapp.services.people import passwords
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.session import Session

PASSWORD = "demo-only-password"  # noqa: S105  printed on purpose; the demo holds invented people only
SLUGS = ("rexdale", "jane")
ADMINS = ("rexdale.admin", "jane.admin")
SIGN_INS = [
    ("rexdale.admin", "the office of Rexdale centre", "/"),
    ("rexdale.evaluator", "releases for evaluators", "/"),
    ("rexdale.crisis", "the crisis team's board", "/"),
    ("w01 … w12", "outreach workers, on the phone", "/app/"),
    ("jane.admin", "another centre, which sees nothing of Rexdale", "/"),
]


def greet() -> None:
    """Print how to sign in."""
    click.echo("Demo sign-ins (invented data; never use this password for real):")
    for name, what, where in SIGN_INS:
        click.echo(f"  {name:20} {PASSWORD}   {what}, at {where}")


def is_demo(session: Session) -> bool:
    """Say whether the database has the demo, with its published password, and nothing else."""
    return not real_centres(session) and _works(session, ADMINS[0])


def real_centres(session: Session) -> list[str]:
    """Return the slugs of the centres that the demo did not make."""
    all_centres = centres.list_all(session)
    return [centre.slug for centre in all_centres if not _is_made_by_demo(session, centre)]


def works_beside_real_centres(session: Session) -> bool:
    """Say whether an admin of the demo could sign in where there is a real centre too."""
    return has_demo_password(session) and bool(real_centres(session))


def has_demo_password(session: Session) -> bool:
    """Say whether an admin of the demo could sign in with the published password."""
    return any(_works(session, name) for name in ADMINS)


def refuse_beside_real_centres(session: Session) -> None:
    """Raise ClickException if the demo's accounts would be added beside a real centre."""
    slugs = real_centres(session)
    if slugs:
        raise click.ClickException(
            f"This database holds a real centre (“{slugs[0]}”). The demo's accounts have a published password, so they are "
            "never added beside one. Serve this one with: fieldapp run. "
            "For the demo use another folder: make run DATA=var/demo"
        )


def _is_made_by_demo(session: Session, centre: centres.Centre) -> bool:
    admin = users.by_username(session, f"{centre.slug}.admin")
    return centre.slug in SLUGS and admin is not None and admin.centre_id == centre.id and _has_password(admin)


def _works(session: Session, username: str) -> bool:
    user = users.by_username(session, username)
    return user is not None and user.active and _has_password(user)


def _has_password(user: users.User) -> bool:
    return passwords.verify_password(user.password, PASSWORD)
