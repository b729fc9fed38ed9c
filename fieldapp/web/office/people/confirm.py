"""The second step before something grave."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people.second_factor import list_factors
from fieldapp.services.people.second_step import Answer, check_second_step
from fieldapp.services.problems import ActProblem
from fieldapp.web import confirmation, second_steps
from fieldapp.web.office.blueprint import office
from fieldapp.web.parsing import keep_local
from fieldapp.web.problems import STATUS
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, note_second_factor, session

WRONG = {"second_factor.wrong", "sign_in.paused", "passkey.refused"}


@office.get("/confirm")
def confirm_again() -> ResponseReturnValue:
    """Go on without what was asked for, as after changing the language on the page."""
    list_factors(session(), actor())
    return redirect(url_for("office.account"))


@office.post("/confirm")
def confirm() -> ResponseReturnValue:
    """Check the second step, then let the browser send again, unchanged, what it had sent."""
    who = actor()
    to = keep_local(request.args.get("to", "")) or url_for("office.account")
    how = request.args.get("how", "")
    back = keep_local(request.args.get("back", ""))
    try:
        check_second_step(session(), who, _read_answer(), second_steps.read_where(), server_secret())
    except ActProblem as problem:
        if problem.code not in WRONG:
            raise
        return confirmation.render(to, how, back, gettext(problem.text)), STATUS[problem.code]
    note_second_factor()
    # 307: with the same method and the same content.
    return redirect(to, 303 if how == "get" else 307)


def _read_answer() -> Answer:
    # Names of their own: what is asked for may have fields that are called so.
    return second_steps.read_answer(code="confirm_code", passkey="passkey_answer")
