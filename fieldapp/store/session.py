"""What code outside the store may know of the database: session, engine and errors.

Nothing else of SQLAlchemy is imported outside `fieldapp.store`; queries stand in the store's modules, by subject.
"""

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

__all__ = [
    "DatabaseError",
    "Engine",
    "IntegrityError",
    "InterfaceError",
    "OperationalError",
    "SQLAlchemyError",
    "Session",
    "check_connection",
]


def check_connection(session: Session) -> None:
    """Ask the database for nothing; raise OperationalError when it cannot be reached."""
    session.execute(text("SELECT 1"))
