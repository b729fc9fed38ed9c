"""Open the database that the settings name, for a command."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.orm import Session

from fieldapp import settings as settings_module
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import Settings
from fieldapp.store import centres, migrations
from fieldapp.store.centres import Centre
from fieldapp.store.database import engine_for


@contextmanager
def opened() -> Iterator[tuple[Session, Settings]]:
    """Give a session on a database with the right schema."""
    settings = settings_module.read()
    engine = engine_for(settings.url)
    if not migrations.is_current(engine):
        raise click.ClickException("The database is not set up for this version. Run: fieldapp db upgrade")
    with Session(engine, expire_on_commit=False) as session:
        yield session, settings
    engine.dispose()


def centre_named(session: Session, slug: str) -> Centre:
    found = centres.by_slug(session, slug)
    if found is None:
        raise ActProblem("centre.unknown", N_("There is no centre “{slug}”."), {"slug": slug})
    return found
