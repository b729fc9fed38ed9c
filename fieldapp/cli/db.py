"""Bring the database to this version's schema."""

import click

from fieldapp import settings as settings_module
from fieldapp.services.acts import Actor
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.caseload.update import lacks_caseload, rebuild_caseload
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.operations import centres
from fieldapp.store.session import Session


@click.group()
def db() -> None:
    """Set up the database and move it between versions."""


@db.command()
def upgrade() -> None:
    """Bring the database to the newest schema; harmless when it is there already."""
    engine = engine_for(settings_module.read().url)
    if not migrations.is_current(engine):
        migrations.upgrade(engine)
    with Session(engine) as session:
        cut_in_every_centre(session)
        tell_in_every_centre(session)
        for centre in centres.list_all(session):
            if lacks_caseload(session, centre.id):
                rebuild_caseload(session, Actor.system(centre.id))


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the database back to an older schema.

    What the older one has no place for is lost: back up first.
    """
    migrations.downgrade(engine_for(settings_module.read().url), revision)
