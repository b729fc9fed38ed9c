"""whose stored answers reach further than what stands"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEX = "ix_standing_above_since"
IS_ABOVE = sa.text("above_since IS NOT NULL")
HIGHEST = 3


def upgrade() -> None:
    op.add_column("standing", sa.Column("above_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("standing", sa.Column("is_in_log", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(INDEX, "standing", ["centre_id", "person"], sqlite_where=IS_ABOVE, postgresql_where=IS_ABOVE)
    # Of whom more was ever said than stands: until now nothing was cut when it fell.
    standing = sa.table("standing", *map(sa.column, ("centre_id", "person", "tier", "moved_at", "above_since")))
    word = sa.table("consent_word", *map(sa.column, ("centre_id", "person", "tier")))
    said_more = sa.exists().where(
        word.c.centre_id == standing.c.centre_id, word.c.person == standing.c.person, word.c.tier > standing.c.tier
    )
    op.execute(sa.update(standing).where(standing.c.tier < HIGHEST, said_more).values(above_since=standing.c.moved_at))


def downgrade() -> None:
    op.drop_index(INDEX, "standing")
    with op.batch_alter_table("standing") as batch:
        batch.drop_column("above_since")
        batch.drop_column("is_in_log")
