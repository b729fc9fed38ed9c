"""The pages of the audit log: search it, take it away as a file."""

import io
import json

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import DateField, Form, SelectField, StringField
from wtforms.validators import Optional

from fieldapp.services.acts import utcnow
from fieldapp.services.operations import audit_log
from fieldapp.services.operations.audit_log import AuditSearch
from fieldapp.services.records.export_files import CsvMember
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.operations.words import ACTS
from fieldapp.web.parsing import parse_number
from fieldapp.web.sessions import actor, session

HEADER = ("number", "at", "who", "act", "what", "about", "details", "link")
LONGEST_TARGET = 120


class SearchInput(Form):  # type: ignore[misc]
    """What is looked for; it stays in the address."""

    act = SelectField(lazy_gettext("What"), validate_choice=False)
    who = SelectField(lazy_gettext("Who"), validate_choice=False)
    about = StringField(lazy_gettext("About"))
    since = DateField(lazy_gettext("From"), [Optional()])
    until = DateField(lazy_gettext("To"), [Optional()])


@office.get("/system/log")
def audit_lines() -> ResponseReturnValue:
    entered = SearchInput(request.args)
    before = parse_number(request.args.get("before", ""))
    page = audit_log.list_lines(session(), actor(), search=_make_search(entered), before=before)
    return render_template("operations/audit.html", page=page, chosen=entered)


def _make_search(entered: SearchInput) -> AuditSearch:
    """Return the search that was entered; days that cannot be read are left out."""
    is_usable = entered.validate()
    return AuditSearch(
        act=(entered.act.data or "")[:LONGEST_TARGET],
        actor_id=parse_number(entered.who.data or "") or None,
        target=(entered.about.data or "").strip()[:LONGEST_TARGET],
        since=entered.since.data if is_usable else None,
        until=entered.until.data if is_usable else None,
    )


@office.post("/system/log.csv")
def audit_csv() -> ResponseReturnValue:
    """Download the lines that match."""
    page = audit_log.export_lines(session(), actor(), search=_make_search(SearchInput(request.args)))
    file = io.BytesIO()
    table = CsvMember(file, HEADER)
    for line in page.lines:
        who = page.names.get(line.actor_id or 0, gettext("The system"))
        link = line.link.hex() if line.link else ""
        words = gettext(ACTS.get(line.act, line.act))
        details = json.dumps(line.details, sort_keys=True, ensure_ascii=False)
        table.write([line.number, line.at.isoformat(), who, line.act, words, line.target, details, link])
    table.flush()
    file.seek(0)
    name = f"audit-{utcnow():%Y-%m-%d}.csv"
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
