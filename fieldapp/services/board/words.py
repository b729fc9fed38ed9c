"""Words of the board, for its pages and its report, English and French."""

from fieldapp.services.problems import N_

STEPS = {
    "asked": N_("Asked for"),
    "acknowledged": N_("Seen"),
    "assigned": N_("Assigned"),
    "seen": N_("Seen on the phone"),
    "notified": N_("Notified in another way"),
    "acted": N_("Action taken"),
    "debriefed": N_("Debriefed"),
    "closed": N_("Closed"),
    "reopened": N_("Opened again"),
}
# What a step says of who took it; "to" where something was given to somebody.
WHO_DID = {
    "asked": N_("%(who)s asked for it"),
    "acknowledged": N_("%(who)s marked it as seen"),
    "assigned": N_("%(who)s assigned it to %(to)s"),
    "seen": N_("%(who)s has seen it on the phone"),
    "notified": N_("%(who)s notified %(to)s in another way"),
    "acted": N_("%(who)s logged that action was taken"),
    "debriefed": N_("%(who)s logged the debrief"),
    "closed": N_("%(who)s closed it"),
    "reopened": N_("%(who)s opened it again"),
}
NEXT_STEPS = {
    "see": N_("Nobody has seen it"),
    "give": N_("Assign it"),
    "act": N_("First action"),
    "debrief": N_("Debrief"),
    "close": N_("Close it"),
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
NOBODY = N_("nobody yet")
NOT_YET = N_("not yet")
NOT_SEEN = N_("not seen yet")
REPORT_HEADINGS = {
    "since": N_("Since"),
    "what": N_("What"),
    "whose": N_("Assigned to"),
    "next_step": N_("Next step"),
    "due": N_("Due"),
    "first_action": N_("First action after"),
    "received": N_("Received by the centre"),
    "told": N_("When it happened"),
    "state": N_("State"),
    "who": N_("Who"),
    "when": N_("When"),
    "step": N_("Step"),
    "subject": N_("About"),
    "is_open": N_("open"),
    "is_closed": N_("closed"),
}
REQUEST = N_("Request")
INCIDENT = N_("Incident")
