"""which submissions are a no, what was cut after one, and the attachments that went with it"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MARKS = (("submission", "is_refusal"), ("submission", "is_cut"), ("consent_word", "waits"))


def upgrade() -> None:
    for table, name in MARKS:
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "gone_attachment",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_gone_attachment_centre_id_centre")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_gone_attachment_device_id_device")),
        sa.PrimaryKeyConstraint("centre_id", "sha256", "device_id", name=op.f("pk_gone_attachment")),
    )


def downgrade() -> None:
    op.drop_table("gone_attachment")
    op.execute("DELETE FROM consent_word WHERE waits OR person = ''")
    for table, name in reversed(MARKS):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(name)
