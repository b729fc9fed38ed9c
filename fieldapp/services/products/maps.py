"""The newest hot-spot maps, for the office and for phones that may be without signal."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluator_export.products import expectation
from fieldapp.services.acts import ActContext, read_act, view_act
from fieldapp.services.forms.roles import find_area_list
from fieldapp.services.problems import make_not_found
from fieldapp.services.products.registry import load_latest_edition
from fieldapp.store.forms import areas
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.products import products
from sync.manifest import PROTOCOL

MAPS = {"week": "hot_spots_week", "month": "hot_spots_month"}
HASH_LENGTH = 16  # characters of each edition's hash that phones compare


@dataclass(frozen=True)
class SpotMap:
    """One map as a page shows it.

    `body`: its numbers, None while it is off or not built. `viewer`: who looks at it and when,
    printed across the map. `outlines`: SHA-256 of the outlines that it is drawn on, "" for none. `tonight`: the kind of
    night that it is, or that comes next.
    """

    body: dict[str, Any] | None
    viewer: str
    outlines: str
    tonight: str


@view_act("map.view")
def view_map(ctx: ActContext, span: str) -> SpotMap:
    """Return the newest map of four weeks (“week”) or of twelve (“month”)."""
    if span not in MAPS:
        raise make_not_found()
    area_list = find_area_list(ctx.session, ctx.centre_id)
    outlines = areas.hashes(ctx.session, ctx.centre_id).get(area_list, "")
    ctx.describe(f"map/{span}")
    return SpotMap(_load_body(ctx, MAPS[span]), _write_viewer(ctx), outlines, _find_tonight(ctx))


@read_act("map.view")
def view_outlines(ctx: ActContext) -> str:
    """Return the outlines of the neighbourhoods as JSON."""
    row = areas.get(ctx.session, ctx.centre_id, find_area_list(ctx.session, ctx.centre_id))
    if row is None:
        raise make_not_found()
    return row.outlines


@read_act("map.fetch")
def fetch_maps(ctx: ActContext) -> dict[str, Any]:
    """Return both maps for a phone, and whose phone it is."""
    maps = {span: _load_body(ctx, name) for span, name in MAPS.items()}
    return {"protocol": PROTOCOL, "maps": maps, "viewer": _write_viewer(ctx), "now": ctx.now.isoformat()}


def _find_tonight(ctx: ActContext) -> str:
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    # Until the morning it is still the night that began the day before.
    begun = ctx.now.astimezone(zone) - dt.timedelta(hours=expectation.MORNING)
    is_weekend = expectation.DAYS[begun.weekday()] in expectation.WEEKEND
    return expectation.WEEKEND_NIGHTS if is_weekend else expectation.WEEK_NIGHTS


def _load_body(ctx: ActContext, name: str) -> dict[str, Any] | None:
    view = load_latest_edition(ctx, name)
    if view is None:
        return None
    return view.body


def read_maps_version(ctx: ActContext) -> str:
    """Return a text that changes whenever a map does; "" while there are none."""
    return "-".join(_iterate_hashes(ctx))


def _iterate_hashes(ctx: ActContext) -> Iterator[str]:
    for name in MAPS.values():
        version = None
        if products.is_on(ctx.session, ctx.centre_id, name):
            version = products.find_latest_version(ctx.session, ctx.centre_id, name)
        if version:
            yield version[1][:HASH_LENGTH]


def _write_viewer(ctx: ActContext) -> str:
    # By day and name: a screenshot of the map says who took it, which keeps it from being passed on
    # lightly.
    label = users.labels(ctx.session, ctx.centre_id).get(ctx.actor.user_id or 0, "")
    return f"{label} · {ctx.now:%Y-%m-%d}"
