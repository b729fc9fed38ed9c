"""The crisis team's board: open incidents and requests, who has them, what is due, who is out. Live, for the team only."""

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fieldapp.services.access import ADMIN, CRISIS, WORKER
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import mark_of, require
from fieldapp.store.board import board
from fieldapp.store.board.board import BoardItem, BoardStep
from fieldapp.store.caseload import follow_ups
from fieldapp.store.forms import versions
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.records import records
from fieldapp.store.records.records import Record
from forms.definition import FormDefinition

NEEDS = ("presence", "escort", "mediation", "visit", "vigil", "supplies", "debrief")
ASKED, ACKNOWLEDGED, ASSIGNED, ACTED, DEBRIEFED, CLOSED, REOPENED = (
    "asked",
    "acknowledged",
    "assigned",
    "acted",
    "debriefed",
    "closed",
    "reopened",
)
KINDS = (ACKNOWLEDGED, ASSIGNED, ACTED, DEBRIEFED, CLOSED, REOPENED)
AREAS = "nbhd158"
INCIDENTS = "incident", dt.timedelta(days=90)  # a form, and how long ago its records are still on the board
SHIFTS = "shift", dt.timedelta(days=1)
WATCH_FOR = dt.timedelta(days=30)  # retaliation comes within a month, if it comes
ON_DUTY_FOR = dt.timedelta(hours=12)


@dataclass(frozen=True)
class Incident:
    """An open incident: what its record says, and what the team did about it."""

    root_id: str
    definition: FormDefinition
    answers: Mapping[str, object]
    alerted_at: dt.datetime | None
    minutes_to_first: int | None
    item: BoardItem | None
    steps: Sequence[BoardStep]

    def told(self, *path: str) -> str:
        value: object = self.answers
        for name in path:
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Request:
    item: BoardItem
    steps: Sequence[BoardStep]


@dataclass(frozen=True)
class Duty:
    worker: str
    since: dt.datetime
    areas: Sequence[str]


@dataclass(frozen=True)
class Board:
    centre: str
    now: dt.datetime
    version: str
    zone: str
    incidents: Sequence[Incident]
    requests: Sequence[Request]
    watch: Sequence[Incident]  # a risk of retaliation, within a month of it
    due_today: int
    due_late: int
    due_by_worker: Mapping[str, int]
    on_duty: Sequence[Duty]
    people: Mapping[int, str]
    team: Mapping[int, str] = field(default_factory=dict)  # to whom something can be given
    definition: FormDefinition | None = None  # of incidents, for words


@read_act("board.see")
def see_version(ctx: ActContext) -> str:
    """Return a mark that changes whenever the board does, and every minute; it costs a few small looks into indexes."""
    return _version(ctx)


def _version(ctx: ActContext) -> str:
    """Return a mark of all that is seen now: what was written at the same time may come to be seen in any order."""
    today = ctx.now.astimezone(zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)).date()
    changes = [records.changes_since(ctx.session, ctx.centre_id, form, today - span) for form, span in (INCIDENTS, SHIFTS)]
    # Closed ones too: an incident may be closed by its first step.
    since = dt.datetime.combine(today - INCIDENTS[1], dt.time(), dt.UTC)
    steps = board.step_counts(ctx.session, ctx.centre_id, since)
    mark = mark_of(changes, steps, _mark_of_people(ctx, today))
    return f"{mark}-{ctx.now:%d%H%M}"


def _mark_of_people(ctx: ActContext, today: dt.date) -> str:
    """Return a mark of what the board says that no record and no step changes: who is in the team, what is due for whom."""
    due = [(one.id, one.worker_id) for one in follow_ups.due_until(ctx.session, ctx.centre_id, today)]
    team = [(one.id, one.label, one.role, one.active) for one in users.list_for(ctx.session, ctx.centre_id)]
    return hashlib.sha256(repr((due, team)).encode()).hexdigest()[:16]


@read_act("board.see")
def see_board(ctx: ActContext) -> Board:
    centre, version = centres.get(ctx.session, ctx.centre_id), _version(ctx)
    zone = zoneinfo.ZoneInfo(centre.time_zone)
    today = ctx.now.astimezone(zone).date()
    found = records.list_since(ctx.session, ctx.centre_id, INCIDENTS[0], today - INCIDENTS[1])
    definitions = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in found})
    on_it = board.open_items(ctx.session, ctx.centre_id)
    items = {one.root_id: one for one in on_it if one.root_id}
    closed = board.closed_roots(ctx.session, ctx.centre_id, [one.instance_id for one in found])
    steps: dict[int, list[BoardStep]] = {}
    for step in board.steps_of(ctx.session, ctx.centre_id, [one.id for one in on_it]):
        steps.setdefault(step.item_id, []).append(step)
    made = [_incident(one, definitions, items, steps, zone) for one in found if (one.form, one.version) in definitions]
    opened = [one for one in made if one.root_id not in closed and one.told("after", "status") != "closed"]
    watch = [
        one
        for one in made
        if one.told("harm", "retal_risk") in ("some", "high") and one.alerted_at and ctx.now - one.alerted_at < WATCH_FOR
    ]
    labels = users.labels(ctx.session, ctx.centre_id)
    due = follow_ups.due_until(ctx.session, ctx.centre_id, today)
    by_worker: dict[str, int] = {}
    for one in due:
        by_worker[labels.get(one.worker_id, "")] = by_worker.get(labels.get(one.worker_id, ""), 0) + 1
    requests = [Request(one, steps.get(one.id, [])) for one in on_it if not one.root_id]
    return Board(
        centre=centre.name,
        now=ctx.now,
        version=version,
        zone=centre.time_zone,
        incidents=opened,
        requests=requests,
        watch=watch,
        due_today=sum(one.due_on == today for one in due),
        due_late=sum(one.due_on < today for one in due),
        due_by_worker=by_worker,
        on_duty=_on_duty(ctx, today, zone, labels),
        people=labels,
        team={
            one.id: one.label
            for one in users.list_for(ctx.session, ctx.centre_id)
            if one.active and one.role in (CRISIS, ADMIN, WORKER)
        },
        definition=next(iter(definitions.values()), None),
    )


def _incident(
    record: Record,
    definitions: Mapping[tuple[str, str], FormDefinition],
    items: Mapping[str, BoardItem],
    steps: Mapping[int, Sequence[BoardStep]],
    zone: dt.tzinfo,
) -> Incident:
    item = items.get(record.instance_id)
    answers = record.answers
    alerted = _moment(answers, zone, "alert", "inc_alert_dt")
    first = _moment(answers, zone, "response", "first_dt")
    minutes = int((first - alerted).total_seconds() // 60) if first and alerted else None
    return Incident(
        record.instance_id,
        definitions[record.form, record.version],
        answers,
        alerted,
        minutes,
        item,
        steps.get(item.id, []) if item else [],
    )


def _moment(answers: Mapping[str, object], zone: dt.tzinfo, *path: str) -> dt.datetime | None:
    """Return a moment as it was answered; one without an offset is the centre's time."""
    value: object = answers
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    try:
        found = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _on_duty(ctx: ActContext, today: dt.date, zone: dt.tzinfo, labels: Mapping[int, str]) -> list[Duty]:
    """Return who said that they are out: shifts of the last hours, newest first."""
    found = []
    for record in records.list_since(ctx.session, ctx.centre_id, SHIFTS[0], today - SHIFTS[1]):
        shift = record.answers.get("shift", {})
        start, end = _moment(shift, zone, "start"), _moment(shift, zone, "end")
        if start and end and ctx.now - end < ON_DUTY_FOR and ctx.now - start < ON_DUTY_FOR:
            found.append(Duty(labels.get(record.author_id, ""), start, str(shift.get("areas", "")).split()))
    return found


@act("board.ask")
def ask(ctx: ActContext, need: str, area: str = "") -> BoardItem:
    """Put a request on the board, in chosen words only."""
    if need not in NEEDS or (area and area not in _areas(ctx)):
        raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
    item = BoardItem(centre_id=ctx.centre_id, root_id=None, need=need, area=area, opened_at=ctx.now)
    ctx.session.add(item)
    ctx.session.flush()
    _step(ctx, item, ASKED)
    ctx.describe(f"board/{item.id}", need=need)
    return item


def _areas(ctx: ActContext) -> set[str]:
    """Return the neighbourhoods that can be named: those of the form for incidents."""
    newest = versions.latest(ctx.session, ctx.centre_id, "incident")
    return {choice.name for choice in load_definition(newest).choices.get(AREAS, ())} if newest else set()


@act("board.step")
def take_step(
    ctx: ActContext, kind: str, root_id: str = "", item_id: int = 0, to_id: int = 0, seen: str | None = None
) -> None:
    """Do something about an incident (its record's id) or a request: acknowledge, assign, act, debrief, close, reopen."""
    if kind not in KINDS:
        raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
    item = _item(ctx, root_id, item_id)
    now = item_revision(item, board.steps_of(ctx.session, ctx.centre_id, [item.id]))
    require(ctx, seen, now, f"board/{item.id}", ("board.step", "board.ask"))
    if kind == ASSIGNED:
        if users.of_centre(ctx.session, ctx.centre_id, to_id) is None:
            raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
        item.assigned_to = to_id
    if kind in (ACKNOWLEDGED, ASSIGNED, ACTED) and item.acknowledged_at is None:
        item.acknowledged_at = ctx.now
    if kind == CLOSED:
        item.closed_at = ctx.now
    if kind == REOPENED:
        item.closed_at = None
    _step(ctx, item, kind, to_id or None)
    ctx.describe(f"board/{item.id}", step=kind)


def _item(ctx: ActContext, root_id: str, item_id: int) -> BoardItem:
    if item_id:
        found = board.get(ctx.session, ctx.centre_id, item_id)
        if found is None:
            raise make_not_found()
        return found
    record = records.lock_existing(ctx.session, ctx.centre_id, [root_id]).get(
        root_id
    )  # so that two first steps come one after the other
    if record is None or record.form != "incident":
        raise make_not_found()
    item = board.find_item_of_record(ctx.session, ctx.centre_id, root_id)
    if item is None:
        item = BoardItem(centre_id=ctx.centre_id, root_id=root_id, area=record.area, opened_at=record.received_at)
        ctx.session.add(item)
        ctx.session.flush()
    return item


def _step(ctx: ActContext, item: BoardItem, kind: str, to_id: int | None = None) -> None:
    assert ctx.actor.user_id is not None
    ctx.session.add(
        BoardStep(centre_id=ctx.centre_id, item_id=item.id, at=ctx.now, author_id=ctx.actor.user_id, kind=kind, to_id=to_id)
    )


def item_revision(item: BoardItem | None, steps: Sequence[BoardStep]) -> str:
    """Return the mark of an item as the board shows it; an incident that nobody did anything about has no item yet."""
    if item is None or not steps:
        return mark_of("board")
    return mark_of("board", steps[-1].id, item.acknowledged_at, item.assigned_to, item.closed_at)


@dataclass(frozen=True)
class Report:
    centre: str
    first: dt.datetime
    last: dt.datetime
    zone: str
    steps: Sequence[BoardStep]
    items: Mapping[int, BoardItem]
    people: Mapping[int, str]
    open_incidents: int
    open_requests: int
    due: int


MOST_HOURS = 24 * 31


def report_of(ctx: ActContext, hours: int) -> Report:
    hours = min(max(hours, 1), MOST_HOURS)
    centre, now = centres.get(ctx.session, ctx.centre_id), see_board.__wrapped__(ctx)  # type: ignore[attr-defined]
    steps = board.steps_between(ctx.session, ctx.centre_id, ctx.now - dt.timedelta(hours=hours), ctx.now)
    items = {one.id: one for one in board.items(ctx.session, ctx.centre_id, [step.item_id for step in steps])}
    return Report(
        centre.name, ctx.now - dt.timedelta(hours=hours), ctx.now, centre.time_zone, steps, items, now.people,
        len(now.incidents), len(now.requests), now.due_today + now.due_late,
    )  # fmt: skip


@read_act("board.see")
def see_history(ctx: ActContext, hours: int) -> Report:
    """Return what was done in the last hours, oldest first."""
    return report_of(ctx, hours)


@act("board.report")
def allow_report(ctx: ActContext, hours: int) -> str:
    """Note that somebody takes a shift report away, and return what to call it."""
    ctx.describe("board", hours=hours)
    return f"shift-report-{ctx.now:%Y-%m-%d-%H%M}.pdf"
