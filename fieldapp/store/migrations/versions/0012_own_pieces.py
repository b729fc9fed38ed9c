"""each phone sends an attachment for itself: nobody's pieces end up in a colleague's"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OLD, NEW = "uq_blob_centre_id_sha256", "uq_blob_centre_id_sha256_device_id"


def upgrade() -> None:
    with op.batch_alter_table("blob") as batch_op:
        batch_op.drop_constraint(OLD, type_="unique")
        batch_op.create_unique_constraint(NEW, ["centre_id", "sha256", "device_id"])


def downgrade() -> None:
    _drop_seconds()
    with op.batch_alter_table("blob") as batch_op:
        batch_op.drop_constraint(NEW, type_="unique")
        batch_op.create_unique_constraint(OLD, ["centre_id", "sha256"])


def _drop_seconds() -> None:
    """Keep one of several under a hash: one that is whole, else the first."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, centre_id, sha256, received = size FROM blob ORDER BY received = size, id DESC"))
    best = {(centre_id, sha256): number for number, centre_id, sha256, _ in rows}
    numbers = set(connection.scalars(sa.text("SELECT id FROM blob"))) - set(best.values())
    for number in numbers:
        connection.execute(sa.text("DELETE FROM blob_piece WHERE blob_id = :id"), {"id": number})
        connection.execute(sa.text("DELETE FROM blob WHERE id = :id"), {"id": number})
