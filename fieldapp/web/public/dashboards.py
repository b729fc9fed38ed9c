"""The public dashboard, its open data, and the parts that other sites embed.

No cookie, no sign-in.
"""

import functools
import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from fieldapp.services.problems import make_not_found
from fieldapp.services.products import public
from fieldapp.services.products.public import PublicEdition
from fieldapp.web import assets, editions
from fieldapp.web.language import LANGUAGES, preferred
from fieldapp.web.partner_views import make_partner_views
from fieldapp.web.public import chart_picture, open_data
from fieldapp.web.sessions import session
from fieldapp.web.year_words import write_headline

dashboards = Blueprint("dashboards", __name__, template_folder="templates")

# Between two requests of one browser or cache; a new edition shows everywhere this soon.
MINUTES = 5
# Pages in memory.
CACHE_SIZE = 64
FEED = "feed.atom"


@functools.lru_cache(maxsize=CACHE_SIZE)
def _compressed(key: tuple[str, ...], data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


_rendered: dict[tuple[str, ...], bytes] = {}


def _respond_cached(key: tuple[str, ...], mimetype: str, make: Callable[[], bytes]) -> Response:
    """Return a page that is rendered once an edition, and cached for some minutes."""
    etag = "-".join(key)
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        data = _rendered.get(key)
        # Rendering is the only cost; most visitors of a month look at the same few pages.
        if data is None:
            if len(_rendered) >= CACHE_SIZE:
                # Emptied as a whole: most of it is of editions that are over, and what is asked for comes back.
                _rendered.clear()
            data = _rendered[key] = make()
        response = Response(data, mimetype=mimetype)
        # Images are compressed already, but those that are text.
        is_text = not mimetype.startswith("image/") or mimetype.endswith("+xml")
        if request.accept_encodings.quality("gzip") > 0 and is_text:
            response.set_data(_compressed(key, data))
            response.headers["Content-Encoding"] = "gzip"
    response.set_etag(etag)
    response.headers["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _make_cache_key(slug: str, language: str, *more: str, period: str = "") -> tuple[str, ...]:
    """Return what a page depends on: the edition, the version of the app, the host name.

    Raises ActProblem for a language, centre or period that there is not.
    """
    if language not in LANGUAGES:
        raise make_not_found()
    # Asked at every request: a dashboard that is switched off must be gone at once, also from this
    # cache.
    _, digest = public.read_edition_version(session(), slug, period)
    # The host is in it because pages have whole addresses, for those who share them.
    return (digest[:24], _version(), request.host.replace('"', ""), slug, language, *more)


def _version() -> str:
    return assets.asset("public.css").rsplit("-", 1)[-1].split(".")[0]


def _page(template: str, slug: str, language: str, in_period: str = "", **more: Any) -> bytes:
    edition = public.load_public_edition(session(), slug, in_period)
    with force_locale(language):
        views = editions.make_indicator_views(edition.body, language)
        page = render_template(
            template,
            edition=edition,
            indicators=views,
            headline=write_headline(edition.body, language),
            partners=make_partner_views(edition.body, language),
            withdrawals=editions.make_withdrawal_views(edition.body, language),
            language=language,
            period=editions.period_name(edition.period, language),
            is_revised=any(_is_revised(view) for view in views),
            is_earlier=bool(in_period),
            names=_list_edition_names(edition, language),
            **more,
        )
    return page.encode()


def _list_edition_names(edition: PublicEdition, language: str) -> dict[str, str]:
    return {past.period: editions.period_name(past.period, language) for past in edition.editions}


def _is_revised(view: editions.IndicatorView) -> bool:
    return any(point.revised for point in view.points)


@dashboards.get("/public/")
def start() -> ResponseReturnValue:
    centres = public.list_public_centres(session())
    language = preferred()
    if len(centres) == 1:
        return redirect(url_for(".dashboard", slug=centres[0].slug, language=language))
    with force_locale(language):
        return render_template("public_centres.html", centres=centres, language=language)


@dashboards.get("/public/<slug>/")
def centre(slug: str) -> ResponseReturnValue:
    public.read_edition_version(session(), slug)
    language = preferred()
    response = redirect(url_for(".dashboard", slug=slug, language=language))
    # Caches in between must not give everybody the language of the first visitor.
    response.vary.add("Accept-Language")
    return response


@dashboards.get("/public/<slug>/<language>/")
def dashboard(slug: str, language: str) -> Response:
    key = _make_cache_key(slug, language, "all", _name_editions(slug))
    return _respond_cached(key, "text/html", lambda: _page("dashboard.html", slug, language))


def _name_editions(slug: str) -> str:
    """Return a mark that changes with the editions that can be read: pages list them."""
    marks = [f"{edition.period} {edition.sha256}" for edition in public.list_editions(session(), slug)]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]


@dashboards.get("/public/<slug>/<language>/edition/<period>/")
def dashboard_of(slug: str, language: str, period: str) -> Response:
    """Give the dashboard as it was at the end of a month: an address that can be cited."""
    key = _make_cache_key(slug, language, "all", period, _name_editions(slug), period=period)
    return _respond_cached(key, "text/html", lambda: _page("dashboard.html", slug, language, in_period=period))


@dashboards.get("/public/<slug>/<language>/<name>/")
def indicator(slug: str, language: str, name: str) -> Response:
    key = _make_cache_key(slug, language, "one", name)
    # Before the cache: the key would else be filled with pages of indicators that do not exist.
    _require_indicator(slug, name)
    return _respond_cached(key, "text/html", lambda: _page("indicator.html", slug, language, name=name))


@dashboards.get("/public/<slug>/<language>/<name>/chart.svg")
def picture(slug: str, language: str, name: str) -> Response:
    """Give the chart of an indicator as a picture, with its title and source."""
    key = _make_cache_key(slug, language, "picture", name)
    _require_indicator(slug, name)
    return _respond_cached(key, "image/svg+xml", lambda: _draw(slug, language, name))


def _draw(slug: str, language: str, name: str) -> bytes:
    edition = public.load_public_edition(session(), slug)
    with force_locale(language):
        views = editions.make_indicator_views(edition.body, language)
        view = next(view for view in views if view.id == name)
        period = editions.period_name(edition.period, language)
        address = url_for(".indicator", slug=slug, language=language, name=name, _external=True)
        layout = chart_picture.lay_out(view, edition.centre, period, address)
        text = render_template("chart.svg", one=view, language=language, **layout)
    return text.encode()


@dashboards.get("/public/<slug>/<language>/<name>/numbers.csv")
def numbers(slug: str, language: str, name: str) -> Response:
    """Give the numbers of one indicator: the lines that the file of all indicators has of it."""
    return _send_lines(slug, language, name, open_data.write_numbers)


@dashboards.get("/public/<slug>/<language>/<name>/parts.csv")
def parts(slug: str, language: str, name: str) -> Response:
    """Give the parts of one indicator, by period."""
    return _send_lines(slug, language, name, open_data.write_parts)


def _send_lines(slug: str, language: str, name: str, write: Callable[..., bytes]) -> Response:
    key = _make_cache_key(slug, language, write.__name__, name)
    _require_indicator(slug, name)
    edition = public.load_public_edition(session(), slug)
    return _respond_cached(key, "text/csv", lambda: write(edition, request.url_root, only=name))


@dashboards.get("/public/<slug>/<language>/card.png")
def card(slug: str, language: str) -> Response:
    key = _make_cache_key(slug, language, "card")
    return _respond_cached(key, "image/png", lambda: public.load_share_image(session(), slug, language))


@dashboards.get("/public/data/")
def data() -> str:
    language = preferred()
    with force_locale(language):
        return render_template("open_data.html", editions=_load_editions(), language=language, files=open_data.FILES)


def _load_editions() -> list[PublicEdition]:
    return [public.load_public_edition(session(), centre.slug) for centre in public.list_public_centres(session())]


@dashboards.get("/public/data/catalog.jsonld")
def catalogue() -> Response:
    body = open_data.make_catalogue(_load_editions(), request.url_root)
    return Response(json.dumps(body, ensure_ascii=False, indent=1), mimetype="application/ld+json")


@dashboards.get("/public/data/<slug>/<name>")
def file(slug: str, name: str) -> Response:
    """Give one file of open data: the same numbers as the pages."""
    if name not in open_data.FILES:
        raise make_not_found()
    return _send_file(slug, name, _name_editions(slug) if name == FEED else "")


@dashboards.get("/public/data/<slug>/edition/<period>/<name>")
def file_of(slug: str, period: str, name: str) -> Response:
    """Give one file of open data as it was at the end of a month."""
    if name not in open_data.FILES or name == FEED:
        raise make_not_found()
    return _send_file(slug, name, period, period)


def _send_file(slug: str, name: str, mark: str, period: str = "") -> Response:
    key = _make_cache_key(slug, "en", "data", name, mark, period=period)
    data_file = open_data.FILES[name]
    root = request.url_root
    return _respond_cached(
        key, data_file.mimetype, lambda: data_file.make(public.load_public_edition(session(), slug, period), root)
    )


@dashboards.get("/embed/kpi.js")
def script() -> Response:
    """Give the element that shows indicators on another site; its address never changes."""
    # Other sites have this address in their pages for years, so it has no hash and lives for
    # minutes.
    response = assets.send(assets.asset("kpi.js").rsplit("/", 1)[-1], "text/javascript")
    response.headers["Cache-Control"] = f"public, max-age={MINUTES * 60}"
    return response


@dashboards.get("/embed/<slug>/<language>/part")
def part(slug: str, language: str) -> Response:
    """Give the part of a page that the element puts in: all indicators, or one (?kpi=)."""
    name = _read_indicator(slug)
    key = _make_cache_key(slug, language, "part", name)
    return _respond_cached(key, "text/html", lambda: _page("embedded.html", slug, language, name=name))


@dashboards.get("/embed/<slug>/<language>/")
def framed(slug: str, language: str) -> Response:
    """Give a page for an iframe, for sites that allow no scripts of others."""
    name = _read_indicator(slug)
    key = _make_cache_key(slug, language, "frame", name)
    return _respond_cached(key, "text/html", lambda: _page("framed.html", slug, language, name=name))


def _read_indicator(slug: str) -> str:
    """Return the indicator that the address names, "" for all of them."""
    name = request.args.get("kpi", "")
    if name:
        _require_indicator(slug, name)
    else:
        public.load_public_edition(session(), slug)  # raises for a centre without a public dashboard
    return name


def _require_indicator(slug: str, name: str) -> None:
    edition = public.load_public_edition(session(), slug)
    if all(indicator["id"] != name for indicator in edition.body["indicators"]):
        raise make_not_found()
