"""The page of people and phones, which both subjects' forms come back to."""

from typing import Any

from flask import render_template

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.revisions import revision_of
from fieldapp.web.office.people.inputs import PersonInput, RescueInput, RulesInput
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session


def render_people_page(entered: PersonInput, made: dict[str, Any], status: int, rules: RulesInput | None = None) -> Any:
    found = people_acts.list_people(session(), actor())
    # What was typed stays on the page, and with it the state from which it was typed.
    rules_revision = seen() if rules else revision_of(found.centre)
    rules = rules or RulesInput(formdata=None, obj=found.centre)
    rescue = RescueInput(formdata=None)
    shown = {"people": found, "entered": entered, "made": made, "rules": rules, "rescue": rescue}
    return render_template("people/people.html", **shown, rules_revision=rules_revision), status
