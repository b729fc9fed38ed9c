"""retention: plans of what is erased and the proof of it, legal holds, what is known of the clock"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = ("retention_item", "retention_plan", "retention_mark", "retention_clock", "legal_hold")


def upgrade() -> None:
    op.create_table(
        "retention_clock",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("ticked_at", MOMENT, nullable=True),
        sa.Column("doubted_at", MOMENT, nullable=True),
        sa.Column("doubt", sa.String(length=10), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_retention_clock_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", name=op.f("pk_retention_clock")),
    )
    op.create_table(
        "retention_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("goes_at", MOMENT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("tags_sha256", sa.String(length=64), nullable=False),
        sa.Column("delayed_at", MOMENT, nullable=True),
        sa.Column("delayed_by", sa.Integer(), nullable=True),
        sa.Column("delay_reason", sa.String(length=200), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("erased_sha256", sa.String(length=64), nullable=False),
        sa.Column("copies_until", sa.Date(), nullable=True),
        sa.Column("is_in_bytes", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_retention_plan_centre_id_centre")),
        sa.ForeignKeyConstraint(["delayed_by"], ["user.id"], name=op.f("fk_retention_plan_delayed_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_plan")),
    )
    op.create_index("ix_retention_plan_centre_id_done_at", "retention_plan", ["centre_id", "done_at"])
    op.create_table(
        "retention_item",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.String(length=36), nullable=False),
        sa.Column("outcome", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["retention_plan.id"], name=op.f("fk_retention_item_plan_id_retention_plan")),
        sa.PrimaryKeyConstraint("plan_id", "subject", name=op.f("pk_retention_item")),
    )
    op.create_table(
        "retention_mark",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_retention_mark_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "rule", "subject", name=op.f("pk_retention_mark")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_legal_hold_centre_id_centre")),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_legal_hold_made_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index("ix_legal_hold_centre_id_root_id", "legal_hold", ["centre_id", "root_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
