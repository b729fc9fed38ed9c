"""A no that arrived lowers its record even where the rest of it cannot be used: refused, or kept aside.

So does a yes to less. Neither cuts anything, since it is no version of the record: it may turn out to be wrong. Until a
version that was made in the knowledge of it comes, nothing of the record leaves or is counted.
"""

from collections.abc import Collection, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import cards
from fieldapp.services.consent import standing
from fieldapp.services.consent.contested import find_lowest_tier
from fieldapp.services.consent.refusals import read_answers
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.definitions import load_definition, load_definitions
from fieldapp.store.forms import versions
from fieldapp.store.people import users
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import OFFICE, Submission
from sync.ancestors import Ancestors


def apply_unusable_refusals(ctx: ActContext, root_ids: Collection[str]) -> None:
    """Say of these records whether an unusable no speaks against them, and lower their cards.

    A shut-out phone lowers no card, only what the record itself allows.
    """
    unusable = submissions.unusable_roots(ctx.session, ctx.centre_id, root_ids) if root_ids else set()
    if not unusable:
        return
    said: list[ConsentStatement] = []
    for root_id, record in records.lock_existing(ctx.session, ctx.centre_id, unusable).items():
        arrived = submissions.of_record(ctx.session, ctx.centre_id, root_id)
        noes, answered = _split_by_answer(ctx, record, arrived)
        if noes and not record.is_refused:
            said.append(standing.make_fall(noes[-1].finished_at, noes[-1].id))
        if record.is_refused != bool(noes):
            record.is_refused = bool(noes)
            record.changed_at = ctx.now
        heard = [no for no in noes if not no.is_of_shut_out_phone]
        said += [ConsentStatement(root_id, "", compute_tier(ctx, no), False, no.finished_at, no.id) for no in heard]
        standing.delete_answered_refusals(ctx.session, ctx.centre_id, root_id, record.person, {no.id for no in answered})
    standing.save_statements(ctx.session, ctx.centre_id, said, ctx.now)
    cards.show_standing_of_records(ctx, unusable)


def compute_own_tier(ctx: ActContext, record: Record) -> int:
    """Return how far a record allows by itself; where nobody was to be asked, nothing hinders."""
    held_as = record.form, record.version
    definition = load_definitions(ctx.session, ctx.centre_id, {held_as})[held_as]
    tier = find_lowest_tier(definition, record.answers, record.contested)
    return standing.HIGHEST if tier is None else tier


def compute_tier(ctx: ActContext, submission: Submission) -> int:
    """Return how far consent reaches by what a submission says, as far as that can be read."""
    word = _read_consent(ctx, submission)
    return word[0] if word else standing.HIGHEST


def _read_consent(ctx: ActContext, submission: Submission) -> tuple[int, bool] | None:
    if submission.is_refusal:
        return standing.LOWEST, False
    key = submission.form, submission.version
    definition = load_definitions(ctx.session, ctx.centre_id, {key}).get(key)
    if definition is None:  # its version has not come: what another one asks about consent says enough to wait
        stored = versions.latest(ctx.session, ctx.centre_id, submission.form)
        definition = load_definition(stored) if stored else None
    return standing.read_consent(definition, read_answers(submission.body, definition)) if definition else None


def find_unusable(ctx: ActContext, author_id: int, arrived: Sequence[Submission]) -> list[Submission]:
    """Return what speaks for a record and is no version of it, oldest first.

    Only its author and the office can speak for a record. What a shut-out phone sent is not believed once an admin has
    taken it off the list.
    """
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == "admin"}
    unusable: list[Submission] = []
    for submission in arrived:
        is_theirs = submission.author_id == author_id or (submission.via == OFFICE and submission.author_id in admins)
        is_dismissed = submission.is_of_shut_out_phone and submission.state == "settled"
        if is_theirs and not submission.is_part and not is_dismissed:
            unusable.append(submission)
    return unusable


def _split_by_answer(
    ctx: ActContext, record: Record, arrived: Sequence[Submission]
) -> tuple[list[Submission], list[Submission]]:
    """Return the unusable noes of a record: those that no version answers, and the rest."""
    unusable = find_unusable(ctx, record.author_id, arrived)
    lower = [no for no in unusable if compute_tier(ctx, no) < max(compute_own_tier(ctx, record), standing.LOWEST + 1)]
    links: dict[str, set[str]] = {}
    for submission in arrived:
        links.setdefault(submission.instance_id, set()).update(submission.prev)
    before = Ancestors(links)
    parts = [part for part in arrived if part.is_part and not part.is_foreign]
    noes: list[Submission] = []
    answered: list[Submission] = []
    for no in lower:
        is_answered = any(_is_answer(ctx, part, no, before) for part in parts)
        (answered if is_answered else noes).append(no)
    return noes, answered


def _is_answer(ctx: ActContext, version: Submission, no: Submission, before: Ancestors) -> bool:
    """Say whether a version knows of a no, and does not only repeat what was said before."""
    if not before.builds_on(version.instance_id, no.instance_id) or version.finished_at <= no.finished_at:
        return False
    word = _read_consent(ctx, version)
    return word is None or word[1] or word[0] <= compute_tier(ctx, no)
