"""slips: with which people see and lower their consent, known by a keyed hash only"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slip",
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=9), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("withdrawal_id", sa.String(length=32), nullable=False),
        sa.Column("made_month", sa.String(length=7), nullable=False),
        sa.Column("is_lost", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_slip_centre_id_centre")),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_slip")),
    )
    op.create_index("ix_slip_centre_id_person", "slip", ["centre_id", "person"])
    op.create_index("ix_slip_centre_id_root_id", "slip", ["centre_id", "root_id"])


def downgrade() -> None:
    op.drop_table("slip")
