"""submissions aside, and how much of a phone is kept"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
COUNTED = ("aside_bytes", "aside_files", "day_bytes", "day_refused")


def upgrade() -> None:
    op.add_column("submission", sa.Column("due", sa.String(length=47), nullable=False, server_default=""))
    op.add_column("submission", sa.Column("cards", JSON, nullable=False, server_default="[]"))
    op.add_column("user", sa.Column("switched_off_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("device", sa.Column("waiting_then", sa.Integer(), nullable=True))
    op.add_column("device", sa.Column("aside_records", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("device", sa.Column("day", sa.Date(), nullable=True))
    for name in COUNTED:
        op.add_column("device", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.execute("UPDATE submission SET state = 'rejected' WHERE state = 'aside'")
    with op.batch_alter_table("device") as batch:
        for name in (*COUNTED, "day", "aside_records", "waiting_then"):
            batch.drop_column(name)
    with op.batch_alter_table("user") as batch:
        batch.drop_column("switched_off_at")
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("cards")
        batch.drop_column("due")
