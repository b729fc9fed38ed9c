"""People and phones: who may sign in, what their phones are like, and letting new ones in."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.people import web_sessions
from fieldapp.services.people.second_factor import reset_second_factor
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import OwnPasswordInput, PersonInput
from fieldapp.web.office.people.page import render_people_page
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session, token


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


@office.get("/password")
def own_password() -> ResponseReturnValue:
    return _own_password_page(OwnPasswordInput(), 200)


@office.post("/password")
def own_password_change() -> ResponseReturnValue:
    """Change one's own password with the old one, and end this person's other sessions."""
    who = actor()
    entered = OwnPasswordInput()
    people_acts.see_own_name(session(), who)
    if not entered.validate_on_submit():
        return _own_password_page(entered, 422)
    try:
        people_acts.change_own_password(session(), who, old=entered.old.data or "", new=entered.new.data or "")
    except ActProblem as problem:
        if problem.code not in ("person.old_password", "person.new_password"):
            raise
        field = entered.new
        if problem.code == "person.old_password":
            field = entered.old
        field.errors = [gettext(problem.text)]
        return _own_password_page(entered, STATUS[problem.code])
    # All sessions have ended, this one too.
    return redirect(url_for("public.sign_in"))


def _own_password_page(entered: OwnPasswordInput, status: int) -> ResponseReturnValue:
    name = people_acts.see_own_name(session(), actor())
    lines = web_sessions.list_own_sessions(session(), actor(), token())
    return render_template("people/own_password.html", entered=entered, name=name, own_sessions=lines), status


@office.post("/account/<int:session_id>/end")
def own_session_end(session_id: int) -> ResponseReturnValue:
    web_sessions.end_own_session(session(), actor(), token(), session_id=session_id)
    flash(gettext("Signed out there."), "safe")
    return redirect(url_for("office.own_password"))


@office.post("/account/end-others")
def own_sessions_end() -> ResponseReturnValue:
    """Sign out everywhere but in this browser."""
    web_sessions.end_other_sessions(session(), actor(), token())
    flash(gettext("Signed out everywhere else."), "safe")
    return redirect(url_for("office.own_password"))
