"""A rule of retention as of a moment, and what must be preserved from it."""

import datetime as dt
from dataclasses import dataclass

from fieldapp.services.consent.retention_rules import RetentionRule

MOST_PLANNED = 5000  # in one plan; the rest comes with the next

Subject = tuple[int, str]  # id of a row, and what its tag is made of


@dataclass(frozen=True)
class DueRule:
    """A rule as of now, and the records that nothing may be erased of."""

    rule: RetentionRule
    now: dt.datetime
    preserved: frozenset[str]

    def before(self, days: int) -> dt.datetime:
        return self.now - dt.timedelta(days=days)
