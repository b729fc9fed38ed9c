"""Areas: bring in outlines for a choice list, so that phones can turn one fix into a code and forget the fix."""

import hashlib
import json

from fieldapp.services.acts import ActContext, act
from fieldapp.services.definitions import load_definition
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.forms import areas, versions
from fieldapp.store.forms.areas import AreaSet
from forms.areas import read_areas
from forms.problems import AreasRefused


@act("areas.bring")
def import_areas(ctx: ActContext, key: str, data: bytes, code: str, attribution: str) -> tuple[int, list[str]]:
    """Keep the outlines of a choice list's areas in place of older ones; return how many, and the choices without one."""
    lists = (load_definition(version).choices.get(key, ()) for version in versions.current(ctx.session, ctx.centre_id))
    codes = {choice.name for choices in lists for choice in choices}
    if not codes:
        text = N_("No form of this centre has a choice list “{key}”. Outlines belong to the list of their codes.")
        raise ActProblem("areas.outlines", text, {"key": key})
    try:
        outlines = read_areas(data, code, codes, attribution)
    except AreasRefused as refused:
        raise ActProblem("areas.outlines", refused.text, refused.details) from None
    found = areas.get(ctx.session, ctx.centre_id, key) or AreaSet(centre_id=ctx.centre_id, key=key)
    found.outlines, found.sha256 = outlines, hashlib.sha256(outlines.encode()).hexdigest()
    found.created_at = ctx.now
    ctx.session.add(found)
    missing = sorted(codes - set(json.loads(outlines)["areas"]))
    ctx.describe(f"areas/{key}", areas=len(codes) - len(missing))
    return len(codes) - len(missing), missing
