"""Words of the pages of records: states of submissions and reviews, channels."""

from fieldapp.services.records.reviews import record_revision
from fieldapp.web.office.blueprint import add_template_globals
from forms.problems import N_

SUBMISSION_STATES = {
    "settled": N_("Dismissed"),
    "stored": N_("Stored as a record"),
    "rejected": N_("Did not pass the form's rules"),
    "conflict": N_("Same id, other answers"),
    "aside": N_("Kept aside"),
}
REVIEWS = {
    "alert": N_("asks for a talk"),
    "clock": N_("the time cannot be right"),
    "contested": N_("two different answers"),
    "corrected": N_("corrected"),
    "returned": N_("sent back"),
    "approved": N_("approved"),
    "chosen": N_("chosen"),
}
CHANNELS = {
    "phone": N_("encrypted and signed by the phone"),
    "token": N_("sent by a signed-in phone"),
    "collect": N_("from ODK Collect: not encrypted, not signed"),
    "office": N_("created at the centre"),
}
ERASURES = {
    "asked": N_("The person asked for it"),
    "too_much": N_("It says something that may not be written down"),
    "by_mistake": N_("It was made by mistake"),
}

add_template_globals(
    erasure_reasons=ERASURES,
    state_names=SUBMISSION_STATES,
    review_names=REVIEWS,
    channel_names=CHANNELS,
    record_revision=record_revision,
)
