"""Sign in by a sign-on provider: there, back, and first with a one-time code."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user

from fieldapp.services.people import sign_on as sign_on_acts
from fieldapp.services.people.second_factor import is_second_step_needed
from fieldapp.services.people.sign_on_trips import Identity
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.people.users import User
from fieldapp.web import second_steps, sessions
from fieldapp.web import sign_on as trips
from fieldapp.web.parsing import keep_local
from fieldapp.web.problems import STATUS
from fieldapp.web.public.inputs import SignOnCodeInput
from fieldapp.web.public.views import home_of
from fieldapp.web.sign_on import Trip

if TYPE_CHECKING:
    from fieldapp.services.people.provider import Provider

sign_on = Blueprint("sign_on", __name__, template_folder="templates", url_prefix="/sign-on")


def _provider() -> "Provider":
    """Return the provider; without one these pages are not there."""
    provider = trips.find_provider()
    if provider is None:
        abort(404)
    return provider


def _problem_page(problem: ActProblem, why: str = trips.SIGN_IN) -> ResponseReturnValue:
    status = STATUS[problem.code]
    text = _write(problem)
    return render_template("sign_on_problem.html", text=text, is_signing_in=why == trips.SIGN_IN), status


def _write(problem: ActProblem) -> str:
    """Return a refusal in the reader's language."""
    return str(gettext(problem.text)).format(**problem.details)


def _find_next() -> str:
    return keep_local(request.args.get("next", ""))


@sign_on.get("/")
def leave() -> ResponseReturnValue:
    """Go to the provider to sign in, as somebody chose on our own page."""
    # Another site could else sign people in without asking them: the provider may know them already.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return redirect(url_for("public.sign_in", next=_find_next() or None))
    return _leave(trips.SIGN_IN, _find_next())


def _leave(why: str, to: str, user_id: int = 0) -> ResponseReturnValue:
    try:
        address, journey = _provider().begin(_find_back(), is_again=why == trips.AGAIN)
    except ActProblem as problem:
        return _problem_page(problem, why)
    trips.remember_trip(why, to, user_id, journey)
    return redirect(address)


def _find_back() -> str:
    """Return where the provider sends people; it knows this address."""
    return url_for("sign_on.answer", _external=True)


@sign_on.get("/link")
def leave_to_link() -> ResponseReturnValue:
    """Go to the provider, whose account is then linked with one's own."""
    _provider()
    sign_on_acts.see_own_link(sessions.session(), sessions.actor())
    # Another site that signed this browser in there, as somebody else, could let that account open this one.
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return redirect(url_for("office.own_sign_on"))
    return _leave(trips.LINK, "", current_user.id)


@sign_on.get("/again")
def leave_to_confirm() -> ResponseReturnValue:
    """Go to the provider to prove once more who one is."""
    _provider()
    if not trips.can_confirm(sessions.actor()):
        raise ActProblem("access.denied", N_("Your role does not allow this."))
    return _leave(trips.AGAIN, _find_next(), current_user.id)


@sign_on.get("/answer")
def answer() -> ResponseReturnValue:
    """Take the provider's answer."""
    provider = _provider()
    trip = trips.take_trip()
    if trip is None:
        return redirect(url_for("public.sign_in"))
    try:
        identity = provider.finish(request.args, trip.journey, _find_back())
        return _arrive(trip, identity)
    except ActProblem as problem:
        return _problem_page(problem, trip.why)


def _arrive(trip: Trip, identity: Identity) -> ResponseReturnValue:
    if trip.why == trips.SIGN_IN:
        user = sign_on_acts.find_person(sessions.session(), identity)
        if user is not None:
            return _sign_in(user, identity, trip.to)
        trips.remember_new(identity)
        return redirect(url_for("sign_on.ask_code"))
    actor = sessions.actor()
    # Somebody else may have signed in meanwhile.
    if actor.user_id != trip.user_id:
        return redirect(url_for("office.account"))
    if trip.why == trips.LINK:
        sign_on_acts.link_account(sessions.session(), actor, identity)
        flash(gettext("Done. It counts from now on."), "safe")
        return redirect(url_for("office.account"))
    sign_on_acts.check_identity(sessions.session(), actor, identity)
    sessions.note_second_factor()
    if trip.to:
        return redirect(trip.to)
    return render_template("sign_on_confirmed.html")


def _sign_in(user: User, identity: Identity, to: str) -> ResponseReturnValue:
    session = sessions.session()
    is_done = sign_on_acts.is_second_step_done(session, user, identity)
    if is_second_step_needed(session, user) and not is_done:
        second_steps.remember(user, by_sign_on=True)
        return redirect(url_for("second_step.ask", next=to or None))
    sessions.start(user, has_second_factor=is_done, by_sign_on=True)
    return redirect(to or home_of(user.role))


@sign_on.get("/first-time")
def ask_code() -> ResponseReturnValue:
    """Say that nobody here is linked with whom the provider named, and how they can be."""
    _provider()
    if trips.find_new() is None:
        return redirect(url_for("public.sign_in"))
    return _code_page(SignOnCodeInput(), 200)


def _code_page(entered: SignOnCodeInput, status: int) -> ResponseReturnValue:
    return render_template("sign_on_code.html", entered=entered), status


@sign_on.post("/first-time")
def use_code() -> ResponseReturnValue:
    """Link an account with a one-time code, and sign its person in."""
    _provider()
    identity = trips.find_new()
    if identity is None:
        return redirect(url_for("public.sign_in"))
    entered = SignOnCodeInput()
    if not entered.validate_on_submit():
        return _code_page(entered, 422)
    try:
        sign_on_acts.link_by_code(
            sessions.session(), entered.username.data or "", code=entered.code.data or "", identity=identity
        )
    except ActProblem as problem:
        entered.code.errors = [_write(problem)]
        return _code_page(entered, STATUS[problem.code])
    trips.forget_new()
    user = sign_on_acts.find_person(sessions.session(), identity)
    if user is None:  # switched off in this moment
        return redirect(url_for("public.sign_in"))
    return _sign_in(user, identity, "")


@sign_on.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """Say that one is signed out here, and offer to sign out at the provider."""
    provider = _provider()
    if current_user.is_authenticated:
        return redirect(home_of(current_user.role))
    address = provider.find_end_address(url_for("public.sign_in", _external=True))
    return render_template("sign_on_signed_out.html", address=address)
