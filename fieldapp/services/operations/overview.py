"""The home page of the office: what is wrong, what is to do, how the week was."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext, read_act, view_act
from fieldapp.services.forms.roles import list_newest
from fieldapp.services.operations.backup.marks import BackupHealth
from fieldapp.services.operations.health_notes import find_start
from fieldapp.services.operations.server_key import is_key_right
from fieldapp.services.phones.devices import APP, was_seen_this_week
from fieldapp.services.phones.missing import find_missing
from fieldapp.services.records.listing import count_review_queue
from fieldapp.services.releases.withheld import is_list_overdue
from fieldapp.store.forms import versions
from fieldapp.store.operations import audit, centres, epochs
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.operations.epochs import Epoch
from fieldapp.store.people import users
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.products import products
from fieldapp.store.records import records
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseRun

# Its jobs run every minute; a long release must not look like a dead scheduler.
LATE_AFTER = dt.timedelta(minutes=15)
# What a command on the server did to somebody's account stands on every administrator's home page for so long.
COMMANDS_SHOWN = dt.timedelta(days=14)
SHOWN_COMMANDS = ("person.reset_password", "one_time_code.give", "second_factor.ask")


@dataclass(frozen=True)
class HomePage:
    """What the home page shows."""

    centre: str
    today: dt.date
    week: dict[str, int]  # records in the last seven days by the role of their form; "" for forms without one
    needing_attention: int
    phones: int
    silent_phones: int  # not seen for a week
    is_key_right: bool  # the server's secret key; with another one, phones can send nothing
    missing: int  # records that phones made and that never arrived, unless the office knows already
    restored: Epoch | None  # the last time that a backup was restored
    unheard_phones: int  # not in touch since then, so what they had sent may be missing
    scheduler_seen_at: dt.datetime | None
    is_scheduler_late: bool
    last_run: ReleaseRun | None
    failed_runs: int
    failed_deliveries: int
    overdue_lists: int  # of rows that were taken back, whose recipients have not said that they are deleted
    failed_products: int
    latest: records.RecordPage
    is_replaced: bool  # a backup was put back on another machine: this is not the centre's server any more
    phones_ahead: int  # that know a newer copy of the centre
    backups: BackupHealth | None  # how it stands with those off this machine, if the caller knows
    audit_fault: int  # the number of the line of the audit log that was changed; 0 for none
    is_second_factor_asked: bool  # of everybody who sees records
    joined: Sequence[Device]  # phones that joined in the last seven days, the newest first
    commands: Sequence[AuditEvent]  # what reached into accounts from the server itself
    workers: dict[int, str]
    titles: dict[str, Any]  # of each form, by language


@read_act("home.view")
def view_home(ctx: ActContext, secret: str, backups: BackupHealth | None = None) -> HomePage:
    """Return what the home page shows.

    `secret` is the server's secret key, which is compared with the keys in the database; `backups`, how it stands
    with those off this machine.
    """
    centre = centres.get(ctx.session, ctx.centre_id)
    today = ctx.now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()
    all_phones = devices.list_for(ctx.session, ctx.centre_id)
    phones = [device for device in all_phones if device.revoked_at is None]
    restored = epochs.last_restore(ctx.session)
    heartbeat = releases.scheduler_beat(ctx.session)
    # None: no scheduler has ever run on this database.
    scheduler_seen_at = heartbeat.at if heartbeat else None
    series = [series.id for series in releases.series_of(ctx.session, ctx.centre_id)]
    runs = releases.runs_of(ctx.session, series)
    product_states = products.states(ctx.session, ctx.centre_id).values()
    return HomePage(
        centre=centre.name,
        today=today,
        week=_count_by_role(ctx, today - dt.timedelta(days=6)),
        needing_attention=count_review_queue(ctx),
        phones=len(phones),
        silent_phones=sum(not was_seen_this_week(device) for device in phones),
        is_key_right=is_key_right(ctx.session, secret),
        missing=_count_missing(ctx, all_phones),
        restored=restored,
        unheard_phones=_count_unheard(phones, restored),
        scheduler_seen_at=scheduler_seen_at,
        is_scheduler_late=bool(series) and _is_late(scheduler_seen_at or find_start(ctx.session), restored, ctx.now),
        last_run=max(runs, key=lambda run: run.started_at, default=None),
        failed_runs=sum(run.state == "failed" for run in runs),
        failed_deliveries=len(releases.failed_deliveries(ctx.session, ctx.centre_id)),
        overdue_lists=_count_overdue_lists(ctx),
        failed_products=sum(state.is_on and bool(state.problem) for state in product_states),
        latest=records.list_page(ctx.session, ctx.centre_id, records.RecordFilter(), size=6),
        is_replaced=backups is not None and backups.notes.newest_epoch > epochs.current(ctx.session),
        phones_ahead=devices.count_ahead(ctx.session, epochs.current(ctx.session), ctx.centre_id),
        backups=backups,
        audit_fault=_find_audit_fault(ctx),
        is_second_factor_asked=centre.asks_second_factor,
        joined=_list_joined(phones, ctx.now),
        commands=audit.list_by_command(ctx.session, ctx.centre_id, SHOWN_COMMANDS, ctx.now - COMMANDS_SHOWN),
        workers=users.labels(ctx.session, ctx.centre_id),
        titles={version.form: version.title for version in versions.list_for(ctx.session, ctx.centre_id)},
    )


def _find_audit_fault(ctx: ActContext) -> int:
    # Also in the lines of no centre: who tries to get in may have taken out the names that they tried.
    for of_centre in (ctx.centre_id, audit.NO_CENTRE):
        head = audit.find_head(ctx.session, of_centre)
        if head is not None and head.fault:
            return head.fault_at
    return 0


def _list_joined(phones: Sequence[Device], now: dt.datetime) -> list[Device]:
    """Return the phones that joined in the last seven days, the newest first."""
    joined = [device for device in phones if now - device.created_at < dt.timedelta(days=7)]
    return joined[::-1]


def _count_by_role(ctx: ActContext, since: dt.date) -> dict[str, int]:
    """Return how many records since a day are of forms with each role."""
    roles = {form.id: form.role for form in list_newest(ctx.session, ctx.centre_id)}
    counts: dict[str, int] = {}
    for form, count in records.count_by_form_since(ctx.session, ctx.centre_id, since).items():
        role = roles.get(form, "")
        counts[role] = counts.get(role, 0) + count
    return counts


def _count_overdue_lists(ctx: ActContext) -> int:
    """Return how many recipients have not said in time that listed rows are deleted.

    Those that are switched off are left out: nothing more can be asked of them here.
    """
    active = {series.id for series in releases.series_of(ctx.session, ctx.centre_id) if series.is_active}
    overdue: set[int] = set()
    for release in releases.list_for(ctx.session, ctx.centre_id):
        if release.series_id in active and is_list_overdue(release, ctx.now):
            overdue.add(release.series_id)
    return len(overdue)


def _is_late(seen_at: dt.datetime | None, restored: Epoch | None, now: dt.datetime) -> bool:
    """Say whether the scheduler has not run for too long.

    A database that was set up or restored some minutes ago is given time to be started.
    """
    moments = [moment for moment in (seen_at, restored.began_at if restored else None) if moment is not None]
    return not moments or now - max(moments) > LATE_AFTER


def _count_unheard(phones: Sequence[Device], restored: Epoch | None) -> int:
    """Count the phones with our app that were not in touch since a backup was restored."""
    if restored is None:
        return 0
    apps = [device for device in phones if device.kind == APP]
    return sum(device.last_seen_at < restored.began_at for device in apps)


def _count_missing(ctx: ActContext, phones: Sequence[Device]) -> int:
    missing = find_missing(ctx.session, phones).values()
    return sum(of_phone.count for of_phone in missing if of_phone.is_news)


@view_act("system.view")
def list_audit(ctx: ActContext) -> tuple[Sequence[AuditEvent], dict[int, str]]:
    """Return the newest audit events, and people's display names by id."""
    ctx.describe("system")
    return audit.list_newest(ctx.session, ctx.centre_id), users.labels(ctx.session, ctx.centre_id)
