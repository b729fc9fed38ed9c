"""Send packages, encrypted to the recipient, and try again until they arrive."""

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.problems import N_
from fieldapp.services.releases.agreements import AGREEMENT_OVER, is_agreement_over
from fieldapp.services.releases.withheld import WITHDRAWN, find_withheld
from fieldapp.services.stored_problems import StoredProblem, write_problems
from fieldapp.services.transports import senders
from fieldapp.services.transports.senders import DeliveryPayload, TransportConfig
from fieldapp.services.transports.targets import EMAIL, DeliveryFailed, encrypt_for_recipient
from fieldapp.store.database import ReadTransaction, WriteTransaction
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import PackageDelivery, Release, ReleaseSeries
from fieldapp.store.session import Session

# How long a try may take; after that, its process counts as dead.
LEASE = dt.timedelta(minutes=10)
# How long to wait after each failure. The last pause is repeated until the package arrives, or the
# time to download it is over.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 720, 1440)]
ALERT_EVERY = 9  # failures: after some days, and again as long as it lasts

NOTICE = """{title}, {period}: a new package is ready. Sign in at the centre's site to fetch it, or find it where it is sent.

{titre}, {period} : un nouveau paquet est prêt. Connectez-vous au site du centre pour le prendre, ou voyez là où on l'envoie.
"""


@dataclass(frozen=True)
class Attempt:
    """A try of a delivery, claimed with a token; `number` counts the tries from 1."""

    delivery_id: int
    token: str
    number: int


def deliver_due(session: Session, packages: Path, config: TransportConfig) -> int:
    """Try every delivery that is due; return how many of them need an alert.

    A delivery whose process dies midway is tried again when its lease is over.
    """
    alerts = 0
    for delivery_id, due_at in releases.deliveries_due(session, utcnow()):
        token = secrets.token_hex(16)
        lease_until = utcnow() + LEASE
        with WriteTransaction(session):
            # With due_at as a condition: of two schedulers that saw the delivery due, one gets it.
            is_claimed = releases.claim_delivery(session, delivery_id, due_at, token, lease_until)
        if is_claimed:
            alerts += _attempt_delivery(session, delivery_id, token, packages, config)
    return alerts


def _attempt_delivery(session: Session, delivery_id: int, token: str, packages: Path, config: TransportConfig) -> bool:
    """Try one delivery; return whether somebody should be alerted.

    That is so when a person has to change something, or when it has failed for days.
    """
    with ReadTransaction(session):
        delivery = session.get_one(PackageDelivery, delivery_id, populate_existing=True)
        attempt = Attempt(delivery_id, token, delivery.attempts + 1)
        actor = Actor.system(delivery.centre_id)
        target = dict(delivery.target)
    try:
        with ReadTransaction(session):  # it ends before the slow part, the network
            payload = _make_payload(session, delivery_id, packages)
        senders.send(target, payload, config)
    except DeliveryFailed as problem:
        return _record_failure(session, actor, attempt, problem)
    record_attempt(session, actor, attempt=attempt, state="sent", due_at=utcnow(), problem="")
    return False


def _make_payload(session: Session, delivery_id: int, packages: Path) -> DeliveryPayload:
    """Return what a delivery sends; raise DeliveryFailed when its release is over."""
    delivery = session.get_one(PackageDelivery, delivery_id)
    release = session.get_one(Release, delivery.release_id)
    series = session.get_one(ReleaseSeries, release.series_id)
    if release.revoked_at:
        text = N_("The release was revoked.")
        raise DeliveryFailed(StoredProblem("release.revoked", text), is_final=True)
    if release.expires_at and release.expires_at < utcnow():
        text = N_("The time to download this release is over.")
        raise DeliveryFailed(StoredProblem("release.expired", text), is_final=True)
    if release.id in find_withheld(session, [release]):
        raise DeliveryFailed(StoredProblem("release.withdrawn", WITHDRAWN), is_final=True)
    if is_agreement_over(series, utcnow()):
        raise DeliveryFailed(StoredProblem("release.agreement_over", AGREEMENT_OVER), is_final=True)
    file = None  # an e-mail says only that the package is there
    # Mail passes servers that nobody here chose.
    if delivery.target["kind"] != EMAIL:
        file = encrypt_for_recipient(packages, release.sha256, series.age_key)
    title = series.title.get("en", series.key)
    french_title = series.title.get("fr", "")
    return DeliveryPayload(
        file=file,
        # With part of the hash: a period that is released again never replaces an earlier file.
        name=f"{release.filename.removesuffix('.zip')}-{release.sha256[:12]}.zip.age",
        subject=f"{title}, {release.period}",
        text=NOTICE.format(period=release.period, title=title, titre=french_title),
        message_id=f"<delivery-{delivery_id}-{release.sha256[:16]}@fieldapp.invalid>",
    )


def _record_failure(session: Session, actor: Actor, attempt: Attempt, problem: DeliveryFailed) -> bool:
    """Write down a failed try and when the next is due; return whether to alert somebody."""
    reasons = write_problems(problem.problems)
    if problem.is_final:
        record_attempt(session, actor, attempt=attempt, state="failed", due_at=utcnow(), problem=reasons)
        return True
    pause = PAUSES[min(attempt.number, len(PAUSES)) - 1]
    record_attempt(session, actor, attempt=attempt, state="waiting", due_at=utcnow() + pause, problem=reasons)
    return attempt.number % ALERT_EVERY == 0


@act("release.deliver")
def record_attempt(ctx: ActContext, attempt: Attempt, state: str, due_at: dt.datetime, problem: str) -> None:
    """Write down the result of a try: "sent", "waiting" for the next, or "failed" for good.

    Nothing is written when another process has claimed the delivery since.
    """
    releases.update_delivery(
        ctx.session,
        attempt.delivery_id,
        attempt.token,
        state=state,
        due_at=due_at,
        attempts=attempt.number,
        problem=problem,
        sent_at=ctx.now if state == "sent" else None,
    )
    ctx.describe(f"delivery/{attempt.delivery_id}", state=state, attempts=attempt.number)
