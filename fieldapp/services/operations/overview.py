"""The office home page: is anything wrong, what waits for me, how are we doing."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.forms.roles import list_newest
from fieldapp.services.operations.server_key import is_key_right
from fieldapp.services.phones.devices import APP, has_been_seen_lately
from fieldapp.services.phones.missing import missing_of
from fieldapp.services.records.listing import count_needing_attention
from fieldapp.store.forms import versions
from fieldapp.store.operations import audit, centres
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.people import users
from fieldapp.store.phones import devices, epochs
from fieldapp.store.phones.epochs import Epoch
from fieldapp.store.products import products
from fieldapp.store.records import records
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseRun

LATE_AFTER = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Home:
    centre: str
    today: dt.date
    week: dict[str, int]  # records in the last seven days by the role of their form; "" for forms without one
    needing_attention: int
    phones: int
    quiet_phones: int
    is_key_right: bool  # of the server: with another one, phones can send nothing
    missing: int  # records that phones made, which never came, and of which the office has not said that it knows
    restored: Epoch | None  # the last time that a copy was put back
    unheard_phones: int  # not in touch since then, so what they had sent may be missing
    scheduler_seen_at: dt.datetime | None
    is_scheduler_late: bool
    last_run: ReleaseRun | None
    failed_runs: int
    failed_deliveries: int
    failed_products: int
    latest: records.Page
    workers: dict[int, str]
    titles: dict[str, Any]  # of each form, by language


@read_act("home.see")
def see_home(ctx: ActContext, secret: str) -> Home:
    """Return what the home page shows; `secret` is the server's, held against the keys in the database."""
    centre = centres.get(ctx.session, ctx.centre_id)
    today = ctx.now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()
    phones = [device for device in devices.list_for(ctx.session, ctx.centre_id) if device.revoked_at is None]
    restored = epochs.last_restore(ctx.session)
    beat = releases.scheduler_beat(ctx.session)
    series = [series.id for series in releases.series_of(ctx.session, ctx.centre_id)]
    runs = releases.runs_of(ctx.session, series)
    return Home(
        centre=centre.name,
        today=today,
        week=_count_by_role(ctx, today - dt.timedelta(days=6)),
        needing_attention=count_needing_attention(ctx),
        phones=len(phones),
        quiet_phones=sum(not has_been_seen_lately(device) for device in phones),
        is_key_right=is_key_right(ctx.session, secret),
        missing=_missing(ctx),
        restored=restored,
        unheard_phones=sum(device.kind == APP and device.last_seen_at < restored.began_at for device in phones)
        if restored
        else 0,
        scheduler_seen_at=beat.at if beat else None,
        is_scheduler_late=bool(series) and (beat is None or ctx.now - beat.at > LATE_AFTER),
        last_run=max(runs, key=lambda run: run.started_at, default=None),
        failed_runs=sum(run.state == "failed" for run in runs),
        failed_deliveries=len(releases.failed_deliveries(ctx.session, ctx.centre_id)),
        failed_products=sum(
            state.is_on and bool(state.problem) for state in products.states(ctx.session, ctx.centre_id).values()
        ),
        latest=records.page(ctx.session, ctx.centre_id, records.Filter(), size=6),
        workers=users.labels(ctx.session, ctx.centre_id),
        titles={version.form: version.title for version in versions.list_for(ctx.session, ctx.centre_id)},
    )


def _count_by_role(ctx: ActContext, since: dt.date) -> dict[str, int]:
    """Return how many records since a day are of forms with each role."""
    roles = {form.id: form.role for form in list_newest(ctx.session, ctx.centre_id)}
    counts: dict[str, int] = {}
    for form, count in records.counts_since(ctx.session, ctx.centre_id, since).items():
        role = roles.get(form, "")
        counts[role] = counts.get(role, 0) + count
    return counts


def _missing(ctx: ActContext) -> int:
    found = missing_of(ctx.session, devices.list_for(ctx.session, ctx.centre_id)).values()
    return sum(one.count for one in found if one.is_news)


@read_act("system.see")
def see_system(ctx: ActContext) -> tuple[Sequence[AuditLine], dict[int, str]]:
    return audit.newest(ctx.session, ctx.centre_id), users.labels(ctx.session, ctx.centre_id)
