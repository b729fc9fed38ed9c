"""records whose time cannot be right are to be reviewed"""

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INDEX = "ix_record_centre_id_review"
BEFORE = "review IN ('contested', 'corrected', 'alert')"
AFTER = "review IN ('contested', 'corrected', 'alert', 'clock')"
FIRST_DAY = dt.date(2024, 1, 1)


def upgrade() -> None:
    _replace_index(AFTER)
    # What came until now was stored without a word. A day that is ahead of today was ahead when it came, too.
    record = sa.table("record", sa.column("review"), sa.column("occurred_on", sa.Date()))
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    is_doubtful = sa.or_(record.c.occurred_on > tomorrow, record.c.occurred_on < FIRST_DAY)
    op.execute(sa.update(record).where(record.c.review == "", is_doubtful).values(review="clock"))


def downgrade() -> None:
    op.execute(sa.text("UPDATE record SET review = '' WHERE review = 'clock'"))
    _replace_index(BEFORE)


def _replace_index(condition: str) -> None:
    op.drop_index(INDEX, "record")
    op.create_index(
        INDEX, "record", ["centre_id", "review"], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )
