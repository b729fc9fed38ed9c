"""Words of the board, for its pages and its report, English and French."""

from fieldapp.services.problems import N_

STEPS = {
    "asked": N_("Asked for"),
    "acknowledged": N_("Seen"),
    "assigned": N_("Assigned"),
    "acted": N_("Action taken"),
    "debriefed": N_("Debriefed"),
    "closed": N_("Closed"),
    "reopened": N_("Opened again"),
}
NEEDS = {
    "presence": N_("Presence on the street"),
    "escort": N_("Somebody to go along"),
    "mediation": N_("A mediation"),
    "visit": N_("A visit"),
    "vigil": N_("A vigil"),
    "supplies": N_("Food or supplies"),
    "debrief": N_("A talk after a hard day"),
}
REQUEST = N_("Request")
INCIDENT = N_("Incident")
