"""Take a card out of the records about its person, long after the last contact.

The records stay, and are nobody's. What the person said about consent goes with the card; a record to which it allowed
less than the record itself says may not leave any more. A tag of the card
is left, so that what names it later brings nobody back.
"""

from collections.abc import Collection, Iterator

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.labels import make_label_key
from fieldapp.services.consent import standing
from fieldapp.services.consent.card_mentions import list_spellings, take_out_of_answers
from fieldapp.services.consent.contested import find_people
from fieldapp.services.consent.due_rules import DueRule, Subject
from fieldapp.services.consent.ending import take_out_of_holds
from fieldapp.services.consent.erasing import bury_submission, empty_submission
from fieldapp.services.consent.unlinked_cards import is_key_there, note_late, note_unlinked
from fieldapp.services.consent.unusable_refusals import compute_own_tier
from fieldapp.services.definitions import load_definitions
from fieldapp.store.caseload import follow_ups
from fieldapp.store.caseload.cards import Card
from fieldapp.store.consent import retention as store
from fieldapp.store.consent import slips
from fieldapp.store.consent import standing as words
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.phones import dropped, pull
from fieldapp.store.records import records, submissions, tombstones
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import ASIDE, HELD, Submission
from sync.card_codes import take_out_codes
from sync.notes import PREFIX


def find_links(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    """Yield the cards whose person nobody has met since the time of the rule."""
    if not is_key_there(ctx):
        return
    waiting = _list_waiting(ctx)
    last = 0
    while True:
        page = store.list_unused_cards(ctx.session, ctx.centre_id, due.before(due.rule.days), last)
        if not page:
            return
        for card in page:
            if _may_unlink(ctx, due, card, waiting):
                yield card.id, card.code
        last = page[-1].id


def erase_links(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    """Take these cards out of the records about their people."""
    erased: set[int] = set()
    if not is_key_there(ctx):
        return erased
    # Who takes records in holds this off, and so cannot have missed the tag of a card.
    centres.lock(ctx.session, ctx.centre_id)
    waiting = _list_waiting(ctx)
    for card in store.lock_cards(ctx.session, ctx.centre_id, ids):
        is_unused = store.is_unused(ctx.session, ctx.centre_id, card, due.before(due.rule.days))
        if is_unused and _may_unlink(ctx, due, card, waiting):
            number = card.id
            _unlink(ctx, card)
            erased.add(number)
    ctx.session.flush()
    return erased


def delete_told(ctx: ActContext) -> int:
    """Delete what phones were told to forget of such cards, once all have; return how much."""
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    return dropped.delete_pulled(ctx.session, everybody)


def _list_waiting(ctx: ActContext) -> set[str]:
    """Return the cards named by records between whose answers somebody has to choose first."""
    waiting: set[str] = set()
    for record in records.list_contested(ctx.session, ctx.centre_id):
        key = record.form, record.version
        definition = load_definitions(ctx.session, ctx.centre_id, {key}).get(key)
        if definition is not None:
            waiting |= find_people(definition, record.answers, record.contested)
    return waiting


def _may_unlink(ctx: ActContext, due: DueRule, card: Card, waiting: Collection[str]) -> bool:
    """Say whether nothing of a card is preserved, and nobody has to choose first."""
    if card.code in waiting:
        return False
    naming = submissions.list_naming(ctx.session, ctx.centre_id, card.code)
    if any(submission.root_id in due.preserved or submission.state == HELD for submission in naming):
        return False
    of_person = records.of_person(ctx.session, ctx.centre_id, {card.code})
    return not any(record.instance_id in due.preserved for record in of_person)


def _unlink(ctx: ActContext, card: Card) -> None:
    person = card.code
    note_unlinked(ctx, person)
    tier = words.list_tiers(ctx.session, ctx.centre_id, [person]).get(person, standing.LOWEST)
    of_person = records.of_person(ctx.session, ctx.centre_id, {person})
    for record in records.lock_existing(ctx.session, ctx.centre_id, [each.instance_id for each in of_person]).values():
        _take_out_of_record(ctx, record, person, tier)
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    for submission in submissions.list_naming(ctx.session, ctx.centre_id, person):
        _take_out_of_submission(ctx, key, submission, person)
    _tell_phones(ctx, person)
    take_out_of_holds(ctx, person)
    for follow_up in follow_ups.of_card_or_records(ctx.session, ctx.centre_id, person, ()):
        ctx.session.delete(follow_up)
    for slip in slips.list_slips(ctx.session, ctx.centre_id, [person]):
        ctx.session.delete(slip)
    words.delete_all_of(ctx.session, ctx.centre_id, person, {})
    standing.update_standings(ctx.session, ctx.centre_id, [person], ctx.now)
    # So that whatever is being built now, and counts the person, is built again.
    standing.save_statements(ctx.session, ctx.centre_id, [standing.make_fall(ctx.now, 0)], ctx.now)
    ctx.session.delete(card)
    ctx.session.flush()


def _take_out_of_record(ctx: ActContext, record: Record, person: str, tier: int) -> None:
    """Take a card out of a record, which may not leave for more than its person allowed.

    When it changed last stays: it is no reason to count a period again.
    """
    if tier < _compute_own_tier(ctx, record):
        record.is_refused = True
        store.put_mark(ctx.session, ctx.centre_id, store.RESTRICTED, record.id, ctx.now)
    record.person = ""
    record.answers = take_out_of_answers(record.answers, [person])


def _compute_own_tier(ctx: ActContext, record: Record) -> int:
    """Return how far a record allows by itself; the highest where its form is not here."""
    if not load_definitions(ctx.session, ctx.centre_id, {(record.form, record.version)}):
        return standing.HIGHEST
    return compute_own_tier(ctx, record)


def _take_out_of_submission(ctx: ActContext, key: bytes, submission: Submission, person: str) -> None:
    """Take a card's code out of a submission; a note, which is about nothing else, goes."""
    if submission.form.startswith(PREFIX):
        empty_submission(submission)
        bury_submission(key, submission)
        return
    submission.body = take_out_codes(submission.body, [person])
    submission.cards = [code for code in submission.cards if take_out_codes(code, [person])]
    record = records.lock_existing(ctx.session, ctx.centre_id, [submission.root_id]).get(submission.root_id)
    if record is None or submission.state == ASIDE:
        note_late(ctx, [submission.root_id])  # it may become part of a record yet
    if record is not None:  # about somebody else, who only named the card
        record.answers = take_out_of_answers(record.answers, [person])
        record.contested = take_out_of_answers(record.contested, [person])


def _tell_phones(ctx: ActContext, person: str) -> None:
    """Let every phone forget the card; what phones are told of others loses the code."""
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    keys = {f"card/{person}", f"clash/{person}", make_label_key(person)}
    pull.remove_items(ctx.session, everybody, keys)
    dropped.note_dropped(ctx.session, everybody, keys)
    naming = pull.list_naming(ctx.session, everybody, list_spellings(person))
    pull.upsert_items(ctx.session, {place: take_out_codes(body, [person]) for place, body in naming.items()})
