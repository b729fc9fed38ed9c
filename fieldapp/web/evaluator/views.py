"""The shelf of releases: for evaluators, and for the admins who answer for them."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import current_user

from fieldapp.services.people import second_factor as factor
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases import downloads
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, session

evaluator = Blueprint("evaluator", __name__, url_prefix="/releases", template_folder="templates")

FRESH = 15 * 60  # seconds for which a code of the second factor counts
CHECKED = "second_factor"


@evaluator.get("/")
def shelf() -> ResponseReturnValue:
    return render_template("releases.html", shelf=downloads.list_releases(session(), actor()))


@evaluator.post("/<int:release_id>/package")
def package(release_id: int) -> ResponseReturnValue:
    """Download the package; a POST, since it is logged and must not be prefetched or cached."""
    who = actor()
    if not _is_fresh():
        return redirect(url_for("evaluator.second_factor"))
    packages = current_app.config["SETTINGS"].packages
    path, name = downloads.download_release(session(), who, release_id=release_id, packages=packages)
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)


def _is_fresh() -> bool:
    """Return whether this person, not another at the same browser, has just given a code."""
    user_id, checked_at = cookie.get(CHECKED, (0, 0))
    # A time alone would let the next person at this browser through.
    return bool(user_id == current_user.id and time.time() - checked_at < FRESH)


@evaluator.get("/second-factor")
def second_factor() -> ResponseReturnValue:
    return _page("")


def _page(problem: str) -> str:
    import segno  # noqa: PLC0415  QR codes: rare, and heavy to load

    if factor.show_second_factor(session(), actor()):
        return render_template("second_factor.html", picture="", key="", problem=problem)
    secret = server_secret()
    # Shown until a first code proves that the person's app has it.
    address = factor.start_second_factor(session(), actor(), secret=secret, label=current_user.username)
    picture = segno.make(address, error="m").svg_data_uri(scale=4, border=2)
    key = parse_qs(urlsplit(address).query)["secret"][0]
    return render_template("second_factor.html", picture=picture, key=key, problem=problem)


@evaluator.post("/second-factor")
def second_factor_check() -> ResponseReturnValue:
    try:
        code = request.form.get("code", "")
        factor.require_second_factor(session(), actor(), code, server_secret())
    except ActProblem as problem:
        return _page(gettext(problem.text)), STATUS[problem.code]
    cookie[CHECKED] = [current_user.id, time.time()]
    flash(gettext("The code was correct. For 15 minutes you can download packages."), "safe")
    return redirect(url_for("evaluator.shelf"))


@evaluator.post("/<int:release_id>/deleted")
def deleted(release_id: int) -> ResponseReturnValue:
    """Log that a recipient attests that every copy is deleted."""
    return _attest(downloads.attest_deletion, release_id)


@evaluator.post("/<int:release_id>/list-deleted")
def list_deleted(release_id: int) -> ResponseReturnValue:
    """Log that a recipient attests that the rows on a package's list are deleted."""
    return _attest(downloads.attest_list, release_id)


def _attest(attest: Callable[..., None], release_id: int) -> ResponseReturnValue:
    try:
        attest(session(), actor(), release_id=release_id, name=request.form.get("name", ""), seen=seen())
    except ActProblem as problem:
        if problem.code != "release.no_name":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("evaluator.shelf"))
    flash(gettext("Saved. Thank you."), "safe")
    return redirect(url_for("evaluator.shelf"))
