"""What was handed over to whom: cards, and the follow-ups of records without one."""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.record_state import RecordState
from fieldapp.services.definitions import load_definitions
from fieldapp.store.caseload import cards
from fieldapp.store.people import users
from fieldapp.store.records import submissions
from fieldapp.store.records.records import Record
from forms.roles import QuestionRole
from sync.notes import HANDOVER, HandOver, find_current_owner, list_owners


@dataclass(frozen=True)
class Ownership:
    """Whose the follow-ups of a record are, and whose they were before."""

    worker_id: int
    former: frozenset[int]


def make_card_root(code: str) -> str:
    """Return under what a card's hand-overs are kept among the submissions."""
    return f"card/{code}"


def make_record_root(root_id: str) -> str:
    """Return under what the hand-overs of a record's follow-ups are kept.

    36 characters, as a record's own id has.
    """
    return f"{submissions.HANDED}{uuid.UUID(root_id).hex}"


def list_hand_overs(ctx: ActContext, roots: Collection[str]) -> dict[str, list[HandOver]]:
    """Return the accepted hand-overs to workers of this centre.

    By what they are kept under.
    """
    notes = submissions.list_notes(ctx.session, ctx.centre_id, HANDOVER, roots)
    hand_overs: dict[str, list[HandOver]] = {}
    if not notes:
        return hand_overs
    workers = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == WORKER}
    for note in notes:
        to = json.loads(note.body)["to"]
        if to in workers:
            is_office = note.channel == submissions.OFFICE
            hand_over = HandOver(note.finished_at, note.instance_id, note.author_id, is_office, to)
            hand_overs.setdefault(note.root_id, []).append(hand_over)
    return hand_overs


def list_holders(ctx: ActContext, codes: Collection[str]) -> dict[str, set[int]]:
    """Return who has or had each of these cards, by its code."""
    if not codes:
        return {}
    by_root = {make_card_root(code): card for code, card in cards.by_codes(ctx.session, ctx.centre_id, codes).items()}
    hand_overs = list_hand_overs(ctx, by_root)
    return {card.code: set(list_owners(card.first_id, hand_overs.get(root, ()))) for root, card in by_root.items()}


def find_keeper(ctx: ActContext, record: Record) -> int:
    """Return the id of the worker who goes on with a record.

    Of a referral the one who has its person's card, of any other its author.
    """
    form = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    if not record.person or definition is None or not definition.find_with_role(QuestionRole.STATUS):
        return record.author_id
    card = cards.by_codes(ctx.session, ctx.centre_id, [record.person]).get(record.person)
    return card.worker_id if card else record.author_id


def find_owners(ctx: ActContext, states: Sequence[RecordState]) -> dict[str, Ownership]:
    """Return whose the follow-ups of records are that were handed over, by record.

    One about a person is left out: their card says whose it is.
    """
    by_root = {make_record_root(state.root_id): state for state in states if not state.person}
    owners: dict[str, Ownership] = {}
    for root, hand_overs in list_hand_overs(ctx, by_root).items():
        state = by_root[root]
        worker_id = find_current_owner(state.author_id, hand_overs)
        named = {state.author_id, *(hand_over.to for hand_over in hand_overs)}
        owners[state.root_id] = Ownership(worker_id, frozenset(named - {worker_id}))
    return owners
