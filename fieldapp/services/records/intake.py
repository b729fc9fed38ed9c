"""Store submissions within an act: decide, cut, store, fold, update the caseload, answer."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.board.phones import hear_phones
from fieldapp.services.caseload import update
from fieldapp.services.caseload.handed_over import make_card_root, make_record_root
from fieldapp.services.caseload.record_state import AcceptedSubmission
from fieldapp.services.consent import ended_cards, follow_up_links, refusals, standing
from fieldapp.services.consent.card_mentions import leave_out_instances, take_out_of_answers
from fieldapp.services.consent.ended_cards import LateDecision, LateRecord
from fieldapp.services.consent.ending import end_person
from fieldapp.services.consent.late_words import find_slip_person, read_late_words, save_late_words
from fieldapp.services.consent.refusals import DecidedSubmission
from fieldapp.services.consent.slips import save_slip, save_slip_of_ended, save_slips, save_waiting_slip
from fieldapp.services.consent.unasked import cut_envelope, decide_by_standing, find_reason, find_unasked_person
from fieldapp.services.consent.unlinked_cards import UNLINKED, note_late, restrict_late
from fieldapp.services.consent.unusable_refusals import apply_unusable_refusals
from fieldapp.services.definitions import load_definitions
from fieldapp.services.phones.limits import DEFAULT, Limits, Meter
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import folding, holders
from fieldapp.services.records.decisions import (
    Decider,
    Definitions,
    IncomingSubmission,
    IntakeItem,
    find_competing,
    retry_missing_attachments,
)
from fieldapp.services.records.folding import Foreign
from fieldapp.services.records.form_rules import Judgements
from fieldapp.services.records.refused_answers import cut_to_standing
from fieldapp.services.records.time_limits import PER_RECORD, WHILE_LOCKED, time_for
from fieldapp.services.records.unknown_forms import find_notice
from fieldapp.store.consent import standing as words
from fieldapp.store.database import is_outage
from fieldapp.store.operations import centre_log, centres
from fieldapp.store.records import attachments, records, submissions
from fieldapp.store.records.submissions import ASIDE, OFFICE, EarlierSubmission
from forms.definition import FormDefinition
from sync.envelope import Envelope, format_clock, make_storable
from sync.intake import (
    DAMAGED,
    FAILED,
    Decision,
    Status,
    decide_quarantine,
    judge_by_consent,
    refuse,
)
from sync.notes import HANDOVER, REISSUE, find_handed_record, plain_code
from sync.receipts import ReceiptContent, Signer

Answer = dict[str, Any]  # what the sender of a submission gets


def store_submissions(
    ctx: ActContext,
    submissions_sent: Sequence[IncomingSubmission],
    signer: Signer | None = None,
    judgements: Judgements | None = None,
    limits: Limits = DEFAULT,
) -> list[Answer]:
    """Store submissions within an act: of a phone, an OpenRosa client or the office.

    Each is decided about, stored whatever the decision, and the records and the caseload are brought up to date with
    those that were accepted. Returns one answer for each, in their order; receipts are put into them at the end of the
    act. `judgements` is what the forms' rules said
    before this transaction; None for the office's own, which are judged in it.
    """
    decider = _make_decider(ctx, submissions_sent, judgements, limits)
    items: list[IntakeItem] = []
    for submission in submissions_sent:
        # As it came: what is cut below may be needed to find whom it is about.
        item = IntakeItem(submission, decider.decide(submission), submission.envelope)
        item.notice = find_notice(item.decision, item.find_definition(decider.definitions)) if item.is_stored else None
        items.append(item)
    # Ended cards first. Nothing that comes after them may see, store or count what is of a person
    # who took everything back.
    gone_files = _cut_ended(ctx, items, decider.definitions)
    holders.mark_incoming(ctx, [item for item in items if item.is_stored and not item.is_ended], decider.definitions)
    _cut_refused(ctx, items, decider.definitions)
    # After the cuts, since what is cut names attachments that nobody has to wait for.
    retry_missing_attachments(ctx, items, decider.definitions)
    for item in items:
        # Last, so that only what would really be stored counts against the phone's limits.
        item.decision = decider.meter.admit(item.envelope, item.decision)

    new_items = [item for item in items if item.is_stored]
    # In the order of arrival, before anything is written.
    _allocate_ids(ctx, new_items)
    living = [item for item in new_items if not item.is_ended]
    decided = [_make_decided(item) for item in living]
    # Before the new rows are there: cutting looks for what is stored already.
    effects = refusals.cut_overruled(ctx, decided, decider.definitions)
    submissions.add_all(ctx.session, [_make_submission_row(ctx, item) for item in new_items])
    refusals.save_refusals(ctx, decided, effects)
    _save_late_words(ctx, new_items)

    # Not what has problems: it is stored, and stays outside of every record.
    accepted = [_make_accepted(item, decider.definitions) for item in living if not item.decision.problems]
    foreign = update_records_and_caseload(ctx, accepted, judgements)
    _save_slips(ctx, new_items, accepted, foreign)
    # Answers after folding: only then is it known that a correction was of somebody else's record.
    answers = _make_answers(decider, items, foreign)
    _cut_refused_to_standing(ctx, living, foreign)
    _publish_refused(ctx, items, answers, accepted)

    _note_attachments_of_cut(ctx, decider, items, effects)
    refusals.delete_attachments(ctx, effects)
    _refuse_files(ctx, gone_files)
    apply_unusable_refusals(ctx, {item.envelope.record for item in living})
    restrict_late(ctx, {item.envelope.record for item in living})
    # At the very end: ending a card takes out records, those of this message among them.
    _end_cards(ctx, living, decider.definitions)
    _end_late(ctx, new_items)
    decider.meter.write()
    ctx.do_last(lambda: _place_and_receipt(ctx, decider, items, answers, signer))
    return answers


def _save_slips(
    ctx: ActContext, items: Sequence[IntakeItem], accepted: Sequence[AcceptedSubmission], foreign: Foreign
) -> None:
    for item in items:
        if item.decision.is_quarantined and not item.is_ended and item.submission.slip_tag:
            save_waiting_slip(ctx, item.submission.slip_tag, item.envelope.record)
    tags = {item.submission.key: item.submission.slip_tag for item in items if item.submission.slip_tag}
    if tags:
        save_slips(ctx, [(tags.get(part.key, ""), part) for part in accepted if part.key not in foreign])


def update_records_and_caseload(
    ctx: ActContext, accepted: Sequence[AcceptedSubmission], judgements: Judgements | None
) -> Foreign:
    """Bring records and caseload up to date with accepted submissions that were just stored.

    Returns why some of them are no part of their record after all, by (id, SHA-256).
    """
    answers_by_key = dict(judgements.earlier) if judgements else {}
    for submission in accepted:
        answers_by_key[submission.key] = dict(submission.answers)
    # Caseload notes have no form; they change the caseload and no record.
    of_forms = [submission for submission in accepted if submission.definition]
    updated = folding.update_records(ctx, of_forms, answers_by_key)
    update.update_caseload(ctx, updated.states, accepted, updated.standings)
    hear_phones(ctx, accepted, updated.states)
    return holders.admit_late(ctx, accepted, updated.foreign)


def concerns_whole_message(error: Exception) -> bool:
    """Say whether a failure lies in no single submission: then the sender tries again."""
    return isinstance(error, ActProblem) or is_outage(error)


def store_failed(
    ctx: ActContext, submission: IncomingSubmission, signer: Signer | None = None, limits: Limits = DEFAULT
) -> list[Answer]:
    """Quarantine a submission that could not be stored, doing as little as possible to it.

    Returns its answer, alone in a list.
    """
    envelope = submission.envelope
    decider = _make_decider(ctx, [submission], None, limits)
    definition = decider.definitions.get((envelope.form, envelope.version))
    # By its consent alone: what failed may have been any other rule of the form, and a no has to be
    # cut all the same.
    judgement = judge_by_consent(envelope, definition, time_for(PER_RECORD))
    reasons = [*decider.meter.reasons(envelope), FAILED]
    # Damaged on the way: nothing is stored, so that the phone sends it whole.
    decision = refuse(Status.RETRY, DAMAGED)
    if envelope.is_intact or submission.quarantine_reason:
        competing = find_competing(envelope, decider.earlier)
        decision = decide_quarantine(envelope, competing, *reasons, judgement=judgement, can_be_accepted=True)
    item = IntakeItem(submission, decider.meter.admit(envelope, decision), envelope)
    gone_files = _cut_ended(ctx, [item], decider.definitions)
    # An ended card's record leaves its tombstone only, whatever failed.
    if item.is_ended:
        _allocate_ids(ctx, [item])
        submissions.add_all(ctx.session, [_make_submission_row(ctx, item)])
        _save_late_words(ctx, [item])
        _refuse_files(ctx, gone_files)
    elif item.is_stored:
        _allocate_ids(ctx, [item])
        refused = DecidedSubmission(envelope, item.decision, item.position, submission.channel == OFFICE)
        _cut_refused(ctx, [item], decider.definitions)
        submissions.add_all(ctx.session, [_make_submission_row(ctx, item)])
        refusals.save_refusals(ctx, [refused], refusals.RefusalEffects())
        apply_unusable_refusals(ctx, [envelope.record])
        restrict_late(ctx, [envelope.record])
        _cut_refused_to_standing(ctx, [item], {})
        _save_slips(ctx, [item], [], {})
    decider.meter.write()
    answers = _make_answers(decider, [item], {})
    ctx.do_last(lambda: _place_and_receipt(ctx, decider, [item], answers, signer))
    return answers


def _make_decider(
    ctx: ActContext, sent: Sequence[IncomingSubmission], judgements: Judgements | None, limits: Limits
) -> Decider:
    envelopes = [submission.envelope for submission in sent]
    earlier = submissions.find_earlier(ctx.session, ctx.centre_id, [envelope.instance_id for envelope in envelopes])
    forms = {(envelope.form, envelope.version) for envelope in envelopes}
    definitions = load_definitions(ctx.session, ctx.centre_id, forms)
    return Decider(ctx, definitions, earlier, Meter(ctx, limits), judgements)


def _cut_ended(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> set[str]:
    """Take out what is of cards that ended.

    Returns the hashes of the attachments that went with it.
    A record that comes too late leaves a tally, so that the work of its month is counted.
    """
    arrived = [item for item in items if item.is_stored]
    centres.hold_off_ends(ctx.session, ctx.centre_id)
    reader = ended_cards.make_reader(ctx, [item.as_sent for item in arrived])
    hashes: set[str] = set()
    if reader is None:
        return hashes
    for item in arrived:
        late_decision = reader.decide(item.as_sent, item.find_definition(definitions))
        if late_decision.is_ended:
            hashes.update(refusals.ATTACHMENT.findall(item.as_sent.body))
            # Only a record's first submission leaves a tally, and only once; a correction is no
            # second contact.
            if not item.as_sent.root and item.as_sent.record not in reader.records:
                _leave_tally(ctx, item, definitions)
            # Nothing of it is stored, but nobody's no may get lost for that.
            definition = item.find_definition(definitions)
            _save_late_slip(ctx, item, definition, late_decision.codes, reader.unlinked)
            late_words = read_late_words(ctx, _make_decided(item), definition, late_decision.codes)
            # Nothing is known of an unlinked card, and nothing is learnt again but its end.
            item.late_words = [word for word in late_words if word.is_end or word.person not in reader.unlinked]
            item.is_ended = True
            item.decision = Decision(Status.STORED, problems=[late_decision.problem])
        elif late_decision.codes or late_decision.record_ids:
            definition = item.find_definition(definitions)
            left = item.decision.answers
            if definition is not None:
                left = leave_out_instances(definition, left, late_decision.ended_codes)
            answers = take_out_of_answers(left, late_decision.codes)
            answers = follow_up_links.leave_out_followed(definition, answers, late_decision.record_ids)
            item.decision = replace(item.decision, answers=answers)
            if late_decision.is_of_unlinked:
                _leave_nobody(ctx, item, definitions)
        _leave_out_day(item, late_decision, item.find_definition(definitions))
        item.as_sent = late_decision.envelope
        item.submission = replace(item.submission, envelope=late_decision.envelope)
    return hashes


def _leave_out_day(item: IntakeItem, late_decision: LateDecision, definition: FormDefinition | None) -> None:
    """Take the day of an intake that was erased out of a later one."""
    if late_decision.is_after_erased and definition is not None:
        answers = follow_up_links.leave_out_intake_day(definition, item.decision.answers)
        item.decision = replace(item.decision, answers=answers)


def _leave_nobody(ctx: ActContext, item: IntakeItem, definitions: Definitions) -> None:
    """Store a record about an unlinked card as nobody's, which does not leave.

    A no of its person lowers nothing: nothing is known of them. An end is heard, as it is for good.
    """
    note_late(ctx, [item.as_sent.record])
    item.notice = UNLINKED
    definition = item.find_definition(definitions)
    consent = standing.read_consent(definition, item.decision.answers) if definition else None
    if consent is None or consent[0] != standing.END:
        item.decision = replace(item.decision, refused_by="")


def _leave_tally(ctx: ActContext, item: IntakeItem, definitions: Definitions) -> None:
    """Leave of a record that there was a contact, and note that it ended."""
    definition = item.find_definition(definitions)
    if definition and not item.decision.problems:
        late = LateRecord(item.as_sent, definition, item.decision.answers, item.submission.channel)
        records.add_all(ctx.session, [ended_cards.make_tally_row(ctx, late)])
    ended_cards.mark_records_ended(ctx, [item.as_sent.record])


def _save_late_slip(
    ctx: ActContext,
    item: IntakeItem,
    definition: FormDefinition | None,
    ended: Collection[str],
    unlinked: Collection[str],
) -> None:
    """Let a slip that came too late show what became of its card.

    Where only the record is gone, it shows the card, as any slip does.
    """
    tag = item.submission.slip_tag
    if not tag:
        return
    withdrawal_id = ended_cards.find_withdrawal_of(ctx, ended)
    if withdrawal_id:
        save_slip_of_ended(ctx, tag, withdrawal_id)
        return
    person = find_slip_person(ctx, _make_decided(item), definition, {*ended, *unlinked})
    if person:
        save_slip(ctx, tag, person)


def _save_late_words(ctx: ActContext, items: Sequence[IntakeItem]) -> None:
    spoken = []
    for item in items:
        spoken += [(word, item.position) for word in item.late_words]
    if spoken:
        save_late_words(ctx, spoken)


def _end_late(ctx: ActContext, items: Sequence[IntakeItem]) -> None:
    """End cards by what was said in corrections of records that are gone."""
    for item in items:
        for word in item.late_words:
            withdrawal = word.end(ctx)
            if withdrawal is not None and item.submission.slip_tag:
                save_slip_of_ended(ctx, item.submission.slip_tag, withdrawal.id)


def _refuse_files(ctx: ActContext, hashes: set[str]) -> None:
    """Store no attachments that only an ended card's record names."""
    # Attachments are kept by phone: another phone's upload of the same bytes may belong to a living
    # record.
    if hashes and ctx.actor.device_id is not None:
        attachments.take_out(ctx.session, ctx.centre_id, hashes, ctx.actor.device_id)


def _end_cards(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> None:
    """End the cards of people who said that they take everything back.

    One that a shut-out phone sent, or that cannot be used, waits for an admin: ended is for good.
    """
    for item in items:
        definition = item.find_definition(definitions)
        if definition is None or item.decision.problems or not item.decision.refused_by:
            continue
        consent = standing.read_consent(definition, item.decision.answers)
        if consent and consent[0] == standing.END:
            end_person(ctx, item.decision.refused_by, "form")


def _cut_refused(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> None:
    """Take out what may not be stored: of people who did not say yes, and what a no overrules."""
    living = [item for item in items if item.is_stored and not item.is_ended]
    _go_no_further_than_stands(ctx, living, definitions)
    overruled = refusals.find_overruled(ctx, [_make_decided(item) for item in living])
    for item in items:
        is_overruled = item.submission.key in overruled
        if item.is_stored and not item.is_ended and (item.decision.is_cut or is_overruled):
            definition = item.find_definition(definitions)
            envelope, item.decision = refusals.cut_incoming(item.envelope, item.decision, definition, is_overruled)
            item.submission = replace(item.submission, envelope=envelope, is_overruled=is_overruled)
        else:
            item.submission = replace(item.submission, envelope=make_storable(item.envelope))


def _go_no_further_than_stands(ctx: ActContext, items: Sequence[IntakeItem], definitions: Definitions) -> None:
    """Cut records about people who were not asked to what stands; refuse them at a no."""
    by_person: dict[str, list[IntakeItem]] = {}
    for item in items:
        person = find_unasked_person(item.find_definition(definitions), item.as_sent, item.decision)
        if person is not None:
            by_person.setdefault(person, []).append(item)
    tiers = words.list_tiers(ctx.session, ctx.centre_id, by_person) if by_person else {}
    for person, of_person in by_person.items():
        for item in of_person:
            definition = item.find_definition(definitions)
            assert definition is not None
            item.decision = decide_by_standing(
                definition, item.as_sent, item.decision, tiers.get(person), time_for(WHILE_LOCKED)
            )
            envelope = cut_envelope(definition, item.envelope, item.decision)
            item.submission = replace(item.submission, envelope=envelope)


def _make_decided(item: IntakeItem) -> DecidedSubmission:
    is_office = item.submission.channel == OFFICE
    return DecidedSubmission(item.as_sent, item.decision, item.position, is_office, item.is_by_holder)


def _allocate_ids(ctx: ActContext, items: Sequence[IntakeItem]) -> None:
    """Give each submission its number in the store, in the order of arrival."""
    if items:
        ids = submissions.next_ids(ctx.session, len(items))
        for item, number in zip(items, ids, strict=True):
            item.position = number


def _place_and_receipt(
    ctx: ActContext, decider: Decider, items: Sequence[IntakeItem], answers: Sequence[Answer], signer: Signer | None
) -> None:
    """Give what was stored its places in the centre's log, and receipts that name them.

    Done last in the transaction, since others of the centre wait from here until it ends.
    """
    stored = [item.position for item in items if item.is_stored]
    places = submissions.place_in_log(ctx.session, ctx.centre_id, stored)
    if signer is None:
        return
    epoch = centre_log.read_epoch(ctx.session, ctx.centre_id)
    for item, answer in zip(items, answers, strict=True):
        earlier = decider.find_earlier(item.envelope)
        position = earlier.log_position if earlier else places.get(item.position)
        if earlier and position is None:  # it came in the same message
            position = submissions.read_places(ctx.session, ctx.centre_id, [earlier.id])[earlier.id]
        if not position:
            continue
        # The phone compares with what it sent, which for a sealed record is the hash of the
        # ciphertext.
        sent_sha256 = item.submission.sent_sha256 or item.envelope.sha256
        received_at = earlier.received_at if earlier else ctx.now
        content = ReceiptContent(item.envelope.instance_id, sent_sha256, received_at, position, epoch)
        answer["receipt"] = signer.receipt(content)


def _make_accepted(item: IntakeItem, definitions: Definitions) -> AcceptedSubmission:
    return AcceptedSubmission(
        item.envelope,
        item.decision.answers,
        item.find_definition(definitions),
        item.submission.channel,
        item.position,
        item.decision.is_refusal,
        item.submission.is_overruled,
    )


def _publish_refused(
    ctx: ActContext, items: Sequence[IntakeItem], answers: Sequence[Answer], accepted: Sequence[AcceptedSubmission]
) -> None:
    """Tell phones which records their worker can correct: refused, and not quarantined."""
    refused = []
    for item, answer in zip(items, answers, strict=True):
        is_refused = answer["status"] == Status.REJECTED and not item.decision.is_quarantined
        if is_refused and not item.submission.is_overruled:
            refused.append((item.envelope, answer["problems"]))
    update.publish_refused_records(ctx, [submission.envelope.record for submission in accepted], refused)


def _cut_refused_to_standing(ctx: ActContext, items: Sequence[IntakeItem], foreign: Foreign) -> None:
    """Cut what was stored as part of no record; its sender's phones get it back like that."""
    refused = {item.position: item for item in items if item.decision.problems or item.submission.key in foreign}
    if not refused:
        return
    knew: dict[int, tuple[str, ...]] = {}
    for position, item in refused.items():
        spoken = item.as_sent.consent
        knew[position] = spoken.knew if spoken is not None and spoken.is_asked else ()
    stored = submissions.list_uncut(ctx.session, ctx.centre_id, refused)
    cut_to_standing(ctx, stored, knew)
    for submission in stored:
        item = refused[submission.id]
        item.submission = replace(item.submission, envelope=replace(item.envelope, body=submission.body))


def _note_attachments_of_cut(
    ctx: ActContext, decider: Decider, items: Sequence[IntakeItem], effects: refusals.RefusalEffects
) -> None:
    """Note cut submissions that came again: their attachments may have come again too."""
    for item in items:
        earlier = decider.find_earlier(item.envelope)
        if item.decision.status is Status.DUPLICATE and earlier and earlier.is_cut:
            effects.note_cut(item.envelope.instance_id, item.envelope.body, ctx.actor.device_id)


def _make_submission_row(ctx: ActContext, item: IntakeItem) -> dict[str, Any]:
    """Return the columns of a submission, by their names in the database."""
    submission = item.submission
    envelope = submission.envelope
    decision = item.decision
    offset = envelope.finished_at.utcoffset()
    is_cut = decision.is_refusal or submission.is_overruled
    row = {
        "id": item.position,
        "centre_id": ctx.centre_id,
        "instance_id": envelope.instance_id,
        "root_id": find_record_id(envelope, decision),
        "prev": list(envelope.prev),
        "via": submission.channel,
        "form": envelope.form,
        "version": envelope.version,
        "author_id": ctx.actor.user_id,
        "device_id": ctx.actor.device_id,
        "seq": submission.seq,
        "finished_at": envelope.finished_at,
        # Whole minutes: the offset of a time zone; the moment itself is stored in UTC.
        "utc_offset": int(offset.total_seconds() // 60) if offset else 0,
        "clock": format_clock(envelope.clock),
        "received_at": ctx.now,
        "sha256": envelope.sha256,
        "body": envelope.body,
        "due": "" if is_cut else envelope.due,  # it would lead to the card
        "cards": list(envelope.cards),
        "state": ASIDE if decision.is_quarantined else str(decision.status),
        "problems": [problem.to_json() for problem in decision.problems],
        "is_refusal": decision.is_refusal,
        "is_cut": is_cut,
        "is_by_holder": item.is_by_holder,
    }
    if item.is_ended:
        return ended_cards.make_tombstone(ctx, row)
    return row


def find_record_id(envelope: Envelope, decision: Decision) -> str:
    """Return what a submission is part of: a record; of a hand-over, what it gives."""
    if envelope.form not in (HANDOVER, REISSUE) or decision.problems:
        return envelope.record
    handed_record = find_handed_record(decision.answers)
    if handed_record:
        return make_record_root(handed_record)
    return make_card_root(plain_code(decision.answers["code"]))


def _make_answers(decider: Decider, items: Sequence[IntakeItem], foreign: Foreign) -> list[Answer]:
    """Return what the sender gets for each submission; a foreign one is rejected after all."""
    answers = []
    for item in items:
        decision = item.decision
        if item.submission.key in foreign:
            decision = Decision(Status.REJECTED, problems=[foreign[item.submission.key]])
            decider.meter.count_refused(item.envelope)
        answers.append(_make_answer(item, decision, decider.find_earlier(item.envelope)))
    return answers


def _make_answer(item: IntakeItem, decision: Decision, earlier: EarlierSubmission | None) -> Answer:
    """Return what the sender gets; for a submission that came before, what became of it then."""
    envelope = item.envelope
    problems = [problem.to_json() for problem in decision.problems]
    if item.notice is not None:
        problems.append(item.notice.to_json())
    answer: Answer = {"id": envelope.instance_id, "sha256": envelope.sha256, "status": str(decision.status)}
    if earlier:
        problems = earlier.problems
    if decision.is_quarantined or (earlier and earlier.state == ASIDE):
        # A phone that was shut out must not learn from it what somebody said.
        problems = [problem for problem in problems if not find_reason([problem])]
    if problems:
        answer["problems"] = problems
    if earlier:
        # "Kept aside" is a word of the centre; to a phone it is a record that was not taken.
        answer["was"] = str(Status.REJECTED) if earlier.state == ASIDE else earlier.state
    return answer
