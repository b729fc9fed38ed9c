"""Workers' own labels for cards, sealed on their phones.

A new phone gets them back, and the centre cannot read them. A sealed label is a text of one length whatever it says. It
is kept where phones pull from, so that every phone of the worker hears of it. See
docs/decisions/0020-labels-on-a-new-phone.md.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from fieldapp.services.acts import ActContext, act
from fieldapp.store.caseload import cards
from fieldapp.store.phones import pull
from sync.notes import plain_code

SEALED = re.compile(r"[A-Za-z0-9+/]{379}=")  # 12 bytes at random, 256 sealed, 16 of proof
MOST_LABELS = 500  # at once


def make_label_key(code: str) -> str:
    """Return under what the label of a card is kept for a worker's phones."""
    return f"label/{code}"


@act("labels.keep")
def keep_labels(ctx: ActContext, labels: Mapping[str, Any]) -> list[str]:
    """Keep sealed labels of cards in the worker's caseload; return the codes of those.

    `labels`: card code → sealed label, "" to forget it. What is no sealed label, or of a card that is not in this
    worker's caseload, is passed over: the phone asks again when it knows more.
    """
    ctx.skip_audit()  # a private note, which nobody here can read, concerns nobody's log
    worker_id = ctx.actor.user_id
    assert worker_id is not None
    sealed: dict[str, str] = {}
    for code, text in list(labels.items())[:MOST_LABELS]:
        if isinstance(text, str) and (text == "" or SEALED.fullmatch(text)):
            sealed[plain_code(code)] = text
    cards_by_code = cards.by_codes(ctx.session, ctx.centre_id, list(sealed)) if sealed else {}
    codes = sorted(code for code, card in cards_by_code.items() if card.worker_id == worker_id and card.is_open)
    items: dict[tuple[int, str], str] = {}
    for code in codes:
        items[worker_id, make_label_key(code)] = json.dumps(sealed[code]) if sealed[code] else ""
    pull.upsert_items(ctx.session, items)
    return codes


def forget_labels(ctx: ActContext, worker_ids: Collection[int], codes: Collection[str]) -> None:
    """Forget these workers' labels of cards."""
    pull.remove_items(ctx.session, worker_ids, {make_label_key(code) for code in codes})
