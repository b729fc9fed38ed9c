"""Centres: the health centres that host the data; everything else belongs to one."""

import datetime as dt
import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Centre(Base):
    __tablename__ = "centre"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    time_zone: Mapped[str] = mapped_column(sa.String(40), default="America/Toronto")
    lock_minutes: Mapped[int] = mapped_column(default=5)  # a phone left alone locks itself
    shred_days: Mapped[int] = mapped_column(default=7)  # what a phone remembers of a delivered record is gone after
    has_voice_notes: Mapped[bool] = mapped_column(default=False)
    by_invitation: Mapped[bool] = mapped_column(default=False)  # a phone joins by an invitation only, not by a password
    allows_collect: Mapped[bool] = mapped_column(default=False)  # ODK Collect may take part; not sealed, not signed
    # Who sees records proves with a second factor who they are. Off: in the demo, and where it came with an upgrade.
    asks_second_factor: Mapped[bool] = mapped_column(default=True, server_default=sa.false())
    # A second step that a sign-on provider asked for stands for one of ours.
    trusts_sign_on: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # Keys the rounding of counts, for all recipients alike; never leaves.
    table_secret: Mapped[str] = mapped_column(sa.String(64), default=lambda: secrets.token_hex(32))
    created_at: Mapped[dt.datetime]


def by_slug(session: Session, slug: str) -> Centre | None:
    return session.scalars(sa.select(Centre).where(Centre.slug == slug)).one_or_none()


def get(session: Session, centre_id: int) -> Centre:
    return session.get_one(Centre, centre_id)


def list_all(session: Session) -> Sequence[Centre]:
    return session.scalars(sa.select(Centre).order_by(Centre.id)).all()


def list_identities(session: Session) -> frozenset[tuple[str, dt.datetime]]:
    """Return the short name of each centre, and when it was set up.

    Together they are no other centre's.
    """
    rows = session.execute(sa.select(Centre.slug, Centre.created_at))
    return frozenset((row[0], row[1]) for row in rows)


def lock_words(session: Session, centre_id: int) -> None:
    """Let one transaction after the other change what people of a centre said about consent.

    Rows that only name the centre can be written meanwhile. SQLite has one writer in any case.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.execute(sa.select(Centre.id).where(Centre.id == centre_id).with_for_update(key_share=True))


def hold_off_ends(session: Session, centre_id: int) -> None:
    """Let no card of a centre end until this transaction does; others that only write go on.

    To be called before it is asked which cards ended: what is then written cannot be of one. SQLite has one writer.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.execute(sa.select(Centre.id).where(Centre.id == centre_id).with_for_update(key_share=True, read=True))


def lock(session: Session, centre_id: int) -> None:
    """Lock a centre: others that lock it wait until this transaction ends."""
    session.execute(sa.select(Centre.id).where(Centre.id == centre_id).with_for_update())
