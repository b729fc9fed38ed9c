"""What changed for a worker since their phone last asked, and a record to correct."""

import datetime as dt
import json
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.caseload.handed_over import find_keeper
from fieldapp.services.caseload.messages import make_correction_message
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.consent import withdrawals
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import epochs
from fieldapp.store.phones import devices, dropped, pull
from fieldapp.store.records import records, submissions
from fieldapp.store.session import Session
from sync.cursor import Cursor
from sync.keeping import GREATEST_EPOCH
from sync.manifest import PROTOCOL

CORRECTABLE_FOR = dt.timedelta(days=14)
MAX_PULLED = 5000  # items in one answer; the phone asks again for the rest


@read_act("pull.fetch")
def pull_changes(ctx: ActContext, cursor: int | str, log_state: dict[str, Any] | None = None) -> str:
    """Return as JSON what changed for this worker's phones after a cursor.

    Bodies are put in as they are stored, without parsing them: a pull of thousands costs milliseconds.
    A phone that is ahead of this database, or has its cursor from before a backup was restored, gets
    everything again from the beginning (`reset`). `log_state`: what the answer says of the centre's log.
    """
    assert ctx.actor.user_id is not None
    epoch = epochs.current(ctx.session)
    last_number = pull.read_last_number(ctx.session, ctx.actor.user_id)
    asked = Cursor.parse(str(cursor))
    is_ours = asked.is_known_to(epoch, last_number)
    start = 0
    reset = '"reset":true,'
    if is_ours:
        start = asked.number
        reset = ""
    last, count, items = pull.read_changes_after(ctx.session, ctx.actor.user_id, start, MAX_PULLED)
    more = json.dumps(count == MAX_PULLED)
    position = json.dumps(Cursor(last, epoch).to_json())
    # Put together as text, since `items` is JSON already.
    head = f'"protocol":{PROTOCOL},{reset}"cursor":{position},"more":{more}'
    if log_state is not None:
        head += f',"kept":{json.dumps(log_state)}'
    return f'{{{head},"items":[{items}]}}'


def note_shown_epoch(session: Session, actor: Actor, cursor: str) -> None:
    """Note that a phone knows a newer copy of the centre than this one.

    It is written once for each: a pull goes on costing no write. A number that no server can have is passed over.
    """
    asked = Cursor.parse(cursor)
    if actor.device_id is None or not epochs.current(session) < asked.epoch <= GREATEST_EPOCH:
        return
    if devices.read_shown_epoch(session, actor.device_id) < asked.epoch:
        with WriteTransaction(session):
            devices.note_shown_epoch(session, actor.device_id, asked.epoch)


def note_pulled(session: Session, actor: Actor, cursor: str) -> None:
    """Note up to where a phone has pulled that also erases drafts about ended cards.

    Once it has dropped something that a person took back, or was given something by the crisis team, whose board says that
    it is on the phone. It is written only then, so that a pull goes on costing no write.
    """
    if actor.device_id is None or actor.user_id is None:
        return
    asked = Cursor.parse(cursor)
    last_number = pull.read_last_number(session, actor.user_id)
    if not asked.number or not asked.is_known_to(epochs.current(session), last_number):
        return
    before = devices.read_pulled(session, actor.device_id)
    if asked.number <= before:
        return
    limits = (actor.user_id, before, asked.number)
    news = (withdrawals.has_news, dropped.has_news, pull.has_asked)
    if any(has_news(session, *limits) for has_news in news):
        with WriteTransaction(session):
            withdrawals.set_pulled(session, actor.device_id, asked.number)


@act("record.fetch_own")
def fetch_record_for_correction(ctx: ActContext, instance_id: str) -> dict[str, Any]:
    """Return a worker's own record for correcting it, within CORRECTABLE_FOR of its arrival.

    It has the answers, and the submissions that a correction builds on. Raises ActProblem when the
    record is not theirs, too old, or waits for a choice between two versions.
    """
    record = records.get(ctx.session, ctx.centre_id, instance_id)
    if record is None or not record.heads or ctx.actor.user_id not in (record.author_id, find_keeper(ctx, record)):
        raise make_not_found()
    # Two weeks, as docs/protocol.md says, and as phones say when they are refused.
    if ctx.now - record.received_at > CORRECTABLE_FOR:
        raise make_not_found()
    if record.contested:
        text = N_("Two versions of this record wait for your supervisor's choice.")
        raise ActProblem("record.contested", text)
    ctx.describe(f"record/{instance_id}")
    clock = submissions.find_judged_time(ctx.session, ctx.centre_id, record.heads)
    message = make_correction_message(record.form, record.version, record.answers, record.heads, clock)
    return {"id": instance_id, **message}
