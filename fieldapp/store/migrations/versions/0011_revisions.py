"""a number of a row is never given out twice, also after the row was deleted"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Tables whose rows are deleted. PostgreSQL's sequences never give a number out twice; SQLite does, unless it is told.
DELETED_FROM = ("form_draft", "invitation", "partner_source", "subscription")


def upgrade() -> None:
    _rebuild(is_counting=True)


def downgrade() -> None:
    _rebuild(is_counting=False)


def _rebuild(is_counting: bool) -> None:
    """Make the tables anew on SQLite, which cannot change this of a table that is there."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in DELETED_FROM:
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": is_counting}):
            pass
