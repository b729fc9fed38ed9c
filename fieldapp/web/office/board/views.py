"""The crisis team's board, for a wall and for a phone.

The page asks every few seconds whether something changed.
"""

from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user

from fieldapp.services import subprocesses
from fieldapp.services.board import board as acts
from fieldapp.services.board import shifts
from fieldapp.services.board.board import StepOvertaken
from fieldapp.services.board.words import NEEDS, NEXT_STEPS, STEPS
from fieldapp.services.problems import ActProblem
from fieldapp.web import language
from fieldapp.web.office.blueprint import add_template_globals, office
from fieldapp.web.office.board.sentences import Sentences
from fieldapp.web.overtaken import seen
from fieldapp.web.parsing import parse_number
from fieldapp.web.sessions import actor, session

add_template_globals(item_revision=acts.item_revision)

HOURS = (12, 24, 168, 720)
DAYS = (30, 90, 365)
# How much a wall screen of 1920 × 1080 shows without scrolling; of the rest it says how much there is.
ON_WALL = {"incidents": 12, "workers": 9, "requests": 4}


@office.get("/board")
def board() -> ResponseReturnValue:
    return render_template("board/board.html", is_wall="wall" in request.args, **_load_board())


@office.get("/board/now")
def board_now() -> Response:
    """Give the part that changes; 304 while nothing has.

    The version is read from a few indexes, so that asking often costs little.
    """
    # A redirect would look to the page like no connection.
    if not current_user.is_authenticated:
        return Response(gettext("Sign in first."), 401, mimetype="text/plain")
    who = actor()
    etag = f"{acts.read_board_version(session(), who)}-{language.current()}"
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        template = "board/board_wall.html" if "wall" in request.args else "board/board_now.html"
        response = Response(render_template(template, **_load_board()))
    response.set_etag(etag)
    return response


def _load_board() -> dict[str, Any]:
    page = acts.see_board(session(), actor())
    words = {"needs": NEEDS, "steps": STEPS, "next_steps": NEXT_STEPS, "on_wall": ON_WALL}
    sentences = Sentences(page)
    writers = {"step_sentence": sentences.write_step, "asked_sentence": sentences.write_asked}
    return {"board": page, "seen_sentence": sentences.write_seen, **writers, **words}


def _show_done() -> ResponseReturnValue:
    """Show the board after a step: to the page's script the part that changes, else the page."""
    if "X-Board" in request.headers:
        return render_template("board/board_now.html", **_load_board())
    return redirect(url_for("office.board"))


@office.post("/board/requests")
def board_ask() -> ResponseReturnValue:
    acts.add_request(session(), actor(), need=request.form.get("need", ""), area=request.form.get("area", ""))
    return _show_done()


@office.post("/board/steps")
def board_step() -> ResponseReturnValue:
    form_data = request.form
    try:
        acts.take_step(
            session(), actor(), kind=form_data.get("kind", ""), root_id=form_data.get("root", ""),
            item_id=parse_number(form_data.get("item", "")), to_id=parse_number(form_data.get("to", "")), seen=seen(),
        )  # fmt: skip
    except StepOvertaken as problem:
        return _refuse(problem)
    return _show_done()


def _refuse(problem: StepOvertaken) -> ResponseReturnValue:
    """Show the board as it is now, and who was faster; nothing was changed."""
    page = _load_board()
    if "X-Board" in request.headers:
        sentence = render_template("board/board_refused.html", refused=problem, **page)
        return sentence + render_template("board/board_now.html", **page), 409
    return render_template("board/board.html", is_wall=False, refused=problem, **page), 409


@office.get("/board/history")
def board_history() -> ResponseReturnValue:
    hours = parse_number(request.args.get("hours", "")) or HOURS[0]
    report = shifts.see_history(session(), actor(), hours=hours)
    words = {"needs": NEEDS, "steps": STEPS, "next_steps": NEXT_STEPS}
    return render_template("board/board_history.html", report=report, hours=hours, choices=HOURS, **words)


@office.get("/board/incidents")
def board_incidents() -> ResponseReturnValue:
    """List the incidents of some time, open and closed, and how they were answered by week."""
    filters = {name: request.args.get(name, "") for name in ("state", "kind", "area")}
    days = parse_number(request.args.get("days", "")) or DAYS[1]
    incidents = shifts.see_incidents(session(), actor(), days=days, **filters)
    return render_template(
        "board/board_incidents.html", seen=incidents, filters=filters, choices=DAYS, people=incidents.people
    )


@office.post("/board/report.pdf")
def board_report() -> ResponseReturnValue:
    hours = parse_number(request.form.get("hours", "")) or HOURS[0]
    who = actor()
    name = acts.authorize_report(session(), who, hours=hours)
    arguments = ["board", "report", f"--centre-id={who.centre_id}", f"--hours={hours}", f"--language={language.current()}"]
    try:
        file = subprocesses.run_in_process(current_app.config["SETTINGS"], arguments)
    except ActProblem as problem:
        flash(gettext(problem.text), "wait")
        return redirect(url_for("office.board_history"))
    return send_file(file, mimetype="application/pdf", as_attachment=True, download_name=name)
