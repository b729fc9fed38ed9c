"""The office: what a centre's admin sees and does."""

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from fieldapp.services.acts import utcnow
from fieldapp.services.operations import overview as home_act
from fieldapp.services.operations.backup.marks import judge_copies
from fieldapp.web.office.blueprint import office
from fieldapp.web.sessions import actor, session


@office.get("/")
def home() -> ResponseReturnValue:
    return render_template("operations/home.html", home=_home())


def _home() -> home_act.HomePage:
    copies = judge_copies(current_app.config["SETTINGS"], utcnow())
    return home_act.view_home(session(), actor(), secret=current_app.config["SECRET_KEY"], copies=copies)


@office.get("/system")
def system() -> ResponseReturnValue:
    lines, names = home_act.list_audit(session(), actor())
    return render_template("operations/system.html", lines=lines, names=names, home=_home())
