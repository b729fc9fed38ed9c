"""What a relief needs to know when shifts change, and how the team answered over time."""

import datetime as dt
import statistics
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fieldapp.services.acts import ActContext, view_act
from fieldapp.services.board.board import LISTED_FOR, BoardPage, Incident, load_incidents, read_board
from fieldapp.store.board import board
from fieldapp.store.board.board import BoardItem, BoardStep
from fieldapp.store.caseload import follow_ups
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from forms.roles import QuestionRole

MOST_HOURS = 24 * 31
MOST_DAYS = 365
# Open incidents by age: from how many hours on.
AGES = (0, 1, 6, 24)


@dataclass(frozen=True)
class ShiftReport:
    """What was done in a shift, what came in, and what is open at its end."""

    first: dt.datetime
    last: dt.datetime
    board: BoardPage  # as it is at the end
    steps: Sequence[BoardStep]
    items: Mapping[int, BoardItem]
    arrived: Sequence[Incident]  # in this shift, open or closed by now
    due: Mapping[str, dt.date]  # the next follow-up of an open incident, by its record

    @property
    def closed(self) -> int:
        """Return how many of what came in are closed."""
        return sum(not incident.is_open for incident in self.arrived)

    @property
    def people(self) -> Mapping[int, str]:
        """Return display names, by user."""
        return self.board.people

    def is_new(self, incident: Incident) -> bool:
        """Say whether an incident came in during the shift."""
        return incident.received_at is not None and incident.received_at >= self.first


def make_shift_report(ctx: ActContext, hours: int) -> ShiftReport:
    """Return what was done and came in in the last hours, and what is open now.

    At most MOST_HOURS of them.
    """
    hours = min(max(hours, 1), MOST_HOURS)
    first = ctx.now - dt.timedelta(hours=hours)
    page = read_board(ctx)
    steps = board.steps_between(ctx.session, ctx.centre_id, first, ctx.now)
    items = board.items(ctx.session, ctx.centre_id, [step.item_id for step in steps])
    # What came in may be of an earlier day: a phone without signal sends late.
    since = first.date() - LISTED_FOR
    incidents = load_incidents(ctx, since, zoneinfo.ZoneInfo(page.zone))
    return ShiftReport(
        first=first,
        last=ctx.now,
        board=page,
        steps=steps,
        items={item.id: item for item in items},
        arrived=[incident for incident in incidents if incident.received_at and incident.received_at >= first],
        due=_list_due(ctx, page.incidents),
    )


def _list_due(ctx: ActContext, incidents: Sequence[Incident]) -> dict[str, dt.date]:
    """Return the day of the next follow-up of incidents, by their records."""
    due: dict[str, dt.date] = {}
    roots = [incident.root_id for incident in incidents]
    for item in follow_ups.of_records(ctx.session, ctx.centre_id, roots):
        if item.is_open:
            due[item.root_id] = min(item.due_on, due.get(item.root_id, item.due_on))
    return due


@view_act("board.view")
def see_history(ctx: ActContext, hours: int) -> ShiftReport:
    """Return what was done in the last hours, oldest first."""
    ctx.describe("board", hours=hours)
    return make_shift_report(ctx, hours)


@dataclass(frozen=True)
class Week:
    """How the team answered what came in during a week."""

    first: dt.date  # its Monday
    count: int
    median: int | None  # minutes to the first action, of those that had one
    waiting: int  # without a first action so far


@dataclass(frozen=True)
class Incidents:
    """The incidents of some time, open and closed, and how they were answered."""

    days: int
    listed: Sequence[Incident]  # as filtered, the newest first
    weeks: Sequence[Week]  # of all, the newest first
    open_by_age: Sequence[int]  # of all that are open, in the order of AGES
    people: Mapping[int, str]
    kinds: Mapping[str, Incident] = field(default_factory=dict)  # one of each kind, for its words
    areas: Mapping[str, Incident] = field(default_factory=dict)


@view_act("board.view")
def see_incidents(ctx: ActContext, days: int = 90, state: str = "", kind: str = "", area: str = "") -> Incidents:
    """Return the incidents of the last days, at most MOST_DAYS.

    `state`: "open", "closed" or "" for all.
    """
    days = min(max(days, 1), MOST_DAYS)
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    today = ctx.now.astimezone(zone).date()
    # What is open is counted as the board counts it, also where less is listed.
    everything = load_incidents(ctx, today - max(dt.timedelta(days=days), LISTED_FOR), zone)
    since = today - dt.timedelta(days=days)
    incidents = [incident for incident in everything if incident.chain.first.day >= since]
    incidents.sort(key=lambda incident: incident.alerted_at or incident.received_at or ctx.now, reverse=True)
    listed = []
    for incident in incidents:
        is_of_state = state not in ("open", "closed") or incident.is_open == (state == "open")
        is_of_kind = kind in ("", incident.read_role(QuestionRole.KIND))
        if is_of_state and is_of_kind and area in ("", incident.read_role(QuestionRole.AREA)):
            listed.append(incident)
    ctx.describe("board", days=days, shown=len(listed))
    return Incidents(
        days=days,
        listed=listed,
        weeks=_count_weeks(incidents, zone),
        open_by_age=_count_ages([incident for incident in everything if incident.is_open], ctx.now),
        people=users.labels(ctx.session, ctx.centre_id),
        kinds={incident.read_role(QuestionRole.KIND): incident for incident in incidents},
        areas={incident.read_role(QuestionRole.AREA): incident for incident in incidents},
    )


def _count_weeks(incidents: Sequence[Incident], zone: dt.tzinfo) -> list[Week]:
    """Return the weeks in which something came in."""
    by_week: dict[dt.date, list[Incident]] = {}
    for incident in incidents:
        moment = incident.alerted_at or incident.received_at
        if moment is not None:
            day = moment.astimezone(zone).date()
            by_week.setdefault(day - dt.timedelta(days=day.weekday()), []).append(incident)
    weeks = []
    for first in sorted(by_week, reverse=True):
        minutes = [incident.minutes_to_first for incident in by_week[first] if incident.minutes_to_first is not None]
        median = round(statistics.median(minutes)) if minutes else None
        weeks.append(Week(first, len(by_week[first]), median, len(by_week[first]) - len(minutes)))
    return weeks


def _count_ages(incidents: Sequence[Incident], now: dt.datetime) -> list[int]:
    """Return how many are how old, by AGES."""
    counts = [0] * len(AGES)
    for incident in incidents:
        moment = incident.alerted_at or incident.received_at or now
        hours = (now - moment).total_seconds() / 3600
        counts[max(place for place, least in enumerate(AGES) if hours >= least or least == 0)] += 1
    return counts
