"""by which clock a correction was judged"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is here was judged by when it was finished.
    op.add_column("submission", sa.Column("clock", sa.String(32), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("submission", "clock")
