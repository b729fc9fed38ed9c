"""Send packages to where a series wants them: encrypted to the recipient, tried again with back-off, there once."""

import datetime as dt
import secrets
from pathlib import Path

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.problems import N_
from fieldapp.services.stored_problems import StoredProblem, write_problems
from fieldapp.services.transports import senders
from fieldapp.services.transports.senders import Means, Parcel
from fieldapp.services.transports.targets import EMAIL, NotSent, encrypted
from fieldapp.store.database import WriteTransaction
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import Delivery, Release, Series
from fieldapp.store.session import Session

LEASE = dt.timedelta(minutes=10)
# How long to wait after each failure; the last pause holds until the package arrives, or its time to be fetched is over.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 720, 1440)]
TELL_EVERY = 9  # failures: after some days, and again as long as it lasts


def deliver_due(session: Session, packages: Path, means: Means) -> int:
    """Try what is due; return of how much somebody should be told. Killed midway, it is tried again after its lease."""
    failed = 0
    for identity, due_at in releases.deliveries_due(session, utcnow()):
        token = secrets.token_hex(16)
        with WriteTransaction(session):
            is_mine = releases.claim_delivery(session, identity, due_at, token, utcnow() + LEASE)
        if is_mine:
            failed += not _deliver(session, identity, token, packages, means)
    return failed


def _deliver(session: Session, delivery_id: int, token: str, packages: Path, means: Means) -> bool:
    """Try one delivery; False when somebody should be told: it waits for a person to mend something, or fails for days."""
    delivery = session.get_one(Delivery, delivery_id, populate_existing=True)
    release = session.get_one(Release, delivery.release_id)
    series = session.get_one(Series, release.series_id)
    target, attempts, system = dict(delivery.target), delivery.attempts, Actor.system(delivery.centre_id)
    parcel_id = f"<delivery-{delivery.id}-{release.sha256[:16]}@fieldapp.invalid>"
    try:
        if release.revoked_at:
            raise NotSent(StoredProblem("release.revoked", N_("The release was revoked.")), is_final=True)
        if release.expires_at and release.expires_at < utcnow():
            text = N_("The time to download this release is over.")
            raise NotSent(StoredProblem("release.expired", text), is_final=True)
        parcel = Parcel(
            file=None if target["kind"] == EMAIL else encrypted(packages, release.sha256, series.age_key),
            name=f"{release.filename.removesuffix('.zip')}-{release.sha256[:12]}.zip.age",
            subject=f"{series.title.get('en', series.key)}, {release.period}",
            text=NOTICE.format(
                period=release.period, title=series.title.get("en", series.key), titre=series.title.get("fr", "")
            ),
            message_id=parcel_id,
        )
        session.rollback()
        senders.send(target, parcel, means)
    except NotSent as problem:
        session.rollback()
        tried = attempts + 1
        due_at = utcnow() + (dt.timedelta() if problem.is_final else PAUSES[min(tried, len(PAUSES)) - 1])
        state = "failed" if problem.is_final else "waiting"
        settle(session, system, delivery_id, token, state, due_at, tried, write_problems(problem.problems))
        return not problem.is_final and tried % TELL_EVERY != 0
    settle(session, system, delivery_id, token, "sent", utcnow(), attempts + 1, "")
    return True


NOTICE = """{title}, {period}: a new package is ready. Sign in at the centre's site to fetch it, or find it where it is sent.

{titre}, {period} : un nouveau paquet est prêt. Connectez-vous au site du centre pour le prendre, ou voyez là où on l'envoie.
"""


@act("release.deliver")
def settle(
    ctx: ActContext, delivery_id: int, token: str, state: str, due_at: dt.datetime, attempts: int, problem: str
) -> None:
    """Write down what became of an attempt."""
    sent_at = ctx.now if state == "sent" else None
    releases.settle(
        ctx.session, delivery_id, token, state=state, due_at=due_at, attempts=attempts, problem=problem, sent_at=sent_at
    )
    ctx.describe(f"delivery/{delivery_id}", state=state, attempts=attempts)
