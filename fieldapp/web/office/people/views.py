"""People and phones: who may sign in, what their phones are like, and letting new ones in."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.people.second_factor import reset_second_factor
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import PersonInput
from fieldapp.web.office.people.page import render_people_page
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session


@office.get("/people")
def people() -> ResponseReturnValue:
    return render_people_page(PersonInput(), {}, 200)


@office.post("/people")
def person_add() -> ResponseReturnValue:
    entered = PersonInput()
    who = actor()
    if not entered.validate_on_submit():
        return render_people_page(entered, {}, 422)
    try:
        password = people_acts.add_person(
            session(), who, username=entered.username.data or "", label=entered.label.data or "", role=entered.role.data
        )
    except ActProblem as problem:
        entered.username.errors = [gettext(problem.text)]
        return render_people_page(entered, {}, STATUS[problem.code])
    # Shown once, on this answer: only its hash is stored, and a reload does not bring it back.
    return render_people_page(PersonInput(formdata=None), {"username": entered.username.data, "password": password}, 201)


@office.post("/people/<int:user_id>/switch")
def person_switch(user_id: int) -> ResponseReturnValue:
    people_acts.set_person_active(
        session(), actor(), user_id=user_id, active=request.form.get("active") == "yes", seen=seen()
    )
    flash(gettext("Done. It takes effect at once."), "safe")
    return redirect(url_for("office.people"))


@office.post("/people/<int:user_id>/password")
def person_reset(user_id: int) -> ResponseReturnValue:
    password = people_acts.reset_password(session(), actor(), user_id=user_id, seen=seen())
    people = people_acts.list_people(session(), actor())
    # From the list and not from the address: the page names whom the centre has, not what somebody
    # typed.
    username = next(user.username for user in people.users if user.id == user_id)
    return render_people_page(PersonInput(formdata=None), {"username": username, "password": password}, 200)


@office.post("/people/<int:user_id>/second-factor")
def person_second_factor(user_id: int) -> ResponseReturnValue:
    reset_second_factor(session(), actor(), user_id=user_id, seen=seen())
    flash(gettext("Done. They set up two-step verification again before they download the next package."), "safe")
    return redirect(url_for("office.people"))
