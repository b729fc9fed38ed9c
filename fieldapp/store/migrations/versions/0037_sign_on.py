"""sign-on by an organization's provider: which of its accounts opens which of ours"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_on_link",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("linked_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_sign_on_link_centre_id_centre")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_on_link_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_sign_on_link")),
        sa.UniqueConstraint("subject_hash", name=op.f("uq_sign_on_link_subject_hash")),
    )
    op.create_index(op.f("ix_sign_on_link_centre_id"), "sign_on_link", ["centre_id"])
    op.add_column("centre", sa.Column("trusts_sign_on", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("web_session", sa.Column("by_sign_on", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.execute("DELETE FROM one_time_code WHERE purpose = 'sign_on'")  # what came before knows no such codes
    with op.batch_alter_table("web_session") as batch:
        batch.drop_column("by_sign_on")
    with op.batch_alter_table("centre") as batch:
        batch.drop_column("trusts_sign_on")
    op.drop_table("sign_on_link")
