"""Let all databases of the tests share what SQLAlchemy compiled, as all requests of one server do.

SQLAlchemy keeps compiled statements by engine and dialect. A test has an engine of its own, so it would compile each
statement anew: a third of the CPU of the tests that use a database.
"""

import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from fieldapp.store import database

MOST_STATEMENTS = 4_000

_used: dict[str, sa.Dialect] = {}
_compiled: LRUCache[object, object] = LRUCache(MOST_STATEMENTS)
_prepare = database.prepare


def prepare_with_shared_dialect(engine: sa.Engine) -> None:
    """Prepare an engine as the app does, with the dialect of an engine that was connected before."""
    dialect = _used.get(engine.dialect.name)
    if dialect is not None:
        engine.dialect = dialect
        engine._compiled_cache = _compiled
    _prepare(engine)


def share_dialect(engine: sa.Engine) -> None:
    """Share the dialect of an engine that was connected, so that it knows all about its server."""
    with engine.connect():
        _used.setdefault(engine.dialect.name, engine.dialect)
