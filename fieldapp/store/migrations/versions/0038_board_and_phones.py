"""the board reaches phones: what phones call its items, and when something was said on a phone"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("board_item", sa.Column("uid", sa.String(36)))
    op.create_index("ix_board_item_centre_id_uid", "board_item", ["centre_id", "uid"], unique=True)
    op.add_column("board_step", sa.Column("said_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("board_step") as batch:
        batch.drop_column("said_at")
    op.drop_index("ix_board_item_centre_id_uid", "board_item")
    with op.batch_alter_table("board_item") as batch:
        batch.drop_column("uid")
