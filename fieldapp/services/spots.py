"""The hot-spot map as staff may see it: the newest snapshots, for the office and for phones without signal."""

from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import Act, reading
from fieldapp.services.problems import not_found
from fieldapp.services.product_registry import shown
from fieldapp.store import areas, products, users
from sync.manifest import PROTOCOL

MAPS = {"week": "hot_spots_week", "month": "hot_spots_month"}
AREAS = "nbhd158"


@dataclass(frozen=True)
class SpotMap:
    """A map's numbers, who looks at it (written over it), and the hash of the outlines that it is drawn on."""

    body: dict[str, Any] | None
    viewer: str
    outlines: str


@reading("map.see")
def see_map(a: Act, span: str) -> SpotMap:
    """Return the newest map of four weeks (“week”) or three months (“month”); none while it is off or not built."""
    if span not in MAPS:
        raise not_found()
    found = shown(a, MAPS[span])
    kept = areas.hashes(a.session, a.centre_id).get(AREAS, "")
    return SpotMap(found.body if found else None, _viewer(a), kept)


@reading("map.see")
def see_outlines(a: Act) -> str:
    """Return the outlines of the neighbourhoods as JSON."""
    found = areas.get(a.session, a.centre_id, AREAS)
    if found is None:
        raise not_found()
    return found.outlines


@reading("map.fetch")
def fetch_maps(a: Act) -> dict[str, Any]:
    """Return both maps for a phone, and whose phone it is."""
    maps = {span: (found.body if (found := shown(a, name)) else None) for span, name in MAPS.items()}
    return {"protocol": PROTOCOL, "maps": maps, "viewer": _viewer(a), "now": a.now.isoformat()}


def maps_mark(a: Act) -> str:
    """Return a mark that changes with the maps; "" while there are none."""
    marks = [
        mark[1][:16]
        for name in MAPS.values()
        if products.is_on(a.session, a.centre_id, name) and (mark := products.latest_mark(a.session, a.centre_id, name))
    ]
    return "-".join(marks)


def _viewer(a: Act) -> str:
    label = users.labels(a.session, a.centre_id).get(a.actor.user_id or 0, "")
    return f"{label} · {a.now:%Y-%m-%d}"
