"""Bring a database to the newest schema, or back, in one transaction a step."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "versions"

# Alembic is imported where a schema changes only: every server asks which schema it has, at each start and each time that
# its health is asked, and Alembic would be a tenth of what it loads.


def _config(engine: sa.Engine) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    from alembic import command  # noqa: PLC0415  see above

    _stop_journal(engine)
    command.upgrade(_config(engine), revision)


def downgrade(engine: sa.Engine, revision: str) -> None:
    from alembic import command  # noqa: PLC0415  see above

    _stop_journal(engine)
    command.downgrade(_config(engine), revision)


def _stop_journal(engine: sa.Engine) -> None:
    """Let changed rows not be noted: a journal cannot go on in another schema."""
    if not sa.inspect(engine).has_table("changed_row") or is_current(engine):
        return
    from fieldapp.store import row_journal  # noqa: PLC0415  it needs every table

    with Session(engine) as session:
        row_journal.drop_triggers(session)


def is_current(engine: sa.Engine) -> bool:
    """Say whether the database has the schema that this code expects."""
    with engine.connect() as connection:
        return revision_of(connection) == newest_revision()


def newest_revision() -> str:
    """Return the newest revision: the greatest number that a migration's file begins with."""
    return max((path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py")), default="0")


def revision_of(connection: sa.Connection) -> str:
    """Return the revision of a database's schema; "" when it has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none() or ""


def is_known(engine: sa.Engine, revision: str) -> bool:
    """Say whether this code can bring a schema of that revision to its own."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  see above

    scripts = ScriptDirectory.from_config(_config(engine)).walk_revisions()
    return revision in {script.revision for script in scripts}


def autogenerate(engine: sa.Engine, message: str) -> None:
    """Write a migration that brings the database to the tables (`make migration M=…`)."""
    from alembic import command  # noqa: PLC0415  see above

    number = int(newest_revision()) + 1
    command.revision(_config(engine), message, autogenerate=True, rev_id=f"{number:04}")
