"""Corrections made at the centre: a supervisor chooses between two answers; a card that was made twice gets its new code."""

import contextlib
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import card_root
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records.intake import Arrived, take_in
from fieldapp.services.records.time_limits import WHILE_LOCKED, time_for
from fieldapp.store.caseload import cards
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import OFFICE
from forms.budget import TooSlow
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.validation import recalculate
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.fold import flatten, unflatten
from sync.intake import local_time
from sync.notes import REISSUE, plain_code


def correct(ctx: ActContext, record: Record, changes: Mapping[str, Any]) -> list[AnswerProblem]:
    """Write a new version of a record with other answers (dotted path → answer); return what the form says against it.

    Raise TooSlow when the form's rules are: nothing of this transaction may be kept then.
    """
    definition = load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version)})[record.form, record.version]
    moment = _finished(ctx, record)
    answers = unflatten({**flatten(record.answers), **changes})
    completed = recalculate(definition, answers, local_time(moment), time_for(WHILE_LOCKED))
    if completed.problems:
        return completed.problems
    body = json.dumps(completed.answers, ensure_ascii=False, separators=(",", ":"))
    envelope = Envelope(
        str(uuid.uuid4()),
        record.form,
        record.version,
        moment,
        body,
        hashlib.sha256(body.encode()).hexdigest(),
        record.instance_id,
        tuple(record.heads),
    )
    take_in(ctx, [Arrived(envelope, via=OFFICE)])
    return []


def _finished(ctx: ActContext, record: Record) -> dt.datetime:
    """Return the time by whose clock the form judges: that of the record's own version, for its rules about days."""
    arrived = submissions.of_record(ctx.session, ctx.centre_id, record.instance_id)
    return max((one.finished_local for one in arrived if one.instance_id in record.heads), default=ctx.now)


def apply_reissues(ctx: ActContext, arrived: Sequence[Arrived]) -> None:
    """Give a worker's records the new code of a card that clashed, whichever came first: the record or the note."""
    clashing = {code for one in arrived if (code := _code_in(one.envelope))}
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
                    _reissue(ctx, record, fresh)


def _reissue(ctx: ActContext, record: Record, code: str) -> None:
    """Write a record anew with another code; one whose form is too slow stays as it was, and its card stays contested."""
    definition = load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version)})[record.form, record.version]
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        correct(ctx, record, {person_path(definition): code})


def person_path(definition: FormDefinition) -> str:
    return ".".join(definition.summary_names["person"])


def _code_in(envelope: Envelope) -> str:
    """Return the card code that a note is about; for a form, the first code that its answers hold."""
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
