"""The rules that a centre sets for its workers' phones."""

from fieldapp.services.acts import ActContext, act
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres

LONGEST_LOCK = 30  # minutes
LONGEST_SHRED = 30  # days


@act("phone_rules.change")
def set_phone_rules(
    ctx: ActContext,
    lock_minutes: int,
    shred_days: int,
    has_voice_notes: bool,
    by_invitation: bool = False,
    allows_collect: bool = False,
    seen: str | None = None,
) -> None:
    """Set the rules for phones; numbers out of range are moved into it.

    `lock_minutes`: 1 to 30, until a phone left alone locks itself. `shred_days`: 1 to 30, until it
    deletes what was delivered. `by_invitation`: phones join with an invitation only. `allows_collect`:
    ODK Collect may send; without it, every Collect is refused at once. `seen`: the revision that the
    page showed.
    """
    centre = centres.get(ctx.session, ctx.centre_id)
    check_revision(ctx, seen, centre, f"centre/{centre.id}", ("phone_rules.change",))
    centre.lock_minutes = min(max(lock_minutes, 1), LONGEST_LOCK)
    centre.shred_days = min(max(shred_days, 1), LONGEST_SHRED)
    centre.has_voice_notes = has_voice_notes
    centre.by_invitation = by_invitation
    centre.allows_collect = allows_collect
    ctx.describe(
        f"centre/{centre.id}",
        lock=centre.lock_minutes,
        shred=centre.shred_days,
        voice=has_voice_notes,
        invitation=by_invitation,
        collect=allows_collect,
    )
