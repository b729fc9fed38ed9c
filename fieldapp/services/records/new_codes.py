"""Corrections made at the centre: a supervisor chooses between two answers; a card that was made twice gets its new code."""

import contextlib
import json
from collections.abc import Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import card_root
from fieldapp.services.consent.refusals import copy_refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.reviews import write_correction
from fieldapp.store.caseload import cards
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from forms.budget import TooSlow
from forms.definition import FormDefinition
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.fold import flatten
from sync.notes import REISSUE, plain_code


def apply_new_codes(ctx: ActContext, arrived: Sequence[IncomingSubmission]) -> None:
    """Give a worker's records the new code of a card that clashed, whichever came first: the record or the note.

    What their people refused under the old code is said under the new one too.
    """
    clashing = {code for one in arrived if (code := _find_card_code(one.envelope))}
    held = cards.by_codes(ctx.session, ctx.centre_id, clashing) if clashing else {}
    for code, card in held.items():
        if card.clashes_with is None:
            continue
        for note in submissions.of_record(ctx.session, ctx.centre_id, card_root(code)):
            if note.form != REISSUE or note.author_id != ctx.actor.user_id or note.device_id == card.issued_by:
                continue
            fresh = plain_code(json.loads(note.body)["new"])
            for record in records.of_person(ctx.session, ctx.centre_id, {code}):
                if record.author_id == ctx.actor.user_id and fresh:
                    _write_new_code(ctx, record, fresh)
            if fresh:
                copy_refusals(ctx, code, fresh)


def _write_new_code(ctx: ActContext, record: Record, code: str) -> None:
    """Write a record anew with another code; one whose form is too slow stays as it was, and its card stays contested."""
    definition = load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version)})[record.form, record.version]
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        write_correction(ctx, record, {find_card_question(definition): code})


def find_card_question(definition: FormDefinition) -> str:
    return ".".join(definition.summary_names["person"])


def _find_card_code(envelope: Envelope) -> str:
    """Return the card code that a note is about; for a form, the first code that its answers hold, or who said no."""
    if envelope.refused_by:
        return plain_code(envelope.refused_by)
    if not ("code" in envelope.body or envelope.cards):
        return ""
    try:
        given = read_body(envelope.body, None)
    except ValueError:
        return ""
    if envelope.form == REISSUE:
        return plain_code(given.get("code")) if isinstance(given, dict) else ""
    leaves = flatten(given) if isinstance(given, dict) else {}
    return next((code for value in leaves.values() if (code := plain_code(value))), "")
