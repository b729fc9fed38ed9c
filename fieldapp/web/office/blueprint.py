"""The office's blueprint; its pages are in one folder a subject, templates beside them."""

from typing import Any

from flask import Blueprint

office = Blueprint("office", __name__, url_prefix="/office", template_folder=".")


def add_template_globals(**values: Any) -> None:
    """Make values known to all templates by these names, once the office is part of an app."""
    office.record_once(lambda state: state.app.jinja_env.globals.update(values))
