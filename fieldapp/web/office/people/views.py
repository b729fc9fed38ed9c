"""People and phones: who may sign in, what their phones are like, and letting new ones in."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.access import OFFICE_ROLES
from fieldapp.services.people import accounts as people_acts
from fieldapp.services.people.one_time_codes import PASSWORD, give_one_time_code
from fieldapp.services.people.second_factor import ask_second_factor, reset_second_factor
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import PersonInput
from fieldapp.web.office.people.page import render_people_page, show_once
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
        if problem.code == "second_factor.needed":
            raise
        entered.username.errors = [gettext(problem.text)]
        return render_people_page(entered, {}, STATUS[problem.code])
    # Shown once, on this answer: only its hash is stored, and a reload does not bring it back.
    once = {"username": (entered.username.data or "").strip().lower(), "password": password}
    people = people_acts.list_people(session(), who)
    user = next(user for user in people.users if user.username == once["username"])
    if people.centre.asks_second_factor and user.role in OFFICE_ROLES:
        once["code"] = give_one_time_code(session(), who, user_id=user.id)
    return render_people_page(PersonInput(formdata=None), once, 201)


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
    return show_once(user_id, password=password)


@office.post("/people/<int:user_id>/second-factor")
def person_second_factor(user_id: int) -> ResponseReturnValue:
    reset_second_factor(session(), actor(), user_id=user_id, seen=seen())
    if user_id in people_acts.list_people(session(), actor()).without_factor:
        return show_once(user_id, code=give_one_time_code(session(), actor(), user_id=user_id))
    flash(gettext("Done. They set up two-step verification again before they download the next package."), "safe")
    return redirect(url_for("office.people"))


@office.post("/people/<int:user_id>/code")
def person_code(user_id: int) -> ResponseReturnValue:
    """Show a one-time code with which a person sets up two-step verification."""
    return show_once(user_id, code=give_one_time_code(session(), actor(), user_id=user_id))


@office.post("/people/<int:user_id>/password-code")
def person_password_code(user_id: int) -> ResponseReturnValue:
    """Show a one-time code with which a person chooses a new password."""
    return show_once(user_id, password_code=give_one_time_code(session(), actor(), user_id=user_id, purpose=PASSWORD))


@office.post("/people/two-steps")
def two_steps() -> ResponseReturnValue:
    """Ask everybody who sees records for two-step verification, from now on."""
    ask_second_factor(session(), actor(), is_asked=True)
    flash(gettext("Done. Anyone who has not set it up needs a one-time code from you at their next sign-in."), "safe")
    return redirect(url_for("office.people"))
