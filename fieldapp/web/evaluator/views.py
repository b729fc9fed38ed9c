"""The shelf of releases: for evaluators, and for the admins who answer for them."""

from collections.abc import Callable

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people.second_factor import list_factors
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases import downloads
from fieldapp.web import sign_on
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, has_fresh_factor, session

evaluator = Blueprint("evaluator", __name__, url_prefix="/releases", template_folder="templates")


@evaluator.get("/")
def shelf() -> ResponseReturnValue:
    return render_template("releases.html", shelf=downloads.list_releases(session(), actor()))


@evaluator.post("/<int:release_id>/package")
def package(release_id: int) -> ResponseReturnValue:
    """Download the package; a POST, since it is logged and must not be prefetched or cached."""
    who = actor()
    # Also where nobody is asked at sign-in: without a second factor no package leaves.
    if not list_factors(session(), who).is_any and not sign_on.can_confirm(who):
        flash(gettext("Before you download a package you set up two-step verification."), "wait")
        return redirect(url_for("office.own_app", to=url_for("evaluator.shelf")))
    if not has_fresh_factor():
        raise ActProblem("second_factor.needed", N_("Confirm first that it is you."))
    packages = current_app.config["SETTINGS"].packages
    path, name = downloads.download_release(session(), who, release_id=release_id, packages=packages)
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)


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
