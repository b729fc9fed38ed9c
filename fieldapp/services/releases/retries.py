"""What failed is tried again: releases by themselves, ever later and without end, and at once when somebody asks for it."""

import datetime as dt

from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ASKED, FAILED, Release, ReleaseRun, ReleaseSeries

# How long a release waits after each failure; the last pause holds from then on. A period is never given up.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360)]
TELL_AFTER, TELL_EVERY = 5, 4  # failures: after a bit over four hours, then about once a day


def next_try(run: ReleaseRun) -> dt.datetime | None:
    """Return when a period that failed is tried again by itself; None for one that has not failed."""
    if run.state != FAILED or run.ended_at is None:
        return None
    return run.ended_at + PAUSES[min(max(run.attempts, 1), len(PAUSES)) - 1]


def should_tell(run: ReleaseRun) -> bool:
    """Say whether a period has failed so often by now that somebody should be told, or told again."""
    if run.state != FAILED or run.attempts < TELL_AFTER:
        return False
    return (run.attempts - TELL_AFTER) % TELL_EVERY == 0


@act("release.retry")
def retry_release(ctx: ActContext, run_id: int) -> None:
    """Let the scheduler build a period that failed at its next turn, without waiting for its pause to end."""
    run = releases.run_by_id(ctx.session, ctx.centre_id, run_id)
    if run is None:
        raise make_not_found()
    if not ctx.session.get_one(ReleaseSeries, run.series_id).is_active:
        raise ActProblem("release.switched_off", N_("This series is switched off. Switch it on, then ask again."))
    if run.state not in (FAILED, ASKED):
        raise ActProblem("release.not_failed", N_("This period is built, or is being built just now."))
    run.state = ASKED
    ctx.describe(f"series/{run.series_id}", period=run.period)


@act("delivery.retry")
def retry_delivery(ctx: ActContext, delivery_id: int) -> None:
    """Let a package that could not be sent be tried again at once, to where its series sends it now."""
    delivery = releases.delivery_by_id(ctx.session, ctx.centre_id, delivery_id)
    if delivery is None:
        raise make_not_found()
    if delivery.state in ("sent", "stopped"):
        raise ActProblem("delivery.not_failed", N_("This package was sent, or is not to be sent any more."))
    release = ctx.session.get_one(Release, delivery.release_id)
    if release.revoked_at or (release.expires_at and release.expires_at < ctx.now):
        raise ActProblem("delivery.over", N_("This release is revoked or its time is over, so it is not sent any more."))
    targets = ctx.session.get_one(ReleaseSeries, release.series_id).targets
    if delivery.number < len(targets) and targets[delivery.number]["kind"] == delivery.target["kind"]:
        delivery.target = targets[delivery.number]  # what was wrong may have been mended there
    if delivery.state != "waiting":
        delivery.state, delivery.due_at = "waiting", ctx.now
    ctx.describe(f"delivery/{delivery_id}")
