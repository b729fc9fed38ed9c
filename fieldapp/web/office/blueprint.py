"""The office's blueprint; its pages are in one folder a subject, templates beside them."""

from flask import Blueprint

office = Blueprint("office", __name__, url_prefix="/office", template_folder=".")
