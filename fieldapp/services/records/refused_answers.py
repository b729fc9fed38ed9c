"""Cut what is refused or kept aside to what stands for its person.

It says no word of consent, so nothing would look at it again after what stands fell before it came.
"""

from collections.abc import Collection, Mapping, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.records.lowered_answers import LevelCutter
from fieldapp.store.consent import retention
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.standing import PersonStanding
from fieldapp.store.records import records
from fieldapp.store.records.submissions import Submission
from forms.roles import QuestionRole
from sync.consent import LOWEST
from sync.notes import plain_code

Knew = Mapping[int, Collection[str]]  # by submission: ids of statements that its person knew of when they said yes


def cut_to_standing(ctx: ActContext, refused: Sequence[Submission], knew: Knew) -> None:
    """Cut what needs more than what stands from submissions that are part of no record.

    After all else of a message: what stands may have changed by it. Where two answers differ, or the record is
    preserved, it is noted for the hourly run, which waits as it does for records.
    """
    by_code = _find_people(ctx, refused)
    codes = set().union(*by_code.values()) if by_code else set()
    standings = {row.person: row for row in words.list_standings(ctx.session, ctx.centre_id, codes)}
    preserved = retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now) if standings else set()
    later: set[str] = set()
    for submission in refused:
        for code in sorted(by_code.get(submission.id, ())):
            stands = standings.get(code)
            if stands is None or _knows_all(stands, knew.get(submission.id, ())):
                continue
            if stands.is_in_doubt or submission.root_id in preserved:
                later.add(code)
            else:
                LevelCutter(ctx, stands.tier).cut_submissions([submission])
    words.mark_above(ctx.session, ctx.centre_id, later, ctx.now)


def _find_people(ctx: ActContext, refused: Sequence[Submission]) -> dict[int, set[str]]:
    """Return card codes that submissions, or their records, name, by their number."""
    if not refused:
        return {}
    cutter = LevelCutter(ctx, LOWEST)
    roots = {submission.root_id for submission in refused}
    people = {record.instance_id: record.person for record in records.list_by_ids(ctx.session, ctx.centre_id, roots)}
    codes_by_id = {}
    for submission in refused:
        codes = {people.get(submission.root_id, ""), cutter.read_role(submission, QuestionRole.PERSON)}
        codes_by_id[submission.id] = {plain_code(code) for code in codes} - {""}
    return codes_by_id


def _knows_all(stands: PersonStanding, knew: Collection[str]) -> bool:
    """Say whether a person agreed in the knowledge of all that stands: then it is a new yes."""
    return bool(stands.heads) and set(stands.heads) <= set(knew)
