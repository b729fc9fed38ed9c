"""Security headers of every answer: own resources, no inline script, no caching of data."""

from flask import Flask, Response, current_app, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# No script, nothing from elsewhere, and no frame that could be laid over it.
SLIP_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SIGNED_IN = {"office", "evaluator"}
# Who may frame a page: the trial of a form is in a page of ours, a part of the dashboard in any.
FRAMED = {"office.draft_phone": "'self'", "dashboards.framed": "*"}
# What other sites may read.
OPEN = {
    "dashboards.script",
    "dashboards.part",
    "dashboards.framed",
    "dashboards.file",
    "dashboards.catalogue",
    "dashboards.card",
    "dashboards.numbers",
    "dashboards.parts",
    "dashboards.picture",
}
WITH_SENSORS = {"office.draft_try", "office.draft_phone", "worker.app"}  # camera and place, when a form asks for them


def init(app: Flask) -> None:
    app.after_request(_add)


def _add(response: Response) -> Response:
    headers = response.headers
    frame_ancestors = FRAMED.get(request.endpoint or "", "'none'")
    headers["Content-Security-Policy"] = POLICY.replace("ancestors 'none'", f"ancestors {frame_ancestors}")
    if request.blueprint == "slips":
        headers["Content-Security-Policy"] = SLIP_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    # Addresses hold ids of records, which no other site has to learn.
    headers["Referrer-Policy"] = "no-referrer"
    sensors = "(self)" if request.endpoint in WITH_SENSORS else "()"
    headers["Permissions-Policy"] = f"camera={sensors}, geolocation={sensors}, microphone={sensors}, browsing-topics=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.endpoint in OPEN:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        headers["Access-Control-Allow-Origin"] = "*"  # open data, read without a cookie
    # Without https (a trial on one machine) a browser that remembered this could not come back.
    if current_app.config["SESSION_COOKIE_SECURE"]:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static" and response.status_code == 200:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"  # names carry a hash
    elif request.blueprint in SIGNED_IN:
        headers["Cache-Control"] = "no-store"  # files too: nothing of a centre stays in a browser
    else:
        headers.setdefault("Cache-Control", "no-store")
    return response
