"""What supervisors said about records: approved, sent back, a comment.

Rows are only added. After a refused consent the comments are deleted; after the end of a card they name no record.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.sealing import Sealed, SealedBytes


class Review(Base):
    __tablename__ = "review"
    __table_args__ = (sa.Index("ix_review_centre_id_root_id", "centre_id", "root_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    root_id: Mapped[str] = mapped_column(sa.String(36))
    at: Mapped[dt.datetime]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    state: Mapped[str] = mapped_column(sa.String(10))  # approved, returned, chosen, "" for a comment alone
    sealed_comment: Mapped[bytes] = mapped_column("comment", SealedBytes)
    comment = Sealed("sealed_comment", "root_id", "at", "author_id")


def of_record(session: Session, centre_id: int, root_id: str) -> Sequence[Review]:
    query = sa.select(Review).where(Review.centre_id == centre_id, Review.root_id == root_id)
    return session.scalars(query.order_by(Review.id)).all()


def forget_comments(session: Session, centre_id: int, root_ids: Collection[str]) -> None:
    """Delete the comments on records; that somebody reviewed them, and when, stays."""
    change = sa.update(Review).where(Review.centre_id == centre_id, Review.root_id.in_(root_ids), Review.comment != "")
    session.execute(change.values(sealed_comment=b""))


def untie_from_records(session: Session, centre_id: int, tags: Mapping[str, str]) -> None:
    """Let reviews of records that are no more say only that somebody reviewed something."""
    ours = sa.select(Review).where(Review.centre_id == centre_id, Review.root_id.in_(tags))
    for review in session.scalars(ours.with_for_update()):
        review.root_id = tags[review.root_id]
        review.comment = ""
        review.at = review.at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    session.flush()
