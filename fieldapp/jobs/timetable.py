"""What runs when, on one page. A job takes a session and the settings, and may run again at any time without harm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldapp.services.acts import utcnow
from fieldapp.services.build_release import build_release, due
from fieldapp.settings import Settings
from fieldapp.store import releases as store
from fieldapp.store.database import WriteTransaction

log = logging.getLogger("fieldapp.jobs")


@dataclass(frozen=True)
class Job:
    name: str
    seconds: int
    run: Callable[[Session, Settings], None]


def build_due_releases(session: Session, settings: Settings) -> None:
    """Build what is due, oldest first, also what was missed while nothing ran; then say that the scheduler lives."""
    for series, period in due(session, utcnow()):
        name = f"{series.key} {period.name}"
        try:
            if build_release(session, series, period, settings.packages, settings.key()):
                log.info("built %s", name)
        except Exception as error:  # one series must not stop the others; the run is marked failed and tried again
            log.error("could not build %s: %s", name, type(error).__name__)
    with WriteTransaction(session):
        store.beat(session, utcnow())


TIMETABLE = [Job("releases", 60, build_due_releases)]
