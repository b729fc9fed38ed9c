"""What comes later of a card that ended is cut before it is stored.

It brings nothing back. A phone gets its receipt as always, and is told; it may have been away for a year.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.card_mentions import (
    has_chosen_kind,
    leave_out_instances,
    make_tally_answers,
    names_person,
)
from fieldapp.services.consent.ending import ENDED, ERASED, RECORD
from fieldapp.services.consent.follow_up_links import (
    find_record_ids,
    leave_out_intake_day,
    leave_out_of_body,
    write_body,
)
from fieldapp.services.consent.forgotten import find_list
from fieldapp.services.consent.refusals import read_answers
from fieldapp.services.consent.retention_rules import month_end, month_start
from fieldapp.services.consent.unlinked_cards import UNLINKED
from fieldapp.store.consent import withdrawals as store
from fieldapp.store.consent.withdrawals import EndedKind
from fieldapp.store.records import tombstones
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from sync.card_codes import find_codes, take_out_codes
from sync.envelope import Envelope
from sync.notes import HANDOVER, SETTLE, find_handed_record, is_caseload_note, parse_due, plain_code

DAY_LENGTH = 10  # of YYYY-MM-DD


@dataclass(frozen=True)
class LateDecision:
    """What may be stored of a submission.

    Nothing of one that ended; others without the codes of ended cards.
    """

    is_ended: bool
    envelope: Envelope
    codes: frozenset[str] = frozenset()  # of ended and unlinked cards that it only names
    problem: AnswerProblem = ENDED  # what its phone is told
    is_of_unlinked: bool = False  # it is about a card that was taken out of its records
    record_ids: frozenset[str] = frozenset()  # of records that are gone, which it follows up
    ended_codes: frozenset[str] = frozenset()  # those of them that ended
    is_after_erased: bool = False  # an intake that says the day of one that was erased


class EndedReader:
    """Knows which cards and records that submissions name have ended."""

    def __init__(self, ctx: ActContext, envelopes: Sequence[Envelope]):
        self.ctx = ctx
        self.key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
        names = {envelope.record for envelope in envelopes} | {_find_due_root(envelope) for envelope in envelopes}
        for envelope in envelopes:
            names |= find_record_ids(envelope.body)
        record_tags = {self._tag_record(name): name for name in names - {""}}
        ended = store.find_ended(ctx.session, ctx.centre_id, EndedKind.RECORD, record_tags)
        self.records = {record_tags[tag] for tag in ended}
        erased = store.find_ended(ctx.session, ctx.centre_id, EndedKind.ERASED, ended)
        self.erased = {record_tags[tag] for tag in erased}
        codes: set[str] = set()
        for envelope in envelopes:
            codes |= _find_codes(envelope)
        forgotten = find_list(ctx.session)
        card_tags = {forgotten.tag_card(ctx.centre_id, code): code for code in codes}
        ended_cards = store.find_ended(ctx.session, ctx.centre_id, EndedKind.CARD, card_tags)
        self.cards = {card_tags[tag] for tag in ended_cards}
        unlinked = store.find_ended(ctx.session, ctx.centre_id, EndedKind.UNLINKED, card_tags)
        self.unlinked = {card_tags[tag] for tag in unlinked}

    def _tag_record(self, record_id: str) -> str:
        return tombstones.make_tag(self.key, RECORD, record_id)

    def decide(self, envelope: Envelope, definition: FormDefinition | None) -> LateDecision:
        """Return what may be stored of a submission."""
        codes = _find_codes(envelope)
        ended_codes = frozenset(codes & self.cards)
        unlinked_codes = frozenset(codes & self.unlinked) - ended_codes
        due_root = _find_due_root(envelope)
        is_done_elsewhere = due_root in self.records
        is_of_card = bool(ended_codes) and _is_about(envelope, definition, ended_codes)
        is_settling = is_done_elsewhere and envelope.form in (SETTLE, HANDOVER)
        if envelope.record in self.records or is_of_card or is_settling:
            empty = replace(envelope, body="", cards=(), refused_by="", due="")
            is_erased = envelope.record in self.erased or (is_settling and not is_of_card and due_root in self.erased)
            problem = ERASED if is_erased else ENDED
            return LateDecision(True, empty, ended_codes, problem)
        is_of_unlinked = bool(unlinked_codes) and _is_about(envelope, definition, unlinked_codes)
        if is_of_unlinked and is_caseload_note(envelope):
            return LateDecision(True, replace(envelope, body="", cards=(), due=""), frozenset(), UNLINKED)
        gone_codes = ended_codes | unlinked_codes
        body = _leave_out_instances(envelope, definition, ended_codes)
        gone_records = frozenset(find_record_ids(envelope.body) & self.records)
        cut = replace(
            envelope,
            body=leave_out_of_body(take_out_codes(body, gone_codes), definition, gone_records),
            cards=tuple(code for code in envelope.cards if plain_code(code) not in gone_codes),
            refused_by="" if plain_code(envelope.refused_by) in gone_codes else envelope.refused_by,
            due="" if is_done_elsewhere else envelope.due,
        )
        is_after_erased = definition is not None and self._is_after_erased(cut, definition)
        if is_after_erased and definition is not None:
            answers = leave_out_intake_day(definition, read_answers(cut.body, definition))
            cut = replace(cut, body=write_body(answers))
        return LateDecision(
            False,
            cut,
            gone_codes,
            is_of_unlinked=is_of_unlinked,
            record_ids=gone_records,
            ended_codes=ended_codes,
            is_after_erased=is_after_erased,
        )

    def _is_after_erased(self, envelope: Envelope, definition: FormDefinition) -> bool:
        """Say whether an intake says the day of an earlier one of its card that was erased."""
        if definition.find_with_role(QuestionRole.INTAKE_DAY) is None:
            return False
        answers = read_answers(envelope.body, definition)
        person = plain_code(definition.read_role(answers, QuestionRole.PERSON))
        day = definition.read_role(answers, QuestionRole.INTAKE_DAY)[:DAY_LENGTH]
        if not (person and day):
            return False
        tag = find_list(self.ctx.session).tag_intake(self.ctx.centre_id, person, day)
        return bool(store.find_ended(self.ctx.session, self.ctx.centre_id, EndedKind.INTAKE, [tag]))


def make_reader(ctx: ActContext, envelopes: Sequence[Envelope]) -> EndedReader | None:
    """Return who knows what ended among these; None where no card of the centre ever did.

    Raises ActProblem "consent.key" when that cannot be told: then nothing is stored, and phones try again.
    """
    if not envelopes or not store.is_any_ended(ctx.session, ctx.centre_id):
        return None
    return EndedReader(ctx, envelopes)


def find_withdrawal_of(ctx: ActContext, codes: Collection[str]) -> str:
    """Return the id of the withdrawal of one of these ended cards; "" for none."""
    for code in sorted(codes):
        tag = find_list(ctx.session).tag_card(ctx.centre_id, code)
        withdrawal = store.find_of_card(ctx.session, ctx.centre_id, tag)
        if withdrawal is not None:
            return withdrawal.id
    return ""


def make_tombstone(ctx: ActContext, row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a submission of which nothing is stored.

    But its position in the log, its phone and its number there, and why: `row` has that.
    """
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    return row | {
        "instance_id": tombstones.make_tag(key, tombstones.SUBMISSION, row["instance_id"]),
        "root_id": tombstones.make_tag(key, RECORD, row["root_id"]),
        "sha256": tombstones.mask_hash(key, row["instance_id"], row["sha256"]),
        "prev": [],
        "form": tombstones.ERASED_FORM,
        "version": "",
        "finished_at": month_end(row["finished_at"]),
        "utc_offset": 0,
        "clock": "",
        "received_at": month_start(row["received_at"]),
        "body": "",
        "due": "",
        "cards": [],
        "state": "settled",
        "is_refusal": False,
        "is_cut": False,
        "is_by_holder": False,
    }


@dataclass(frozen=True)
class LateRecord:
    """A record that came when its card had ended: what its tally is made from."""

    envelope: Envelope
    definition: FormDefinition
    answers: Mapping[str, Any]
    channel: str


def make_tally_row(ctx: ActContext, record: LateRecord) -> dict[str, Any]:
    """Return the columns of the tally of a record that came when its card had ended."""
    month = record.envelope.finished_at.date().replace(day=1)
    kind = ""
    if has_chosen_kind(record.definition):
        kind = record.definition.read_role(record.answers, QuestionRole.KIND)[:40]
    return {
        "centre_id": ctx.centre_id,
        "instance_id": str(uuid.uuid4()),
        "form": record.envelope.form,
        "version": record.envelope.version,
        "via": record.channel,  # the column's name: rows go in past the mapped class
        "author_id": ctx.actor.user_id,
        "occurred_on": month,
        "area": "",
        "kind": kind,
        "person": "",
        "received_at": month_start(ctx.now),
        "changed_at": month_start(ctx.now),
        "heads": [],
        "contested": [],
        "review": "",
        "answers": make_tally_answers(record.definition, record.answers),
        "is_refused": True,
    }


def mark_records_ended(ctx: ActContext, record_ids: Collection[str]) -> None:
    """Note that records ended, so that later versions of them are cut."""
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    tags = [tombstones.make_tag(key, RECORD, record_id) for record_id in record_ids]
    store.add_ended(ctx.session, ctx.centre_id, EndedKind.RECORD, tags)


def _find_codes(envelope: Envelope) -> set[str]:
    """Return every card code that a submission names anywhere."""
    named = {plain_code(envelope.refused_by), *map(plain_code, envelope.cards)} - {""}
    return named | find_codes(envelope.body)


def _find_due_root(envelope: Envelope) -> str:
    """Return the record whose follow-up a submission completes or hands over; "" for none."""
    if envelope.form == HANDOVER:
        note = read_answers(envelope.body, None)
        return find_handed_record(note)
    text = envelope.due
    if envelope.form == SETTLE:
        text = str(read_answers(envelope.body, None).get("due", ""))
    due = parse_due(text)
    return due[0] if due else ""


def _leave_out_instances(envelope: Envelope, definition: FormDefinition | None, codes: Collection[str]) -> str:
    """Return a body without the instances of repeats that are about ended cards."""
    if not codes or definition is None:
        return envelope.body
    answers = read_answers(envelope.body, definition)
    left = leave_out_instances(definition, answers, codes)
    return envelope.body if left == answers else write_body(left)


def _is_about(envelope: Envelope, definition: FormDefinition | None, ended_codes: Collection[str]) -> bool:
    """Say whether a submission is about an ended card, and does not only name it.

    A note, and one whose form is not here, is about every card that it names.
    """
    # A no names its person beside the answers, where there is nothing of them.
    if definition is None or is_caseload_note(envelope) or plain_code(envelope.refused_by) in ended_codes:
        return True
    return names_person(definition, read_answers(envelope.body, definition), ended_codes)
