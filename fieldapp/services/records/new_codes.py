"""Give records the new code of a card, when two phones had made cards with the same code."""

import contextlib
import json
from collections.abc import Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.handed_over import make_card_root
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
    """Give a worker's records the new code of a card that clashed with another phone's.

    Whichever came first does not matter: the record with the old code, or the note with the new one. What their people
    refused under the old code is said under the new one too.
    """
    # Only messages that carry a code of some kind can matter here; most do not.
    codes = {_find_card_code(submission.envelope) for submission in arrived} - {""}
    if not codes:
        return
    for code, card in cards.by_codes(ctx.session, ctx.centre_id, codes).items():
        if card.clashes_with is None:
            continue
        for note in submissions.of_record(ctx.session, ctx.centre_id, make_card_root(code)):
            is_of_worker = note.form == REISSUE and note.author_id == ctx.actor.user_id
            # The phone that made the card first keeps its code.
            if is_of_worker and note.device_id != card.issued_by:
                new_code = plain_code(json.loads(note.body)["new"])
                if new_code:
                    _replace_code(ctx, code, new_code)


def _replace_code(ctx: ActContext, code: str, new_code: str) -> None:
    for record in records.of_person(ctx.session, ctx.centre_id, {code}):
        # Only the worker's own records: the same code on another worker's record is the other
        # person.
        if record.author_id == ctx.actor.user_id:
            _write_new_code(ctx, record, new_code)
    copy_refusals(ctx, code, new_code)


def _write_new_code(ctx: ActContext, record: Record, code: str) -> None:
    """Correct the card code of a record; when its form is too slow, the card stays contested."""
    form = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form})[form]
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        write_correction(ctx, record, {find_card_question(definition): code})


def find_card_question(definition: FormDefinition) -> str:
    """Return the dotted path of the question for the person's card."""
    return ".".join(definition.summary_names["person"])


def _find_card_code(envelope: Envelope) -> str:
    """Return the card code that a note is about.

    For a form: that of the person who said no, else the first code in it.
    """
    if envelope.refused_by:
        return plain_code(envelope.refused_by)
    # A cheap look before parsing: this runs over every submission that arrives.
    if not ("code" in envelope.body or envelope.cards):
        return ""
    try:
        answers = read_body(envelope.body, None)
    except ValueError:
        return ""
    if not isinstance(answers, dict):
        return ""
    if envelope.form == REISSUE:
        return plain_code(answers.get("code"))
    # The first code in the answers is enough to look for a clash; which question it answers does
    # not matter.
    for answer in flatten(answers).values():
        code = plain_code(answer)
        if code:
            return code
    return ""
