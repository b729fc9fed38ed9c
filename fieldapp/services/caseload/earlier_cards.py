"""Tell phones what stands for people of before, and no work with those who said no.

Done once for each centre, at the first upgrade that has it; an audit line says that it was done.
"""

from collections.abc import Collection

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.caseload.cards import forget_refused_work, show_standing
from fieldapp.store.consent import standing
from fieldapp.store.operations import audit, centres
from fieldapp.store.session import Session

ALL = "standing/refused_work"  # the target of the audit line that says it was done


def tell_in_every_centre(session: Session) -> None:
    """Tell phones what stands, in each centre where this was not done yet."""
    for centre in centres.list_all(session):
        actor = Actor.system(centre.id)
        if _is_told(session, actor):
            continue
        last = ""
        while people := standing.list_people_after(session, centre.id, last):
            _tell(session, actor, people=people)
            last = people[-1]
        _note_told(session, actor)


@read_act("caseload.rebuild")
def _is_told(ctx: ActContext) -> bool:
    return audit.last_of(ctx.session, ctx.centre_id, ALL, ("caseload.rebuild",)) is not None


@act("caseload.rebuild")
def _tell(ctx: ActContext, people: Collection[str]) -> None:
    ctx.skip_audit()
    show_standing(ctx, people)
    forget_refused_work(ctx, people)


@act("caseload.rebuild")
def _note_told(ctx: ActContext) -> None:
    ctx.describe(ALL)
