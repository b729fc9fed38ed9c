"""Which submissions name which card, wherever in their answers.

An end looks it up, and reads no other body. A row is there exactly while the submission has the code: it is written with
the submission, and goes when the code does.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import HiddenCode
from sync.card_codes import find_codes


class CardMention(Base):
    __tablename__ = "card_mention"
    __table_args__ = (sa.Index("ix_card_mention_submission_id", "submission_id"),)

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    code: Mapped[str] = mapped_column(HiddenCode, primary_key=True)  # without dashes
    submission_id: Mapped[int] = mapped_column(
        sa.ForeignKey("submission.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


def list_codes(body: str, cards: Iterable[Any]) -> set[str]:
    """Return the codes of the cards that a submission names, in its answers or as new ones."""
    return find_codes("\n".join([body, *map(str, cards)]))


def add_all(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Note which cards new submissions name, by the columns of these."""
    mentions: list[dict[str, Any]] = []
    for row in rows:
        for code in sorted(list_codes(row["body"], row["cards"])):
            mentions.append({"centre_id": row["centre_id"], "code": code, "submission_id": row["id"]})
    if mentions:
        session.connection().execute(sa.insert(CardMention), mentions)


def list_naming(session: Session, centre_id: int, code: str) -> list[int]:
    """Return the ids of the submissions that name a card."""
    query = sa.select(CardMention.submission_id)
    query = query.where(CardMention.centre_id == centre_id, CardMention.code == code)
    return list(session.scalars(query.order_by(CardMention.submission_id)))


def delete_old(_mapper: Mapper[Any], connection: sa.Connection, submission: Any) -> None:
    """Delete the mentions of cards that a submission no longer names, once it is changed.

    To be called by the database layer after each update of a submission.
    """
    state = sa.inspect(submission)
    if not (state.attrs.sealed_body.history.has_changes() or state.attrs.sealed_cards.history.has_changes()):
        return
    codes = list_codes(submission.body, submission.cards)
    statement = sa.delete(CardMention).where(CardMention.submission_id == submission.id)
    connection.execute(statement.where(CardMention.code.notin_(codes)))
