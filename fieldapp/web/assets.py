"""The built client (static/dist). Its files have a hash in their names."""

import functools
import json
import mimetypes

from flask import Flask, Response, request, send_from_directory, url_for

from fieldapp.paths import CLIENT


@functools.lru_cache(maxsize=1)
def _names(changed: float) -> dict[str, str]:
    names: dict[str, str] = json.loads((CLIENT / "names.json").read_text())
    return names


def asset(name: str) -> str:
    """Return the address of a built file."""
    return url_for("static", filename=_names((CLIENT / "names.json").stat().st_mtime)[name])


def send(filename: str, mimetype: str | None = None) -> Response:
    """Send a built file, compressed if the browser accepts that; the build made all forms."""
    kind = mimetype or mimetypes.guess_type(filename)[0]
    for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
        if request.accept_encodings.quality(encoding) > 0 and (CLIENT / f"{filename}{suffix}").is_file():
            response = send_from_directory(CLIENT, f"{filename}{suffix}", mimetype=kind)
            response.headers["Content-Encoding"] = encoding
            break
    else:
        response = send_from_directory(CLIENT, filename, mimetype=kind)
    response.vary.add("Accept-Encoding")
    return response


def is_built() -> bool:
    return (CLIENT / "names.json").is_file()


def init(app: Flask) -> None:
    app.jinja_env.globals["asset"] = asset
    app.add_url_rule("/static/<path:filename>", "static", send)
    if not is_built():
        app.logger.error("The client is not built. Run: make build")
