"""The feed that Power BI and Excel read: OData 4, with keys instead of people.

It has released and protected data only.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate

from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.odata.feed import OpenFeed, log_feed_read, open_feed_for_key
from fieldapp.store.products.entity_sets import KEY, EntitySet, QueryRefused
from fieldapp.store.products.feed_file import Query, parse_order
from fieldapp.web.odata.media import JsonFormat, choose_columns, choose_format, is_refused
from fieldapp.web.sessions import session

odata = Blueprint("odata", __name__, url_prefix="/odata/v4")

# Rows. Readers follow the links to next pages by themselves.
PAGE_SIZE = 5000
# SQLite refuses integers over 64 bits; a key over this has no row anyway.
MAX_NUMBER = 10**9
NAMESPACE = "fieldapp"
OPTIONS = {"$filter", "$select", "$orderby", "$count", "$top", "$skip", "$skiptoken", "$format"}
PAGE_OPTIONS = {"$skip", "$skiptoken", "$top"}
JSON_NAMES = ("json", "application/json")
# What is written in one way only, by endpoint, and the names that $format may give it.
ONLY_TYPES = {"odata.metadata": "application/xml", "odata.count": "text/plain"}
FORMAT_NAMES = {
    "application/xml": ("xml", "application/xml"),
    "text/plain": ("text", "text/plain", *JSON_NAMES),
}
NOT_ACCEPTABLE = N_(
    "The feed answers here in {kind}, which your software does not accept (see its Accept header or $format)."
)
NOT_FOUND = N_("There is nothing here, or it is not yours to see.")


@odata.before_request
def _open_feed() -> Response | None:
    """Find the feed of a key; without one, ask for it as Excel and Power BI expect."""
    # A client of OData 3 would misread answers of version 4, so it is refused at once.
    newest = request.headers.get("OData-MaxVersion", "4.0").strip().partition(".")[0]
    if newest.isdecimal() and int(newest) < 4:
        raise ActProblem("feed.option", N_("This feed speaks OData 4."))
    try:
        g.opened = open_feed_for_key(session(), _read_key(), current_app.config["SETTINGS"].packages)
    except ActProblem as problem:
        if problem.code != "feed.key":
            raise
        response = _make_error("feed.key", problem.text, 401)
        response.www_authenticate = WWWAuthenticate("basic", {"realm": "fieldapp", "charset": "UTF-8"})
        return response
    g.json_format = _choose_json_format()
    # After the key and the form: the mark differs by both. Nothing is read for an answer that has
    # not changed.
    if request.if_none_match.contains(_make_etag()):
        return _cache_privately(Response(status=304))
    return None


def _read_key() -> str:
    """Return the key that was sent, as password or as bearer token; "" for none."""
    authorization = request.authorization
    if authorization is None:
        return ""
    # Excel and Power BI offer a user name and a password only; the name is ignored.
    if authorization.type == "basic":
        return authorization.password or ""
    return authorization.token or ""


@odata.after_request
def _version(response: Response) -> Response:
    response.headers["OData-Version"] = "4.0"
    return response


def _make_etag() -> str:
    opened: OpenFeed = g.opened
    # By key as well: two keys of one series may be revoked apart.
    return f"{opened.version}-{opened.key.id}-{g.json_format.etag_part}"


def _choose_json_format() -> JsonFormat:
    """Return the form of JSON to answer in; raise ActProblem if the reader accepts none.

    $format in the address comes before the header Accept.
    """
    accept = request.headers.get("Accept", "")
    format_option = request.args.get("$format", "")
    only_type = ONLY_TYPES.get(request.endpoint or "")
    if only_type:
        # There is no choice here: it is sent unless it is refused expressly.
        if not _accepts_only_type(only_type, accept, format_option):
            raise ActProblem("feed.media_type", NOT_ACCEPTABLE, {"kind": only_type})
        return JsonFormat()
    if format_option:
        name, _, parameters = format_option.partition(";")
        accept = f"application/json;{parameters}"
        if name.strip().lower() not in JSON_NAMES or choose_format(accept) is None:
            raise ActProblem("feed.query", "{why}", {"why": "$format is json."})
    json_format = choose_format(accept)
    if json_format is None:
        raise ActProblem("feed.media_type", NOT_ACCEPTABLE, {"kind": "application/json"})
    return json_format


def _accepts_only_type(kind: str, accept: str, format_option: str) -> bool:
    if format_option:
        return format_option.split(";", maxsplit=1)[0].lower() in FORMAT_NAMES[kind]
    return not is_refused(accept, kind)


def _cache_privately(response: Response) -> Response:
    response.set_etag(_make_etag())
    # An intermediary must not keep one recipient's rows for another; the reader asks each time.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Accept, Prefer"
    return response


def _make_error(code: str, text: str, status: int) -> Response:
    body = {"error": {"code": code, "message": text}}
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json;charset=utf-8")


def _root() -> str:
    return f"{request.url_root}odata/v4/"


@odata.get("/")
def service() -> Response:
    """Give the service document: which entity sets there are."""
    entity_sets = [{"name": name, "kind": "EntitySet", "url": name} for name in g.opened.feed.sets]
    return _make_json_response(f"{_root()}$metadata", {"value": entity_sets})


@odata.get("/$metadata")
def metadata() -> Response:
    """Give the schema (CSDL 4.0 in XML)."""
    entities = g.opened.feed.sets.values()
    types = "".join(_write_entity_type(entity) for entity in entities)
    sets = "".join(_write_entity_set(entity) for entity in entities)
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        '<edmx:Reference Uri="https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.xml">'
        '<edmx:Include Namespace="Org.OData.Capabilities.V1"/></edmx:Reference><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{types}<EntityContainer Name="Container">{sets}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
    return _cache_privately(Response(text, content_type="application/xml;charset=utf-8"))


def _write_entity_type(entity: EntitySet) -> str:
    properties = []
    for name, kind in entity.types.items():
        nullable = "true"
        if name == KEY:
            nullable = "false"
        properties.append(f'<Property Name={quoteattr(name)} Type="{kind}" Nullable="{nullable}"/>')
    key = f'<Key><PropertyRef Name="{KEY}"/></Key>'
    return f"<EntityType Name={quoteattr(entity.name)}>{key}{''.join(properties)}</EntityType>"


def _write_entity_set(entity: EntitySet) -> str:
    return (
        f'<EntitySet Name={quoteattr(entity.name)} EntityType="{NAMESPACE}.{escape(entity.name)}">'
        '<Annotation Term="Org.OData.Capabilities.V1.CountRestrictions"><Record>'
        '<PropertyValue Property="Countable" Bool="true"/></Record></Annotation>'
        "</EntitySet>"
    )


@odata.get("/<name>")
def rows(name: str) -> Response:
    """Give rows of an entity set, page by page."""
    entity = _find_entity(name)
    query = _read_query(entity)
    size = _read_page_size()
    columns = choose_columns(g.json_format, query.select)
    page = g.opened.feed.read(entity, replace(query, select=columns), size)
    body: dict[str, Any] = {}
    if _is_count_wanted():
        body["@odata.count"] = g.json_format.write_number(g.opened.feed.count(entity, query))
    body["value"] = [_write_row(entity, query, row) for row in page.rows]
    if page.after:
        body["@odata.nextLink"] = _make_next_link(entity, query, page.after, len(page.rows))
    # After reading, with the number of rows: the audit log says how much left.
    log_feed_read(session(), g.opened.key, entity.name, len(page.rows))
    selected = ""
    if query.select:
        selected = f"({','.join(query.select)})"
    response = _make_json_response(f"{_root()}$metadata#{entity.name}{selected}", body)
    if "odata.maxpagesize" in request.headers.get("Prefer", ""):
        response.headers["Preference-Applied"] = f"odata.maxpagesize={size}"
    return response


@odata.get("/<name>/$count")
def count(name: str) -> Response:
    entity = _find_entity(name)
    number = g.opened.feed.count(entity, _read_query(entity))
    # A count gives no row away, and the reading is audited all the same.
    log_feed_read(session(), g.opened.key, entity.name, 0)
    return _cache_privately(Response(str(number), content_type="text/plain;charset=utf-8"))


@odata.get("/<name>(<int:key>)")
def row(name: str, key: int) -> Response:
    """Give one row by its key."""
    entity = _find_entity(name)
    # Cut off, since an address may have any number of digits.
    page = g.opened.feed.read(entity, Query(filter=f"{KEY} eq {min(key, MAX_NUMBER)}"), 1)
    if not page.rows:
        raise ActProblem("access.not_found", NOT_FOUND)
    log_feed_read(session(), g.opened.key, entity.name, 1)
    content = _write_row(entity, Query(), page.rows[0])
    return _make_json_response(f"{_root()}$metadata#{entity.name}/$entity", content)


def _write_row(entity: EntitySet, query: Query, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the columns that were asked for; its key may only be in its address."""
    address = f"{_root()}{entity.name}({row.get(KEY)})"
    json_format: JsonFormat = g.json_format
    if not query.select:
        return json_format.write_row(entity, row, address)
    selected = {name: value for name, value in row.items() if name in query.select}
    return json_format.write_row(entity, selected, address)


def _find_entity(name: str) -> EntitySet:
    entity: EntitySet | None = g.opened.feed.sets.get(name)
    if entity is None:
        raise ActProblem("access.not_found", NOT_FOUND)
    return entity


def _make_json_response(context: str, content: Mapping[str, Any]) -> Response:
    text = json.dumps(g.json_format.write_body(context, content), ensure_ascii=False, separators=(",", ":"))
    return _cache_privately(Response(text, content_type=g.json_format.content_type))


def _read_page_size() -> int:
    for part in request.headers.get("Prefer", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "odata.maxpagesize" and value.isdecimal():
            return min(max(int(value), 1), PAGE_SIZE)
    return PAGE_SIZE


def _read_query(entity: EntitySet) -> Query:
    """Return the query in the address; raise ActProblem for what is not understood.

    Nothing is silently left out: a filter that were ignored would give rows that nobody asked for.
    """
    # A reader that asks for something unknown would believe that it was done.
    unknown = sorted(name for name in request.args if name.startswith("$") and name not in OPTIONS)
    if unknown:
        raise ActProblem("feed.option", N_("{names}: this feed does not know it."), {"names": ", ".join(unknown)})
    try:
        select = _read_select(entity)
        order = _read_order(entity)
        after = _read_page_token()
        if request.args.get("$count", "false").lower() not in ("true", "false"):
            raise QueryRefused("$count is true or false.")
        top = _read_number("$top")
        skip = _read_number("$skip") or 0
    except QueryRefused as refused:
        raise ActProblem("feed.query", "{why}", {"why": str(refused)}) from None
    return Query(request.args.get("$filter", ""), select, order, top, skip, after)


def _is_count_wanted() -> bool:
    return request.args.get("$count", "false").lower() == "true"


def _read_select(entity: EntitySet) -> tuple[str, ...]:
    names = [name.strip() for name in request.args.get("$select", "").split(",")]
    select = tuple(name for name in names if name not in ("", "*"))
    unknown = [name for name in select if name not in entity.types]
    if unknown:
        raise QueryRefused(f"$select: {entity.name} has no column {', '.join(unknown)}.")
    return select


def _read_order(entity: EntitySet) -> tuple[tuple[str, bool], ...]:
    text = request.args.get("$orderby", "")
    return parse_order(text, entity) if text else ()


def _read_page_token() -> str:
    """Return where the page begins, "" for the first; refuse a token of an older feed."""
    token = request.args.get("$skiptoken", "")
    version, _, after = token.partition(".")
    # Two states of the data on one reading would leave rows out or double them.
    if token and version != g.opened.version:
        raise QueryRefused("The data has changed since that page. Begin again without $skiptoken.")
    return after


def _read_number(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > MAX_NUMBER:
        raise QueryRefused(f"{name} is a whole number.")
    return int(text)


def _make_next_link(entity: EntitySet, query: Query, after: str, row_count: int) -> str:
    """Return the address of the next page; `row_count` rows of $top were given on this one."""
    # Everything else of the question goes along; only the place moves.
    options = {name: value for name, value in request.args.items() if name in OPTIONS - PAGE_OPTIONS}
    if query.top is not None:
        options["$top"] = str(query.top - row_count)
    options["$skiptoken"] = f"{g.opened.version}.{after}"
    return f"{_root()}{entity.name}?{urlencode(options, quote_via=quote)}"


@odata.errorhandler(QueryRefused)
def _on_query_refused(refused: QueryRefused) -> Response:
    return _make_error("feed.query", str(refused), 400)
