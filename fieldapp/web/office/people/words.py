"""Words of the pages of people."""

from fieldapp.services.people.second_factor import factor_revision
from fieldapp.web.office.blueprint import add_template_globals
from forms.problems import N_

ROLE_NAMES = {
    "worker": N_("Outreach worker"),
    "crisis": N_("Crisis team"),
    "admin": N_("Administrator"),
    "evaluator": N_("Evaluator"),
}

add_template_globals(role_names=ROLE_NAMES, factor_revision=factor_revision)
