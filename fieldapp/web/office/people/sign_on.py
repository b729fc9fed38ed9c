"""Links with accounts of a sign-on provider: one's own, and those of colleagues."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.acts import require_confirmation
from fieldapp.services.people import sign_on as sign_on_acts
from fieldapp.services.people.one_time_codes import SIGN_ON, give_one_time_code
from fieldapp.services.problems import ActProblem
from fieldapp.web import sign_on
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.page import show_once
from fieldapp.web.sessions import actor, session


@office.get("/account/sign-on")
def own_sign_on() -> ResponseReturnValue:
    """Say what linking means, before the provider is asked.

    The second step is asked for now, so that it is fresh when one comes back.
    """
    who = actor()
    sign_on_acts.see_own_link(session(), who)
    if sign_on.find_provider() is None:
        abort(404)
    require_confirmation(who)
    return render_template("people/own_sign_on.html")


@office.post("/account/sign-on/remove")
def own_sign_on_remove() -> ResponseReturnValue:
    try:
        sign_on_acts.unlink_own_account(session(), actor())
        flash(gettext("The account there no longer opens anything here."), "safe")
    except ActProblem as problem:
        if problem.code != "sign_on.last":
            raise
        flash(gettext(problem.text), "danger")
    return redirect(url_for("office.account"))


@office.post("/people/<int:user_id>/sign-on/remove")
def person_sign_on_remove(user_id: int) -> ResponseReturnValue:
    sign_on_acts.unlink_account(session(), actor(), user_id=user_id)
    flash(gettext("The account there no longer opens anything here."), "safe")
    return redirect(url_for("office.people"))


@office.post("/people/<int:user_id>/sign-on/code")
def person_sign_on_code(user_id: int) -> ResponseReturnValue:
    """Show a one-time code with which a person links their account the first time."""
    code = give_one_time_code(session(), actor(), user_id=user_id, purpose=SIGN_ON)
    return show_once(user_id, sign_on_code=code)


@office.post("/people/sign-on/trust")
def sign_on_trust() -> ResponseReturnValue:
    """Let the provider's second step stand for ours from now on, or end that."""
    is_trusted = request.form.get("trusted") == "yes"
    try:
        sign_on_acts.trust_second_step(session(), actor(), is_trusted=is_trusted)
        flash(gettext("Done. It counts from now on."), "safe")
    except ActProblem as problem:
        if problem.code != "second_factor.own_first":
            raise
        flash(gettext(problem.text), "danger")
    return redirect(url_for("office.people"))
