"""Words of the pages of products, and of the map that the browser draws."""

from flask_babel import gettext, lazy_gettext

from fieldapp.services.products.partners import partners_revision
from fieldapp.services.products.registry import switch_revision
from fieldapp.web.office.blueprint import add_template_globals
from forms.problems import N_

PRODUCT_CADENCES = {
    "week": N_("Every week"),
    "month": N_("Every month"),
    "quarter": N_("Every quarter"),
    "year": N_("Every year"),
    "live": N_("Always"),
}


def get_map_words() -> dict[str, str]:
    """Return the words of the hot-spot map, by the names that its script uses."""
    return {
        "all": gettext("All times"),
        "areas": gettext("Neighbourhoods"),
        "before": gettext("Before"),
        "busy": gettext("Busier than usual, over all neighbourhoods: {times}."),
        "even": gettext("No time is busier than chance explains."),
        "closer": gettext("Closer"),
        "chart": gettext("Map"),
        "farther": gettext("Farther"),
        "few": gettext("too few to show"),
        "go": gettext("Places and times"),
        "map": gettext("Map of the neighbourhoods; the same is in the table below"),
        "nothing": gettext("Too few to name a place and time. Choose a longer span, or all times."),
        "number": gettext("Number"),
        "place": gettext("Neighbourhood"),
        "sentence": gettext("{place}: {day}, {time} ({n})"),
        "not_there": gettext("we were not there"),
        "more": gettext("more than expected"),
        "usual": gettext("about as expected"),
        "legend": gettext(
            "Dark: more than expected for our hours there at night. Light: about as expected. "
            "Dashed: we were not there, so nobody knows."
        ),
        "spot": gettext("For our hours there"),
        "table": gettext("All neighbourhoods"),
        "times": gettext("Days and times; choose some to narrow the map"),
        "what": gettext("What to show"),
        "when": gettext("When"),
        "whole": gettext("Whole city"),
    }


add_template_globals(
    partners_revision=partners_revision,
    product_cadences={name: lazy_gettext(text) for name, text in PRODUCT_CADENCES.items()},
    switch_revision=switch_revision,
)
