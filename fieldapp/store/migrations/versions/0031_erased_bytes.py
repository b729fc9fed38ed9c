"""what is still to be overwritten in the database's files, and holds that are to end earlier"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None


COLUMNS = ("sooner_until", "sooner_by", "sooner_reason")


def upgrade() -> None:
    op.add_column("legal_hold", sa.Column("sooner_until", sa.Date(), nullable=True))
    op.add_column("legal_hold", sa.Column("sooner_by", sa.Integer(), nullable=True))
    op.add_column("legal_hold", sa.Column("sooner_reason", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "erased_bytes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_bytes")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    with op.batch_alter_table("legal_hold") as batch:
        for name in COLUMNS:
            batch.drop_column(name)
    op.drop_table("erased_bytes")
