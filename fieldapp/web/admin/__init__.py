"""The office door: its pages register themselves on the blueprint when they are imported."""

from fieldapp.web.admin import board, drafts, feed_keys, figures, people, reviewing, series, views
from fieldapp.web.admin.blueprint import admin

__all__ = ["admin", "board", "drafts", "feed_keys", "figures", "people", "reviewing", "series", "views"]
