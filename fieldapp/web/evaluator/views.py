"""The shelf of releases: for evaluators, and for the admins who answer for them."""

from typing import Any

from flask import Blueprint, current_app, render_template, send_file

from fieldapp.services import releases
from fieldapp.web.sessions import actor, session

evaluator = Blueprint("evaluator", __name__, url_prefix="/releases", template_folder="templates")


@evaluator.get("/")
def shelf() -> Any:
    return render_template("releases.html", shelf=releases.list_releases(session(), actor()))


@evaluator.post("/<int:release_id>/package")
def package(release_id: int) -> Any:
    """Hand out the package; a POST, since it is written down and must not be fetched ahead or kept by caches."""
    packages = current_app.config["SETTINGS"].packages
    path, release = releases.download_release(session(), actor(), release_id=release_id, packages=packages)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=release.filename)
