"""end of a card: tags of ended cards and records, withdrawals with their states, what phones have pulled"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = ("told_worker", "withdrawal", "ended")


def upgrade() -> None:
    _rebuild_cards(is_counting=True)
    op.add_column("device", sa.Column("pulled", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "ended",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("tag", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_ended_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "kind", "tag", name=op.f("pk_ended")),
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("person_tag", sa.String(length=36), nullable=False),
        sa.Column("how", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("effective_at", MOMENT, nullable=False),
        sa.Column("safe_at", MOMENT, nullable=True),
        sa.Column("bytes_at", MOMENT, nullable=True),
        sa.Column("phones", sa.Integer(), nullable=False),
        sa.Column("phones_told", sa.Integer(), nullable=False),
        sa.Column("phones_at", MOMENT, nullable=True),
        sa.Column("listed_at", MOMENT, nullable=True),
        sa.Column("attested_at", MOMENT, nullable=True),
        sa.Column("forgotten_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_withdrawal_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("centre_id", "person_tag", name=op.f("uq_withdrawal_centre_id_person_tag")),
    )
    op.create_table(
        "told_worker",
        sa.Column("withdrawal_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_told_worker_user_id_user")),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"], ["withdrawal.id"], name=op.f("fk_told_worker_withdrawal_id_withdrawal")
        ),
        sa.PrimaryKeyConstraint("withdrawal_id", "user_id", "seq", name=op.f("pk_told_worker")),
    )
    op.create_index("ix_told_worker_user_id_seq", "told_worker", ["user_id", "seq"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    with op.batch_alter_table("device") as batch:
        batch.drop_column("pulled")
    _rebuild_cards(is_counting=False)


def _rebuild_cards(is_counting: bool) -> None:
    """Rebuild the table on SQLite, which else gives the number of a deleted card to the next one."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("card", recreate="always", table_kwargs={"sqlite_autoincrement": is_counting}):
            pass
