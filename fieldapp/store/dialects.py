"""What the two databases say differently."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fieldapp.store.base import Base


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def make_insert(session: Session, model: type[Base]) -> Any:
    """Return an insert of this database's dialect, since only they know ON CONFLICT."""
    return postgresql.insert(model) if is_postgresql(session) else sqlite.insert(model)
