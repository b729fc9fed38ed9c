"""A centre through the months: the acts' clock goes on as a test says, and phones go on sending."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.retention import confirm_day, run_retention
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.consent.retention import RetentionPlan
from fieldapp.store.records.submissions import PHONE, Submission
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope

DAY = dt.timedelta(days=1)


class Calendar:
    """The time that acts are told; it begins today and goes on by days."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast):
        self.session, self.cast = session, cast
        self.now = dt.datetime.now(dt.UTC)
        monkeypatch.setattr("fieldapp.services.acts.utcnow", lambda: self.now)

    def go_on(self, days: float) -> None:
        self.now += days * DAY

    def send(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        return receive_batch(self.session, self.cast.amina, parse_batch(batch(*items)))

    def hear_phone(self, behind: dt.timedelta = dt.timedelta()) -> str:
        """Let a phone send a signed record that it has just finished; return its id."""
        item = envelope(encounter(), day=self.now.date())
        self.send(item)
        statement = sa.update(Submission).where(Submission.instance_id == item["id"])
        finished_at = self.now - dt.timedelta(minutes=1) - behind
        self.session.execute(statement.values(channel=PHONE, finished_at=finished_at))
        self.session.commit()
        return str(item["id"])

    def run(self) -> int:
        """Run the job with the clock as it is, and nothing else."""
        return run_retention(self.session)

    def live(self, days: int) -> int:
        """Live through days with the job on each and a phone now and then; return how much was erased."""
        erased = 0
        for number in range(days):
            self.go_on(1)
            if number % 3 == 0:
                self.hear_phone()
            erased += self.run()
        return erased

    def settle_in(self) -> None:
        """Let the clock be believed: an admin confirms the day, and a phone sends something."""
        confirm_day(self.session, self.cast.rosa, day=local_day(self.now))
        self.hear_phone()
        self.run()

    def plans(self) -> Sequence[RetentionPlan]:
        self.session.rollback()
        return self.session.scalars(sa.select(RetentionPlan).order_by(RetentionPlan.id)).all()


def local_day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(zoneinfo.ZoneInfo("America/Toronto")).date()
