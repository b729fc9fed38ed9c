"""Open a database beside the server that has it, as the server itself does."""

import sqlalchemy as sa

from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for


def open_engine(settings: Settings) -> sa.Engine:
    """Return an engine on the database of these settings, that reads and writes what is sealed."""
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    return engine
