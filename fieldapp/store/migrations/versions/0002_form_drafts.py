"""form drafts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question_class",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=200), nullable=False),
        sa.Column("privacy", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_question_class_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_class")),
        sa.UniqueConstraint("centre_id", "question", name=op.f("uq_question_class_centre_id_question")),
    )
    op.create_table(
        "form_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("workbook", sa.LargeBinary(), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.Column("xform", sa.Text(), nullable=True),
        sa.Column("problems", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_form_draft_author_id_user")),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_form_draft_centre_id_centre")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_draft")),
    )
    op.add_column("form_version", sa.Column("files", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("form_version", "files")

    op.drop_table("form_draft")
    op.drop_table("question_class")
