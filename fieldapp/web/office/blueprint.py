"""The office's blueprint; its pages are in one folder a subject, templates beside them."""

from flask import Blueprint

admin = Blueprint("admin", __name__, url_prefix="/office", template_folder=".")
