"""The end of a card: one transaction takes back everything that its person told.

Of each record a tally stays (form, kind, month, worker) under a new random number, and of each submission a tombstone.
See docs/decisions/0016-end-of-a-card.md.
"""

import secrets
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from evaluator_export import periods
from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.labels import make_label_key
from fieldapp.services.consent import standing
from fieldapp.services.consent.card_mentions import (
    has_chosen_kind,
    leave_out_instances,
    list_spellings,
    make_tally_answers,
    names_person,
    take_out_of_answers,
)
from fieldapp.services.consent.contested import find_people
from fieldapp.services.consent.erased_references import untie_follow_ups
from fieldapp.services.consent.erasing import bury_submission, empty_submission, take_out_files
from fieldapp.services.consent.forgotten import find_list, make_line
from fieldapp.services.consent.refusals import make_body, read_answers
from fieldapp.services.consent.retention_rules import month_start
from fieldapp.services.consent.slips import move_slips
from fieldapp.services.consent.withdrawn_rows import note_withdrawn_rows
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.services.problems import N_
from fieldapp.store.board import board
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.consent import retention
from fieldapp.store.consent import standing as words
from fieldapp.store.consent import withdrawals as store
from fieldapp.store.consent.withdrawals import ONE_RECORD, EndedKind, Withdrawal
from fieldapp.store.forms import versions
from fieldapp.store.operations import audit, centres
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records, reviews, submissions, tombstones
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import HELD, Submission
from fieldapp.store.releases import datasets
from forms.definition import FormDefinition
from forms.problems import AnswerProblem
from forms.roles import QuestionRole
from sync.card_codes import take_out_codes
from sync.notes import HANDOVER, PREFIX, SETTLE, plain_code

ENDED = AnswerProblem(
    "consent.ended", N_("This person took everything back, so nothing of this was stored. Give them a new card."), ""
)
ERASED = AnswerProblem("record.erased", N_("The centre erased this record, so nothing of this was stored."), "")
RECORD = "record"  # kind of tag
LIST = "list"  # how a card ended that only the list outside the database knew of
OFFICE = "office"


@dataclass
class CardTraces:
    """What the database has of a card."""

    roots: set[str] = field(default_factory=set)  # records, also of submissions that became part of none
    alone: list[Submission] = field(default_factory=list)  # notes, and what is no part of a record that stays
    mentions: list[Submission] = field(default_factory=list)  # of records about others, which only name the card


def end_person(ctx: ActContext, person: str, how: str, reason: str = "") -> Withdrawal:
    """End a card in the caller's transaction: erase what its person told.

    `how`: form, slip, office or list. A card that ended before stays as it is. The list outside the database is written
    first: killed after that, the end is made up for at the next start. Raises ActProblem when it cannot be written.
    """
    forgotten = find_list(ctx.session)
    centres.lock(ctx.session, ctx.centre_id)  # who publishes waits, and then sees that consent fell
    tag = forgotten.tag_card(ctx.centre_id, person)
    earlier = store.find_of_card(ctx.session, ctx.centre_id, tag)
    if earlier is not None:
        return earlier
    is_safe = forgotten.add(make_line(ctx.centre_id, tag, ctx.now))
    withdrawal = save_withdrawal(ctx, tag, how, reason)
    if is_safe:
        withdrawal.safe_at = ctx.now
    erase_card(ctx, person, withdrawal)
    return withdrawal


def save_withdrawal(
    ctx: ActContext, tag: str, how: str, reason: str = "", kinds: Iterable[EndedKind] = (EndedKind.CARD,)
) -> Withdrawal:
    """Save that a card ended: its tag, and a row for what happens from here on.

    `kinds`: what the tag stands for, a card or, where somebody erased one, a single record.
    """
    withdrawal = Withdrawal(
        id=secrets.token_hex(16),
        centre_id=ctx.centre_id,
        person_tag=tag,
        how=how,
        reason=reason,
        asked_on=ctx.now.date(),
        effective_at=ctx.now,
    )
    ctx.session.add(withdrawal)
    for kind in kinds:
        store.add_ended(ctx.session, ctx.centre_id, kind, [tag])
    if how not in (OFFICE, LIST, ONE_RECORD):  # those are acts of their own, which leave their own line
        ctx.add_line("consent.end_card", f"ended/{tag}", how=how)
    return withdrawal


def erase_card(ctx: ActContext, person: str, withdrawal: Withdrawal) -> None:
    """Erase everything that the database has of a card."""
    traces = find_traces(ctx, person)
    preserved = traces.roots & retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now)
    note_withdrawn_rows(ctx, withdrawal.id, traces.roots, person)  # before the records are tallies
    _tell_phones(ctx, person, traces.roots, withdrawal)
    _erase_caseload(ctx, person, traces.roots)
    _erase_statements(ctx, person, traces.roots)
    make_tallies(ctx, traces.roots)
    untie_follow_ups(ctx, traces.roots)
    erased = erase_submissions(ctx, traces, preserved)
    for submission in traces.mentions:
        _take_out_mention(ctx, submission, person)
    for submission in submissions.list_due_of(ctx.session, ctx.centre_id, traces.roots) if traces.roots else ():
        take_out_due(ctx, submission)
    tags = tag_records(ctx, traces.roots)
    store.add_ended(ctx.session, ctx.centre_id, EndedKind.RECORD, tags.values())
    board.untie_from_records(ctx.session, ctx.centre_id, tags, ctx.now)
    untie(ctx, (traces.roots - preserved) | erased)
    take_out_of_holds(ctx, person)
    move_slips(ctx.session, ctx.centre_id, person, withdrawal.id)
    ctx.session.flush()


# What there is of it.


def find_traces(ctx: ActContext, person: str) -> CardTraces:
    """Return what is of a card, and what only names it.

    While nobody has chosen between two answers, a record is of the card that any of them names.
    """
    traces = CardTraces()
    traces.roots |= {record.instance_id for record in records.of_person(ctx.session, ctx.centre_id, {person})}
    for record in records.list_contested(ctx.session, ctx.centre_id):
        definition = _load_definition(ctx, record.form, record.version)
        if definition is not None and person in find_people(definition, record.answers, record.contested):
            traces.roots.add(record.instance_id)
    naming = submissions.list_naming(ctx.session, ctx.centre_id, person)
    roots = {submission.root_id for submission in naming}
    present = retention.list_records_present(ctx.session, ctx.centre_id, roots)
    for submission in naming:
        if submission.root_id in traces.roots:
            continue
        has_record = submission.root_id in present
        if submission.form.startswith(PREFIX):
            traces.alone.append(submission)
        elif not has_record and is_about(ctx, submission, person):
            traces.roots.add(submission.root_id)
        elif not submission.is_part and is_about(ctx, submission, person):
            traces.alone.append(submission)
        elif not _has_card_question(ctx, submission) and is_about(ctx, submission, person):
            traces.roots.add(submission.root_id)  # no role says whose such a record is, so its row names nobody
        else:
            traces.mentions.append(submission)
    traces.mentions = [mention for mention in traces.mentions if mention.root_id not in traces.roots]
    return traces


def is_about(ctx: ActContext, submission: Submission, person: str) -> bool:
    """Say whether a submission is about a card.

    One whose form is not here is: nobody can tell.
    """
    definition = _load_definition(ctx, submission.form, submission.version)
    if definition is None:
        return True
    return names_person(definition, read_answers(submission.body, definition), [person])


def _has_card_question(ctx: ActContext, submission: Submission) -> bool:
    definition = _load_definition(ctx, submission.form, submission.version)
    return definition is None or definition.find_with_role(QuestionRole.PERSON) is not None


def _load_definition(ctx: ActContext, form: str, version: str) -> FormDefinition | None:
    """Return a form version, or the newest one of its form where the centre does not have it."""
    key = form, version
    definition = load_definitions(ctx.session, ctx.centre_id, {key}).get(key)
    if definition is None:
        latest = versions.latest(ctx.session, ctx.centre_id, form)
        definition = load_definition(latest) if latest else None
    return definition


# What goes.


def _tell_phones(ctx: ActContext, person: str, root_ids: Collection[str], withdrawal: Withdrawal) -> None:
    """Let every phone that was told of the card, or made it, forget it."""
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    keys = pull.list_keys_of_records(ctx.session, everybody, root_ids) if root_ids else set()
    keys |= {f"card/{person}", f"clash/{person}", make_label_key(person)}
    makers: set[int] = set()  # their phones may have the card before the centre told them of it
    card = cards.by_codes(ctx.session, ctx.centre_id, [person]).get(person)
    if card is not None:
        makers = {card.worker_id, card.first_id}
    pull.upsert_items(ctx.session, {(user_id, f"card/{person}"): "" for user_id in makers})
    pull.remove_items(ctx.session, everybody, keys)
    # A card that went to another worker is a tombstone too. By this one, phones erase what was begun about it.
    holders = pull.list_workers_told(ctx.session, everybody, f"card/{person}")
    pull.upsert_items(ctx.session, {(user_id, f"{store.ENDED_KEY}{person}"): "true" for user_id in holders})
    keys.add(f"{store.ENDED_KEY}{person}")
    store.note_told(ctx.session, withdrawal.id, keys, everybody)
    naming = pull.list_naming(ctx.session, everybody, list_spellings(person))
    pull.upsert_items(ctx.session, {place: take_out_codes(body, [person]) for place, body in naming.items()})


def _erase_caseload(ctx: ActContext, person: str, root_ids: Collection[str]) -> None:
    for follow_up in follow_ups.of_card_or_records(ctx.session, ctx.centre_id, person, root_ids):
        ctx.session.delete(follow_up)
    for card in cards.by_codes(ctx.session, ctx.centre_id, [person]).values():
        ctx.session.delete(card)
    ctx.session.flush()


def _erase_statements(ctx: ActContext, person: str, root_ids: Collection[str]) -> None:
    """Delete what was said about consent: the tag of the card is its end.

    A fall that names nobody stays, so that whatever is being built now is built again.
    """
    words.delete_all_of(ctx.session, ctx.centre_id, person, tag_records(ctx, root_ids))
    standing.update_standings(ctx.session, ctx.centre_id, [person], ctx.now)
    standing.save_statements(ctx.session, ctx.centre_id, [standing.make_fall(ctx.now, 0)], ctx.now)


def make_tallies(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Leave of records that there was a contact.

    Published tables that count them are counted again.
    """
    taken_out = records.lock_existing(ctx.session, ctx.centre_id, root_ids).values()
    _note_taken_out(ctx, taken_out)
    for record in taken_out:
        definition = _load_definition(ctx, record.form, record.version)
        _make_tally(record, definition)
    ctx.session.flush()


def _note_taken_out(ctx: ActContext, taken_out: Collection[Record]) -> None:
    """Note that published numbers of these records' periods are too high.

    Also of the periods of what they follow up. A tally keeps no time of its own from which that could be seen.
    """
    followed = {record.follows for record in taken_out} - {""}
    days = [record.occurred_on for record in taken_out if not record.is_refused]
    days += [record.occurred_on for record in records.list_by_ids(ctx.session, ctx.centre_id, followed)]
    numbers: Counter[str] = Counter()
    for day in days:
        numbers.update(periods.list_around(day))
    datasets.note_taken_out(ctx.session, ctx.centre_id, numbers)


def _make_tally(record: Record, definition: FormDefinition | None) -> None:
    """Leave of a record that there was a contact of a kind, in a month, by a worker.

    Its row stays where it is: rows that are added at one moment would be known to be of one person. It has no heads,
    so nothing can be built on it, and it allows nothing to leave.
    """
    record.instance_id = str(uuid.uuid4())
    record.answers = make_tally_answers(definition, record.answers) if definition else {}
    if not has_chosen_kind(definition):
        record.kind = ""
    record.person = ""
    record.follows = ""
    record.area = ""
    record.heads = []
    record.contested = []
    record.review = ""
    record.is_refused = True
    record.occurred_on = record.occurred_on.replace(day=1)
    record.received_at = month_start(record.received_at)
    record.changed_at = month_start(record.changed_at)


def erase_submissions(
    ctx: ActContext, traces: CardTraces, preserved: Collection[str], problem: AnswerProblem = ENDED
) -> set[str]:
    """Leave tombstones of what is of the card; return the ids that they had.

    `problem`: what a phone that sends it again is told.
    """
    going = list(traces.alone)
    for root_id in sorted(traces.roots):
        going += submissions.of_record(ctx.session, ctx.centre_id, root_id)
    for submission in [each for each in going if each.root_id in preserved]:
        submission.state = HELD
        submission.problems = [problem.to_json()]
    return bury_ended(ctx, [submission for submission in going if submission.root_id not in preserved], problem)


def bury_ended(ctx: ActContext, ended: Iterable[Submission], problem: AnswerProblem = ENDED) -> set[str]:
    """Leave tombstones of submissions; return the ids that they had.

    Files that only they name go as well.
    """
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    buried: list[tuple[str, str, int | None]] = []
    for submission in ended:
        buried.append((submission.instance_id, submission.body, submission.device_id))
        empty_submission(submission)
        bury_submission(key, submission)
        submission.problems = [problem.to_json()]
        submission.is_refusal = False
        submission.is_cut = False
        submission.is_by_holder = False
    ctx.session.flush()
    for instance_id, body, device_id in buried:
        take_out_files(ctx, instance_id, body, device_id)
    return {instance_id for instance_id, _, _ in buried}


def _take_out_mention(ctx: ActContext, submission: Submission, person: str) -> None:
    """Take a card's code out of a record about somebody else, which stays."""
    definition = _load_definition(ctx, submission.form, submission.version)
    submission.body = take_out_codes(_leave_out_instances(submission, definition, person), [person])
    submission.cards = [code for code in submission.cards if plain_code(code) != person]
    record = records.lock_existing(ctx.session, ctx.centre_id, [submission.root_id]).get(submission.root_id)
    if record is not None:
        left = leave_out_instances(definition, record.answers, [person]) if definition else record.answers
        record.answers = take_out_of_answers(left, [person])
        record.contested = take_out_of_answers(record.contested, [person])


def _leave_out_instances(submission: Submission, definition: FormDefinition | None, person: str) -> str:
    """Return a body without what is about a person in repeats; as it was where nothing is."""
    answers = read_answers(submission.body, definition)
    left = leave_out_instances(definition, answers, [person]) if definition else answers
    return submission.body if left == answers else make_body(left)


def take_out_due(ctx: ActContext, submission: Submission, problem: AnswerProblem = ENDED) -> None:
    """Let what completes or hands over a follow-up of an ended record no longer say of which."""
    if submission.form in (SETTLE, HANDOVER):
        bury_ended(ctx, [submission], problem)
    else:
        submission.due = ""


def tag_records(ctx: ActContext, ids: Collection[str]) -> dict[str, str]:
    """Return what stands for records that ended, by the numbers that they had."""
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    return {number: tombstones.make_tag(key, RECORD, number) for number in ids}


def untie(ctx: ActContext, ids: Collection[str]) -> None:
    """Let reviews and the audit log no longer say on which record somebody acted."""
    tags = tag_records(ctx, ids)
    reviews.untie_from_records(ctx.session, ctx.centre_id, tags)
    targets = {f"record/{each}": f"record/{tag}" for each, tag in tags.items()}
    audit.replace_targets(ctx.session, ctx.centre_id, targets)
    retention.replace_hold_roots(ctx.session, ctx.centre_id, tags)


# Afterwards.


def take_out_of_holds(ctx: ActContext, person: str) -> None:
    """Take a card's code out of the references of legal holds, which somebody typed."""
    for hold in retention.list_holds(ctx.session, ctx.centre_id):
        hold.reference = take_out_codes(hold.reference, [person])


def finish_held(ctx: ActContext) -> int:
    """Erase what lay under a legal hold that is over; return how many submissions."""
    retention.clear_old_references(ctx.session, ctx.centre_id, ctx.now.date())
    preserved = retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now)
    over = [each for each in submissions.list_held(ctx.session, ctx.centre_id) if each.root_id not in preserved]
    root_ids = {submission.root_id for submission in over}
    erased = [submission for submission in over if _is_erased(submission)]
    # A phone that sends it again is told as during the hold what became of it.
    ids = bury_ended(ctx, erased, ERASED)
    ids |= bury_ended(ctx, [submission for submission in over if submission not in erased])
    untie(ctx, ids | root_ids)
    return len(over)


def _is_erased(submission: Submission) -> bool:
    """Say whether a held submission is of an erased record, and not of an ended card."""
    return any(problem["code"] == ERASED.code for problem in submission.problems)


def list_persons(ctx: ActContext) -> Sequence[str]:
    """Return every card code that the database knows of."""
    persons = {*cards.list_codes(ctx.session, ctx.centre_id), *words.list_persons(ctx.session, ctx.centre_id)}
    return sorted(persons | records.list_persons(ctx.session, ctx.centre_id))
