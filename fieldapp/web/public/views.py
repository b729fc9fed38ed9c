"""Sign in and out, choose a language, say whether the app is ready."""

import hmac
import time
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user
from werkzeug.wrappers import Response as BaseResponse

from fieldapp.services.access import ADMIN, CRISIS, EVALUATOR
from fieldapp.services.acts import utcnow
from fieldapp.services.disk import has_room
from fieldapp.services.failures import note_failure
from fieldapp.services.operations.backup.marks import is_journal_wanted, judge_backups
from fieldapp.services.operations.health_notes import Replaced, find_replaced, find_scheduler_age, measure
from fieldapp.services.operations.overview import LATE_AFTER
from fieldapp.services.operations.server_key import is_key_right
from fieldapp.services.people import known_browsers
from fieldapp.services.people.second_factor import is_second_step_needed
from fieldapp.services.people.sign_in import sign_in as check
from fieldapp.services.problems import ActProblem
from fieldapp.store import migrations
from fieldapp.store.database import try_to_write
from fieldapp.store.people.users import User
from fieldapp.store.session import DatabaseError, check_connection
from fieldapp.web import assets, second_steps, sessions
from fieldapp.web.language import LANGUAGES
from fieldapp.web.parsing import keep_local
from fieldapp.web.problems import STATUS
from fieldapp.web.public.inputs import SignInInput
from fieldapp.web.server_keys import server_secret

WRITE_CHECK = 5.0  # seconds
KNOWN_FOR = 180 * 86400  # seconds

public = Blueprint("public", __name__, template_folder="templates")


def home_of(role: str) -> str:
    homes = {ADMIN: "office.home", CRISIS: "office.board", EVALUATOR: "evaluator.shelf"}
    return url_for(homes.get(role, "worker.app"))


@public.get("/")
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(home_of(current_user.role))
    return _sign_in_page(SignInInput(), "")


def _sign_in_page(entered: SignInInput, problem: str) -> str:
    to = keep_local(request.args.get("next", "")) or None
    return render_template("sign_in.html", entered=entered, problem=problem, to=to)


@public.post("/")
def signed_in() -> ResponseReturnValue:
    entered = SignInInput()
    if not entered.validate_on_submit():
        return _sign_in_page(entered, gettext("Fill in both fields.")), 422
    address = request.remote_addr or ""
    try:
        user = check(
            sessions.session(),
            entered.username.data or "",
            entered.password.data or "",
            address,
            marks=second_steps.read_marks(),
            secret=server_secret(),
        )
    except ActProblem as problem:
        return _sign_in_page(entered, gettext(problem.text)), STATUS[problem.code]
    to = request.args.get("next", "")
    if is_second_step_needed(sessions.session(), user):
        second_steps.remember(user)
        return redirect(url_for("second_step.ask", next=keep_local(to) or None))
    sessions.start(user)
    response = redirect(keep_local(to) or home_of(user.role))
    mark_browser(response, user)
    return response


def mark_browser(response: BaseResponse, user: User) -> None:
    """Let the browser keep that this person has signed in here.

    A stranger's wrong tries elsewhere do not pause it then.
    """
    marks = second_steps.read_marks()
    secret = server_secret()
    if known_browsers.find_mark(marks, user.id, secret):
        return
    newest_first = [known_browsers.make_mark(user.id, secret), *filter(None, marks)]
    response.set_cookie(
        second_steps.KNOWN,
        ",".join(newest_first[: known_browsers.MARKS]),
        max_age=KNOWN_FOR,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
    )


@public.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    came_from_provider = sessions.is_by_sign_on() and current_app.extensions["sign_on"] is not None
    sessions.end()
    return redirect(url_for("sign_on.signed_out" if came_from_provider else "public.sign_in"))


@public.post("/language/<code>")
def choose_language(code: str) -> ResponseReturnValue:
    if code in LANGUAGES:
        cookie["language"] = code
    return redirect(keep_local(request.args.get("next", "")) or url_for("public.sign_in"))


@public.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 when the app can serve; 503 with the reason in plain words when not.

    A scheduler that stopped is only said: phones can deliver without it. So is a late journal, and what a phone says of a
    newer server.
    """
    health = _check_health()
    answer = {
        "ready": not health.problem,
        "reason": health.problem,
        "scheduler": "seen" if health.is_scheduler_seen else "late",
        "replaced": health.replaced,
        "journal": health.journal,
    }
    return jsonify(answer), 503 if health.problem else 200


@dataclass(frozen=True)
class Health:
    """What was found just now."""

    problem: str = ""  # why the app cannot serve
    is_scheduler_seen: bool = False
    replaced: Replaced = Replaced.NO
    journal: str = "off"  # of what changed since the last backup: "on time" or "late" off this machine


def _check_health() -> Health:
    try:
        check_connection(sessions.session())
        health = _check_database()
    except Exception as error:  # whatever it is, the answer is the same: not ready
        note_failure(current_app.logger, "healthz: the database cannot be reached", error)
        health = Health("The database cannot be reached.")
    problem = health.problem
    if not problem and not assets.is_built():
        problem = "The client is not built. Run: make build"
    # A server that can store nothing must get no phones from a load balancer.
    if not problem and not has_room(current_app.config["SETTINGS"].folder):
        problem = "The disk is full."
    return replace(health, problem=problem)


def _check_database() -> Health:
    """Return how the database is, which could be reached."""
    if not migrations.is_current(sessions.db.engine):
        return Health("The database has another schema than this version needs. Run: fieldapp db upgrade")
    if not is_key_right(sessions.session(), server_secret()):
        return Health("The server's secret key does not open the keys in the database. Run: fieldapp doctor")
    is_scheduler_seen = find_scheduler_age(sessions.session(), utcnow()) <= LATE_AFTER
    replaced = find_replaced(sessions.session(), current_app.config["SETTINGS"])
    problem = ""
    if replaced is Replaced.YES:
        problem = "A backup was restored on another machine: this is not the centre's server. Run: fieldapp doctor"
    elif not _can_write():
        problem = "The database can be read but not written. Run: fieldapp doctor"
    return Health(problem, is_scheduler_seen, replaced, _find_journal_state())


def _find_journal_state() -> str:
    settings = current_app.config["SETTINGS"]
    if not is_journal_wanted(settings):
        return "off"
    return "late" if judge_backups(settings, utcnow()).is_journal_late else "on time"


def _can_write() -> bool:
    """Say whether the database takes what is written.

    Asked once in some seconds: anybody may ask for our health, and writing takes the one lock there is.
    """
    state = current_app.extensions.setdefault("can_write", {"at": -WRITE_CHECK, "is_so": False})
    now = time.monotonic()
    if now - state["at"] >= WRITE_CHECK:
        state["is_so"] = True
        try:
            try_to_write(sessions.session())
        except DatabaseError as error:
            note_failure(current_app.logger, "healthz: the database cannot be written", error)
            state["is_so"] = False
        state["at"] = now
    return bool(state["is_so"])


@public.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Numbers for monitoring, without anybody's data.

    404 unless the settings name a token and the request has it.
    """
    settings = current_app.config["SETTINGS"]
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.metrics_token or not hmac.compare_digest(token.encode(), settings.metrics_token.encode()):
        abort(404)
    numbers = {"ready": float(not _check_health().problem), **measure(sessions.session(), settings, utcnow())}
    lines = [f"# TYPE fieldapp_{name} gauge\nfieldapp_{name} {number:.15g}\n" for name, number in numbers.items()]
    return Response("".join(lines), mimetype="text/plain; version=0.0.4")


@public.get("/robots.txt")
def robots() -> Response:
    return Response("User-agent: *\nAllow: /public/\nAllow: /static/\nDisallow: /\n", mimetype="text/plain")


@public.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    return redirect(assets.asset("icon.svg"))
