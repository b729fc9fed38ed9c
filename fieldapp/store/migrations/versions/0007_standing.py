"""standing consent: what each record says that a person said yes to"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
ASKED = ("read_out", "they_read", "interpreter")
AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "consent_word",
        sa.Column("centre_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=9), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lowered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"], name=op.f("fk_consent_word_centre_id_centre")),
        sa.PrimaryKeyConstraint("centre_id", "root_id", name=op.f("pk_consent_word")),
    )
    op.create_index("ix_consent_word_centre_id_person", "consent_word", ["centre_id", "person", "position"])
    op.create_index("ix_consent_word_centre_id_lowered_at", "consent_word", ["centre_id", "lowered_at"])
    fill_words()


def downgrade() -> None:
    op.drop_table("consent_word")


RECORD = sa.table(
    "record",
    *(sa.column(name) for name in ("id", "centre_id", "form", "version", "instance_id", "person")),
    sa.column("answers", JSON),
)
SUBMISSION = sa.table(
    "submission",
    *(sa.column(name) for name in ("id", "centre_id", "root_id", "body")),
    sa.column("problems", JSON),
    sa.column("finished_at", MOMENT),
)
WORD = sa.table(
    "consent_word",
    *(sa.column(name) for name in ("centre_id", "root_id", "person", "tier", "position")),
    sa.column("asked", sa.Boolean()),
    sa.column("finished_at", MOMENT),
)


def fill_words() -> None:
    """Write down what the records of before say: of one that was corrected, the least that any of its versions says."""
    connection = op.get_bind()
    places = _places(connection)
    last = 0
    query = sa.select(RECORD).where(RECORD.c.person != "").order_by(RECORD.c.id).limit(AT_ONCE)
    while rows := connection.execute(query.where(RECORD.c.id > last)).all():
        last = rows[-1].id
        found = []
        for row in rows:
            place = places.get((row.centre_id, row.form, row.version))
            said = _said(row.answers, place) if place else None
            if said:
                found.append((row, place, said))
        roots = [row.instance_id for row, _, _ in found]
        parts = _parts(connection, roots)
        words = [_word(row, place, said, parts.get((row.centre_id, row.instance_id), [])) for row, place, said in found]
        words = [word for word in words if word]
        if words:
            connection.execute(sa.insert(WORD), words)


def _places(connection: Any) -> dict[tuple[int, str, str], tuple[list[str], bool]]:
    """Return where the tier stands in the answers of each version of a form, and whether it asks who understood."""
    query = sa.text("SELECT centre_id, form, version, definition FROM form_version")
    found = {}
    for centre, form, version, definition in connection.execute(query):
        body = json.loads(definition)
        listed = [one["path"] for one in body.get("elements", ()) if one.get("choices") == "tier"]
        path = body.get("summary", {}).get("tier") or (listed[0] if listed else "")
        if path:
            names = {one["path"] for one in body["elements"]}
            found[centre, form, version] = path.split("/")[2:], path.rsplit("/", 1)[0] + "/understood" in names
    return found


def _said(answers: Any, place: tuple[list[str], bool]) -> tuple[int, bool] | None:
    """Return the tier and whether the person was asked and understood; None when nothing is said of consent."""
    names, can_understand = place
    group = answers
    for name in names[:-1]:
        group = group.get(name) if isinstance(group, dict) else None
    if not isinstance(group, dict):
        return None
    tier, how, understood = (str(group.get(name) or "") for name in (names[-1], "said", "understood"))
    if not (tier or how or understood):
        return None
    if how in ASKED and understood != "yes" and can_understand:
        return 0, False
    return min(int(tier), 3) if tier.isdecimal() else 0, how in ASKED and understood == "yes"


def _parts(connection: Any, roots: list[str]) -> dict[tuple[int, str], list[Any]]:
    found: dict[tuple[int, str], list[Any]] = {}
    query = sa.select(SUBMISSION).where(SUBMISSION.c.root_id.in_(roots)).order_by(SUBMISSION.c.id)
    for one in connection.execute(query) if roots else ():
        if not one.problems:
            found.setdefault((one.centre_id, one.root_id), []).append(one)
    return found


def _word(row: Any, place: tuple[list[str], bool], said: tuple[int, bool], parts: list[Any]) -> dict[str, Any] | None:
    if not parts:
        return None
    tiers = {said[0]}
    is_clear = True
    for one in parts if len(parts) > 1 else ():
        try:
            version = _said(json.loads(one.body), place)
        except ValueError:
            version = None
        is_clear = is_clear and version is not None
        if version:
            tiers.add(version[0])
    is_clear = is_clear and len(tiers) == 1
    return {
        "centre_id": row.centre_id,
        "root_id": row.instance_id,
        "person": row.person,
        "tier": min(tiers),
        "asked": said[1] and is_clear,
        "finished_at": parts[0].finished_at if is_clear else max(one.finished_at for one in parts),
        "position": parts[0].id if is_clear else parts[-1].id,
    }
