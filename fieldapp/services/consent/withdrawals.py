"""What happens after a card ended: step by step, each of which can be repeated.

At a start, after a restore and in the scheduler: every line of the list outside the database has its end.
"""

import datetime as dt
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.consent import ending, record_erasure
from fieldapp.services.consent.forgotten import ForgottenLine, find_list
from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.problems import make_not_found
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent import withdrawals as store
from fieldapp.store.consent.withdrawals import LISTED, ONE_RECORD, Withdrawal
from fieldapp.store.dialects import is_postgresql
from fieldapp.store.operations import centres
from fieldapp.store.records import submissions
from fieldapp.store.session import Session


@dataclass(frozen=True)
class WithdrawalPage:
    """What the office sees of an end: how far it has come."""

    withdrawal: Withdrawal
    has_second_list: bool
    has_own_log: bool  # the database has one that this server cannot overwrite, as PostgreSQL's WAL
    has_held: bool  # something that a legal hold names lies in no list until that is over
    forgotten_by: dt.date  # when backups have forgotten it, if each is deleted in time


@read_act("consent.view")
def view_withdrawal(ctx: ActContext, withdrawal_id: str) -> WithdrawalPage:
    withdrawal = store.find_withdrawal(ctx.session, ctx.centre_id, withdrawal_id)
    if withdrawal is None:
        raise make_not_found()
    has_second_list = find_list(ctx.session).second is not None
    has_own_log = is_postgresql(ctx.session)
    forgotten_by = compute_forgotten_by(withdrawal.effective_at)
    has_held = _has_held(ctx, withdrawal)
    return WithdrawalPage(withdrawal, has_second_list, has_own_log, has_held, forgotten_by)


def _has_held(ctx: ActContext, withdrawal: Withdrawal) -> bool:
    """Say whether a legal hold keeps something of an end; of a card's, whether it may.

    Nothing leads from the end of a card to what is held of it.
    """
    root_ids = submissions.list_held_root_ids(ctx.session, ctx.centre_id)
    if withdrawal.how != ONE_RECORD:
        return bool(root_ids)
    return withdrawal.person_tag in ending.tag_records(ctx, root_ids).values()


def end_listed(session: Session) -> int:
    """End what is in the list and has not ended in the database; return how many."""
    forgotten = find_list(session)
    ended = 0
    centre_ids = [centre.id for centre in centres.list_all(session)]
    for line in forgotten.read():
        if line.centre_id in centre_ids and not _has_ended(session, line):
            _end_listed(session, Actor.system(line.centre_id), line=line)
            ended += 1
    return ended


def _has_ended(session: Session, line: ForgottenLine) -> bool:
    """Say whether a line has its end; its tag stays when nothing else about the end does."""
    return any(store.find_ended(session, line.centre_id, kind, [line.tag]) for kind in LISTED)


@act("consent.end_listed")
def _end_listed(ctx: ActContext, line: ForgottenLine) -> None:
    """End a card or a record by its line in the list.

    After a kill before the commit, or in a copy from before it ended. A copy may not know the card: what a phone
    sends of it later is cut all the same.
    """
    centres.lock(ctx.session, ctx.centre_id)
    if _has_ended(ctx.session, line):
        ctx.skip_audit()
        return
    withdrawal = ending.save_withdrawal(ctx, line.tag, ending.LIST, kinds=LISTED)
    ctx.session.flush()
    forgotten = find_list(ctx.session)
    for person in ending.list_persons(ctx):
        if forgotten.tag_card(ctx.centre_id, person) == line.tag:
            ending.erase_card(ctx, person, withdrawal)
    root_id = record_erasure.find_by_tag(ctx, line.tag)
    if root_id:
        record_erasure.erase_one(ctx, root_id, withdrawal)
    ctx.describe(f"ended/{line.tag}", how=ending.LIST)


def advance_withdrawals(session: Session, oldest: dt.datetime | None) -> None:
    """Do what is left to do of every end.

    `oldest`: when the oldest backup was made that can be seen, if it is known.
    """
    end_listed(session)
    find_list(session).level()
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        system = Actor.system(centre_id)
        _finish_held(session, system)
        for withdrawal_id in store.list_unfinished(session, centre_id):
            _take_steps(session, system, withdrawal_id=withdrawal_id, oldest=oldest)
    # Only now: what phones are told names the card, and the steps before may have deleted it.
    _overwrite(session)


def _overwrite(session: Session) -> None:
    """Overwrite in the database's files what ends erased, all of them at once."""
    waiting: list[tuple[int, str]] = []
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        for withdrawal_id in store.list_unfinished(session, centre_id):
            if _has_bytes(session, centre_id, withdrawal_id):
                waiting.append((centre_id, withdrawal_id))
    if waiting and erased_bytes.overwrite_erased(session):
        for centre_id, withdrawal_id in waiting:
            _note_bytes(session, Actor.system(centre_id), withdrawal_id=withdrawal_id)


@act("withdrawal.advance")
def _finish_held(ctx: ActContext) -> None:
    """Erase what lay under a hold that is over.

    Nobody knows any more of which end it was, so the files are seen to once more for all.
    """
    count = ending.finish_held(ctx)
    if count:
        store.reopen_bytes(ctx.session, ctx.centre_id)
    ctx.is_audited = bool(count)
    ctx.describe("held", submissions=count)


@act("withdrawal.advance")
def _take_steps(ctx: ActContext, withdrawal_id: str, oldest: dt.datetime | None) -> None:
    """Take the steps of an end that can be taken now; they may have been taken meanwhile."""
    ctx.skip_audit()
    withdrawal = store.find_withdrawal(ctx.session, ctx.centre_id, withdrawal_id)
    if withdrawal is None:
        return
    if withdrawal.safe_at is None and find_list(ctx.session).is_safe(withdrawal.person_tag):
        withdrawal.safe_at = ctx.now
    if withdrawal.phones_at is None:
        _count_phones(ctx, withdrawal)
    if withdrawal.forgotten_on is None and _is_forgotten(withdrawal, oldest, ctx.now):
        withdrawal.forgotten_on = ctx.now.date()


def _count_phones(ctx: ActContext, withdrawal: Withdrawal) -> None:
    """Count the phones that have dropped it.

    After the last one, what they were told is deleted too.
    """
    withdrawal.phones, withdrawal.phones_told = store.count_phones(ctx.session, withdrawal.id)
    if withdrawal.phones_told == withdrawal.phones:
        withdrawal.phones_at = ctx.now
        store.drop_told(ctx.session, withdrawal.id)


def _has_bytes(session: Session, centre_id: int, withdrawal_id: str) -> bool:
    """Say whether something of it was erased since the database's files were overwritten."""
    withdrawal = store.find_withdrawal(session, centre_id, withdrawal_id)
    if withdrawal is None or withdrawal.bytes_at is None:
        return True
    return withdrawal.phones_at is not None and withdrawal.phones_at > withdrawal.bytes_at


@act("withdrawal.advance")
def _note_bytes(ctx: ActContext, withdrawal_id: str) -> None:
    ctx.skip_audit()
    withdrawal = store.find_withdrawal(ctx.session, ctx.centre_id, withdrawal_id)
    if withdrawal is not None:
        withdrawal.bytes_at = ctx.now


def compute_forgotten_by(effective_at: dt.datetime) -> dt.date:
    """Return the day by which backups have forgotten what was taken back at a time."""
    return (effective_at + load_rules().copies).date()


def _is_forgotten(withdrawal: Withdrawal, oldest: dt.datetime | None, now: dt.datetime) -> bool:
    """Say whether no backup has it.

    By the oldest that is there; by the days, where none can be seen.
    Never before the card ended, nor while an older backup lies there, however many days have passed.
    """
    if oldest is not None:
        return oldest > withdrawal.effective_at
    return now.date() > compute_forgotten_by(withdrawal.effective_at)
