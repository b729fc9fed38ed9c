"""Erase what has no use any more: planned, shown for days, then step by step, with proof.

Nobody can hasten anything. While the clock is in doubt nothing is planned or erased: a box alone keeps longer.
"""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.consent.due_rules import DueRule
from fieldapp.services.consent.retention_rules import (
    ClockState,
    Doubt,
    RetentionRule,
    RetentionRules,
    SignedMoment,
    check_clock,
    load_rules,
)
from fieldapp.services.consent.retention_steps import erase_due, find_due, hash_tags
from fieldapp.services.consent.unlinking import delete_told
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent import retention as store
from fieldapp.store.consent.retention import LegalHold, RetentionClock, RetentionPlan
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.records import tombstones
from fieldapp.store.session import Session

ONE_DAY = dt.timedelta(days=1)
LONGEST_HOLD = dt.timedelta(days=731)  # a longer one is made anew
SHORTEST_REASON = 10  # characters


@dataclass(frozen=True)
class RetentionPage:
    """What the office shows of retention."""

    rules: RetentionRules
    plans: Sequence[RetentionPlan]  # what goes next
    proofs: Sequence[RetentionPlan]  # what was erased, newest first
    holds: Sequence[LegalHold]
    without_effect: Collection[int]  # ids of holds that hold nothing until a second person agrees
    clock: RetentionClock | None
    names: Mapping[int, str]  # people's display names by id
    today: dt.date


@dataclass(frozen=True)
class RehearsedRule:
    """What a rule would erase if it ran now."""

    rule: RetentionRule
    count: int


@read_act("retention.view")
def view_retention(ctx: ActContext) -> RetentionPage:
    return RetentionPage(
        rules=load_rules(),
        plans=store.list_open_plans(ctx.session, ctx.centre_id),
        proofs=store.list_done_plans(ctx.session, ctx.centre_id),
        holds=store.list_holds(ctx.session, ctx.centre_id),
        without_effect=store.list_without_effect(ctx.session, ctx.centre_id),
        clock=store.get_clock(ctx.session, ctx.centre_id),
        names=users.labels(ctx.session, ctx.centre_id),
        today=ctx.now.date(),
    )


@read_act("retention.view")
def rehearse(ctx: ActContext) -> list[RehearsedRule]:
    """Return what each rule would erase now; nothing is written."""
    counts = []
    for rule in load_rules().rules:
        counts.append(RehearsedRule(rule, len(find_due(ctx, _make_due(ctx, rule)))))
    return counts


def _make_due(ctx: ActContext, rule: RetentionRule) -> DueRule:
    preserved = store.list_held_roots(ctx.session, ctx.centre_id, ctx.now)
    return DueRule(rule, ctx.now, frozenset(preserved))


def run_retention(session: Session) -> int:
    """Plan and erase for every centre what is due; return how much was erased."""
    erased = 0
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        erased += run_centre(session, Actor.system(centre_id))
    _clear_bytes(session)
    return erased


def run_centre(session: Session, system: Actor) -> int:
    """Do for one centre what is due, and return how much was erased.

    Killed at any moment, it goes on at the next run: each step is a transaction.
    """
    if _look_at_clock(session, system):
        return 0
    for rule in load_rules().rules:
        _plan(session, system, key=rule.key)
    _delete_told(session, system)
    erased = 0
    for plan_id in _list_due(session, system):
        is_done = False
        while not is_done:
            count, is_done = _erase_step(session, system, plan_id=plan_id)
            erased += count
    return erased


@act("retention.tick")
def _look_at_clock(ctx: ActContext) -> Doubt:
    """Note that the job runs, and return why the clock is not believed."""
    clock = store.lock_clock(ctx.session, ctx.centre_id)
    signed = [SignedMoment(*row) for row in store.list_signed_moments(ctx.session, ctx.centre_id)]
    before = ClockState(clock.ticked_at, clock.doubted_at, clock.confirmed_at)
    after, doubt = check_clock(ctx.now, before, signed)
    ctx.describe("clock", doubt=str(doubt))
    ctx.is_audited = clock.doubt != doubt
    clock.ticked_at = after.ticked_at
    clock.doubted_at = after.doubted_at
    clock.doubt = str(doubt)
    return doubt


@act("retention.run")
def _delete_told(ctx: ActContext) -> None:
    ctx.skip_audit()
    delete_told(ctx)


@act("retention.plan")
def _plan(ctx: ActContext, key: str) -> None:
    """Plan what is due by a rule, unless a plan of it is open; it is shown before it goes."""
    rules = load_rules()
    ctx.skip_audit()
    store.lock_clock(ctx.session, ctx.centre_id)  # so that two schedulers make no two plans
    if any(plan.rule == key for plan in store.list_open_plans(ctx.session, ctx.centre_id)):
        return
    subjects = find_due(ctx, _make_due(ctx, rules.get(key)))
    if not subjects:
        return
    tag_key = tombstones.load_tag_key(ctx.session, ctx.centre_id)
    tags = [(subject, tombstones.make_tag(tag_key, key, name)) for subject, name in subjects]
    plan = RetentionPlan(
        centre_id=ctx.centre_id,
        rule=key,
        planned_at=ctx.now,
        goes_at=ctx.now + rules.notice,
        count=len(tags),
        tags_sha256=hash_tags([tag for _, tag in tags]),
    )
    ctx.session.add(plan)
    ctx.session.flush()
    store.add_items(ctx.session, plan.id, tags)
    ctx.is_audited = True
    ctx.describe(f"retention/{plan.id}", rule=key, count=plan.count)


@read_act("retention.view")
def _list_due(ctx: ActContext) -> list[int]:
    plans = store.list_open_plans(ctx.session, ctx.centre_id)
    return [plan.id for plan in plans if plan.goes_at <= ctx.now]


@act("retention.run")
def _erase_step(ctx: ActContext, plan_id: int) -> tuple[int, bool]:
    """Erase the next step of a plan; return how much went, and whether the plan is done.

    What came under a hold since it was shown, or was changed, stays.
    """
    ctx.skip_audit()
    rules = load_rules()
    clock = store.lock_clock(ctx.session, ctx.centre_id)
    plan = store.lock_plan(ctx.session, ctx.centre_id, plan_id)
    if plan is None or plan.done_at is not None or plan.goes_at > ctx.now or clock.doubt:
        return 0, True
    items = store.next_items(ctx.session, plan.id, rules.step)
    erased = erase_due(ctx, _make_due(ctx, rules.get(plan.rule)), [item.subject for item in items])
    for item in items:
        item.outcome = store.DONE if item.subject in erased else store.KEPT
    plan.erased += len(erased)
    is_done = len(items) < rules.step
    if is_done:
        ctx.session.flush()
        plan.done_at = ctx.now
        plan.erased_sha256 = hash_tags(store.list_erased_tags(ctx.session, plan.id))
        plan.copies_until = (ctx.now + rules.copies).date()
        store.drop_items(ctx.session, plan.id)
    ctx.is_audited = True
    ctx.describe(f"retention/{plan.id}", rule=plan.rule, count=len(erased))
    return len(erased), is_done


def _clear_bytes(session: Session) -> None:
    """Overwrite in the database's files what was erased.

    While somebody reads, it is tried again at the next run.
    """
    plans = store.list_plans_in_bytes(session)
    waiting = [(plan.centre_id, plan.id) for plan in plans]
    if waiting and erased_bytes.overwrite_erased(session):
        for centre_id, plan_id in waiting:
            _note_cleared(session, Actor.system(centre_id), plan_id=plan_id)


@act("retention.run")
def _note_cleared(ctx: ActContext, plan_id: int) -> None:
    ctx.skip_audit()
    plan = store.lock_plan(ctx.session, ctx.centre_id, plan_id)
    if plan is not None:
        plan.is_in_bytes = False


@act("retention.delay")
def delay_plan(ctx: ActContext, plan_id: int, reason: str) -> None:
    """Put off what a plan erases by 30 days, once, with a reason."""
    plan = store.lock_plan(ctx.session, ctx.centre_id, plan_id)
    if plan is None or plan.done_at is not None:
        raise make_not_found()
    if len(reason.strip()) < SHORTEST_REASON:
        raise ActProblem("retention.reason", N_("Say in a few words why. Without a reason nothing is put off."))
    if plan.delayed_at is not None:
        raise ActProblem("retention.delayed", N_("This was put off once already. Single records can be preserved instead."))
    plan.goes_at += load_rules().delay
    plan.delayed_at = ctx.now
    plan.delayed_by = ctx.actor.user_id
    plan.delay_reason = reason.strip()[:200]
    ctx.describe(f"retention/{plan.id}", rule=plan.rule)


@act("hold.make")
def make_hold(ctx: ActContext, root_id: str, reference: str, until: dt.date) -> bool:
    """Erase nothing of one record until a day, by the reference of an order or letter.

    Until another administrator agrees it holds for 14 days at most; where the record was preserved before, not at all.
    Returns whether it holds from now on.
    """
    if not store.is_anything_of(ctx.session, ctx.centre_id, root_id):
        raise ActProblem("hold.record", N_("The centre has no record under this number."))
    if not reference.strip():
        raise ActProblem("hold.reference", N_("Say by which order or letter the record is preserved."))
    if not ctx.now.date() < until <= (ctx.now + LONGEST_HOLD).date():
        raise ActProblem("hold.until", N_("The last day must be in the future, and within two years."))
    assert ctx.actor.user_id is not None
    hold = LegalHold(
        centre_id=ctx.centre_id,
        root_id=root_id,
        reference=reference.strip()[:120],
        until=until,
        made_at=ctx.now,
        made_by=ctx.actor.user_id,
    )
    ctx.session.add(hold)
    ctx.session.flush()
    ctx.describe(f"hold/{hold.id}", until=until.isoformat())
    return hold.id not in store.list_without_effect(ctx.session, ctx.centre_id)


@act("hold.confirm")
def confirm_hold(ctx: ActContext, hold_id: int) -> None:
    """Agree that a record is preserved: from then on it holds until its day.

    Raises ActProblem "hold.same" for who made it, "hold.newer" for whose account was made since, and "hold.over".
    """
    hold = store.lock_hold(ctx.session, ctx.centre_id, hold_id)
    if hold is None:
        raise make_not_found()
    ctx.describe(f"hold/{hold.id}")
    if hold.made_by == ctx.actor.user_id:
        raise ActProblem("hold.same", N_("You made this yourself. Another administrator, or the operator, has to agree."))
    if ctx.actor.user_id is not None and _is_newer(ctx, ctx.actor.user_id, hold):
        raise ActProblem("hold.newer", N_("Your account is newer than this. Somebody who was here before has to agree."))
    if hold.until < ctx.now.date():
        raise ActProblem("hold.over", N_("This is over already. Preserve the record again if it is still needed."))
    if hold.confirmed_at is not None:
        ctx.skip_audit()
        return
    hold.confirmed_at = ctx.now
    hold.confirmed_by = ctx.actor.user_id


@act("hold.shorten")
def shorten_hold(ctx: ActContext, hold_id: int, until: dt.date, reason: str) -> None:
    """Ask that a record is preserved for less long; a day before today lifts it.

    Nothing changes until a second person agrees. Raises ActProblem "hold.over", "hold.sooner" for a day that is no
    earlier, and "hold.reason".
    """
    hold = _lock_current(ctx, hold_id)
    if not ctx.now.date() - ONE_DAY <= until < hold.until:
        raise ActProblem("hold.sooner", N_("Choose a day before the last one. To lift it at once, choose yesterday."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise ActProblem("hold.reason", N_("Say in a few words why this record need not be preserved so long. No names."))
    hold.sooner_until = until
    hold.sooner_by = ctx.actor.user_id
    hold.sooner_reason = reason.strip()[:200]
    ctx.describe(f"hold/{hold.id}", until=until.isoformat())


@act("hold.agree_shorten")
def agree_to_shorten(ctx: ActContext, hold_id: int, until: dt.date) -> None:
    """Agree that a record is preserved for less long: until the day that was asked for.

    `until`: that day, as who agrees has read it. Raises ActProblem "hold.same" for who asked, "hold.newer" for whose
    account was made since the hold, "hold.over", and "hold.not_asked", also where another day was asked for meanwhile.
    """
    hold = _lock_current(ctx, hold_id)
    if hold.sooner_until is None or hold.sooner_until != until:
        raise ActProblem(
            "hold.not_asked",
            N_("Nobody asks that it ends on this day any more: somebody agreed, or asked for another day. Look again."),
        )
    if hold.sooner_by == ctx.actor.user_id:
        raise ActProblem("hold.same", N_("You made this yourself. Another administrator, or the operator, has to agree."))
    if ctx.actor.user_id is not None and _is_newer(ctx, ctx.actor.user_id, hold):
        raise ActProblem("hold.newer", N_("Your account is newer than this. Somebody who was here before has to agree."))
    hold.until = min(hold.until, hold.sooner_until)
    hold.sooner_until = None
    ctx.describe(f"hold/{hold.id}", until=hold.until.isoformat())


def _lock_current(ctx: ActContext, hold_id: int) -> LegalHold:
    """Return a hold that is not over, locked."""
    hold = store.lock_hold(ctx.session, ctx.centre_id, hold_id)
    if hold is None:
        raise make_not_found()
    if hold.until < ctx.now.date():
        raise ActProblem("hold.over", N_("This is over already. Preserve the record again if it is still needed."))
    return hold


def _is_newer(ctx: ActContext, user_id: int, hold: LegalHold) -> bool:
    """Say whether an account was made after a hold.

    Who made the hold could have made it to agree.
    """
    user = users.of_centre(ctx.session, ctx.centre_id, user_id)
    return user is None or user.created_at > hold.made_at


@act("retention.confirm_day")
def confirm_day(ctx: ActContext, day: dt.date) -> None:
    """Note that an admin read today's day elsewhere: the clock is believed again.

    Raises ActProblem when it is not the day that the clock says.
    """
    ctx.describe("clock", day=day.isoformat())
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    if day != ctx.now.astimezone(zone).date():
        raise ActProblem("retention.day", N_("The clock of this server says another day. Set it right first."))
    store.lock_clock(ctx.session, ctx.centre_id).confirmed_at = ctx.now
