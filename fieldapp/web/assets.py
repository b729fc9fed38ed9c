"""The built client (static/dist): names with a hash in them, looked up by their plain names."""

import functools
import json
from pathlib import Path

from flask import Flask, url_for

DIST = Path(__file__).parent.parent.parent / "static" / "dist"


@functools.lru_cache(maxsize=1)
def _names(changed: float) -> dict[str, str]:
    names: dict[str, str] = json.loads((DIST / "names.json").read_text())
    return names


def asset(name: str) -> str:
    """Return the address of a built file."""
    return url_for("static", filename=_names((DIST / "names.json").stat().st_mtime)[name])


def is_built() -> bool:
    return (DIST / "names.json").is_file()


def init(app: Flask) -> None:
    app.jinja_env.globals["asset"] = asset
    if not is_built():
        app.logger.error("The client is not built. Run: make build")
