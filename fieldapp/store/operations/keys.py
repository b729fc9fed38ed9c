"""The centre's keys: phones seal records to some, others sign receipts and packages.

Private halves are wrapped with the server's secret key.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store import sealing
from fieldapp.store.base import Base
from fieldapp.store.operations.centres import Centre


class CentreKey(Base):
    __tablename__ = "centre_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(8))  # seal (P-256), sign and package (Ed25519), data (AES)
    kid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    public_key: Mapped[str] = mapped_column(sa.String(120))  # base64: an uncompressed point, or 32 bytes; "" for data
    wrapped: Mapped[bytes]  # the private key, or the key itself
    created_at: Mapped[dt.datetime]


class CodeKey(Base):
    """The key under which card codes are hidden in this database."""

    __tablename__ = "code_key"

    kid: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[dt.datetime]
    # What was there in clear before the key is out of the database's files; see store/sweeping.py.
    is_swept: Mapped[bool]


@sa.event.listens_for(Centre, "after_insert")
def _make_data_keys(_mapper: Any, connection: sa.Connection, centre: Centre) -> None:
    sealing.make_keys(connection, centre.id)


# Purposes, as they are stored.
SEAL = "seal"
SIGN = "sign"
PACKAGE = "package"
DATA = sealing.DATA


def newest(session: Session, centre_id: int, purpose: str) -> CentreKey | None:
    query = sa.select(CentreKey).where(CentreKey.centre_id == centre_id, CentreKey.purpose == purpose)
    return session.scalars(query.order_by(CentreKey.id.desc()).limit(1)).one_or_none()


def by_kids(session: Session, centre_id: int, kids: Collection[str]) -> dict[str, CentreKey]:
    query = sa.select(CentreKey).where(CentreKey.centre_id == centre_id, CentreKey.kid.in_(kids))
    return {key.kid: key for key in session.scalars(query)}


def list_of_centre(session: Session, centre_id: int) -> Sequence[CentreKey]:
    """Return every key of a centre, the oldest first."""
    query = sa.select(CentreKey).where(CentreKey.centre_id == centre_id).order_by(CentreKey.id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def all_wrapped(session: Session) -> list[tuple[str, bytes]]:
    """Return every wrapped private key with its number, of all centres.

    None where the table is not there yet: a database may be older than this code.
    """
    if not sa.inspect(session.connection()).has_table(CentreKey.__tablename__):
        return []
    rows = session.execute(sa.select(CentreKey.kid, CentreKey.wrapped).order_by(CentreKey.id))
    wrapped = [(row[0], row[1]) for row in rows]
    if sa.inspect(session.connection()).has_table(CodeKey.__tablename__):
        wrapped += [(key.kid, key.wrapped) for key in list_code_keys(session)]
    return wrapped


def add_data_key(session: Session, centre_id: int) -> None:
    """Make a new data key; what is written from now on is sealed under it."""
    sealing.add_data_key(session.connection(), centre_id)


def list_code_keys(session: Session) -> Sequence[CodeKey]:
    """Return the keys for codes, the oldest first."""
    query = sa.select(CodeKey).order_by(CodeKey.created_at)
    return session.scalars(query.execution_options(populate_existing=True)).all()
