"""ends of data: who names which card, holds of two persons, counts of withdrawals, what phones forgot by a rule"""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PAGE = 1000
TABLES = ("card_mention", "dropped_item", "withdrawal_count")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE = re.compile(r"(?=([0-9A-HJKMNP-TV-Z]{4}[- ]?[0-9A-HJKMNP-TV-Z]{4}[0-9A-HJKMNP-TV-Z*~$=U]))", re.IGNORECASE)
HAS_DUE = sa.text("due != ''")
IS_SETTLING = sa.text("form = 'fieldapp.settle'")


def upgrade() -> None:
    op.create_table(
        "card_mention",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_card_mention_centre_id_centre")),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_card_mention_submission_id_submission"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("centre_id", "code", "submission_id", name=op.f("pk_card_mention")),
    )
    op.create_table(
        "dropped_item",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_dropped_item_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "seq", name=op.f("pk_dropped_item")),
    )
    op.create_table(
        "withdrawal_count",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("quarter", sa.String(length=7), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_withdrawal_count_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "quarter", name=op.f("pk_withdrawal_count")),
    )
    for name, columns, condition in (
        ("ix_submission_centre_id_due", ["centre_id", "due"], HAS_DUE),
        ("ix_submission_settling", ["centre_id", "id"], IS_SETTLING),
    ):
        op.create_index(name, "submission", columns, sqlite_where=condition, postgresql_where=condition)
    with op.batch_alter_table("legal_hold") as batch:
        batch.add_column(sa.Column("confirmed_at", MOMENT, nullable=True))
        batch.add_column(sa.Column("confirmed_by", sa.Integer(), nullable=True))
        batch.create_foreign_key(op.f("fk_legal_hold_confirmed_by_user"), "user", ["confirmed_by"], ["id"])
    # Those from before two persons were needed go on holding until their day.
    op.execute(sa.text("UPDATE legal_hold SET confirmed_at = made_at"))
    _note_mentions()
    op.create_index("ix_card_mention_submission_id", "card_mention", ["submission_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for name in ("ix_submission_centre_id_due", "ix_submission_settling"):
        op.drop_index(name, table_name="submission")
    with op.batch_alter_table("legal_hold") as batch:
        batch.drop_constraint(op.f("fk_legal_hold_confirmed_by_user"), type_="foreignkey")
        batch.drop_column("confirmed_by")
        batch.drop_column("confirmed_at")


def _note_mentions() -> None:
    """Note which cards each submission names."""
    connection = op.get_bind()
    columns = "SELECT id, centre_id, body, CAST(cards AS TEXT) AS cards FROM submission"
    page = sa.text(f"{columns} WHERE id > :last ORDER BY id LIMIT {PAGE}")  # noqa: S608  nothing of it is from outside
    insert = sa.text("INSERT INTO card_mention (centre_id, code, submission_id) VALUES (:centre_id, :code, :id)")
    last = 0
    while True:
        rows = connection.execute(page, {"last": last}).all()
        if not rows:
            return
        mentions = []
        for row in rows:
            for code in sorted(_find_codes(f"{row.body}\n{_join(row.cards)}")):
                mentions.append({"centre_id": row.centre_id, "code": code, "id": row.id})
        if mentions:
            connection.execute(insert, mentions)
        last = rows[-1].id


def _join(cards: str) -> str:
    return "\n".join(map(str, json.loads(cards or "[]")))


def _find_codes(text: str) -> set[str]:
    """Return the card codes in a text, as they were when this was written: with the right check character."""
    codes = set()
    for match in CODE.findall(text):
        code = match.replace("-", "").replace(" ", "").upper()
        value = 0
        for character in code[:8]:
            value = value * 32 + ALPHABET.index(character)
        if f"{ALPHABET}*~$=U"[value % 37] == code[8]:
            codes.add(code)
    return codes
