"""withdrawal lists: the place of published rows, rows that were taken back, who has said that they are deleted"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COLUMNS = ("listed_round", "replaced_by", "list_attested_at", "list_attested_by")


def upgrade() -> None:
    # Of earlier rows nobody knows the place any more.
    op.add_column("published_row", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("release", sa.Column("listed_round", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("release", sa.Column("replaced_by", sa.String(length=12), nullable=False, server_default=""))
    op.add_column("release", sa.Column("list_attested_at", MOMENT, nullable=True))
    op.add_column("release", sa.Column("list_attested_by", sa.String(length=120), nullable=False, server_default=""))
    op.create_table(
        "withdrawal_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("listed_at", MOMENT, nullable=True),
        sa.Column("attested_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_withdrawal_round_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal_round")),
    )
    op.create_index(op.f("ix_withdrawal_round_centre_id"), "withdrawal_round", ["centre_id"])
    op.create_table(
        "withdrawal_in_round",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("withdrawal_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["withdrawal_round.id"], name=op.f("fk_withdrawal_in_round_round_id_withdrawal_round")
        ),
        sa.PrimaryKeyConstraint("round_id", "withdrawal_id", name=op.f("pk_withdrawal_in_round")),
    )
    op.create_table(
        "withdrawal_row",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("withdrawal_id", sa.String(length=32), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_withdrawal_row_centre_id_centre")),
        sa.ForeignKeyConstraint(
            ["dataset_id", "tag"],
            ["published_row.dataset_id", "published_row.tag"],
            name=op.f("fk_withdrawal_row_dataset_id_published_row"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["withdrawal_round.id"], name=op.f("fk_withdrawal_row_round_id_withdrawal_round")
        ),
        sa.PrimaryKeyConstraint("dataset_id", "tag", name=op.f("pk_withdrawal_row")),
    )
    op.create_index(
        "ix_withdrawal_row_centre_id_dataset_id", "withdrawal_row", ["centre_id", "dataset_id", "number"]
    )


def downgrade() -> None:
    for table in ("withdrawal_row", "withdrawal_in_round", "withdrawal_round"):
        op.drop_table(table)
    with op.batch_alter_table("release") as batch:
        for name in COLUMNS:
            batch.drop_column(name)
    with op.batch_alter_table("published_row") as batch:
        batch.drop_column("place")
