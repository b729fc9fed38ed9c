"""Cards that were taken out of their records: nothing late brings anybody back.

A card that was unlinked does not live again. What names it later is stored without its person and does not leave, so
that nobody has to know what stood, or to believe a clock. A tag is left of the card, and one of each such record.
"""

from collections.abc import Collection

from fieldapp.services.acts import ActContext
from fieldapp.services.consent import standing
from fieldapp.services.consent.forgotten import find_list
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.consent import retention
from fieldapp.store.consent import withdrawals as store
from fieldapp.store.consent.withdrawals import EndedKind
from fieldapp.store.records import records, tombstones
from forms.problems import AnswerProblem

UNLINKED = AnswerProblem(
    "card.unlinked",
    N_("The centre has not heard of this card for two years and does not know it any more. Give the person a new card."),
    "",
)
RECORD = "record"  # kind of tag


def is_key_there(ctx: ActContext) -> bool:
    """Say whether cards can be tagged; without the server's secret key none is unlinked."""
    try:
        find_list(ctx.session).tag_card(ctx.centre_id, "")
    except ActProblem:
        return False
    return True


def note_unlinked(ctx: ActContext, person: str) -> None:
    """Leave the tag of a card, so that what names it later is recognized."""
    tag = find_list(ctx.session).tag_card(ctx.centre_id, person)
    store.add_ended(ctx.session, ctx.centre_id, EndedKind.UNLINKED, [tag])


def note_late(ctx: ActContext, record_ids: Collection[str]) -> None:
    """Note that something of these records, which may not be there yet, names such a card."""
    if record_ids:
        store.add_ended(ctx.session, ctx.centre_id, EndedKind.LATE, _tag_records(ctx, record_ids))


def restrict_late(ctx: ActContext, record_ids: Collection[str]) -> None:
    """Let no record leave of which something named an unlinked card."""
    if not record_ids:
        return
    tags = _tag_records(ctx, record_ids)
    late = {tags[tag] for tag in store.find_ended(ctx.session, ctx.centre_id, EndedKind.LATE, tags)}
    if not late:
        return
    has_fallen = False
    for record in records.lock_existing(ctx.session, ctx.centre_id, late).values():
        has_fallen = has_fallen or not record.is_refused
        record.is_refused = True
        retention.put_mark(ctx.session, ctx.centre_id, retention.RESTRICTED, record.id, ctx.now)
    if has_fallen:  # so that whatever is being built now, and has it, is built again
        standing.save_statements(ctx.session, ctx.centre_id, [standing.make_fall(ctx.now, 0)], ctx.now)
    ctx.session.flush()


def _tag_records(ctx: ActContext, record_ids: Collection[str]) -> dict[str, str]:
    """Return the ids of records by their tags."""
    key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    return {tombstones.make_tag(key, RECORD, record_id): record_id for record_id in record_ids}
