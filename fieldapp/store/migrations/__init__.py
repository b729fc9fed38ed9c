"""Bring a database to the newest schema, or back, in one transaction a step."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory


def _config(engine: sa.Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    command.upgrade(_config(engine), revision)


def downgrade(engine: sa.Engine, revision: str) -> None:
    command.downgrade(_config(engine), revision)


def is_current(engine: sa.Engine) -> bool:
    """Say whether the database has the schema that this code expects."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(_config(engine)).get_current_head()


def revision_of(connection: sa.Connection) -> str:
    """Return the revision of a database's schema; "" when it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def is_known(engine: sa.Engine, revision: str) -> bool:
    """Say whether this code can bring a schema of that revision to its own."""
    scripts = ScriptDirectory.from_config(_config(engine)).walk_revisions()
    return revision in {script.revision for script in scripts}


def autogenerate(engine: sa.Engine, message: str) -> None:
    """Write a migration that brings the database to the tables (`make migration M=…`)."""
    config = _config(engine)
    newest = ScriptDirectory.from_config(config).get_current_head() or "0"
    command.revision(config, message, autogenerate=True, rev_id=f"{int(newest) + 1:04}")
