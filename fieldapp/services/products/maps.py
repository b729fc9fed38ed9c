"""The hot-spot map as staff may see it: the newest snapshots, for the office and for phones without signal."""

from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.forms.roles import find_area_list
from fieldapp.services.problems import make_not_found
from fieldapp.services.products.registry import shown
from fieldapp.store.forms import areas
from fieldapp.store.people import users
from fieldapp.store.products import products
from sync.manifest import PROTOCOL

MAPS = {"week": "hot_spots_week", "month": "hot_spots_month"}


@dataclass(frozen=True)
class SpotMap:
    """A map's numbers, who looks at it (written over it), and the hash of the outlines that it is drawn on."""

    body: dict[str, Any] | None
    viewer: str
    outlines: str


@read_act("map.see")
def see_map(ctx: ActContext, span: str) -> SpotMap:
    """Return the newest map of four weeks (“week”) or three months (“month”); none while it is off or not built."""
    if span not in MAPS:
        raise make_not_found()
    found = shown(ctx, MAPS[span])
    area_list = find_area_list(ctx.session, ctx.centre_id)
    kept = areas.hashes(ctx.session, ctx.centre_id).get(area_list, "")
    return SpotMap(found.body if found else None, _viewer(ctx), kept)


@read_act("map.see")
def see_outlines(ctx: ActContext) -> str:
    """Return the outlines of the neighbourhoods as JSON."""
    found = areas.get(ctx.session, ctx.centre_id, find_area_list(ctx.session, ctx.centre_id))
    if found is None:
        raise make_not_found()
    return found.outlines


@read_act("map.fetch")
def fetch_maps(ctx: ActContext) -> dict[str, Any]:
    """Return both maps for a phone, and whose phone it is."""
    maps = {span: (found.body if (found := shown(ctx, name)) else None) for span, name in MAPS.items()}
    return {"protocol": PROTOCOL, "maps": maps, "viewer": _viewer(ctx), "now": ctx.now.isoformat()}


def maps_mark(ctx: ActContext) -> str:
    """Return a mark that changes with the maps; "" while there are none."""
    marks = [
        mark[1][:16]
        for name in MAPS.values()
        if products.is_on(ctx.session, ctx.centre_id, name)
        and (mark := products.find_latest_version(ctx.session, ctx.centre_id, name))
    ]
    return "-".join(marks)


def _viewer(ctx: ActContext) -> str:
    label = users.labels(ctx.session, ctx.centre_id).get(ctx.actor.user_id or 0, "")
    return f"{label} · {ctx.now:%Y-%m-%d}"
