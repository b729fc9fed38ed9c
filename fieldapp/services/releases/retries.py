"""What failed is tried again: after ever longer pauses, or when somebody asks."""

import datetime as dt

from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ASKED, FAILED, Release, ReleaseRun, ReleaseSeries

# How long a release waits after each failure; the last pause is repeated. No period is given up.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360)]
ALERT_AFTER = 5  # failures: after a bit over four hours
ALERT_EVERY = 4  # failures: about once a day


def next_try(run: ReleaseRun) -> dt.datetime | None:
    """Return when a failed period is tried again; None for one that has not failed."""
    if run.state != FAILED or run.ended_at is None:
        return None
    number = min(max(run.attempts, 1), len(PAUSES))
    return run.ended_at + PAUSES[number - 1]


def needs_alert(run: ReleaseRun) -> bool:
    """Say whether a period has failed so often that somebody should be alerted, or again."""
    if run.state != FAILED or run.attempts < ALERT_AFTER:
        return False
    return (run.attempts - ALERT_AFTER) % ALERT_EVERY == 0


@act("release.retry")
def retry_release(ctx: ActContext, run_id: int) -> None:
    """Let the scheduler build a failed period at its next turn, without waiting for its pause.

    Raises ActProblem when the series is switched off, or the period has not failed.
    """
    run = releases.run_by_id(ctx.session, ctx.centre_id, run_id)
    if run is None:
        raise make_not_found()
    if not ctx.session.get_one(ReleaseSeries, run.series_id).is_active:
        raise ActProblem("release.switched_off", N_("This series is switched off. Switch it on, then ask again."))
    if run.state not in (FAILED, ASKED):
        raise ActProblem("release.not_failed", N_("This period is built, or is being built just now."))
    # Only marked: a build takes minutes, too long for the page that asked.
    run.state = ASKED
    ctx.describe(f"series/{run.series_id}", period=run.period)


@act("delivery.retry")
def retry_delivery(ctx: ActContext, delivery_id: int) -> None:
    """Let a package that could not be sent be tried again at once.

    It goes to the target that its series has now. Raises ActProblem when it was sent already, or its
    release is over.
    """
    delivery = releases.delivery_by_id(ctx.session, ctx.centre_id, delivery_id)
    if delivery is None:
        raise make_not_found()
    if delivery.state in ("sent", "stopped"):
        raise ActProblem("delivery.not_failed", N_("This package was sent, or is not to be sent any more."))
    release = ctx.session.get_one(Release, delivery.release_id)
    if release.revoked_at or (release.expires_at and release.expires_at < ctx.now):
        text = N_("This release is revoked or its time is over, so it is not sent any more.")
        raise ActProblem("delivery.over", text)
    targets = ctx.session.get_one(ReleaseSeries, release.series_id).targets
    if delivery.number < len(targets):
        current = targets[delivery.number]
        # Targets have no ids: one of another kind in its place is another target.
        if current["kind"] == delivery.target["kind"]:
            delivery.target = current  # what was wrong may have been fixed there
    if delivery.state != "waiting":
        delivery.state = "waiting"
        delivery.due_at = ctx.now
    ctx.describe(f"delivery/{delivery_id}")
