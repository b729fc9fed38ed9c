"""Cards: who was seen, who made a card, and whose it is now."""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.follow_ups import is_review
from fieldapp.services.caseload.handed_over import list_hand_overs, make_card_root
from fieldapp.services.caseload.labels import forget_labels
from fieldapp.services.caseload.messages import (
    Messages,
    make_card_message,
    make_follow_up_message,
    make_referral_message,
)
from fieldapp.services.caseload.record_state import RecordState, load_states
from fieldapp.services.definitions import load_definitions
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.caseload.cards import REFUSED, Card
from fieldapp.store.consent import standing
from fieldapp.store.consent.standing import PersonStanding
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records
from forms.roles import ChoiceRole, FormRole, QuestionRole
from sync.consent import LOWEST
from sync.notes import find_current_owner, plain_code


def show_standing(ctx: ActContext, codes: Collection[str]) -> None:
    """Write people's standing consent on their cards, and tell the phones."""
    cards_by_code = cards.by_codes(ctx.session, ctx.centre_id, codes) if codes else {}
    messages: Messages = {}
    standings = write_standings(ctx, cards_by_code, messages, {})
    add_card_messages(ctx, cards_by_code, standings, messages)
    pull.upsert_items(ctx.session, messages)


def add_card_messages(
    ctx: ActContext, cards_by_code: dict[str, Card], standings: dict[str, PersonStanding], messages: Messages
) -> None:
    """Tell the phones of each card's worker what stands for it, and its last contacts."""
    intakes = list_intake_days(ctx, cards_by_code)
    contacts = records.list_card_contacts(ctx.session, ctx.centre_id, list(cards_by_code)) if cards_by_code else {}
    for code, card in cards_by_code.items():
        message = make_card_message(card, standings.get(code), intakes.get(code), contacts.get(code, ()))
        messages[card.worker_id, f"card/{code}"] = message
        if not message:  # the work with its person ended: phones forget the card, and its label with it
            forget_labels(ctx, [card.worker_id], [code])


def list_intake_days(ctx: ActContext, codes: Collection[str]) -> dict[str, dt.date]:
    """Return the day of the last intake of each card that has one."""
    if not codes:
        return {}
    listed = records.list_kinds(ctx.session, ctx.centre_id, codes)
    definitions = load_definitions(ctx.session, ctx.centre_id, {(form, version) for _, form, version, _, _ in listed})
    days: dict[str, dt.date] = {}
    for person, form, version, kind, day in listed:
        definition = definitions.get((form, version))
        if definition is None or definition.role != FormRole.PARTICIPANT:
            continue
        choices = definition.list_choices_of(QuestionRole.KIND)
        if not any(ChoiceRole.REVIEW in choice.roles for choice in choices):
            continue  # an older version, by which nobody can tell an intake from a review
        roles = next((choice.roles for choice in choices if choice.name == kind), ())
        # What is neither a review nor the end is a beginning.
        if not {ChoiceRole.REVIEW, ChoiceRole.ENDS_WORK} & set(roles):
            days[person] = max(day, days.get(person, day))
    return days


def forget_refused_work(ctx: ActContext, codes: Collection[str]) -> None:
    """Let phones forget what is due of who said no, and their referrals.

    For what they said before an upgrade; `write_standings` does it as what stands changes.
    """
    cards_by_code = cards.by_codes(ctx.session, ctx.centre_id, codes) if codes else {}
    refused = {code for code, card in cards_by_code.items() if card.tier == REFUSED}
    if not refused:
        return
    keys = {f"due/{follow_up.key}" for follow_up in follow_ups.of_codes(ctx.session, ctx.centre_id, refused)}
    for state in load_states(ctx, records.of_person(ctx.session, ctx.centre_id, refused)):
        if state.read_role(QuestionRole.STATUS):
            keys.add(f"ref/{state.root_id}")
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    pull.remove_items(ctx.session, everybody, keys)


def write_standings(
    ctx: ActContext, cards_by_code: dict[str, Card], messages: Messages, computed: Mapping[str, PersonStanding]
) -> dict[str, PersonStanding]:
    """Write on each card how far its person's standing consent reaches; return it by code.

    Phones forget what is due of whom said no, and their referrals, and hear of it again after the next yes: that is
    added to the messages. `computed`: what this transaction just found to stand; of others it is read.
    """
    standings = {code: computed[code] for code in cards_by_code.keys() & computed.keys()}
    others = standing.list_standings(ctx.session, ctx.centre_id, cards_by_code.keys() - computed.keys())
    standings |= {other.person: other for other in others}
    turned = set()
    for code, card in cards_by_code.items():
        row = standings.get(code)
        # An app that knows no end shows it as the lowest level.
        tier = "" if row is None else str(max(row.tier, LOWEST))
        if (tier == REFUSED) != (card.tier == REFUSED):
            turned.add(code)
        card.tier = tier
    for follow_up in follow_ups.of_codes(ctx.session, ctx.centre_id, turned) if turned else ():
        card = cards_by_code[follow_up.code]
        messages[card.worker_id, f"due/{follow_up.key}"] = make_follow_up_message(
            follow_up, card, is_review=is_review(ctx, follow_up)
        )
    for referral in load_states(ctx, records.of_person(ctx.session, ctx.centre_id, turned)) if turned else ():
        if referral.read_role(QuestionRole.STATUS):
            message = make_referral_message(referral, cards_by_code[referral.person])
            messages[cards_by_code[referral.person].worker_id, f"ref/{referral.root_id}"] = message
    return standings


def update_cards(
    ctx: ActContext, record_states: Sequence[RecordState], cards_by_code: dict[str, Card], messages: Messages
) -> None:
    """Note on cards that somebody was seen, and who made them; cards that are new are added."""
    for record_state in record_states:
        issued = set(map(plain_code, record_state.cards))
        for code in {record_state.person, *issued} - {""}:
            card = cards_by_code.get(code)
            if card is None:
                card = cards_by_code[code] = _create_card(ctx, code, record_state.author_id)
            # The newest contact by its day decides, since records arrive late and in any order.
            if code == record_state.person:
                _note_seen(card, record_state)
            if code in issued:
                _record_issuer(ctx, card, record_state.author_id, messages)


def _note_seen(card: Card, record_state: RecordState) -> None:
    if card.seen_on is None or record_state.day >= card.seen_on:
        card.seen_on = record_state.day
        card.is_open = not record_state.is_chosen(QuestionRole.KIND, ChoiceRole.ENDS_WORK)


def reread_cards(ctx: ActContext, record_states: Sequence[RecordState], cards_by_code: dict[str, Card]) -> None:
    """Compute when people were seen from all their records, where one was corrected.

    The day that it had said, or that of somebody else or of a no, must not stay on the card.
    """
    codes: set[str] = set()
    for record_state in record_states:
        if record_state.person_before:
            codes |= {record_state.person_before, record_state.person} - {""}
    if not codes:
        return
    for code in codes & cards_by_code.keys():
        cards_by_code[code].seen_on = None
        cards_by_code[code].is_open = True
    for record_state in load_states(ctx, records.of_person(ctx.session, ctx.centre_id, codes)):
        if record_state.person in cards_by_code:
            _note_seen(cards_by_code[record_state.person], record_state)


def _create_card(ctx: ActContext, code: str, author_id: int) -> Card:
    card = Card(centre_id=ctx.centre_id, code=code, first_id=author_id, worker_id=author_id, tier="", is_open=True)
    ctx.session.add(card)
    return card


def _record_issuer(ctx: ActContext, card: Card, author_id: int, messages: Messages) -> None:
    """Save which phone issued a card; a second phone is asked for another code."""
    if card.issued_by is None:
        card.issued_by = ctx.actor.device_id
        # Until then the first who named the card stood for its maker, and a hand-over was judged by
        # that.
        if card.first_id != author_id:
            card.first_id = author_id
            ctx.session.flush()
            update_owner(ctx, card)
    elif card.issued_by != ctx.actor.device_id:
        # Two phones drew the same code: both are right, so the later one is asked to change.
        card.clashes_with = ctx.actor.device_id
        messages[author_id, f"clash/{card.code}"] = json.dumps({"code": card.code})


def update_owner(ctx: ActContext, card: Card) -> None:
    """Give a card to whom its hand-overs say, in whatever order they came."""
    root = make_card_root(card.code)
    card.worker_id = find_current_owner(card.first_id, list_hand_overs(ctx, [root]).get(root, ()))


def show_standing_of_records(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Write the standing consent of the people whom these records name on their cards."""
    show_standing(ctx, {word.person for word in standing.list_words(ctx.session, ctx.centre_id, root_ids)} - {""})
