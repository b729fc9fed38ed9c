"""records that came before their form version wait; records against which a no speaks that cannot be used as it is"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("record", sa.Column("is_refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    # What came before its form version was refused for good; now it waits, and is let in when the version comes.
    unknown = '%"code": "sync.unknown_form"%'
    statement = "UPDATE submission SET state = 'aside' WHERE state = 'rejected' AND CAST(problems AS TEXT) LIKE :code"
    op.get_bind().execute(sa.text(statement), {"code": unknown})


def downgrade() -> None:
    with op.batch_alter_table("record") as batch:
        batch.drop_column("is_refused")
