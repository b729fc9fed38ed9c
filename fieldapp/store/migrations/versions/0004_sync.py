"""records as folds, receipts, feed, caseload, invitations, attachments"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("centre", sa.Column("by_invitation", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("centre", sa.Column("allows_collect", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("centre_key", sa.Column("purpose", sa.String(length=8), nullable=False, server_default="seal"))
    op.add_column("device", sa.Column("kind", sa.String(length=8), nullable=False, server_default="app"))
    new_tables()
    op.add_column("submission", sa.Column("root_id", sa.String(length=36), nullable=True))
    op.add_column("submission", sa.Column("prev", JSON, nullable=False, server_default="[]"))
    op.add_column("submission", sa.Column("via", sa.String(length=8), nullable=False, server_default="token"))
    op.add_column("submission", sa.Column("utc_offset", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE submission SET root_id = instance_id")
    op.execute("UPDATE submission SET via = 'phone' WHERE seq > 0")
    with op.batch_alter_table("submission") as batch:
        batch.alter_column("root_id", existing_type=sa.String(length=36), nullable=False)
        batch.alter_column("device_id", existing_type=sa.Integer(), nullable=True)
    op.create_index("ix_submission_centre_id_root_id", "submission", ["centre_id", "root_id"])
    op.add_column("record", sa.Column("via", sa.String(length=8), nullable=False, server_default="token"))
    op.add_column("record", sa.Column("person", sa.String(length=9), nullable=False, server_default=""))
    op.add_column("record", sa.Column("changed_at", MOMENT, nullable=True))
    op.add_column("record", sa.Column("heads", JSON, nullable=True))
    op.add_column("record", sa.Column("contested", JSON, nullable=False, server_default="[]"))
    op.add_column("record", sa.Column("review", sa.String(length=10), nullable=False, server_default=""))
    fill_records()
    with op.batch_alter_table("record") as batch:
        batch.alter_column("changed_at", existing_type=MOMENT, nullable=False)
        batch.alter_column("heads", existing_type=JSON, nullable=False)
    some = "person != ''"
    op.create_index(
        "ix_record_centre_id_person",
        "record",
        ["centre_id", "person", "occurred_on"],
        sqlite_where=sa.text(some),
        postgresql_where=sa.text(some),
    )
    waiting = "review IN ('contested', 'corrected', 'alert')"
    op.create_index(
        "ix_record_centre_id_review",
        "record",
        ["centre_id", "review"],
        sqlite_where=sa.text(waiting),
        postgresql_where=sa.text(waiting),
    )


def new_tables() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_review_centre_id_centre")),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_review_author_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_centre_id_root_id", "review", ["centre_id", "root_id"])
    op.create_table(
        "feed_head",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_feed_head_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "feed_item",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_feed_item_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_feed_item")),
    )
    op.create_index("ix_feed_item_user_id_seq", "feed_item", ["user_id", "seq"])
    op.create_table(
        "card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("tier", sa.String(length=4), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("clashes_with", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_card_centre_id_centre")),
        sa.ForeignKeyConstraint(["first_id"], ["user.id"], name=op.f("fk_card_first_id_user")),
        sa.ForeignKeyConstraint(["worker_id"], ["user.id"], name=op.f("fk_card_worker_id_user")),
        sa.ForeignKeyConstraint(["issued_by"], ["device.id"], name=op.f("fk_card_issued_by_device")),
        sa.ForeignKeyConstraint(["clashes_with"], ["device.id"], name=op.f("fk_card_clashes_with_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("centre_id", "code", name=op.f("uq_card_centre_id_code")),
    )
    op.create_index("ix_card_centre_id_worker_id", "card", ["centre_id", "worker_id"])
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_follow_up_centre_id_centre")),
        sa.ForeignKeyConstraint(["worker_id"], ["user.id"], name=op.f("fk_follow_up_worker_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("centre_id", "root_id", "due_on", name=op.f("uq_follow_up_centre_id_root_id_due_on")),
    )
    op.create_index("ix_follow_up_centre_id_code", "follow_up", ["centre_id", "code"])
    op.create_index("ix_follow_up_centre_id_due_on", "follow_up", ["centre_id", "due_on"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_invitation_centre_id_centre")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_invitation_user_id_user")),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_invitation_made_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index("ix_invitation_centre_id", "invitation", ["centre_id"])
    op.create_table(
        "blob",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_blob_centre_id_centre")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_blob_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("centre_id", "sha256", name=op.f("uq_blob_centre_id_sha256")),
    )
    op.create_table(
        "blob_piece",
        sa.Column("blob_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_blob_piece_blob_id_blob")),
        sa.PrimaryKeyConstraint("blob_id", "start", name=op.f("pk_blob_piece")),
    )


    op.create_table(
        "attachment_name",
        sa.Column("centre_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("answer", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_attachment_name_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "instance_id", "name", name=op.f("pk_attachment_name")),
    )


def fill_records() -> None:
    """Give the records of before their one head, and the card code where their form says which answer it is."""
    connection = op.get_bind()
    paths = {}
    for centre, form, version, definition in connection.execute(
        sa.text("SELECT centre_id, form, version, definition FROM form_version")
    ):
        if path := json.loads(definition).get("summary", {}).get("person"):
            paths[centre, form, version] = path.split("/")[2:]
    connection.execute(sa.text("UPDATE record SET changed_at = received_at"))
    record = sa.table(
        "record",
        *(sa.column(name) for name in ("id", "centre_id", "form", "version", "instance_id", "person")),
        sa.column("answers", JSON),
        sa.column("heads", JSON),
    )
    last = 0
    while rows := connection.execute(sa.select(record).where(record.c.id > last).order_by(record.c.id).limit(1000)).all():
        changed = []
        for row in rows:
            value = row.answers
            for name in paths.get((row.centre_id, row.form, row.version), ("",)):
                value = value.get(name, "") if isinstance(value, dict) else ""
            code = value.replace("-", "") if isinstance(value, str) else ""
            changed.append({"key": row.id, "h": [row.instance_id], "p": code if len(code) == 9 else ""})
        statement = sa.update(record).where(record.c.id == sa.bindparam("key"))
        connection.execute(statement.values(heads=sa.bindparam("h", type_=JSON), person=sa.bindparam("p")), changed)
        last = rows[-1].id


def downgrade() -> None:
    op.drop_index("ix_record_centre_id_review", "record")
    op.drop_index("ix_record_centre_id_person", "record")
    with op.batch_alter_table("record") as batch:
        for column in ("review", "contested", "heads", "changed_at", "person", "via"):
            batch.drop_column(column)
    op.drop_index("ix_submission_centre_id_root_id", "submission")
    op.execute("DELETE FROM submission WHERE device_id IS NULL")
    with op.batch_alter_table("submission") as batch:
        batch.alter_column("device_id", existing_type=sa.Integer(), nullable=False)
        for column in ("utc_offset", "via", "prev", "root_id"):
            batch.drop_column(column)
    for table in ("attachment_name", "blob_piece", "blob", "invitation", "follow_up", "card", "feed_item", "feed_head", "review"):
        op.drop_table(table)
    op.execute("DELETE FROM centre_key WHERE purpose <> 'seal'")
    for table, column in (
        ("device", "kind"),
        ("centre_key", "purpose"),
        ("centre", "allows_collect"),
        ("centre", "by_invitation"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
