"""sealed deliveries, rules for phones, areas"""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("outlines", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_area_set_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_set")),
        sa.UniqueConstraint("centre_id", "key", name=op.f("uq_area_set_centre_id_key")),
    )
    op.create_table(
        "centre_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("kid", sa.String(length=36), nullable=False),
        sa.Column("public_key", sa.String(length=120), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_centre_key_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_centre_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_centre_key_kid")),
    )
    op.create_index(op.f("ix_centre_key_centre_id"), "centre_key", ["centre_id"])
    op.add_column("centre", sa.Column("lock_minutes", sa.Integer(), nullable=False, server_default="5"))
    op.add_column("centre", sa.Column("shred_days", sa.Integer(), nullable=False, server_default="7"))
    op.add_column("centre", sa.Column("has_voice_notes", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("device", sa.Column("public_key", sa.String(length=120), nullable=False, server_default=""))
    op.add_column("device", sa.Column("made", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("device", sa.Column("deleted", sa.Integer(), nullable=False, server_default="0"))
    report = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("device", sa.Column("report", report, nullable=False, server_default="{}"))
    op.add_column("device", sa.Column("order", sa.String(length=8), nullable=False, server_default=""))
    op.add_column("device", sa.Column("uid", sa.String(length=36), nullable=True))
    connection = op.get_bind()
    for (device,) in connection.execute(sa.text("SELECT id FROM device")).all():
        row = {"uid": str(uuid.uuid4()), "id": device}
        connection.execute(sa.text("UPDATE device SET uid = :uid WHERE id = :id"), row)
    with op.batch_alter_table("device") as batch:
        batch.alter_column("uid", existing_type=sa.String(length=36), nullable=False)
        batch.create_unique_constraint(op.f("uq_device_uid"), ["uid"])
    op.add_column("submission", sa.Column("seq", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_submission_device_id_seq", "submission", ["device_id", "seq"])


def downgrade() -> None:
    op.drop_index("ix_submission_device_id_seq", "submission")
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("seq")
    with op.batch_alter_table("device") as batch:
        batch.drop_constraint(op.f("uq_device_uid"), type_="unique")
        for column in ("uid", "order", "report", "deleted", "made", "public_key"):
            batch.drop_column(column)
    with op.batch_alter_table("centre") as batch:
        for column in ("has_voice_notes", "shred_days", "lock_minutes"):
            batch.drop_column(column)
    op.drop_index(op.f("ix_centre_key_centre_id"), "centre_key")
    op.drop_table("centre_key")
    op.drop_table("area_set")
