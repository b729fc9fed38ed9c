"""Write a migration from the difference between the tables and a database at the newest schema."""

import sys
import tempfile

from fieldapp.store import migrations
from fieldapp.store.database import engine_for

with tempfile.TemporaryDirectory() as folder:
    engine = engine_for(f"sqlite:///{folder}/new.db")
    migrations.upgrade(engine)
    migrations.autogenerate(engine, sys.argv[1])
