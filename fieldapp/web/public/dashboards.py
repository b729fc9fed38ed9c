"""The public dashboard, its open data, and the parts that other sites embed. No cookie, no sign-in."""

import functools
import gzip
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import force_locale

from fieldapp.services.problems import make_not_found
from fieldapp.services.products import public
from fieldapp.services.products.public import PublicEdition
from fieldapp.web import assets, editions
from fieldapp.web.language import LANGUAGES, preferred
from fieldapp.web.public import open_data
from fieldapp.web.sessions import session

dashboards = Blueprint("dashboards", __name__, template_folder="templates")

MINUTES = 5
KEPT = 64
Body = tuple[bytes, bytes]  # plain and compressed


@functools.lru_cache(maxsize=KEPT)
def _compressed(key: tuple[str, ...], data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


_rendered: dict[tuple[str, ...], bytes] = {}


def _answer(key: tuple[str, ...], mimetype: str, make: Callable[[], bytes]) -> Response:
    """Return a page that is made once for each edition; browsers and caches may keep it for some minutes."""
    mark = "-".join(key)
    if request.if_none_match.contains(mark):
        response = Response(status=304)
    else:
        data = _rendered.get(key)
        if data is None:
            if len(_rendered) >= KEPT:
                _rendered.clear()
            data = _rendered[key] = make()
        response = Response(data, mimetype=mimetype)
        if request.accept_encodings.quality("gzip") > 0 and not mimetype.startswith("image/"):
            response.set_data(_compressed(key, data))
            response.headers["Content-Encoding"] = "gzip"
    response.set_etag(mark)
    response.headers["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _key(slug: str, language: str, *more: str) -> tuple[str, ...]:
    """Return what a rendered page depends on: the edition, this version of the app, the address it is reached at."""
    if language not in LANGUAGES:
        raise make_not_found()
    _, digest = public.mark(session(), slug)
    return (digest[:24], _version(), request.host.replace('"', ""), slug, language, *more)


def _version() -> str:
    return assets.asset("public.css").rsplit("-", 1)[-1].split(".")[0]


def _page(template: str, slug: str, language: str, **more: Any) -> bytes:
    edition = public.public_edition(session(), slug)
    with force_locale(language):
        shown = editions.indicators(edition.body, language)
        return render_template(
            template, edition=edition, indicators=shown, partners=editions.partners(edition.body, language),
            language=language, period=editions.period_name(edition.period, language),
            is_revised=any(point.revised for one in shown for point in one.points), **more,
        ).encode()  # fmt: skip


@dashboards.get("/public/")
def start() -> Any:
    found = public.public_centres(session())
    language = preferred()
    if len(found) == 1:
        return redirect(url_for(".dashboard", slug=found[0].slug, language=language))
    with force_locale(language):
        return render_template("public_centres.html", centres=found, language=language)


@dashboards.get("/public/<slug>/")
def centre(slug: str) -> Any:
    public.mark(session(), slug)
    language = preferred()
    response = redirect(url_for(".dashboard", slug=slug, language=language))
    response.vary.add("Accept-Language")
    return response


@dashboards.get("/public/<slug>/<language>/")
def dashboard(slug: str, language: str) -> Response:
    return _answer(_key(slug, language, "all"), "text/html", lambda: _page("dashboard.html", slug, language))


@dashboards.get("/public/<slug>/<language>/<name>/")
def indicator(slug: str, language: str, name: str) -> Response:
    key = _key(slug, language, "one", name)
    edition = public.public_edition(session(), slug)
    if all(one["id"] != name for one in edition.body["indicators"]):
        raise make_not_found()
    return _answer(key, "text/html", lambda: _page("indicator.html", slug, language, name=name))


@dashboards.get("/public/<slug>/<language>/card.png")
def card(slug: str, language: str) -> Response:
    key = _key(slug, language, "card")
    return _answer(key, "image/png", lambda: public.card(session(), slug, language))


@dashboards.get("/public/data/")
def data() -> str:
    language = preferred()
    found = _editions()
    with force_locale(language):
        return render_template("open_data.html", editions=found, language=language, files=open_data.FILES)


def _editions() -> list[PublicEdition]:
    return [public.public_edition(session(), one.slug) for one in public.public_centres(session())]


@dashboards.get("/public/data/catalog.jsonld")
def catalogue() -> Response:
    body = open_data.catalogue(_editions(), request.url_root)
    return Response(json.dumps(body, ensure_ascii=False, indent=1), mimetype="application/ld+json")


@dashboards.get("/public/data/<slug>/<name>")
def file(slug: str, name: str) -> Response:
    """Give one file of open data: the same numbers as the pages."""
    if name not in open_data.FILES:
        raise make_not_found()
    key = _key(slug, "en", "data", name)
    make, mimetype = open_data.FILES[name].make, open_data.FILES[name].mimetype
    root = request.url_root
    return _answer(key, mimetype, lambda: make(public.public_edition(session(), slug), root))


@dashboards.get("/embed/kpi.js")
def script() -> Response:
    """Give the element that shows indicators on another site; the address stays the same for ever."""
    response = assets.send(assets.asset("kpi.js").rsplit("/", 1)[-1], "text/javascript")
    response.headers["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    return response


@dashboards.get("/embed/<slug>/<language>/part")
def part(slug: str, language: str) -> Response:
    """Give the part of a page that the element puts in: all indicators, or one (?kpi=)."""
    name = _chosen(slug)
    return _answer(
        _key(slug, language, "part", name), "text/html", lambda: _page("embedded.html", slug, language, name=name)
    )


@dashboards.get("/embed/<slug>/<language>/")
def framed(slug: str, language: str) -> Response:
    """Give a page for an iframe, where a site does not let scripts in."""
    name = _chosen(slug)
    return _answer(_key(slug, language, "frame", name), "text/html", lambda: _page("framed.html", slug, language, name=name))


def _chosen(slug: str) -> str:
    name = request.args.get("kpi", "")
    edition = public.public_edition(session(), slug)
    if name and all(one["id"] != name for one in edition.body["indicators"]):
        raise make_not_found()
    return name
