"""The crisis team's board: one page for the wall and the phone, which asks every few seconds whether something changed."""

from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from flask_security import current_user

from fieldapp.services.board import board as acts
from fieldapp.services.board.words import NEEDS, STEPS
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import export
from fieldapp.services.revisions import Overtaken
from fieldapp.web import language
from fieldapp.web.office.blueprint import add_template_globals, office
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session

add_template_globals(item_revision=acts.item_revision)

HOURS = (12, 24, 168, 720)


@office.get("/board")
def board() -> Any:
    return render_template("board/board.html", is_wall="wall" in request.args, **_given())


@office.get("/board/now")
def board_now() -> Response:
    """Give the part that changes; 304 while nothing has. A question costs a few small looks into indexes."""
    if not current_user.is_authenticated:  # a redirect would look to the page like no connection
        return Response(gettext("Sign in first."), 401, mimetype="text/plain")
    who = actor()
    version = acts.see_version(session(), who)
    mark = f"{version}-{language.current()}"
    if request.if_none_match.contains(mark):
        response = Response(status=304)
    else:
        response = Response(render_template("board/board_now.html", is_wall="wall" in request.args, **_given()))
    response.set_etag(mark)
    return response


def _given() -> dict[str, Any]:
    return {"board": acts.see_board(session(), actor()), "needs": NEEDS, "steps": STEPS}


@office.post("/board/requests")
def board_ask() -> Any:
    acts.ask(session(), actor(), need=request.form.get("need", ""), area=request.form.get("area", ""))
    return redirect(url_for("office.board"))


@office.post("/board/steps")
def board_step() -> Any:
    given = request.form
    try:
        acts.take_step(
            session(), actor(), kind=given.get("kind", ""), root_id=given.get("root", ""),
            item_id=_number(given.get("item", "")), to_id=_number(given.get("to", "")), seen=seen(),
        )  # fmt: skip
    except Overtaken as problem:
        return _overtaken(problem)
    return redirect(url_for("office.board"))


def _overtaken(problem: Overtaken) -> Any:
    """Show the board as it is now, and who was faster with what; what was asked for is not done."""
    return render_template("board/board.html", is_wall=False, overtaken=problem, **_given()), 409


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@office.get("/board/history")
def board_history() -> Any:
    hours = _number(request.args.get("hours", "")) or HOURS[0]
    found = acts.see_history(session(), actor(), hours=hours)
    return render_template("board/board_history.html", report=found, hours=hours, choices=HOURS, needs=NEEDS, steps=STEPS)


@office.post("/board/report.pdf")
def board_report() -> Any:
    hours = _number(request.form.get("hours", "")) or HOURS[0]
    who = actor()
    name = acts.allow_report(session(), who, hours=hours)
    arguments = ["board", "report", f"--centre-id={who.centre_id}", f"--hours={hours}", f"--language={language.current()}"]
    try:
        file = export.run_in_process(current_app.config["SETTINGS"], arguments)
    except ActProblem as problem:
        flash(gettext(problem.text), "wait")
        return redirect(url_for("office.board_history"))
    return send_file(file, mimetype="application/pdf", as_attachment=True, download_name=name)
