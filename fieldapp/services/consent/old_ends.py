"""Erase what ends leave behind: whose rows were on lists, how far each has come.

Notes that a follow-up is not needed go here as well.
"""

import json
from collections.abc import Collection, Iterator

from evaluator_export import periods
from fieldapp.services.acts import ActContext
from fieldapp.services.consent.due_rules import DueRule, Subject
from fieldapp.services.consent.erasing import bury_submission, empty_submission
from fieldapp.services.consent.retention_rules import month_start
from fieldapp.store.consent import retention as store
from fieldapp.store.consent import slips
from fieldapp.store.consent import withdrawals as ends
from fieldapp.store.consent.withdrawals import ONE_RECORD, Withdrawal
from fieldapp.store.records import submissions, tombstones
from fieldapp.store.records.submissions import Submission
from fieldapp.store.releases import withdrawals as lists
from sync.notes import parse_due

NUMBER_DIGITS = 7  # hexadecimal, of a random id: what fits into a number of the database

# Whose rows were put on lists together.


def find_rounds(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    for this_round in lists.list_attested_rounds(ctx.session, ctx.centre_id, due.before(due.rule.days)):
        yield this_round.id, str(this_round.id)


def erase_rounds(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    """Erase whose rows were among those of these rounds, and on which days.

    The rows themselves leave no more, so their tags stay; nothing says whose they were.
    """
    erased: set[int] = set()
    for this_round in lists.list_attested_rounds(ctx.session, ctx.centre_id, due.before(due.rule.days)):
        if this_round.id in ids:
            lists.forget_whose(ctx.session, this_round.id)
            this_round.drawn_at = month_start(this_round.drawn_at)
            this_round.listed_at = month_start(this_round.listed_at or this_round.drawn_at)
            this_round.attested_at = month_start(this_round.attested_at or this_round.drawn_at)
            erased.add(this_round.id)
    ctx.session.flush()
    return erased


# How far each end has come.


def _make_number(withdrawal: Withdrawal) -> int:
    """Return a number for a withdrawal, from its random id.

    Two may share one, and then both wait.
    """
    return int(withdrawal.id[:NUMBER_DIGITS], 16)


def _list_over(ctx: ActContext, due: DueRule) -> dict[int, Withdrawal]:
    """Return the withdrawals of which nothing is left to be done, by number."""
    over: dict[int, Withdrawal] = {}
    shared: set[int] = set()
    for withdrawal in ends.list_finished(ctx.session, ctx.centre_id, due.before(due.rule.days)):
        states = lists.find_list_states(ctx.session, ctx.centre_id, withdrawal.id)
        if states is not None and states.attested_at is None:
            continue  # recipients still have rows
        number = _make_number(withdrawal)
        if number in over:
            shared.add(number)
        over[number] = withdrawal
    for number in shared:
        del over[number]
    return over


def find_withdrawals(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    for number, withdrawal in _list_over(ctx, due).items():
        yield number, withdrawal.id


def erase_withdrawals(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    """Leave of these withdrawals a count of each quarter; their slips go with them.

    The tag of the card or record stays: what comes of it later is still cut.
    """
    erased: set[int] = set()
    for number, withdrawal in _list_over(ctx, due).items():
        if number not in ids:
            continue
        if withdrawal.how != ONE_RECORD:  # then nobody took everything back
            quarter = periods.find_containing(withdrawal.asked_on, "quarter").name
            ends.count_person(ctx.session, ctx.centre_id, quarter)
        slips.delete_of_withdrawal(ctx.session, ctx.centre_id, withdrawal.id)
        lists.forget_withdrawal(ctx.session, withdrawal.id)
        ctx.session.delete(withdrawal)
        erased.add(number)
    ctx.session.flush()
    return erased


# Notes that a follow-up is not needed any more.


def find_notes(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    for note in submissions.list_settling(ctx.session, ctx.centre_id, due.before(due.rule.days)):
        if not _is_preserved(due, note):
            yield note.id, note.instance_id


def _is_preserved(due: DueRule, note: Submission) -> bool:
    """Say whether a note is about a preserved record."""
    try:
        named = parse_due(json.loads(note.body).get("due"))
    except (ValueError, AttributeError):
        return note.root_id in due.preserved
    return note.root_id in due.preserved or (named is not None and named[0] in due.preserved)


def erase_notes(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    """Leave tombstones of these notes; that the follow-up is settled is known without them."""
    erased: set[int] = set()
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    for note in store.lock_submissions(ctx.session, ctx.centre_id, ids):
        is_old = note.form == submissions.SETTLING and note.received_at < due.before(due.rule.days)
        if is_old and not _is_preserved(due, note):
            number = note.id
            empty_submission(note)
            bury_submission(key, note)
            erased.add(number)
    ctx.session.flush()
    return erased
