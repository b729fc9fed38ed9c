"""The office: what a centre's admin sees and does."""

from urllib.parse import urlsplit

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from fieldapp.services.acts import utcnow
from fieldapp.services.operations import overview as home_act
from fieldapp.services.operations.backup.marks import judge_backups
from fieldapp.services.operations.health_notes import find_start, read_notes
from fieldapp.settings import LOOPBACK
from fieldapp.web.office.blueprint import office
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, session


@office.get("/")
def home() -> ResponseReturnValue:
    return render_template(
        "operations/home.html",
        home=_home(),
        is_proxy_unknown=_is_proxy_unknown(),
        is_name_unknown=_is_name_unknown(),
        found=_list_found(),
    )


def _list_found() -> tuple[str, ...]:
    """Return what the hourly check of the server found, as far as it may still be so."""
    notes = read_notes(current_app.config["SETTINGS"])
    return notes.problems if notes and notes.is_recent(utcnow()) else ()


def _is_name_unknown() -> bool:
    """Say whether the server believes this page's name only because the browser says it."""
    name = urlsplit(f"//{request.host}").hostname or ""
    return not current_app.config["TRUSTED_HOSTS"] and name not in LOOPBACK


def _is_proxy_unknown() -> bool:
    """Say whether this request came through a proxy that the settings do not count.

    The header may be somebody's own invention; then only that person's page says so.
    """
    is_told = int(current_app.config["SETTINGS"].trusted_proxies) > 0
    return not is_told and ("X-Forwarded-For" in request.headers or "Forwarded" in request.headers)


def _home() -> home_act.HomePage:
    backups = judge_backups(current_app.config["SETTINGS"], utcnow(), find_start(session()))
    return home_act.view_home(session(), actor(), secret=server_secret(), backups=backups)


@office.get("/system")
def system() -> ResponseReturnValue:
    lines, names = home_act.list_audit(session(), actor())
    return render_template("operations/system.html", lines=lines, names=names, home=_home())
