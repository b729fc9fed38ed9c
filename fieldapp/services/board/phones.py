"""What phones hear of the board, and what workers say to it from their phones.

A worker is told what was given to them, and what became of what they asked for: chosen words, areas and times, never a text
that somebody wrote.
"""

import datetime as dt
import json
import uuid
import zoneinfo
from collections.abc import Iterable, Sequence
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext
from fieldapp.services.board.steps import StepKind, add_step, find_answer, find_giving, list_area_codes, read_time
from fieldapp.services.caseload.chains import Chain, make_chains
from fieldapp.services.caseload.record_state import AcceptedSubmission, RecordState, load_states
from fieldapp.store.board import board
from fieldapp.store.board.board import BoardItem, BoardStep
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records
from forms.roles import ChoiceRole, FormRole, QuestionRole
from sync.notes import ASK, SEEN, parse_time

DONE_FOR = dt.timedelta(days=1)  # how long a phone shows that what its worker asked for is done

Messages = dict[tuple[int, str], str]


def tell_phones(ctx: ActContext, item: BoardItem) -> None:
    """Tell phones what is new of an item.

    The worker whose it is, and the one who asked for it.
    """
    ctx.session.flush()
    steps = board.steps_of(ctx.session, ctx.centre_id, [item.id])
    messages: Messages = {}
    _add_given(ctx, item, steps, messages)
    _add_asked(ctx, item, steps, messages)
    pull.upsert_items(ctx.session, messages)


def _add_given(ctx: ActContext, item: BoardItem, steps: Sequence[BoardStep], messages: Messages) -> None:
    """Add what the worker is told whose it is; who had it before forgets it."""
    given_to = [step.to_id for step in steps if step.kind == StepKind.ASSIGNED]
    workers = [user_id for user_id in given_to if user_id and _is_worker(ctx, user_id)]
    if not workers:
        return
    item.uid = item.uid or str(uuid.uuid4())
    key = f"{pull.ASKED}{item.root_id or item.uid}"
    for user_id in workers:
        messages[user_id, key] = ""
    if item.assigned_to in workers and item.closed_at is None:
        messages[item.assigned_to, key] = _make_given_message(ctx, item, steps)


def _is_worker(ctx: ActContext, user_id: int) -> bool:
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    return user is not None and user.role == WORKER


def _make_given_message(ctx: ActContext, item: BoardItem, steps: Sequence[BoardStep]) -> str:
    """Return what a phone shows of its worker's item; "" for an incident that ended."""
    giving = find_giving(item, steps)
    if giving is None:
        return ""
    message: dict[str, Any] = {"id": item.uid, "assigned": giving.at.isoformat()}
    if item.root_id:
        about = _describe_incident(ctx, item.root_id)
        if not about:
            return ""
        message |= about
    else:
        message |= {"need": item.need, "area": item.area, "since": item.opened_at.isoformat()}
    answer = find_answer(item, steps)
    if answer is not None:
        message["seen"] = answer.at.isoformat()
    return json.dumps(message)


def _describe_incident(ctx: ActContext, root_id: str) -> dict[str, Any]:
    """Return what a phone is told of an incident that is open; empty for one that has ended."""
    states = load_states(ctx, records.list_by_ids(ctx.session, ctx.centre_id, [root_id]))
    for chain in make_chains(ctx, [state for state in states if state.heads]):
        if not chain.is_ended(QuestionRole.INCIDENT_STATUS, ChoiceRole.ENDS_INCIDENT):
            return _describe_chain(ctx, chain)
    return {}


def _describe_chain(ctx: ActContext, chain: Chain) -> dict[str, Any]:
    first = chain.first
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    alerted_at = read_time(first.read_role(QuestionRole.ALERTED_AT), zone)
    return {
        "form": first.form,
        "from": first.day.isoformat(),
        "kind": first.read_role(QuestionRole.KIND),
        "area": first.read_role(QuestionRole.AREA),
        "since": alerted_at.isoformat() if alerted_at else "",
    }


def _add_asked(ctx: ActContext, item: BoardItem, steps: Sequence[BoardStep], messages: Messages) -> None:
    """Add what the worker is told who asked for an item."""
    asked = next((step for step in steps if step.kind == StepKind.ASKED), None)
    if item.uid is None or asked is None or not _is_worker(ctx, asked.author_id):
        return
    message = {"need": item.need, "area": item.area, "heard": asked.at.isoformat()}
    acted = [step.at for step in steps if step.kind == StepKind.ACTED]
    giving = find_giving(item, steps)
    times = {
        "seen": item.acknowledged_at,
        "assigned": giving.at if giving else None,
        "acted": max(acted, default=None),
        "done": item.closed_at,
    }
    message |= {name: time.isoformat() for name, time in times.items() if time}
    messages[asked.author_id, f"{pull.REQUEST}{item.uid}"] = json.dumps(message)


def hear_phones(ctx: ActContext, accepted: Iterable[AcceptedSubmission], states: Iterable[RecordState]) -> None:
    """Put on the board what workers say to it, and tell phones of incidents that changed.

    `states`: of the records that changed.
    """
    notes = [part for part in accepted if part.definition is None]
    if any(part.envelope.form == ASK for part in notes):
        _forget_done(ctx)
    for part in notes:
        if part.envelope.form == ASK:
            _add_request(ctx, part)
        elif part.envelope.form == SEEN:
            _note_seen(ctx, part)
    roots = set()
    for state in states:
        if state.definition.role in (FormRole.INCIDENT, FormRole.INCIDENT_FOLLOW_UP):
            roots.update({state.follows, state.followed_before} - {""} or {state.root_id})
    if roots:
        for item in board.items_of_records(ctx.session, ctx.centre_id, sorted(roots)):
            if item.assigned_to is not None and item.closed_at is None:
                tell_phones(ctx, item)


def _forget_done(ctx: ActContext) -> None:
    """Let a worker's phones forget what they asked for and was done long ago.

    Once for all that they ask in one message.
    """
    messages: Messages = {}
    for place, body in pull.list_bodies_of_kind(ctx.session, [ctx.actor.user_id or 0], pull.REQUEST).items():
        done = parse_time(json.loads(body).get("done"))
        if done is not None and ctx.now - done > DONE_FOR:
            messages[place] = ""
    pull.upsert_items(ctx.session, messages)


def _add_request(ctx: ActContext, part: AcceptedSubmission) -> None:
    """Put what a worker asks for on the board, once however often it comes."""
    uid = part.envelope.instance_id
    if board.find_by_uid(ctx.session, ctx.centre_id, uid) is not None:
        return
    # A place that is not known here is left out: what is asked for must not get lost for that.
    area = str(part.answers.get("area", ""))
    area = area if area in list_area_codes(ctx) else ""
    item = BoardItem(
        centre_id=ctx.centre_id, root_id=None, uid=uid, need=str(part.answers["need"]), area=area, opened_at=ctx.now
    )
    ctx.session.add(item)
    ctx.session.flush()
    add_step(ctx, item, StepKind.ASKED, said_at=_find_said(ctx, part))
    tell_phones(ctx, item)


def _note_seen(ctx: ActContext, part: AcceptedSubmission) -> None:
    """Note that a worker has seen what is theirs.

    Once; what was given to somebody else meanwhile, or to them once more, is left as it is.
    """
    item = board.find_by_uid(ctx.session, ctx.centre_id, str(part.answers["asked"]).lower())
    if item is None or item.assigned_to != ctx.actor.user_id or item.closed_at is not None:
        return
    steps = board.steps_of(ctx.session, ctx.centre_id, [item.id])
    giving = find_giving(item, steps)
    is_of_this = giving is not None and giving.at == parse_time(part.answers["assigned"])
    is_seen = any(step.kind == StepKind.SEEN and giving is not None and step.id > giving.id for step in steps)
    if not is_of_this or is_seen:
        return
    add_step(ctx, item, StepKind.SEEN, said_at=_find_said(ctx, part))
    tell_phones(ctx, item)


def _find_said(ctx: ActContext, part: AcceptedSubmission) -> dt.datetime:
    """Return when a phone says that something was said, which is not later than now."""
    return min(part.envelope.finished_at, ctx.now)
