"""two-step verification at sign-in: passkeys, recovery codes, one-time codes"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("centre_id", sa.Integer(), sa.ForeignKey("centre.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("credential", sa.String(length=1400), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passkey_user_id", "passkey", ["user_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("centre_id", sa.Integer(), sa.ForeignKey("centre.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("centre_id", sa.Integer(), sa.ForeignKey("centre.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user.id"), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Integer(), sa.ForeignKey("user.id"), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_one_time_code_user_id", "one_time_code", ["user_id"])
    # Centres that are there go on as they were, until an administrator turns it on: nobody there has a code yet.
    op.add_column("centre", sa.Column("asks_second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("web_session", sa.Column("second_factor_at", TIME, nullable=True))
    # Begun and not confirmed: what was begun is not stored any more.
    op.execute("DELETE FROM second_factor WHERE confirmed_at IS NULL")
    with op.batch_alter_table("second_factor") as batch:
        batch.drop_column("wrong")
        batch.drop_column("paused_until")


def downgrade() -> None:
    with op.batch_alter_table("second_factor") as batch:
        batch.add_column(sa.Column("wrong", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("paused_until", TIME, nullable=True))
    with op.batch_alter_table("web_session") as batch:
        batch.drop_column("second_factor_at")
    with op.batch_alter_table("centre") as batch:
        batch.drop_column("asks_second_factor")
    op.drop_table("one_time_code")
    op.drop_table("recovery_code")
    op.drop_table("passkey")
