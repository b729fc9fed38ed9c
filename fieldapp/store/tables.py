"""Every table: importing this module fills the metadata for migrations and tests."""

import importlib
import pkgutil

from fieldapp import store
from fieldapp.store.base import Base


def _import_tables() -> None:
    """Import each module of each subject, so that a new table is known the day it is made."""
    for subject in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        if not subject.ispkg or subject.name.endswith(".migrations"):
            continue
        package = importlib.import_module(subject.name)
        for module in pkgutil.iter_modules(package.__path__, f"{subject.name}."):
            importlib.import_module(module.name)


_import_tables()
metadata = Base.metadata

__all__ = ["metadata"]
