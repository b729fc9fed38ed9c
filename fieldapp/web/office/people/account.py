"""My account: where one is signed in, and one's own password.

For everybody who works in a browser.
"""

import datetime as dt

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.key_ring import SESSIONS_LAST
from fieldapp.services.people import accounts as people_acts
from fieldapp.services.people import second_factor, sign_on, web_sessions
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import OwnPasswordInput
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session, token


@office.get("/account")
def account() -> ResponseReturnValue:
    return _account_page(OwnPasswordInput(), 200)


@office.post("/account")
def own_password_change() -> ResponseReturnValue:
    """Change one's own password with the old one, and end this person's other sessions."""
    who = actor()
    entered = OwnPasswordInput()
    people_acts.see_own_name(session(), who)
    if not entered.validate_on_submit():
        return _account_page(entered, 422)
    try:
        people_acts.change_own_password(session(), who, old=entered.old.data or "", new=entered.new.data or "")
    except ActProblem as problem:
        if problem.code not in ("person.old_password", "person.new_password"):
            raise
        field = entered.new
        if problem.code == "person.old_password":
            field = entered.old
        field.errors = [gettext(problem.text)]
        return _account_page(entered, STATUS[problem.code])
    # All sessions have ended, this one too.
    return redirect(url_for("public.sign_in"))


def _account_page(entered: OwnPasswordInput, status: int) -> ResponseReturnValue:
    name = people_acts.see_own_name(session(), actor())
    lines = web_sessions.list_own_sessions(session(), actor(), token())
    page = render_template(
        "people/account.html",
        entered=entered,
        name=name,
        own_sessions=lines,
        factors=second_factor.list_factors(session(), actor()),
        own_link=sign_on.see_own_link(session(), actor()),
        idle_minutes=web_sessions.IDLE // dt.timedelta(minutes=1),
        longest_hours=SESSIONS_LAST // dt.timedelta(hours=1),
    )
    return page, status


@office.post("/account/<int:session_id>/end")
def own_session_end(session_id: int) -> ResponseReturnValue:
    web_sessions.end_own_session(session(), actor(), token(), session_id=session_id)
    flash(gettext("Signed out there."), "safe")
    return redirect(url_for("office.account"))


@office.post("/account/end-others")
def own_sessions_end() -> ResponseReturnValue:
    """Sign out everywhere but in this browser."""
    web_sessions.end_other_sessions(session(), actor(), token())
    flash(gettext("Signed out everywhere else."), "safe")
    return redirect(url_for("office.account"))
