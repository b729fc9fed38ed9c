"""statements about consent that name what was known when they were said, and what stands by them"""

import datetime as dt
import itertools
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NEW_TEXTS = (("statement_id", 36), ("wording", 16), ("language", 35), ("how", 6))
AT_ONCE = 1000  # rows written together

WORD = sa.table(
    "consent_word",
    *(sa.column(name) for name in ("centre_id", "root_id", "person", "tier", "position", "waits", "statement_id")),
    sa.column("asked", sa.Boolean()),
    sa.column("finished_at", MOMENT),
    sa.column("knew", JSON),
)
STANDING = sa.table(
    "standing",
    *(sa.column(name) for name in ("centre_id", "person", "tier", "is_in_doubt", "wording")),
    sa.column("since", sa.Date()),
    sa.column("heads", JSON),
    sa.column("moved_at", MOMENT),
)


def upgrade() -> None:
    for name, length in NEW_TEXTS:
        op.add_column("consent_word", sa.Column(name, sa.String(length), nullable=False, server_default=""))
    op.add_column("consent_word", sa.Column("knew", JSON, nullable=False, server_default="[]"))
    op.create_table(
        "standing",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=9), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("heads", JSON, nullable=False),
        sa.Column("is_in_doubt", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.String(length=16), nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_standing_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "person", name=op.f("pk_standing")),
    )
    op.execute("UPDATE consent_word SET statement_id = root_id")
    fill_standings()


def downgrade() -> None:
    op.drop_table("standing")
    op.execute("DELETE FROM consent_word WHERE position = 0")  # said by slip or at the office: no record says it
    with op.batch_alter_table("consent_word") as batch:
        for name in ("knew", *(name for name, _ in NEW_TEXTS)):
            batch.drop_column(name)


def fill_standings() -> None:
    """Write what each word knew, and what stands: what held until now, by clock and by arrival."""
    connection = op.get_bind()
    now = dt.datetime.now(dt.UTC)
    query = sa.select(WORD).where(WORD.c.person != "", ~WORD.c.waits)
    query = query.order_by(WORD.c.centre_id, WORD.c.person, WORD.c.position, WORD.c.root_id)
    knew: list[dict[str, Any]] = []
    standings: list[dict[str, Any]] = []
    rows = connection.execute(query).all()
    for (centre_id, person), words in itertools.groupby(rows, key=lambda word: (word.centre_id, word.person)):
        of_person = list(words)
        known_by = find_settled(of_person)
        for number, known in known_by.items():
            knew.append({"of_centre": centre_id, "of_record": number, "known": sorted(known)})
        settled = set().union(*known_by.values())
        heads = [word for word in of_person if word.root_id not in settled]
        standings.append({"centre_id": centre_id, "person": person, "moved_at": now, **fold_heads(heads)})
    of_word = sa.and_(WORD.c.centre_id == sa.bindparam("of_centre"), WORD.c.root_id == sa.bindparam("of_record"))
    update = sa.update(WORD).where(of_word).values(knew=sa.bindparam("known", type_=JSON))
    for statement, values in ((update, knew), (sa.insert(STANDING), standings)):
        for first in range(0, len(values), AT_ONCE):
            connection.execute(statement, values[first : first + AT_ONCE])


def find_settled(words: list[Any]) -> dict[str, set[str]]:
    """Return which earlier words each word settles: each by the first that does.

    That is one in which the person was asked again and understood, later by the phone's clock and by arrival.
    """
    known_by: dict[str, set[str]] = {}
    for word in words:
        laters = [
            other
            for other in words
            if other.asked and other.finished_at > word.finished_at and other.position > word.position
        ]
        if laters:
            first = min(laters, key=lambda other: (other.position, other.root_id))
            known_by.setdefault(first.root_id, set()).add(word.root_id)
    return known_by


def fold_heads(heads: list[Any]) -> dict[str, Any]:
    """Return what stands by the words that nothing settles."""
    heads = sorted(heads, key=lambda word: (word.tier, word.root_id))
    lowest = [word for word in heads if word.tier == heads[0].tier]
    return {
        "tier": heads[0].tier,
        "since": min(word.finished_at for word in lowest).date().replace(day=1),
        "heads": [word.root_id for word in heads],
        "is_in_doubt": heads[-1].tier != heads[0].tier,
        "wording": "",
    }
