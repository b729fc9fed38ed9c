"""The phone app's shell: static files that a service worker keeps. No data passes here."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from fieldapp.web import assets

worker = Blueprint("worker", __name__)

FILES = {"sw.js": "text/javascript", "manifest.webmanifest": "application/manifest+json"}


@worker.get("/app")
def without_slash() -> ResponseReturnValue:
    return redirect(url_for("worker.app"), 308)


@worker.get("/app/")
def app() -> ResponseReturnValue:
    return _file("app.html", "text/html")


@worker.get("/app/<name>")
def file(name: str) -> ResponseReturnValue:
    """Serve the service worker and the web app manifest; 404 for all else."""
    if name not in FILES:
        abort(404)
    return _file(name, FILES[name])


def _file(name: str, mimetype: str) -> ResponseReturnValue:
    response = assets.send(name, mimetype)
    response.headers["Cache-Control"] = "no-cache"
    return response
