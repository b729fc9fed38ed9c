"""pieces of counts that are taken once, for the windows of maps"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None


MAPS = "(SELECT id FROM edition WHERE product IN ('hot_spots_week', 'hot_spots_month'))"


def upgrade() -> None:
    # Maps of before end later than the first that is built from pieces: they would be shown instead of it, and nobody
    # would be taken out of them any more. They are built again within ten minutes.
    op.execute(f"DELETE FROM edition_file WHERE edition_id IN {MAPS}")
    op.execute("DELETE FROM edition WHERE product IN ('hot_spots_week', 'hot_spots_month')")
    op.create_table(
        "frozen_piece",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("period", sa.String(12), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_frozen_piece_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frozen_piece")),
        sa.UniqueConstraint("centre_id", "key", "period", name=op.f("uq_frozen_piece_centre_id_key_period")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("frozen_piece")
