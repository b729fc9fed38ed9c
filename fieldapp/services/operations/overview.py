"""The office home page: is anything wrong, what waits for me, how are we doing."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, read_act
from fieldapp.services.operations.server_key import is_key_right
from fieldapp.services.phones.devices import APP, was_seen_this_week
from fieldapp.services.phones.missing import find_missing
from fieldapp.services.records.listing import count_needing_attention
from fieldapp.store.forms import versions
from fieldapp.store.operations import audit, centres
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people import users
from fieldapp.store.phones import devices, epochs
from fieldapp.store.phones.epochs import Epoch
from fieldapp.store.products import products
from fieldapp.store.records import records
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseRun

LATE_AFTER = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class HomePage:
    centre: str
    today: dt.date
    week: dict[str, int]  # records by form in the last seven days
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
    latest: records.RecordPage
    workers: dict[int, str]
    titles: dict[str, Any]  # of each form, by language


@read_act("home.see")
def view_home(ctx: ActContext, secret: str) -> HomePage:
    """Return what the home page shows; `secret` is the server's, held against the keys in the database."""
    centre = centres.get(ctx.session, ctx.centre_id)
    today = ctx.now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()
    phones = [device for device in devices.list_for(ctx.session, ctx.centre_id) if device.revoked_at is None]
    restored = epochs.last_restore(ctx.session)
    beat = releases.scheduler_beat(ctx.session)
    series = [series.id for series in releases.series_of(ctx.session, ctx.centre_id)]
    runs = releases.runs_of(ctx.session, series)
    return HomePage(
        centre=centre.name,
        today=today,
        week=records.count_by_form_since(ctx.session, ctx.centre_id, today - dt.timedelta(days=6)),
        needing_attention=count_needing_attention(ctx),
        phones=len(phones),
        quiet_phones=sum(not was_seen_this_week(device) for device in phones),
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
        latest=records.page(ctx.session, ctx.centre_id, records.RecordFilter(), size=6),
        workers=users.labels(ctx.session, ctx.centre_id),
        titles={version.form: version.title for version in versions.list_for(ctx.session, ctx.centre_id)},
    )


def _missing(ctx: ActContext) -> int:
    found = find_missing(ctx.session, devices.list_for(ctx.session, ctx.centre_id)).values()
    return sum(one.count for one in found if one.is_news)


@read_act("system.see")
def list_audit(ctx: ActContext) -> tuple[Sequence[AuditEvent], dict[int, str]]:
    return audit.list_newest(ctx.session, ctx.centre_id), users.labels(ctx.session, ctx.centre_id)
