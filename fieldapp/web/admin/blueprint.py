"""The office's blueprint; its pages are in views.py, reviewing.py, people.py and drafts.py."""

from flask import Blueprint

admin = Blueprint("admin", __name__, url_prefix="/office", template_folder="templates")
