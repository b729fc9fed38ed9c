"""After a right first step: the second step, or setting one up with a one-time code."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from fieldapp.services.people import one_time_codes, passkeys, second_factor
from fieldapp.services.people.second_step import check_second_step
from fieldapp.services.problems import ActProblem
from fieldapp.web import second_steps, sessions
from fieldapp.web.parsing import keep_local
from fieldapp.web.problems import STATUS
from fieldapp.web.public.views import home_of, mark_browser
from fieldapp.web.second_steps import Waiting
from fieldapp.web.server_keys import server_secret

second_step = Blueprint("second_step", __name__, template_folder="templates", url_prefix="/second-step")


@second_step.get("/")
def ask() -> ResponseReturnValue:
    waiting = second_steps.find_waiting()
    if waiting is None:
        return _start_again()
    return _page(waiting)


@second_step.get("/code")
@second_step.get("/set-up")
def ask_again() -> ResponseReturnValue:
    """Go back to the page, as after a wrong code and changing the language."""
    return redirect(url_for("second_step.ask"))


def _start_again() -> ResponseReturnValue:
    """Go back to the first step: too much time has passed, or the password has changed."""
    return redirect(url_for("public.sign_in", next=_find_next() or None))


def _find_next() -> str:
    return keep_local(request.args.get("next", ""))


def _page(waiting: Waiting, problem: str = "") -> str:
    """Return the page of the step that comes next."""
    ways = second_steps.list_for_page(waiting.actor)
    to = _find_next() or None
    if ways["factors"].is_any:
        return render_template("second_step.html", to=to, problem=problem, **ways)
    if waiting.grant is None:
        return render_template("second_step_code.html", to=to, problem=problem)
    app = second_steps.draw_new_app(waiting.user)
    options = second_steps.make_new_passkey_options(ways["factors"], waiting.user)
    return render_template("second_step_set_up.html", to=to, problem=problem, app=app, options=options)


@second_step.post("/")
def check() -> ResponseReturnValue:
    waiting = second_steps.find_waiting()
    if waiting is None:
        return _start_again()
    answer = second_steps.read_answer()
    try:
        check_second_step(sessions.session(), waiting.actor, answer, second_steps.read_where(), server_secret())
    except ActProblem as problem:
        return _page(waiting, gettext(problem.text)), STATUS[problem.code]
    return _sign_in(waiting)


def _sign_in(waiting: Waiting) -> ResponseReturnValue:
    user = waiting.user
    to = _find_next() or home_of(user.role)
    sessions.start(user, has_second_factor=True, by_sign_on=waiting.by_sign_on)
    response = redirect(to)
    mark_browser(response, user)
    left = second_factor.list_factors(sessions.session(), sessions.actor()).recovery_left
    if left <= 3:
        flash(
            ngettext(
                "You have %(num)d recovery code left. Create new ones under “My account”.",
                "You have %(num)d recovery codes left. Create new ones under “My account”.",
                left,
            ),
            "wait",
        )
    return response


@second_step.post("/code")
def accept_code() -> ResponseReturnValue:
    """Take the one-time code that an administrator gave for setting up."""
    waiting = second_steps.find_waiting()
    if waiting is None:
        return _start_again()
    try:
        code = request.form.get("code", "")
        grant = one_time_codes.accept_set_up_code(sessions.session(), waiting.actor, code=code)
    except ActProblem as problem:
        return _page(waiting, gettext(problem.text)), STATUS[problem.code]
    second_steps.remember_grant(grant)
    return redirect(url_for("second_step.ask", next=_find_next() or None))


@second_step.post("/set-up")
def set_up() -> ResponseReturnValue:
    """Set up the first factor, sign in, and show the recovery codes, once."""
    waiting = second_steps.find_waiting()
    if waiting is None:
        return _start_again()
    try:
        codes = _set_up(waiting)
    except ActProblem as problem:
        if problem.code == "second_factor.grant":
            # Used or replaced since it was typed: the page asks for the newest, or nobody could go on from it.
            waiting = second_steps.forget_grant(waiting)
        return _page(waiting, gettext(problem.text)), STATUS[problem.code]
    to = _find_next() or home_of(waiting.user.role)
    sessions.start(waiting.user, has_second_factor=True, by_sign_on=waiting.by_sign_on)
    page = make_response(render_template("recovery_codes.html", codes=codes, to=to))
    mark_browser(page, waiting.user)
    return page


def _set_up(waiting: Waiting) -> list[str]:
    session = sessions.session()
    actor = waiting.actor
    if waiting.grant is None:
        raise ActProblem("second_factor.grant", one_time_codes.REFUSED)
    answer = request.form.get("passkey", "")
    if answer:
        challenge = second_steps.find_new_challenge()
        if challenge is None:
            raise ActProblem("passkey.refused", passkeys.REFUSED)
        return passkeys.add_passkey(session, actor, answer=answer, challenge=challenge, label="", grant=waiting.grant)
    wrapped = second_steps.read_new_app(waiting.user)
    code = request.form.get("code", "")
    secret = server_secret()
    return second_factor.confirm_app(session, actor, wrapped=wrapped, code=code, secret=secret, grant=waiting.grant)
