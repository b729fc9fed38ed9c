"""What an admin does with the consent of a card: see it, lower it, or end the card.

For people who come in person, or lost their slip. Nothing is raised here: a yes is said to a worker.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldapp.services.acts import ActContext, act, read_act, view_act
from fieldapp.services.consent import standing
from fieldapp.services.consent.consent_record import ConsentEvent, make_consent_record, make_receipt
from fieldapp.services.consent.ending import OFFICE, end_person
from fieldapp.services.consent.lowered_list import note_statement
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.caseload import cards
from fieldapp.store.caseload.cards import Card
from fieldapp.store.consent import standing as words
from fieldapp.store.operations import centres
from fieldapp.store.records import tombstones
from sync.notes import plain_code


class OfficeReason(StrEnum):
    """Why it is done in the office; the values are stored.

    There is no free text: it could name somebody.
    """

    IN_PERSON = "in_person"
    LOST_SLIP = "lost_slip"
    LETTER = "letter"


@dataclass(frozen=True)
class CardConsent:
    """A card, and how far its person's consent reaches.

    `tier`: None when nobody said anything; `lower`: what it can be lowered to; `events`: what was said, in the order
    of the phones' clocks, for display only.
    """

    card: Card
    tier: int | None
    lower: tuple[int, ...]
    events: tuple[ConsentEvent, ...]


@view_act("consent.view")
def view_card(ctx: ActContext, card_id: int) -> CardConsent:
    card = _get_card(ctx, card_id)
    ctx.describe(f"card/{card.id}")
    tier = words.list_tiers(ctx.session, ctx.centre_id, [card.code]).get(card.code)
    return CardConsent(card, tier, tuple(range(tier or 0)), _list_events(ctx, card))


def _list_events(ctx: ActContext, card: Card) -> tuple[ConsentEvent, ...]:
    """Return what the person of a card said, without what waits for an administrator."""
    return tuple(
        ConsentEvent(
            f"{word.finished_at:%Y-%m}",
            word.tier,
            "form" if word.how in ("", words.LATE) else word.how,
            word.wording,
            word.language,
        )
        for word in words.list_words_said(ctx.session, ctx.centre_id, card.code)
    )


@act("consent.take_record")
def take_record(ctx: ActContext, card_id: int) -> dict[str, Any]:
    """Return what a person said about consent, as a receipt for other systems.

    It has no card code, worker or day.
    """
    card = _get_card(ctx, card_id)
    tier = words.list_tiers(ctx.session, ctx.centre_id, [card.code]).get(card.code, standing.LOWEST)
    tag = tombstones.make_tag(tombstones.load_tag_key(ctx.session, ctx.centre_id), "consent record", card.code)
    controller = centres.get(ctx.session, ctx.centre_id).name
    ctx.describe(f"card/{card.id}")
    return make_receipt(make_consent_record(tag, controller, _list_events(ctx, card), tier), f"{ctx.now:%Y-%m}")


@read_act("consent.view")
def find_card(ctx: ActContext, code: str) -> int:
    """Return the id of the card with a code, open or not."""
    plain = plain_code(code.strip())
    card = cards.by_codes(ctx.session, ctx.centre_id, [plain]).get(plain) if plain else None
    if card is None:
        raise ActProblem("consent.no_card", N_("There is no card with this code. Check each character."))
    return card.id


@act("consent.lower_card")
def lower_card(ctx: ActContext, card_id: int, tier: int, reason: str) -> None:
    """Let a person's standing consent reach less far."""
    centres.lock_words(ctx.session, ctx.centre_id)  # before the card is read: it may be ending just now
    card = _get_card(ctx, card_id)
    _require_reason(reason)
    before = words.list_tiers(ctx.session, ctx.centre_id, [card.code]).get(card.code, standing.LOWEST)
    if not standing.LOWEST <= tier < before:
        raise ActProblem("consent.lower", N_("Here consent can only be lowered. A new yes is said to a worker."))
    note_statement(ctx, card.code, tier, OFFICE)
    ctx.describe(f"card/{card.id}", tier=tier, reason=reason)


@act("consent.end_card")
def end_card(ctx: ActContext, card_id: int, reason: str) -> str:
    """End a card: its person takes everything back; return the id of the withdrawal."""
    centres.lock(ctx.session, ctx.centre_id)
    card = _get_card(ctx, card_id)
    _require_reason(reason)
    withdrawal = end_person(ctx, card.code, OFFICE, reason)
    ctx.describe(f"ended/{withdrawal.person_tag}", how=OFFICE, reason=reason)
    return withdrawal.id


def _get_card(ctx: ActContext, card_id: int) -> Card:
    card = cards.get(ctx.session, ctx.centre_id, card_id)
    if card is None:
        raise make_not_found()
    return card


def _require_reason(reason: str) -> None:
    if reason not in list(OfficeReason):
        raise ActProblem("consent.reason", N_("Choose why. Without a reason nothing was done."))
