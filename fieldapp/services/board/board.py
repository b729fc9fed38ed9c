"""The crisis team's board: incidents, requests, what is due, who is out; for the team."""

import datetime as dt
import hashlib
import zoneinfo
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from fieldapp.services.access import ADMIN, CRISIS, WORKER
from fieldapp.services.acts import ActContext, act, read_act, view_act
from fieldapp.services.board.phones import tell_phones
from fieldapp.services.board.steps import StepKind, add_step, find_answer, find_giving, list_area_codes, read_time
from fieldapp.services.caseload.chains import Chain, make_chains
from fieldapp.services.caseload.record_state import RecordState, load_states
from fieldapp.services.definitions import load_definitions
from fieldapp.services.forms.roles import list_forms_with_role
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import LastChange, Overtaken, last_change, mark_of
from fieldapp.store.board import board
from fieldapp.store.board.board import BoardItem, BoardStep
from fieldapp.store.caseload import follow_ups
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import devices, pull
from fieldapp.store.phones.devices import Device
from fieldapp.store.records import records
from fieldapp.store.records.records import Record
from forms.definition import Choice, FormDefinition
from forms.roles import ChoiceRole, FormRole, QuestionRole
from sync.notes import NEEDS

LISTED_FOR = dt.timedelta(days=90)  # how long ago an incident's record is still on the board
SHIFTS_SINCE = dt.timedelta(days=1)
WATCH_FOR = dt.timedelta(days=30)  # retaliation comes within a month, if it comes
ON_DUTY_FOR = dt.timedelta(hours=12)
SEEN_WITHIN = dt.timedelta(minutes=5)  # a phone in use asks every minute
SILENT_AFTER = dt.timedelta(minutes=20)  # when a phone was last heard is noted every ten minutes
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # before any incident: of what does not say when it was


# What the team can do: a request is asked for once, by itself; who it was given to says that they have seen it.
KINDS = frozenset(StepKind) - {StepKind.ASKED, StepKind.SEEN}


class NextStep(StrEnum):
    """What an incident or a request waits for."""

    SEE = "see"
    GIVE = "give"
    ACT = "act"
    DEBRIEF = "debrief"
    CLOSE = "close"


@dataclass(frozen=True)
class Incident:
    """An open incident: what its records say, and what the team did about it."""

    root_id: str
    chain: Chain
    alerted_at: dt.datetime | None
    minutes_to_first: int | None
    item: BoardItem | None
    steps: Sequence[BoardStep]
    received_at: dt.datetime | None = None  # when the centre first heard of it

    @property
    def is_open(self) -> bool:
        """Say whether it is open: its record ends it, or the team closes it."""
        return not self.is_ended and (self.item is None or self.item.closed_at is None)

    @property
    def is_unseen(self) -> bool:
        """Say whether nobody of the team has seen it yet."""
        return self.item is None or self.item.acknowledged_at is None

    @property
    def next_step(self) -> NextStep:
        """Return what it waits for."""
        is_acted = self.minutes_to_first is not None
        return _find_next_step(self.item, self.steps, is_acted=is_acted, has_debrief=True)

    @property
    def definition(self) -> FormDefinition:
        """Return the form of its first record."""
        return self.chain.first.definition

    def read_role(self, role: str) -> str:
        """Return the first record's answer to the question with a role; "" for none."""
        return self.chain.first.read_role(role)

    def find_latest(self, role: str) -> RecordState:
        """Return which of its records answers the question with a role last."""
        return self.chain.find_latest(role)

    def list_done(self) -> list[RecordState]:
        """Return which of its records say what was done, the first day's first.

        One that says that nothing was done is left out where another says what was.
        """
        saying = [state for state in (self.chain.first, *self.chain.later) if state.read_role(QuestionRole.RESPONSE)]
        doing = [state for state in saying if not state.is_chosen(QuestionRole.RESPONSE, ChoiceRole.STANDS_ALONE)]
        return doing or saying[:1]

    @property
    def is_ended(self) -> bool:
        """Say whether the last word about it is that it has come to an end."""
        return self.chain.is_ended(QuestionRole.INCIDENT_STATUS, ChoiceRole.ENDS_INCIDENT)

    @property
    def has_risk(self) -> bool:
        """Say whether the last word about it is that retaliation may follow."""
        latest = self.chain.find_latest(QuestionRole.RETALIATION_RISK)
        return latest.is_chosen(QuestionRole.RETALIATION_RISK, ChoiceRole.WATCH)


@dataclass(frozen=True)
class Request:
    item: BoardItem
    steps: Sequence[BoardStep]

    @property
    def is_unseen(self) -> bool:
        """Say whether nobody of the team has seen it yet."""
        return self.item.acknowledged_at is None

    @property
    def next_step(self) -> NextStep:
        """Return what it waits for."""
        return _find_next_step(self.item, self.steps, is_acted=False, has_debrief=False)


Listed = TypeVar("Listed", Incident, Request)  # on the board


def _find_next_step(item: BoardItem | None, steps: Sequence[BoardStep], *, is_acted: bool, has_debrief: bool) -> NextStep:
    """Return what comes next; `is_acted`: its records say that something was done already."""
    done = {step.kind for step in steps}
    if item is None or item.acknowledged_at is None:
        return NextStep.SEE
    if item.assigned_to is None:
        return NextStep.GIVE
    if not is_acted and StepKind.ACTED not in done:
        return NextStep.ACT
    if has_debrief and StepKind.DEBRIEFED not in done:
        return NextStep.DEBRIEF
    return NextStep.CLOSE


@dataclass(frozen=True)
class Giving:
    """That a worker was given something: is it on their phone, have they seen it."""

    at: dt.datetime
    answer: BoardStep | None  # that they have seen it, or were told in another way
    has_phone: bool  # one that could be told
    is_on_phone: bool
    heard_at: dt.datetime | None  # when the centre last heard of a phone of theirs
    now: dt.datetime

    @property
    def is_late(self) -> bool:
        """Say whether they should have seen it by now."""
        return self.answer is None and self.now - self.at >= SEEN_WITHIN

    @property
    def is_silent(self) -> bool:
        """Say whether their phones have been silent for longer than phones in use are."""
        return self.has_phone and (self.heard_at is None or self.now - self.heard_at > SILENT_AFTER)


class StepOvertaken(Overtaken):
    """A colleague took a step after the board was shown. Nothing was written."""

    def __init__(self, last: LastChange | None, item: BoardItem, step: BoardStep | None):
        super().__init__(last)
        self.root_id = item.root_id or ""
        self.item_id = item.id
        self.step = step  # the newest, as it is now


@dataclass(frozen=True)
class WorkerOut:
    worker: str
    since: dt.datetime
    areas: Sequence[str]


@dataclass(frozen=True)
class BoardPage:
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
    workers_out: Sequence[WorkerOut]
    people: Mapping[int, str]
    team: Mapping[int, str] = field(default_factory=dict)  # to whom something can be given
    definition: FormDefinition | None = None  # of incidents, for words
    areas: Sequence[Choice] = ()  # the neighbourhoods that a request can name
    givings: Mapping[int, Giving] = field(default_factory=dict)  # of what is a worker's, by item

    def find_giving(self, item: BoardItem | None) -> Giving | None:
        """Return how it stands with what a worker was given; None for what no worker has."""
        return self.givings.get(item.id) if item else None


@read_act("board.view")
def read_board_version(ctx: ActContext) -> str:
    """Return a mark that changes whenever the board does, and every minute.

    It costs a few small looks into indexes.
    """
    return _compute_version(ctx)


def _compute_version(ctx: ActContext) -> str:
    """Return a mark of all that is seen now.

    Not of the newest only: what was written at the same time may come to be seen in any order.
    """
    today = _get_local_day(ctx)
    changes = []
    spans = {FormRole.INCIDENT: LISTED_FOR, FormRole.INCIDENT_FOLLOW_UP: LISTED_FOR, FormRole.SHIFT: SHIFTS_SINCE}
    for role, span in spans.items():
        for form in list_forms_with_role(ctx.session, ctx.centre_id, role):
            changes.append(records.changes_since(ctx.session, ctx.centre_id, form.id, today - span))
    # Closed ones too: an incident may be closed by its first step.
    since = dt.datetime.combine(today - LISTED_FOR, dt.time(), dt.UTC)
    steps = board.step_counts(ctx.session, ctx.centre_id, since)
    mark = mark_of(changes, steps, _mark_of_people(ctx, today))
    # With the minute: some of the board changes by time alone, such as who is out.
    return f"{mark}-{ctx.now:%d%H%M}"


def _get_local_day(ctx: ActContext) -> dt.date:
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    return ctx.now.astimezone(zone).date()


def _mark_of_people(ctx: ActContext, today: dt.date) -> str:
    """Return a mark of what no record and no step changes: the team, what is due for whom."""
    due = [(item.id, item.worker_id) for item in follow_ups.due_until(ctx.session, ctx.centre_id, today)]
    people = users.list_for(ctx.session, ctx.centre_id)
    team = [(user.id, user.label, user.role, user.active) for user in people]
    return hashlib.sha256(repr((due, team)).encode()).hexdigest()[:16]


@view_act("board.view")
def see_board(ctx: ActContext) -> BoardPage:
    """Return the whole board as it is now."""
    page = read_board(ctx)
    ctx.describe("board", shown=len(page.incidents) + len(page.requests))
    return page


def read_board(ctx: ActContext) -> BoardPage:
    centre = centres.get(ctx.session, ctx.centre_id)
    zone = zoneinfo.ZoneInfo(centre.time_zone)
    today = ctx.now.astimezone(zone).date()
    requests = [item for item in board.open_items(ctx.session, ctx.centre_id) if not item.root_id]
    steps = _group_steps(board.steps_of(ctx.session, ctx.centre_id, [item.id for item in requests]))
    forms = list_forms_with_role(ctx.session, ctx.centre_id, FormRole.INCIDENT)
    incidents = load_incidents(ctx, today - LISTED_FOR, zone)
    labels = users.labels(ctx.session, ctx.centre_id)
    due = follow_ups.due_until(ctx.session, ctx.centre_id, today)
    form = forms[-1] if forms else None
    listed = _list_open(incidents)
    asked = [Request(item, steps.get(item.id, [])) for item in requests]
    givings = _list_givings(ctx, [*listed, *asked])
    return BoardPage(
        centre=centre.name,
        now=ctx.now,
        version=_compute_version(ctx),
        zone=centre.time_zone,
        incidents=_put_late_first(listed, givings),
        requests=_put_late_first(asked, givings),
        # Watched also after it was closed: the risk does not end with the work.
        watch=[incident for incident in incidents if _is_watched(incident, ctx.now)],
        due_today=sum(item.due_on == today for item in due),
        due_late=sum(item.due_on < today for item in due),
        due_by_worker=_count_by_worker(due, labels),
        workers_out=_list_workers_out(ctx, today, zone, labels),
        people=labels,
        team=_list_team(ctx),
        definition=form,
        areas=form.list_choices_of(QuestionRole.AREA) if form else (),
        givings=givings,
    )


def _put_late_first(things: Sequence[Listed], givings: Mapping[int, Giving]) -> list[Listed]:
    """Return what is open: unseen by the team, then unseen by its worker, then the rest."""

    def is_late(thing: Listed) -> bool:
        giving = givings.get(thing.item.id) if thing.item else None
        return giving is not None and giving.is_late

    return sorted(things, key=lambda thing: (not thing.is_unseen, not is_late(thing)))


def _list_givings(ctx: ActContext, things: Sequence[Incident | Request]) -> dict[int, Giving]:
    """Return how it stands with what was given to workers, by item."""
    assigned = [thing for thing in things if thing.item and thing.item.assigned_to and thing.item.uid]
    workers = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == WORKER}
    phones = _list_phones(ctx, workers)
    numbers = pull.list_numbers(ctx.session, workers, pull.ASKED) if assigned else {}
    givings: dict[int, Giving] = {}
    for thing in assigned:
        item = thing.item
        giving = find_giving(item, thing.steps) if item else None
        if item is None or giving is None or item.assigned_to not in workers:
            continue
        own = phones.get(item.assigned_to, [])
        number = numbers.get((item.assigned_to, f"{pull.ASKED}{item.root_id or item.uid}"))
        givings[item.id] = Giving(
            at=giving.at,
            answer=find_answer(item, thing.steps),
            has_phone=bool(own),
            is_on_phone=number is not None and any(phone.pulled >= number for phone in own),
            heard_at=max((phone.last_seen_at for phone in own), default=None),
            now=ctx.now,
        )
    return givings


def _list_phones(ctx: ActContext, workers: Collection[int]) -> dict[int, list[Device]]:
    """Return the phones that workers can be told on, by worker."""
    phones: dict[int, list[Device]] = {}
    for phone in devices.list_for(ctx.session, ctx.centre_id):
        if phone.user_id in workers and phone.kind == "app" and phone.revoked_at is None:
            phones.setdefault(phone.user_id, []).append(phone)
    return phones


def load_incidents(ctx: ActContext, since: dt.date, zone: dt.tzinfo) -> list[Incident]:
    """Return the incidents since a day, open and closed, with what the team did about them."""
    forms = list_forms_with_role(ctx.session, ctx.centre_id, FormRole.INCIDENT)
    listed = _list_records(ctx, forms, since)
    items = board.items_of_records(ctx.session, ctx.centre_id, [record.instance_id for record in listed])
    steps = _group_steps(board.steps_of(ctx.session, ctx.centre_id, [item.id for item in items]))
    return list(_iterate_incidents(ctx, listed, {item.root_id or "": item for item in items}, steps, zone))


def _list_open(incidents: Sequence[Incident]) -> list[Incident]:
    """Return what is open: first what nobody has seen, of each the newest first."""
    listed = [incident for incident in incidents if incident.is_open]
    listed.sort(key=lambda incident: incident.alerted_at or LONG_AGO, reverse=True)
    return sorted(listed, key=lambda incident: not incident.is_unseen)


def _group_steps(steps: Sequence[BoardStep]) -> dict[int, list[BoardStep]]:
    """Return steps by the item that they are about."""
    by_item: dict[int, list[BoardStep]] = {}
    for step in steps:
        by_item.setdefault(step.item_id, []).append(step)
    return by_item


def _list_records(ctx: ActContext, forms: Sequence[FormDefinition], since: dt.date) -> list[Record]:
    """Return the records of forms since a day, of each form the newest first."""
    listed: list[Record] = []
    for form in forms:
        listed += records.list_since(ctx.session, ctx.centre_id, form.id, since)
    return listed


def _is_watched(incident: Incident, now: dt.datetime) -> bool:
    return incident.has_risk and incident.alerted_at is not None and now - incident.alerted_at < WATCH_FOR


def _count_by_worker(due: Sequence[FollowUp], labels: Mapping[int, str]) -> dict[str, int]:
    return dict(Counter(labels.get(item.worker_id, "") for item in due))


def _list_team(ctx: ActContext) -> dict[int, str]:
    """Return the labels of those to whom something can be given."""
    people = users.list_for(ctx.session, ctx.centre_id)
    return {user.id: user.label for user in people if user.active and user.role in (CRISIS, ADMIN, WORKER)}


def _iterate_incidents(
    ctx: ActContext,
    listed: Sequence[Record],
    items: Mapping[str, BoardItem],
    steps: Mapping[int, Sequence[BoardStep]],
    zone: dt.tzinfo,
) -> Iterator[Incident]:
    """Yield an incident for each record, read by its version of the form."""
    # Nothing is shown of a record that was erased: of it stays only a count, which nothing is built on.
    states = [state for state in load_states(ctx, listed) if state.heads]
    received = {record.instance_id: record.received_at for record in listed}
    for chain in make_chains(ctx, states):
        root_id = chain.first.root_id
        alerted_at = read_time(chain.first.read_role(QuestionRole.ALERTED_AT), zone)
        item = items.get(root_id)
        own_steps = steps.get(item.id, []) if item else []
        acted = [step.at for step in own_steps if step.kind == StepKind.ACTED]
        first_response = min([*_list_responses(chain, alerted_at, zone), *acted], default=None)
        yield Incident(
            root_id=root_id,
            chain=chain,
            alerted_at=alerted_at,
            minutes_to_first=_count_minutes(alerted_at, first_response),
            item=item,
            steps=own_steps,
            received_at=received.get(root_id),
        )


def _list_responses(chain: Chain, alerted_at: dt.datetime | None, zone: dt.tzinfo) -> list[dt.datetime]:
    """Return when the team first did something, by each record that says so."""
    times = [read_time(answer, zone) for answer in chain.list_answers(QuestionRole.FIRST_RESPONSE_AT)]
    # What is before the alert was a slip: no form lets the record itself say so.
    return [time for time in times if time and (alerted_at is None or time >= alerted_at)]


def _count_minutes(start: dt.datetime | None, end: dt.datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return int((end - start).total_seconds() // 60)


def _list_workers_out(ctx: ActContext, today: dt.date, zone: dt.tzinfo, labels: Mapping[int, str]) -> list[WorkerOut]:
    """Return who said that they are out: shifts of the last hours, newest first."""
    forms = list_forms_with_role(ctx.session, ctx.centre_id, FormRole.SHIFT)
    shifts = _list_records(ctx, forms, today - SHIFTS_SINCE)
    definitions = load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version) for record in shifts})
    workers = []
    for record in shifts:
        definition = definitions.get((record.form, record.version))
        if definition is None:
            continue
        start = read_time(definition.read_role(record.answers, QuestionRole.SHIFT_START), zone)
        end = read_time(definition.read_role(record.answers, QuestionRole.SHIFT_END), zone)
        areas = definition.read_role(record.answers, QuestionRole.SHIFT_AREAS)
        # Both times: a shift that was never ended must not show somebody as out for days.
        if start and end and ctx.now - end < ON_DUTY_FOR and ctx.now - start < ON_DUTY_FOR:
            workers.append(WorkerOut(labels.get(record.author_id, ""), start, areas.split()))
    return workers


@act("board.request")
def add_request(ctx: ActContext, need: str, area: str = "") -> BoardItem:
    """Put a request on the board, in chosen words only."""
    # Chosen words only: free text on a screen in a shared office would name people sooner or later.
    if need not in NEEDS or (area and area not in list_area_codes(ctx)):
        raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
    item = BoardItem(centre_id=ctx.centre_id, root_id=None, need=need, area=area, opened_at=ctx.now)
    ctx.session.add(item)
    ctx.session.flush()
    add_step(ctx, item, StepKind.ASKED)
    ctx.describe(f"board/{item.id}", need=need)
    return item


@act("board.step")
def take_step(
    ctx: ActContext, kind: str, root_id: str = "", item_id: int = 0, to_id: int = 0, seen: str | None = None
) -> None:
    """Take a step about an incident (by its record's id) or a request (by its number)."""
    if kind not in KINDS:
        raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
    item = _get_or_create_item(ctx, root_id, item_id)
    _require_as_shown(ctx, item, seen)
    if kind == StepKind.NOTIFIED:
        if item.assigned_to is None:
            raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
        to_id = item.assigned_to
    if kind == StepKind.ASSIGNED:
        if users.of_centre(ctx.session, ctx.centre_id, to_id) is None:
            raise ActProblem("board.unknown", N_("Choose what is needed from the list."))
        item.assigned_to = to_id
    # What is done about it first also says that somebody has seen it.
    if kind in (StepKind.ACKNOWLEDGED, StepKind.ASSIGNED, StepKind.ACTED) and item.acknowledged_at is None:
        item.acknowledged_at = ctx.now
    if kind == StepKind.CLOSED:
        item.closed_at = ctx.now
    if kind == StepKind.REOPENED:
        item.closed_at = None
    add_step(ctx, item, kind, to_id or None)
    tell_phones(ctx, item)
    ctx.describe(f"board/{item.id}", step=kind)


def _require_as_shown(ctx: ActContext, item: BoardItem, seen: str | None) -> None:
    """Raise StepOvertaken unless an item is as the board showed it."""
    steps = board.steps_of(ctx.session, ctx.centre_id, [item.id])
    if seen is not None and seen != item_revision(item, steps):
        last = last_change(ctx, f"board/{item.id}", ("board.step", "board.request"))
        raise StepOvertaken(last, item, steps[-1] if steps else None)


def _get_or_create_item(ctx: ActContext, root_id: str, item_id: int) -> BoardItem:
    """Return an item by its number, or that of an incident by its record's id.

    An incident that nobody did anything about has none yet.
    """
    if item_id:
        item = board.get(ctx.session, ctx.centre_id, item_id)
        if item is None:
            raise make_not_found()
        return item
    # The record is locked, so that two first steps come one after the other.
    record = records.lock_existing(ctx.session, ctx.centre_id, [root_id]).get(root_id)
    if record is None or not _is_incident(ctx, record):
        raise make_not_found()
    item = board.find_item_of_record(ctx.session, ctx.centre_id, root_id)
    if item is None:
        item = BoardItem(centre_id=ctx.centre_id, root_id=root_id, area=record.area, opened_at=record.received_at)
        ctx.session.add(item)
        ctx.session.flush()
    return item


def _is_incident(ctx: ActContext, record: Record) -> bool:
    forms = list_forms_with_role(ctx.session, ctx.centre_id, FormRole.INCIDENT)
    return record.form in {form.id for form in forms}


def item_revision(item: BoardItem | None, steps: Sequence[BoardStep]) -> str:
    """Return the mark of an item as the board shows it.

    An incident that nobody did anything about has no item yet.
    """
    # That a worker has seen it overtakes nobody who is just choosing.
    taken = [step.id for step in steps if step.kind != StepKind.SEEN]
    if item is None or not taken:
        return mark_of("board")
    return mark_of("board", taken[-1], item.acknowledged_at, item.assigned_to, item.closed_at)


@act("board.report")
def authorize_report(ctx: ActContext, hours: int) -> str:
    """Note that somebody takes a shift report away, and return what to call it."""
    ctx.describe("board", hours=hours)
    return f"shift-report-{ctx.now:%Y-%m-%d-%H%M}.pdf"
