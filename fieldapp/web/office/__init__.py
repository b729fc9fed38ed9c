"""The office: its pages register themselves on the blueprint when they are imported."""

from fieldapp.web.office.blueprint import admin
from fieldapp.web.office.board import views as board_pages
from fieldapp.web.office.forms import drafts as form_pages
from fieldapp.web.office.operations import views as operations_pages
from fieldapp.web.office.people import views as people_pages
from fieldapp.web.office.products import feed_keys as feed_key_pages
from fieldapp.web.office.products import views as product_pages
from fieldapp.web.office.records import views as record_pages
from fieldapp.web.office.releases import views as release_pages

__all__ = [
    "admin",
    "board_pages",
    "feed_key_pages",
    "form_pages",
    "operations_pages",
    "people_pages",
    "product_pages",
    "record_pages",
    "release_pages",
]
