"""Open the database that the settings name, for a command."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from fieldapp import settings as settings_module
from fieldapp.cli.demo_sign_ins import has_demo_password
from fieldapp.services.consent import forgotten
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.backup import data_lock
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import LOOPBACK, Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.session import Session


@contextmanager
def opened(uses_key: bool = False) -> Iterator[tuple[Session, Settings]]:
    """Open the database for a command; yield a session and the settings.

    Raises ClickException if the schema is not that of this version, and, with `uses_key`, KeyProblem
    unless the secret key is the one this database was made with.
    """
    settings = settings_module.read()
    engine = engine_for(settings.url)
    if not migrations.is_current(engine):
        raise click.ClickException("The database is not set up for this version. Run: fieldapp db upgrade")
    attach_keys(engine, settings)
    forgotten.attach(engine, settings)
    with data_lock.share(settings), Session(engine, expire_on_commit=False) as session:
        if uses_key:
            load_usable_key(session, settings)
        yield session, settings
    engine.dispose()


def check_key(settings: Settings) -> None:
    """Raise KeyProblem unless the secret key opens what is encrypted in the database.

    A first one is made where there is none and nothing is encrypted yet.
    """
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session:
            load_usable_key(session, settings)
    finally:
        engine.dispose()


def refuse_exposed(settings: Settings) -> None:
    """Raise ClickException if other machines could reach what is for this one alone."""
    if settings.host in LOOPBACK:
        return
    if not settings.trusted_hosts:
        # Links in invitations and feeds are made from the name that the browser says.
        raise click.ClickException(
            f"The app would be reached at {settings.host} under any name. Set FIELDAPP_TRUSTED_HOSTS to the names that "
            "people use, such as outreach.example.org, or FIELDAPP_HOST to 127.0.0.1."
        )
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session:
            if has_demo_password(session):
                raise click.ClickException(
                    "This is the demo, whose password is published, so it is served to this machine only. "
                    "Set FIELDAPP_HOST to 127.0.0.1, or use another folder for a real centre."
                )
    finally:
        engine.dispose()


def centre_named(session: Session, slug: str) -> Centre:
    """Return a centre by its short name; raise ActProblem "centre.unknown" if there is none."""
    centre = centres.by_slug(session, slug)
    if centre is None:
        raise ActProblem("centre.unknown", N_("There is no centre “{slug}”."), {"slug": slug})
    return centre
