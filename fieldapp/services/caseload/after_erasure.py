"""Bring the caseload to what it would be if an erased record had never been."""

import json
from collections.abc import Collection

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.caseload.follow_ups import Due
from fieldapp.services.caseload.messages import Messages
from fieldapp.services.caseload.record_state import load_states
from fieldapp.services.caseload.update import update_again
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.phones import pull
from fieldapp.store.records import records, submissions
from sync.notes import HANDOVER, SETTLE, parse_due


def undo_effects(ctx: ActContext, person: str, followed: str) -> None:
    """Read a card, and what is due of its person or a followed record, from what is left.

    An erased record may have been the last contact, have ended the work with its person, have done what was due, or
    have ended the follow-ups of another record. `person` and `followed`: what it named; "" for none.
    """
    states = load_states(ctx, records.of_person(ctx.session, ctx.centre_id, {person})) if person else []
    states += load_states(ctx, records.list_by_ids(ctx.session, ctx.centre_id, {followed})) if followed else []
    for card in cards.by_codes(ctx.session, ctx.centre_id, [person] if person else []).values():
        card.seen_on = None
        card.is_open = True
    root_ids = {state.root_id for state in states}
    completed = _list_completed(ctx, root_ids)
    for follow_up in follow_ups.of_records(ctx.session, ctx.centre_id, root_ids):
        follow_up.is_settled = (follow_up.root_id, follow_up.due_on) in completed
    ctx.session.flush()
    messages: Messages = {}
    update_again(ctx, states, messages)
    pull.upsert_items(ctx.session, messages)
    if person:  # no record may be left that would tell its worker's phones
        show_standing(ctx, [person])


def _list_completed(ctx: ActContext, root_ids: Collection[str]) -> set[Due]:
    """Return the follow-ups of records that were done, or are not needed."""
    completed: set[Due] = set()
    for submission in submissions.list_due_of(ctx.session, ctx.centre_id, root_ids):
        # What was refused or kept aside never completed anything, nor does a hand-over.
        if submission.problems or submission.form == HANDOVER:
            continue
        text = submission.due
        if submission.form == SETTLE:
            text = json.loads(submission.body).get("due")
        due = parse_due(text)
        if due and due[0] in root_ids:
            completed.add(due)
    return completed
