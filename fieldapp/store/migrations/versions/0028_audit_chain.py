"""a chain of hashes through the audit log of each centre"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

INDEX = "ix_audit_centre_id_number"
COLUMNS = {"number": sa.BigInteger(), "salt": sa.LargeBinary(16), "target_hash": sa.LargeBinary(32), "link": sa.LargeBinary(32)}


def upgrade() -> None:
    # Lines that are there have no number: the chain begins with what comes after them.
    for name, kind in COLUMNS.items():
        op.add_column("audit", sa.Column(name, kind, nullable=True))
    op.create_index(INDEX, "audit", ["centre_id", "number"])
    op.create_table(
        "audit_head",
        sa.Column("centre_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(32), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(20), nullable=False),
        sa.Column("fault_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("centre_id", name=op.f("pk_audit_head")),
    )


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_index(INDEX, "audit")
    with op.batch_alter_table("audit") as batch:
        for name in COLUMNS:
            batch.drop_column(name)
