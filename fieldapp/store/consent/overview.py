"""Counts of what is kept after a no, and of how far people's consent reaches.

They work on any schema: they are read before and after an upgrade, so tables and columns may be missing.
"""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.store.consent.standing import StandingRow
from fieldapp.store.records.submissions import Submission


@dataclass(frozen=True)
class ConsentCounts:
    """How many submissions were cut, by form, and how many people stand where.

    `people`: by tier; None where the schema is older than standing consent.
    """

    cut: dict[str, int] = field(default_factory=dict)
    people: dict[int, int] | None = None
    in_doubt: int = 0


def count_consent(session: Session) -> ConsentCounts:
    """Return the counts of all centres together."""
    inspector = sa.inspect(session.connection())
    tables = set(inspector.get_table_names())
    cut: dict[str, int] = {}
    if "submission" in tables and "is_cut" in {column["name"] for column in inspector.get_columns("submission")}:
        query = sa.select(Submission.form, sa.func.count()).where(Submission.is_cut).group_by(Submission.form)
        cut = {row[0]: row[1] for row in session.execute(query)}
    if StandingRow.__tablename__ not in tables:
        return ConsentCounts(cut)
    by_tier = sa.select(StandingRow.tier, sa.func.count()).group_by(StandingRow.tier)
    in_doubt = sa.select(sa.func.count()).select_from(StandingRow).where(StandingRow.is_in_doubt)
    people = {row[0]: row[1] for row in session.execute(by_tier)}
    return ConsentCounts(cut, people, session.scalars(in_doubt).one())
