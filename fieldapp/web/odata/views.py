"""The feed's door: OData v4 as Power BI and Excel read it. Keys instead of people; released and protected data only."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate

from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.odata.feed import Opened, note_pull, open_for
from fieldapp.store.products.entity_sets import KEY, EntitySet, QueryRefused
from fieldapp.store.products.feed_file import Query, parse_order
from fieldapp.web.odata.media import Written, chosen, columns_for, is_refused
from fieldapp.web.sessions import session

odata = Blueprint("odata", __name__, url_prefix="/odata/v4")

PAGE, LEAST_PAGE = 5000, 1
MOST = 10**9
NAMESPACE = "fieldapp"
KNOWN = {"$filter", "$select", "$orderby", "$count", "$top", "$skip", "$skiptoken", "$format"}
JSON_NAMES = ("json", "application/json")
XML_NAMES = ("xml", "application/xml")
ONLY_KINDS = {"odata.metadata": "application/xml", "odata.count": "text/plain"}  # what is written in one way only
NOT_ACCEPTABLE = N_("The feed answers here in {kind}, which your program does not take (see its Accept header or $format).")


@odata.before_request
def _open() -> Response | None:
    """Let a key in; say how to ask where there is none, as Excel and Power BI expect."""
    newest = request.headers.get("OData-MaxVersion", "4.0").strip().partition(".")[0]
    if newest.isdecimal() and int(newest) < 4:
        raise ActProblem("feed.option", N_("This feed speaks OData 4."))
    given = request.authorization
    key = ""
    if given is not None:
        key = given.password or "" if given.type == "basic" else given.token or ""
    try:
        g.opened = open_for(session(), key, current_app.config["SETTINGS"].packages)
    except ActProblem as problem:
        if problem.code != "feed.key":
            raise
        response = _error("feed.key", problem.text, 401)
        response.www_authenticate = WWWAuthenticate("basic", {"realm": "fieldapp", "charset": "UTF-8"})
        return response
    g.written = _written()
    if request.if_none_match.contains(_mark()):
        return _answered(Response(status=304))
    return None


@odata.after_request
def _version(response: Response) -> Response:
    response.headers["OData-Version"] = "4.0"
    return response


def _mark() -> str:
    opened: Opened = g.opened
    return f"{opened.mark}-{opened.key.id}-{g.written.mark}"


def _written() -> Written:
    """Return in which JSON to answer; raise ActProblem when the reader takes nothing that there is here.

    $format in the address comes before the header. What is written in one way only is sent unless it is refused expressly.
    """
    accept, given = request.headers.get("Accept", ""), request.args.get("$format", "")
    only = ONLY_KINDS.get(request.endpoint or "")
    if only:
        names = XML_NAMES if only == "application/xml" else ("text", "text/plain", *JSON_NAMES)
        is_taken = given.split(";")[0].lower() in names if given else not is_refused(accept, only)
        if is_taken:
            return Written()
        raise ActProblem("feed.media_type", NOT_ACCEPTABLE, {"kind": only})
    if given:
        name, _, parameters = given.partition(";")
        found = chosen(f"application/json;{parameters}") if name.strip().lower() in JSON_NAMES else None
        if found is None:
            raise ActProblem("feed.query", "{why}", {"why": "$format is json."})
        return found
    found = chosen(accept)
    if found is None:
        raise ActProblem("feed.media_type", NOT_ACCEPTABLE, {"kind": "application/json"})
    return found


def _answered(response: Response) -> Response:
    response.set_etag(_mark())
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Accept, Prefer"
    return response


def _error(code: str, text: str, status: int) -> Response:
    body = {"error": {"code": code, "message": text}}
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json;charset=utf-8")


def _root() -> str:
    return f"{request.url_root}odata/v4/"


@odata.get("/")
def service() -> Response:
    """Give the service document: which entity sets there are."""
    listed = [{"name": name, "kind": "EntitySet", "url": name} for name in g.opened.feed.sets]
    return _json(f"{_root()}$metadata", {"value": listed})


@odata.get("/$metadata")
def metadata() -> Response:
    """Give the schema (CSDL 4.0 in XML)."""
    types, sets = [], []
    for entity in g.opened.feed.sets.values():
        lines = [
            f'<Property Name={quoteattr(name)} Type="{kind}" Nullable="{str(name != KEY).lower()}"/>'
            for name, kind in entity.types.items()
        ]
        types.append(
            f'<EntityType Name={quoteattr(entity.name)}><Key><PropertyRef Name="{KEY}"/></Key>{"".join(lines)}</EntityType>'
        )
        sets.append(
            f'<EntitySet Name={quoteattr(entity.name)} EntityType="{NAMESPACE}.{escape(entity.name)}">'
            '<Annotation Term="Org.OData.Capabilities.V1.CountRestrictions"><Record>'
            '<PropertyValue Property="Countable" Bool="true"/></Record></Annotation>'
            "</EntitySet>"
        )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        '<edmx:Reference Uri="https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.xml">'
        '<edmx:Include Namespace="Org.OData.Capabilities.V1"/></edmx:Reference><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{"".join(types)}<EntityContainer Name="Container">{"".join(sets)}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
    return _answered(Response(text, content_type="application/xml;charset=utf-8"))


@odata.get("/<name>")
def rows(name: str) -> Response:
    """Give rows of an entity set, page by page."""
    entity = _entity(name)
    query, is_counted = _asked(entity)
    size = _page_size()
    columns = columns_for(g.written, query.select)
    found = g.opened.feed.read(entity, replace(query, select=columns), size)
    body: dict[str, Any] = {}
    if is_counted:
        body["@odata.count"] = g.written.number(g.opened.feed.count(entity, query))
    body["value"] = [_row(entity, query, one) for one in found.rows]
    if found.after:
        body["@odata.nextLink"] = _next(entity, query, found.after, len(found.rows))
    note_pull(session(), g.opened.key, entity.name, len(found.rows))
    response = _json(f"{_root()}$metadata#{entity.name}{_selected(query)}", body)
    if "odata.maxpagesize" in request.headers.get("Prefer", ""):
        response.headers["Preference-Applied"] = f"odata.maxpagesize={size}"
    return response


@odata.get("/<name>/$count")
def count(name: str) -> Response:
    entity = _entity(name)
    query, _ = _asked(entity)
    number = g.opened.feed.count(entity, query)
    note_pull(session(), g.opened.key, entity.name, 0)
    return _answered(Response(str(number), content_type="text/plain;charset=utf-8"))


@odata.get("/<name>(<int:key>)")
def row(name: str, key: int) -> Response:
    """Give one row by its key."""
    entity = _entity(name)
    found = g.opened.feed.read(entity, Query(filter=f"{KEY} eq {min(key, MOST)}"), 1)
    if not found.rows:
        raise ActProblem("access.not_found", N_("There is nothing here, or it is not yours to see."))
    note_pull(session(), g.opened.key, entity.name, 1)
    return _json(f"{_root()}$metadata#{entity.name}/$entity", _row(entity, Query(), found.rows[0]))


def _row(entity: EntitySet, query: Query, row: Mapping[str, Any]) -> dict[str, Any]:
    address = f"{_root()}{entity.name}({row.get(KEY)})"
    shown = {name: value for name, value in row.items() if name in query.select} if query.select else row
    made: dict[str, Any] = g.written.row(entity, shown, address)
    return made


def _entity(name: str) -> EntitySet:
    if name not in g.opened.feed.sets:
        raise ActProblem("access.not_found", N_("There is nothing here, or it is not yours to see."))
    found: EntitySet = g.opened.feed.sets[name]
    return found


def _json(context: str, content: Mapping[str, Any]) -> Response:
    text = json.dumps(g.written.body(context, content), ensure_ascii=False, separators=(",", ":"))
    return _answered(Response(text, content_type=g.written.content_type))


def _page_size() -> int:
    for part in request.headers.get("Prefer", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "odata.maxpagesize" and value.isdecimal():
            return min(max(int(value), LEAST_PAGE), PAGE)
    return PAGE


def _asked(entity: EntitySet) -> tuple[Query, bool]:
    """Return the query in the address; raise ActProblem for what is not understood, so that nothing is silently left out."""
    given = request.args
    unknown = sorted(name for name in given if name.startswith("$") and name not in KNOWN)
    if unknown:
        raise ActProblem("feed.option", N_("{names}: this feed does not know it."), {"names": ", ".join(unknown)})
    try:
        select = tuple(name.strip() for name in given.get("$select", "").split(",") if name.strip() not in ("", "*"))
        wrong = [name for name in select if name not in entity.types]
        if wrong:
            raise QueryRefused(f"$select: {entity.name} has no column {', '.join(wrong)}.")
        order = parse_order(given["$orderby"], entity) if given.get("$orderby") else ()
        mark, _, after = given.get("$skiptoken", "").partition(".")
        if given.get("$skiptoken") and mark != g.opened.mark:
            raise QueryRefused("The data has changed since that page. Begin again without $skiptoken.")
        if given.get("$count", "false").lower() not in ("true", "false"):
            raise QueryRefused("$count is true or false.")
        query = Query(given.get("$filter", ""), select, order, _number("$top"), _number("$skip") or 0, after)
    except QueryRefused as refused:
        raise ActProblem("feed.query", "{why}", {"why": str(refused)}) from None
    return query, given.get("$count", "false").lower() == "true"


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > MOST:
        raise QueryRefused(f"{name} is a whole number.")
    return int(text)


def _selected(query: Query) -> str:
    return f"({','.join(query.select)})" if query.select else ""


def _next(entity: EntitySet, query: Query, after: str, shown: int) -> str:
    more = {name: value for name, value in request.args.items() if name in KNOWN - {"$skip", "$skiptoken", "$top"}}
    if query.top is not None:
        more["$top"] = str(query.top - shown)
    more["$skiptoken"] = f"{g.opened.mark}.{after}"
    return f"{_root()}{entity.name}?{urlencode(more, quote_via=quote)}"


@odata.errorhandler(QueryRefused)
def _refused(refused: QueryRefused) -> Response:
    return _error("feed.query", str(refused), 400)
