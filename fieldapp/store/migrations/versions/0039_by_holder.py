"""whether a referral was updated by a worker whom the card of its person was given to"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submission", sa.Column("is_by_holder", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("is_by_holder")
