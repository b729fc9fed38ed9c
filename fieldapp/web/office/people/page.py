"""The page of people and phones, which both subjects' forms come back to."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.revisions import revision_of
from fieldapp.web.office.people.inputs import PersonInput, RescueInput, RulesInput
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session


def render_people_page(
    entered: PersonInput, new_password: dict[str, Any], status: int, rules: RulesInput | None = None
) -> ResponseReturnValue:
    """Return the page with what was typed.

    `new_password`: user name and password, shown this once; empty when none was made. `rules`: None shows the
    centre's rules as they are.
    """
    people = people_acts.list_people(session(), actor())
    if rules is None:
        rules = RulesInput(formdata=None, obj=people.centre)
        rules_revision = revision_of(people.centre)
    else:
        # What was typed stays on the page, and with it the revision from which it was typed.
        rules_revision = seen()
    page = render_template(
        "people/people.html",
        people=people,
        entered=entered,
        new_password=new_password,
        rules=rules,
        rules_revision=rules_revision,
        rescue=RescueInput(formdata=None),
    )
    return page, status


def show_once(user_id: int, **once: str) -> ResponseReturnValue:
    """Return the page with a password or code of a person, which no other answer shows."""
    people = people_acts.list_people(session(), actor())
    # From the list and not from the address: the page names whom the centre has, not what somebody
    # typed.
    username = next(user.username for user in people.users if user.id == user_id)
    return render_people_page(PersonInput(formdata=None), {"username": username, **once}, 200)
