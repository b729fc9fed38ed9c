"""Bring cards, follow-ups, referrals and what phones know of them up to date.

There is no register of people: a card is a code, and all else is read from records and notes. Whatever order they
arrive in, the same comes of it.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fieldapp.services.acts import ActContext, act
from fieldapp.services.caseload.cards import (
    add_card_messages,
    reread_cards,
    show_standing_of_records,
    update_cards,
    update_owner,
    write_standings,
)
from fieldapp.services.caseload.chains import Chain, load_chains
from fieldapp.services.caseload.follow_ups import Due, is_review, update_follow_ups
from fieldapp.services.caseload.handed_over import Ownership, find_owners
from fieldapp.services.caseload.labels import forget_labels
from fieldapp.services.caseload.messages import (
    Messages,
    make_correction_message,
    make_follow_up_message,
    make_open_message,
    make_referral_message,
)
from fieldapp.services.caseload.record_state import AcceptedSubmission, RecordState, load_states
from fieldapp.services.definitions import find_follow_up_form
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.caseload.cards import Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.consent.standing import PersonStanding
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.session import Session
from forms.roles import FormRole, QuestionRole
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.notes import HANDOVER, REISSUE, SETTLE, find_handed_record, is_caseload_note, parse_due, plain_code

LONG_AGO = 14  # days
AT_ONCE = 200  # cards
MOST_PROBLEMS = 20  # of a record, that a phone is told


@dataclass
class _Notes:
    """What workers say about their caseload beside their records."""

    handed_over: list[str] = field(default_factory=list)  # card codes
    handed_records: set[str] = field(default_factory=set)  # records whose follow-ups are somebody else's now
    reissued: list[str] = field(default_factory=list)  # card codes that got a new one
    completed: set[Due] = field(default_factory=set)  # follow-ups


def update_caseload(
    ctx: ActContext,
    changed: Sequence[RecordState],
    parts: Sequence[AcceptedSubmission],
    standings: Mapping[str, PersonStanding],
) -> None:
    """Bring the caseload up to date with records that changed and notes that came.

    `standings`: the consent of those who just said something, by card code.
    """
    messages: Messages = {}
    corrected = {part.envelope.record for part in parts if part.envelope.root}
    gone: set[str] = set()  # referrals that are none any more
    returned: set[str] = set()  # referrals, which may have been sent back to another worker than their author
    # A supervisor's "sent back" is answered by a correction, whatever it says.
    for root_id in corrected:
        submissions.mark_corrected(ctx.session, ctx.centre_id, root_id)
    record_states = []
    for record_state in changed:
        if record_state.root_id in corrected:
            # An empty message takes the record off the phones: it needs no correction any more.
            messages[record_state.author_id, f"rec/{record_state.root_id}"] = ""
            if record_state.read_role(QuestionRole.STATUS):
                returned.add(f"rec/{record_state.root_id}")
            # A referral whose form no longer says so is none; phones still list it.
            if not record_state.read_role(QuestionRole.STATUS):
                gone.add(f"ref/{record_state.root_id}")
        # A correction counts also when it says nothing now: what it said before has to go.
        if record_state.root_id in corrected or _concerns_caseload(record_state):
            record_states.append(record_state)
    notes = _read_notes(parts)
    if record_states or notes.handed_over or notes.handed_records or notes.completed:
        _update_cards_and_follow_ups(ctx, record_states, notes, messages, standings)
    for code in notes.reissued:
        messages[_get_author(ctx), f"clash/{code}"] = ""
    pull.upsert_items(ctx.session, messages)
    if gone or returned:  # off everybody's phones: the card may have been handed over since
        everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
        pull.remove_items(ctx.session, everybody, gone | returned)
    forget_refused(ctx, changed)


def update_again(ctx: ActContext, record_states: Sequence[RecordState], messages: Messages) -> None:
    """Write cards and follow-ups of records that are here already, and tell phones."""
    _update_cards_and_follow_ups(ctx, record_states, _Notes(), messages, {})


def _read_notes(parts: Iterable[AcceptedSubmission]) -> _Notes:
    """Return what notes say, and which follow-ups records complete."""
    notes = _Notes()
    for part in parts:
        # Any record may complete a follow-up, not only a note.
        _add_completed(notes, part.envelope.due)
        if part.definition is not None:
            continue
        if part.envelope.form == SETTLE:
            _add_completed(notes, part.answers["due"])
        elif part.envelope.form == HANDOVER and find_handed_record(part.answers):
            notes.handed_records.add(find_handed_record(part.answers))
        elif part.envelope.form == HANDOVER:
            notes.handed_over.append(plain_code(part.answers["code"]))
        elif part.envelope.form == REISSUE:
            notes.reissued.append(plain_code(part.answers["code"]))
    return notes


def _add_completed(notes: _Notes, text: str) -> None:
    due = parse_due(text)
    if due:
        notes.completed.add(due)


def forget_refused(ctx: ActContext, changed: Collection[RecordState]) -> None:
    """Take records that became a no off everybody's phones: due, referrals, corrections.

    What their earlier versions said of a card's consent is shown on the card.
    """
    root_ids = {record_state.root_id for record_state in changed if record_state.is_refusal}
    if not root_ids:
        return
    refused = follow_ups.of_records(ctx.session, ctx.centre_id, root_ids)
    keys = {f"due/{follow_up.key}" for follow_up in refused}
    for root_id in root_ids:
        keys |= {f"ref/{root_id}", f"rec/{root_id}", f"open/{root_id}", f"{pull.ASKED}{root_id}"}
    # Everybody's phones: a card may have been handed over since.
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    pull.remove_items(ctx.session, everybody, keys)
    for follow_up in refused:
        ctx.session.delete(follow_up)
    ctx.session.flush()
    reviews.forget_comments(ctx.session, ctx.centre_id, root_ids)
    show_standing_of_records(ctx, root_ids)


@act("caseload.rebuild")
def rebuild_caseload(ctx: ActContext) -> int:
    """Read the caseload from records that arrived before there was one.

    Returns how many concern it. What was due long ago is left alone.
    """
    since = ctx.now.date() - dt.timedelta(days=LONG_AGO)
    count = 0
    # In batches with messages of their own: years of records do not fit into memory at once.
    for batch in records.iterate_all(ctx.session, ctx.centre_id):
        record_states = _list_record_states(ctx, batch, since)
        count += len(record_states)
        if record_states:
            messages: Messages = {}
            _update_cards_and_follow_ups(ctx, record_states, _Notes(), messages, {})
            pull.upsert_items(ctx.session, messages)
    ctx.describe("caseload", records=count)
    return count


def _list_record_states(ctx: ActContext, batch: Sequence[Record], since: dt.date) -> list[RecordState]:
    """Return what records say that concern the caseload."""
    states = load_states(ctx, batch, since)
    return [record_state for record_state in states if _concerns_caseload(record_state)]


def lacks_caseload(session: Session, centre_id: int) -> bool:
    """Say whether a centre has records and no caseload: from before schema version 0004."""
    return not cards.list_for(session, centre_id, limit=1) and records.is_any(session, centre_id)


def _get_author(ctx: ActContext) -> int:
    assert ctx.actor.user_id is not None
    return ctx.actor.user_id


def _concerns_caseload(record_state: RecordState) -> bool:
    roles = (
        QuestionRole.PERSON,
        QuestionRole.DUE,
        QuestionRole.PLAN,
        QuestionRole.FOLLOWS,
        QuestionRole.STATUS,
        QuestionRole.INCIDENT_STATUS,
    )
    return bool(record_state.cards) or any(map(record_state.read_role, roles))


def _update_cards_and_follow_ups(
    ctx: ActContext,
    record_states: Sequence[RecordState],
    notes: _Notes,
    messages: Messages,
    computed: Mapping[str, PersonStanding],
) -> None:
    """Write cards and follow-ups, and add what phones are told of them to the messages."""
    codes = set(notes.handed_over)
    for record_state in record_states:
        codes |= {record_state.person, record_state.person_before, *map(plain_code, record_state.cards)} - {""}
    cards_by_code = cards.by_codes(ctx.session, ctx.centre_id, codes) if codes else {}
    # Who had the card before is needed below: that worker's phones have to forget it.
    workers_before = {code: card.worker_id for code, card in cards_by_code.items()}
    closed_before = {code for code, card in cards_by_code.items() if not card.is_open}
    codes_before = set(cards_by_code)
    update_cards(ctx, record_states, cards_by_code, messages)
    reread_cards(ctx, record_states, cards_by_code)
    # After the cards themselves: a hand-over may be about a card that this very message made, or have come before it.
    for code in {*notes.handed_over, *(cards_by_code.keys() - codes_before)}:
        if code in cards_by_code:
            update_owner(ctx, cards_by_code[code])
    author_id = 0
    if notes.completed:
        author_id = _get_author(ctx)
    chains = load_chains(ctx, [*record_states, *_load_handed_over(ctx, record_states, notes)])
    owners = find_owners(ctx, [chain.first for chain in chains])
    touched = update_follow_ups(ctx, chains, owners, notes.completed, author_id)
    ctx.session.flush()
    standings = write_standings(ctx, cards_by_code, messages, computed)
    moved_from: dict[str, int] = {}  # card code → the worker who had it
    for code, card in cards_by_code.items():
        if workers_before.get(code, card.worker_id) != card.worker_id:
            moved_from[code] = workers_before[code]
            messages[workers_before[code], f"card/{code}"] = ""
    add_card_messages(ctx, cards_by_code, standings, messages)
    for code, worker_id in moved_from.items():
        forget_labels(ctx, [worker_id], [code])
    turned = {code for code, card in cards_by_code.items() if card.is_open == (code in closed_before)}
    touched += follow_ups.of_codes(ctx.session, ctx.centre_id, turned) if turned else []
    # The new worker's phones know nothing of what is due for a card that was handed over.
    if moved_from:
        touched += follow_ups.of_codes(ctx.session, ctx.centre_id, moved_from)
    _add_follow_up_messages(ctx, messages, touched, moved_from)
    _add_referral_messages(ctx, messages, record_states, cards_by_code, moved_from)
    _add_open_messages(ctx, messages, chains, owners)
    _forget_handed_over(messages, chains, touched, owners)


def _add_referral_messages(
    ctx: ActContext,
    messages: Messages,
    record_states: Sequence[RecordState],
    cards_by_code: Mapping[str, Card],
    moved_from: Mapping[str, int],
) -> None:
    """Show a referral to the worker who has its person's card, and to nobody else.

    One without a card is its author's.
    """
    moved = _load_referrals(ctx, moved_from)
    changed = {state.root_id: state for state in record_states if state.read_role(QuestionRole.STATUS)}
    referrals = moved | changed
    for root_id, state in referrals.items():
        card = cards_by_code.get(state.person)
        before = cards_by_code.get(state.person_before)
        others = {state.author_id, moved_from.get(state.person, state.author_id)}
        if before:
            others.add(before.worker_id)
        messages |= dict.fromkeys([(worker_id, f"ref/{root_id}") for worker_id in others], "")
        owner_id = card.worker_id if card else state.author_id
        messages[owner_id, f"ref/{root_id}"] = make_referral_message(state, card)


def _load_referrals(ctx: ActContext, codes: Collection[str]) -> dict[str, RecordState]:
    """Return the referrals of the people of some cards, by record."""
    states = load_states(ctx, records.of_person(ctx.session, ctx.centre_id, codes)) if codes else []
    return {state.root_id: state for state in states if state.read_role(QuestionRole.STATUS)}


def give_referrals(ctx: ActContext, codes: Sequence[str]) -> None:
    """Show the referrals of people on the phones of those who have their cards now."""
    for first in range(0, len(codes), AT_ONCE):
        batch = codes[first : first + AT_ONCE]
        messages: Messages = {}
        states = _load_referrals(ctx, batch).values()
        _add_referral_messages(ctx, messages, list(states), cards.by_codes(ctx.session, ctx.centre_id, batch), {})
        pull.upsert_items(ctx.session, messages)


def _load_handed_over(ctx: ActContext, record_states: Sequence[RecordState], notes: _Notes) -> list[RecordState]:
    """Return the records that were handed over, but for those that changed as well.

    One about a person is their card's: whose that is decides.
    """
    others = notes.handed_records - {record_state.root_id for record_state in record_states}
    states = load_states(ctx, records.list_by_ids(ctx.session, ctx.centre_id, others)) if others else []
    return [state for state in states if not state.person and not state.follows]


def _forget_handed_over(
    messages: Messages, chains: Sequence[Chain], touched: Sequence[FollowUp], owners: Mapping[str, Ownership]
) -> None:
    """Let the phones of those who had a record's follow-ups before forget them."""
    keys: dict[str, list[str]] = {root_id: [] for root_id in owners}
    for chain in chains:
        if chain.first.root_id in keys and chain.first.definition.role == FormRole.INCIDENT:
            keys[chain.first.root_id].append(f"open/{chain.first.root_id}")
    for follow_up in touched:
        if follow_up.root_id in keys:
            keys[follow_up.root_id].append(f"due/{follow_up.key}")
    for root_id, ownership in owners.items():
        for worker_id in ownership.former:
            messages |= dict.fromkeys([(worker_id, key) for key in keys[root_id]], "")


def _add_open_messages(
    ctx: ActContext, messages: Messages, chains: Sequence[Chain], owners: Mapping[str, Ownership]
) -> None:
    """Tell the worker who has an incident whether it is open.

    Only where the centre has a form that follows incidents up.
    """
    incidents = [chain for chain in chains if chain.first.definition.role == FormRole.INCIDENT]
    if not incidents or not find_follow_up_form(ctx.session, ctx.centre_id, FormRole.INCIDENT):
        return
    for chain in incidents:
        root_id = chain.first.root_id
        ownership = owners.get(root_id)
        worker_id = ownership.worker_id if ownership else chain.first.author_id
        messages[worker_id, f"open/{root_id}"] = make_open_message(chain)


def _add_follow_up_messages(
    ctx: ActContext, messages: Messages, touched: Sequence[FollowUp], moved_from: dict[str, int]
) -> None:
    """Tell the owner of a card what is due, and the worker who had it before to forget it."""
    # Of all that is touched: a note that one is not needed names a record, and no card.
    cards_by_code = cards.by_codes(ctx.session, ctx.centre_id, {follow_up.code for follow_up in touched} - {""})
    without_card = {follow_up.root_id for follow_up in touched if follow_up.is_open and not follow_up.code}
    places = records.list_places(ctx.session, ctx.centre_id, without_card)
    for follow_up in touched:
        card = cards_by_code.get(follow_up.code)
        owner = card.worker_id if card else follow_up.worker_id
        kind, area = places.get(follow_up.root_id, ("", ""))
        message = make_follow_up_message(follow_up, card, kind, area, is_review(ctx, follow_up))
        messages[owner, f"due/{follow_up.key}"] = message
        if follow_up.code in moved_from:
            messages[moved_from[follow_up.code], f"due/{follow_up.key}"] = ""


def publish_refused_records(
    ctx: ActContext, accepted: Collection[str], refused: Sequence[tuple[Envelope, list[dict[str, Any]]]]
) -> None:
    """Tell phones which of their worker's records the centre could not take.

    They can be corrected there, but for `accepted`: records of which another submission was taken.
    """
    messages: Messages = {}
    for envelope, problems in refused:
        if is_caseload_note(envelope):
            continue
        # Another submission of the record was taken since: then there is nothing left to correct.
        if submissions.mark_corrected(ctx.session, ctx.centre_id, envelope.record):
            continue
        try:
            answers = read_body(envelope.body, None)
        except ValueError:  # XML too: ODK Collect keeps its own copy
            continue  # sealed to a key that is gone, or no answers at all: nothing that a worker could correct
        if envelope.record in accepted or not isinstance(answers, dict) or "box" in answers:
            continue
        about = {"state": "rejected", "day": envelope.finished_at.date().isoformat()}
        heads = [envelope.instance_id]
        about |= make_correction_message(envelope.form, envelope.version, answers, heads, envelope.judged_at)
        reasons = []
        for problem in problems[:MOST_PROBLEMS]:
            # Only code and place: the sentences are in the app, in the worker's language.
            reasons.append({"code": problem.get("code", ""), "path": problem.get("path", "")})
        messages[_get_author(ctx), f"rec/{envelope.record}"] = json.dumps({**about, "problems": reasons})
    pull.upsert_items(ctx.session, messages)
