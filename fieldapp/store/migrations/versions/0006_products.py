"""products, the board, keys for the feed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_edition_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("centre_id", "product", "period", name=op.f("uq_edition_centre_id_product_period")),
    )
    op.create_table(
        "partner_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("calendar", sa.String(length=120), nullable=False),
        sa.Column("figures", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("brought_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_partner_source_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_source")),
        sa.UniqueConstraint("centre_id", "name", name=op.f("uq_partner_source_centre_id_name")),
    )
    op.create_table(
        "product_state",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_product_state_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "product", name=op.f("pk_product_state")),
    )
    op.create_table(
        "product_watch",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_product_watch_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", name=op.f("pk_product_watch")),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("told_of", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_subscription_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("centre_id", "product", "address", name=op.f("uq_subscription_centre_id_product_address")),
    )
    op.create_table(
        "board_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=True),
        sa.Column("need", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=20), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_to", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["assigned_to"], ["user.id"], name=op.f("fk_board_item_assigned_to_user")),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_board_item_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_item")),
        sa.UniqueConstraint("centre_id", "root_id", name=op.f("uq_board_item_centre_id_root_id")),
    )
    op.create_index("ix_board_item_centre_id_closed_at", "board_item", ["centre_id", "closed_at"])

    op.create_table(
        "edition_file",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["edition.id"], name=op.f("fk_edition_file_edition_id_edition"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "name", name=op.f("pk_edition_file")),
    )
    op.create_table(
        "feed_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_feed_key_centre_id_centre")),
        sa.ForeignKeyConstraint(["made_by"], ["user.id"], name=op.f("fk_feed_key_made_by_user")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_feed_key_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_feed_key_key_hash")),
    )
    op.create_index("ix_feed_key_centre_id", "feed_key", ["centre_id"])

    op.create_table(
        "board_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_board_step_author_id_user")),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_board_step_centre_id_centre")),
        sa.ForeignKeyConstraint(["item_id"], ["board_item.id"], name=op.f("fk_board_step_item_id_board_item")),
        sa.ForeignKeyConstraint(["to_id"], ["user.id"], name=op.f("fk_board_step_to_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_step")),
    )
    op.create_index("ix_board_step_centre_id_at", "board_step", ["centre_id", "at"])

    op.create_index("ix_record_centre_id_changed_at", "record", ["centre_id", "changed_at", "form", "occurred_on"])

    with op.batch_alter_table("table_state") as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("records", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("late", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("table_state") as batch_op:
        batch_op.drop_column("late")
        batch_op.drop_column("records")
        batch_op.drop_column("counted_at")
        batch_op.drop_column("revision")

    op.drop_index("ix_record_centre_id_changed_at", "record")

    op.drop_index("ix_board_step_centre_id_at", "board_step")

    op.drop_table("board_step")
    op.drop_index("ix_feed_key_centre_id", "feed_key")

    op.drop_table("feed_key")
    op.drop_table("edition_file")
    op.drop_index("ix_board_item_centre_id_closed_at", "board_item")

    op.drop_table("board_item")
    op.drop_table("subscription")
    op.drop_table("product_watch")
    op.drop_table("product_state")
    op.drop_table("partner_source")
    op.drop_table("edition")
