"""the record that a record follows up"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

INDEX = "ix_record_centre_id_follows"
IS_FOLLOW_UP = sa.text("follows != ''")


def upgrade() -> None:
    op.add_column("record", sa.Column("follows", sa.String(length=36), nullable=False, server_default=""))
    op.create_index(
        INDEX, "record", ["centre_id", "follows"], sqlite_where=IS_FOLLOW_UP, postgresql_where=IS_FOLLOW_UP
    )


def downgrade() -> None:
    op.drop_index(INDEX, "record")
    with op.batch_alter_table("record") as batch:
        batch.drop_column("follows")
