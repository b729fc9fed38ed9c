"""My two-step verification: an authenticator app, passkeys, recovery codes."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user

from fieldapp.services.people import passkeys, recovery_codes, second_factor
from fieldapp.services.problems import ActProblem
from fieldapp.web import second_steps
from fieldapp.web.office.blueprint import office
from fieldapp.web.parsing import keep_local
from fieldapp.web.problems import STATUS
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, note_second_factor, session


@office.get("/account/app")
def own_app() -> ResponseReturnValue:
    return _app_page("")


def _find_next() -> str:
    """Return where one goes on afterwards."""
    return keep_local(request.args.get("to", "")) or url_for("office.account")


def _app_page(problem: str) -> str:
    factors = second_factor.list_factors(session(), actor())
    app = second_steps.draw_new_app(current_user)
    return render_template("people/own_app.html", app=app, factors=factors, problem=problem, to=_find_next())


@office.post("/account/app")
def own_app_set() -> ResponseReturnValue:
    """Set up an authenticator app, in place of an earlier one."""
    who = actor()
    wrapped = second_steps.read_new_app(current_user)
    try:
        codes = second_factor.confirm_app(
            session(), who, wrapped=wrapped, code=request.form.get("code", ""), secret=server_secret()
        )
    except ActProblem as problem:
        if problem.code != "second_factor.wrong":
            raise
        return _app_page(gettext(problem.text)), STATUS[problem.code]
    second_steps.forget_new_app()
    return _show_set_up(codes)


def _show_set_up(codes: list[str]) -> ResponseReturnValue:
    """Show recovery codes where there are new ones.

    The person has just shown who they are, which is kept.
    """
    note_second_factor()
    if codes:
        return render_template("recovery_codes.html", codes=codes, to=_find_next())
    flash(gettext("Done. It counts from now on."), "safe")
    return redirect(url_for("office.account"))


@office.get("/account/passkey")
def own_passkey() -> ResponseReturnValue:
    factors = second_factor.list_factors(session(), actor())
    options = second_steps.make_new_passkey_options(factors, current_user)
    return render_template("people/own_passkey.html", options=options)


@office.post("/account/passkey")
def own_passkey_add() -> ResponseReturnValue:
    who = actor()
    second_factor.list_factors(session(), who)
    challenge = second_steps.find_new_challenge()
    if challenge is None:
        return redirect(url_for("office.own_passkey"))
    answer = request.form.get("passkey", "")
    label = request.form.get("label", "")
    try:
        codes = passkeys.add_passkey(session(), who, answer=answer, challenge=challenge, label=label)
    except ActProblem as problem:
        if problem.code not in ("passkey.refused", "passkey.too_many"):
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("office.own_passkey"))
    return _show_set_up(codes)


@office.post("/account/passkeys/<int:passkey_id>/remove")
def own_passkey_remove(passkey_id: int) -> ResponseReturnValue:
    passkeys.remove_passkey(session(), actor(), passkey_id=passkey_id)
    flash(gettext("The passkey no longer opens anything here."), "safe")
    return redirect(url_for("office.account"))


@office.post("/account/recovery-codes")
def own_recovery_codes() -> ResponseReturnValue:
    """Show ten new recovery codes, once; the earlier ones count no more."""
    codes = recovery_codes.make_recovery_codes(session(), actor())
    return render_template("recovery_codes.html", codes=codes, to=url_for("office.account"))
