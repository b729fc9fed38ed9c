"""What failed is tried again: releases by themselves, ever later and without end, and at once when somebody asks for it."""

import datetime as dt
import errno

from evaluator_export.problems import ExportProblem
from fieldapp.services.acts import ActContext, act
from fieldapp.services.keys import KeyLost
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ASKED, FAILED, Release, ReleaseRun, Series
from fieldapp.store.session import InterfaceError, OperationalError

# How long a release waits after each failure; the last pause holds from then on. A period is never given up.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360)]
TELL_AFTER, TELL_EVERY = 5, 4  # failures: after a bit over four hours, then about once a day
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


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


FORESEEN = (ExportProblem, ActProblem, KeyLost, OSError, OperationalError, InterfaceError)


def is_foreseen(error: Exception) -> bool:
    """Say whether there are words for why a build failed."""
    return isinstance(error, FORESEEN)


def reason_of(error: Exception) -> str:
    """Return why a build failed, in words; of what nobody foresaw only its kind, since its text can hold answers."""
    if isinstance(error, ExportProblem | ActProblem):
        return str(error)[:2000]
    if isinstance(error, KeyLost):
        return N_("The signing key was kept with another secret key. Start the server with that one.")
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return N_("No space left on the disk of the server.")
    if isinstance(error, OSError):
        return N_("The server could not read or write a file. Look at its disk, and at who may write there.")
    if isinstance(error, OperationalError | InterfaceError):
        return N_("The database did not answer, or its disk is full.")
    return f"{type(error).__name__}: a fault in the program. Tell who looks after the server."


@act("release.retry")
def retry_release(ctx: ActContext, run_id: int) -> None:
    """Let the scheduler build a period that failed at its next turn, without waiting for its pause to end."""
    run = releases.run_by_id(ctx.session, ctx.centre_id, run_id)
    if run is None:
        raise make_not_found()
    if not ctx.session.get_one(Series, run.series_id).is_active:
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
    targets = ctx.session.get_one(Series, release.series_id).targets
    if delivery.number < len(targets) and targets[delivery.number]["kind"] == delivery.target["kind"]:
        delivery.target = targets[delivery.number]  # what was wrong may have been mended there
    if delivery.state != "waiting":
        delivery.state, delivery.due_at = "waiting", ctx.now
    ctx.describe(f"delivery/{delivery_id}")
