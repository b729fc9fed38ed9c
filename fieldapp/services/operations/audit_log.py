"""Look through the audit log, and take it away as a file."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act, view_act
from fieldapp.store.operations import audit, centres
from fieldapp.store.operations.audit import AuditEvent, AuditFilter
from fieldapp.store.people import users

PAGE = 50
MOST_IN_FILE = 100_000  # lines


@dataclass(frozen=True)
class AuditSearch:
    """What somebody looks for in the log; blank means all.

    Days are inclusive, by the centre's clock.
    """

    act: str = ""
    actor_id: int | None = None
    target: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class AuditPage:
    """One page of the log, newest first."""

    lines: Sequence[AuditEvent]
    next_id: int  # 0 on the last page
    names: Mapping[int, str]  # people's labels
    acts: Sequence[str]  # that the log has


@view_act("audit.view")
def list_lines(ctx: ActContext, search: AuditSearch, before: int = 0) -> AuditPage:
    """Return one page of the log.

    `before`: the id of the last line of the page before it; 0 for the newest page.
    """
    lines = audit.list_matching(ctx.session, ctx.centre_id, _make_filter(ctx, search), before, PAGE + 1)
    page = lines[:PAGE]
    ctx.describe("audit", **_describe(search), shown=len(page))
    next_id = page[-1].id if len(lines) > PAGE else 0
    names = users.labels(ctx.session, ctx.centre_id)
    return AuditPage(page, next_id, names, audit.list_acts(ctx.session, ctx.centre_id))


@act("audit.export")
def export_lines(ctx: ActContext, search: AuditSearch) -> AuditPage:
    """Return all lines that match, at most 100,000, for a file.

    That it was taken is a line itself.
    """
    lines = audit.list_matching(ctx.session, ctx.centre_id, _make_filter(ctx, search), 0, MOST_IN_FILE)
    ctx.describe("audit", **_describe(search), lines=len(lines))
    return AuditPage(lines, 0, users.labels(ctx.session, ctx.centre_id), ())


def _make_filter(ctx: ActContext, search: AuditSearch) -> AuditFilter:
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    since = dt.datetime.combine(search.since, dt.time(), zone) if search.since else None
    until = None
    if search.until and search.until < dt.date.max:
        until = dt.datetime.combine(search.until + dt.timedelta(days=1), dt.time(), zone)
    return AuditFilter(search.act, search.actor_id, search.target, since, until)


def _describe(search: AuditSearch) -> dict[str, str]:
    """Return what was looked for, for the log."""
    return {name: str(value) for name, value in vars(search).items() if value}
