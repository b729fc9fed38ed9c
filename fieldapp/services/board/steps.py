"""Steps about incidents and requests: the team's, and those of workers' phones."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from fieldapp.services.acts import ActContext
from fieldapp.services.forms.roles import list_forms_with_role
from fieldapp.store.board.board import BoardItem, BoardStep
from forms.roles import FormRole, QuestionRole


class StepKind(StrEnum):
    """What can be done about an incident or a request."""

    ASKED = "asked"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SEEN = "seen"  # on the phone of the worker to whom it was given
    NOTIFIED = "notified"  # by the team, in another way
    ACTED = "acted"
    DEBRIEFED = "debriefed"
    CLOSED = "closed"
    REOPENED = "reopened"


def add_step(
    ctx: ActContext, item: BoardItem, kind: str, to_id: int | None = None, said_at: dt.datetime | None = None
) -> None:
    """Write down that the actor took a step; `said_at`: when they said so on a phone."""
    assert ctx.actor.user_id is not None
    ctx.session.add(
        BoardStep(
            centre_id=ctx.centre_id,
            item_id=item.id,
            at=ctx.now,
            author_id=ctx.actor.user_id,
            kind=kind,
            to_id=to_id,
            said_at=said_at,
        )
    )


def find_giving(item: BoardItem, steps: Sequence[BoardStep]) -> BoardStep | None:
    """Return the step that gave an item to whom it is assigned now."""
    for step in reversed(steps):
        if step.kind == StepKind.ASSIGNED:
            return step if step.to_id == item.assigned_to else None
    return None


def find_answer(item: BoardItem, steps: Sequence[BoardStep]) -> BoardStep | None:
    """Return the step that says that whom it was given to knows of it."""
    giving = find_giving(item, steps)
    if giving is None:
        return None
    for step in steps:
        if step.id > giving.id and step.kind in (StepKind.SEEN, StepKind.NOTIFIED):
            return step
    return None


def list_area_codes(ctx: ActContext) -> set[str]:
    """Return the neighbourhoods that can be named: those of the form for incidents."""
    codes: set[str] = set()
    for form in list_forms_with_role(ctx.session, ctx.centre_id, FormRole.INCIDENT):
        codes.update(choice.name for choice in form.list_choices_of(QuestionRole.AREA))
    return codes


def read_time(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Return a moment as it was answered; one without an offset is the centre's time."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo:
        return moment
    return moment.replace(tzinfo=zone)
