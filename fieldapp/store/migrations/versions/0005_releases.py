"""releases that remember, packages that are delivered"""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_counter", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_second_factor_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_dataset_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("centre_id", "name", name=op.f("uq_dataset_centre_id_name")),
    )
    op.create_table(
        "table_state",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("cells", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_table_state_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "key", "period", name=op.f("pk_table_state")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entry", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("report", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_batch_dataset_id_dataset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("dataset_id", "number", name=op.f("uq_batch_dataset_id_number")),
    )
    op.create_table(
        "published_row",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_published_row_dataset_id_dataset")),
        sa.PrimaryKeyConstraint("dataset_id", "tag", name=op.f("pk_published_row")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_delivery_centre_id_centre")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_delivery_release_id_release")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("release_id", "number", name=op.f("uq_delivery_release_id_number")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.add_column("centre", sa.Column("table_secret", sa.String(length=64), nullable=False, server_default=""))
    centre = sa.table("centre", sa.column("id", sa.Integer), sa.column("table_secret", sa.String))
    for (identity,) in op.get_bind().execute(sa.select(centre.c.id)).all():
        op.execute(centre.update().where(centre.c.id == identity).values(table_secret=secrets.token_hex(32)))
    # Recipes are written anew (recipe: 2): the programme's own is taken in its new form when it is next read.
    op.execute("UPDATE series SET recipe = '' WHERE key = 'evaluator-quarterly'")

    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_because", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("attested_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("attested_by", sa.String(length=120), nullable=False, server_default=""))

    with op.batch_alter_table("release_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("step", sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("done", sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recipient", sa.String(length=120), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column(
                "agreement", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default="{}"
            )
        )
        batch_op.add_column(sa.Column("age_key", sa.String(length=120), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("keep_days", sa.Integer(), nullable=False, server_default="90"))
        batch_op.add_column(
            sa.Column(
                "readers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default="[]"
            )
        )
        batch_op.add_column(
            sa.Column(
                "targets", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False, server_default="[]"
            )
        )


def downgrade() -> None:
    op.drop_table("second_factor")
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_column("targets")
        batch_op.drop_column("readers")
        batch_op.drop_column("keep_days")
        batch_op.drop_column("age_key")
        batch_op.drop_column("agreement")
        batch_op.drop_column("recipient")

    with op.batch_alter_table("release_run", schema=None) as batch_op:
        batch_op.drop_column("done")
        batch_op.drop_column("step")

    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.drop_column("attested_by")
        batch_op.drop_column("attested_at")
        batch_op.drop_column("revoked_because")
        batch_op.drop_column("revoked_at")
        batch_op.drop_column("expires_at")

    with op.batch_alter_table("centre", schema=None) as batch_op:
        batch_op.drop_column("table_secret")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_due", sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")
        )

    op.drop_table("delivery")
    op.drop_table("published_row")
    op.drop_table("batch")
    op.drop_table("table_state")
    op.drop_table("dataset")
