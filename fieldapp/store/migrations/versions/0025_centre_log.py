"""positions without gaps, for each centre"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

INDEX = "ix_submission_centre_id_log_position"


def upgrade() -> None:
    op.create_table(
        "centre_log",
        sa.Column("centre_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lineage", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("copied", sa.BigInteger(), nullable=False),
        sa.Column("safe", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_centre_log_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", name=op.f("pk_centre_log")),
    )
    op.add_column("submission", sa.Column("log_position", sa.BigInteger(), nullable=True))
    # Receipts that were given name these.
    op.execute("UPDATE submission SET log_position = id")
    op.create_index(INDEX, "submission", ["centre_id", "log_position"], unique=True)
    _begin_logs()


def _begin_logs() -> None:
    """Begin each centre's log after what it has, in the epochs that there were."""
    connection = op.get_bind()
    epochs = connection.execute(sa.text("SELECT number, position FROM epoch ORDER BY number")).all()
    lineage = [[0, 0], *([number, position] for number, position in epochs)]
    last = "SELECT centre.id, coalesce(max(submission.id), 0) FROM centre LEFT JOIN submission"
    rows = connection.execute(sa.text(f"{last} ON submission.centre_id = centre.id GROUP BY centre.id"))
    names = ("centre_id", "epoch", "lineage", "position", "copied", "safe")
    log = sa.table("centre_log", *(sa.column(name, sa.JSON() if name == "lineage" else None) for name in names))
    for centre_id, position in rows.all():
        values = {"centre_id": centre_id, "epoch": lineage[-1][0], "lineage": lineage, "position": position}
        connection.execute(sa.insert(log).values(**values, copied=0, safe=0))


def downgrade() -> None:
    op.drop_index(INDEX, "submission")
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("log_position")
    op.drop_table("centre_log")
