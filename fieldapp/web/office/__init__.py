"""The office's pages. They register on the blueprint when they are imported."""

import importlib
import pkgutil

from fieldapp.web.office.blueprint import office


def _import_pages() -> None:
    """Import every module of every subject, so that no page has to be listed here."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)


_import_pages()

__all__ = ["office"]
