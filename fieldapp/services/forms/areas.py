"""Areas: import outlines for a choice list.

With them a phone turns one GPS fix into the code of an area, and forgets the fix.
"""

import hashlib
import json

from fieldapp.services.acts import ActContext, act
from fieldapp.services.definitions import load_definition
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.forms import areas, versions
from fieldapp.store.forms.areas import AreaSet
from forms.areas import read_areas
from forms.problems import AreasRefused


@act("areas.import")
def import_areas(ctx: ActContext, key: str, data: bytes, code: str, attribution: str) -> tuple[int, list[str]]:
    """Replace the outlines of a choice list's areas.

    `data` is GeoJSON, `code` the property with the choice's name. Returns how many areas have an
    outline, and the choices without one. Raises ActProblem "areas.outlines" for a list that no form
    of the centre has, or outlines that cannot be read.
    """
    codes = _list_codes(ctx, key)
    if not codes:
        text = N_("No form of this centre has a choice list “{key}”. Outlines belong to the list of their codes.")
        raise ActProblem("areas.outlines", text, {"key": key})
    try:
        outlines = read_areas(data, code, codes, attribution)
    except AreasRefused as refused:
        raise ActProblem("areas.outlines", refused.text, refused.details) from None
    area_set = areas.get(ctx.session, ctx.centre_id, key) or AreaSet(centre_id=ctx.centre_id, key=key)
    area_set.outlines = outlines
    area_set.sha256 = hashlib.sha256(outlines.encode()).hexdigest()
    area_set.created_at = ctx.now
    ctx.session.add(area_set)
    # Not an error: a list may have a choice such as “outside the city”.
    missing = sorted(codes - set(json.loads(outlines)["areas"]))
    ctx.describe(f"areas/{key}", areas=len(codes) - len(missing))
    return len(codes) - len(missing), missing


def _list_codes(ctx: ActContext, key: str) -> set[str]:
    """Return the names of the choices of a list, in all forms that are open now."""
    codes: set[str] = set()
    for version in versions.current(ctx.session, ctx.centre_id):
        codes.update(choice.name for choice in load_definition(version).choices.get(key, ()))
    return codes
