"""What runs when, on one page. A job takes a session and the settings, and may run again at any time without harm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import make_msgid

from fieldapp.services.acts import utcnow
from fieldapp.services.failures import note_failure
from fieldapp.services.operations.server_key import usable_key
from fieldapp.services.products.notices import tell_subscribers
from fieldapp.services.records.quarantine import let_in_known_forms
from fieldapp.services.releases.build import build_release, list_due_periods, should_alert
from fieldapp.services.releases.delivery import deliver_due
from fieldapp.services.releases.downloads import remove_fallen
from fieldapp.services.transports.senders import Means, Parcel, send
from fieldapp.services.transports.targets import EMAIL, NotSent
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.releases import releases as store
from fieldapp.store.session import Session

log = logging.getLogger("fieldapp.jobs")


@dataclass(frozen=True)
class Job:
    name: str
    seconds: int
    run: Callable[[Session, Settings], None]


def build_due_releases(session: Session, settings: Settings) -> None:
    """Build what is due, oldest first, also what was missed while nothing ran; then say that the scheduler lives."""
    for series, period in list_due_periods(session, utcnow()):
        name = f"{series.key} {period.name}"
        try:
            if build_release(session, series, period, settings.packages, usable_key(session, settings)):
                log.info("built %s", name)
        except Exception as error:  # one series must not stop the others; the run is marked failed and tried again
            number = note_failure(log, f"could not build {name}", error)
            if should_alert(session, series, period):
                text = f"The release {name} could not be built so far. It is tried again by itself."
                alert(settings, f"{text} (Number {number} in the log.)")
    with WriteTransaction(session):
        store.beat(session, utcnow())


def let_in_what_waited(session: Session, settings: Settings) -> None:
    """Take in records that came before their form version did."""
    if stored := let_in_known_forms(session):
        log.info("let in %s records whose form has come", stored)


def send_packages(session: Session, settings: Settings) -> None:
    """Bring packages to where they are wanted, and take the files of releases that are over off the disk."""
    means = Means(settings.secrets_folder, settings.smtp_url, settings.mail_from)
    if failed := deliver_due(session, settings.packages, means):
        alert(settings, f"{failed} packages could not be delivered.")
    remove_fallen(session, settings.packages)


def alert(settings: Settings, what: str) -> None:
    """Tell the address for alerts, if there is one; the office's home page says it anyway."""
    log.error("%s", what)
    if not settings.alerts_to:
        return
    parcel = Parcel(
        None,
        "",
        "fieldapp: something needs you",
        f"{what} See the pages Releases and System.\n",
        make_msgid(domain="fieldapp.invalid"),
    )
    try:
        send(
            {"kind": EMAIL, "to": settings.alerts_to},
            parcel,
            Means(settings.secrets_folder, settings.smtp_url, settings.mail_from),
        )
    except NotSent as problem:
        note_failure(log, "the alert could not be mailed", problem)


def build_due_products(session: Session, settings: Settings) -> None:
    """Bring the City's products up to date, then tell those who asked to be told."""
    from fieldapp.services.products.editions import build_due  # noqa: PLC0415  loads what maps are computed with
    from fieldapp.services.products.odata.build import build_feeds  # noqa: PLC0415

    build_due(session, utcnow())
    build_feeds(session, settings.packages)
    tell_subscribers(session, Means(settings.secrets_folder, settings.smtp_url, settings.mail_from))


TIMETABLE = [
    Job("records", 60, let_in_what_waited),
    Job("releases", 60, build_due_releases),
    Job("deliveries", 60, send_packages),
    Job("products", 600, build_due_products),
]
