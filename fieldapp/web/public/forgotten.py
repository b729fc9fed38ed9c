"""A forgotten password: with a one-time code people choose a new one."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people.accounts import set_forgotten_password
from fieldapp.services.problems import ActProblem
from fieldapp.web.problems import STATUS
from fieldapp.web.public.inputs import ForgottenPasswordInput
from fieldapp.web.sessions import session

forgotten = Blueprint("forgotten", __name__, template_folder="templates", url_prefix="/forgotten-password")


@forgotten.get("/")
def ask() -> ResponseReturnValue:
    return _page(ForgottenPasswordInput(), 200)


def _page(entered: ForgottenPasswordInput, status: int) -> ResponseReturnValue:
    return render_template("forgotten_password.html", entered=entered), status


@forgotten.post("/")
def change() -> ResponseReturnValue:
    entered = ForgottenPasswordInput()
    if not entered.validate_on_submit():
        return _page(entered, 422)
    try:
        set_forgotten_password(
            session(), entered.username.data or "", code=entered.code.data or "", new=entered.new.data or ""
        )
    except ActProblem as problem:
        field = entered.code
        if problem.code == "person.new_password":
            field = entered.new
        field.errors = [gettext(problem.text)]
        return _page(entered, STATUS[problem.code])
    flash(gettext("Done. Sign in with the new password."), "safe")
    return redirect(url_for("public.sign_in"))
