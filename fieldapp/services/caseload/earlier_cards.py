"""Tell phones what a version before did not: consent, no work after a no, referrals.

Each is done once for each centre, at the first upgrade that has it; an audit line says that it was done.
"""

from collections.abc import Collection

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.caseload.cards import forget_refused_work, show_standing
from fieldapp.services.caseload.update import give_referrals
from fieldapp.store.caseload import cards
from fieldapp.store.consent import standing
from fieldapp.store.operations import audit, centres
from fieldapp.store.session import Session

ALL = "standing/refused_work"  # the target of the audit line that says it was done
REFERRALS = "card/referrals"  # the same, of referrals


def tell_in_every_centre(session: Session) -> None:
    """Tell phones what stands, in each centre where this was not done yet."""
    for centre in centres.list_all(session):
        actor = Actor.system(centre.id)
        if not _is_told(session, actor, target=ALL):
            last = ""
            while people := standing.list_people_after(session, centre.id, last):
                _tell(session, actor, people=people)
                last = people[-1]
            _note_told(session, actor)
        if not _is_told(session, actor, target=REFERRALS):
            _give_referrals(session, actor)


@read_act("caseload.rebuild")
def _is_told(ctx: ActContext, target: str) -> bool:
    return audit.last_of(ctx.session, ctx.centre_id, target, ("caseload.rebuild",)) is not None


@act("caseload.rebuild")
def _tell(ctx: ActContext, people: Collection[str]) -> None:
    ctx.skip_audit()
    show_standing(ctx, people)
    forget_refused_work(ctx, people)


@act("caseload.rebuild")
def _note_told(ctx: ActContext) -> None:
    ctx.describe(ALL)


@act("caseload.rebuild")
def _give_referrals(ctx: ActContext) -> None:
    """Show referrals to who was given the card; only their authors had them."""
    give_referrals(ctx, cards.list_handed_over(ctx.session, ctx.centre_id))
    ctx.describe(REFERRALS)
