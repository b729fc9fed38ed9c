"""Attachments by the hash of their content, as they arrive in pieces: sealed by phones, plain from OpenRosa clients."""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Blob(Base):
    __tablename__ = "blob"
    # Each phone's own pieces: one that knows the hash of a colleague's attachment must not be able to spoil it.
    __table_args__ = (sa.UniqueConstraint("centre_id", "sha256", "device_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]  # bytes of the whole
    received: Mapped[int]  # bytes that are here, from the start
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))
    created_at: Mapped[dt.datetime]


class BlobPiece(Base):
    __tablename__ = "blob_piece"

    blob_id: Mapped[int] = mapped_column(sa.ForeignKey("blob.id"), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class AttachmentName(Base):
    """Which attachment an OpenRosa client calls by which name in one submission, until all of them are here."""

    __tablename__ = "attachment_name"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    instance_id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    answer: Mapped[str] = mapped_column(sa.String(200))  # attachment:<kind>:<SHA-256>


def names_of(session: Session, centre_id: int, instance_id: str) -> dict[str, str]:
    query = sa.select(AttachmentName.name, AttachmentName.answer)
    query = query.where(AttachmentName.centre_id == centre_id, AttachmentName.instance_id == instance_id)
    return {row[0]: row[1] for row in session.execute(query)}


def whole(session: Session, centre_id: int, hashes: Collection[str]) -> set[str]:
    """Return those of these attachments of which every byte is here."""
    query = sa.select(Blob.sha256).where(Blob.centre_id == centre_id, Blob.sha256.in_(hashes), Blob.received == Blob.size)
    return set(session.scalars(query))


def find_whole(session: Session, centre_id: int, sha256: str) -> Blob | None:
    """Return an attachment of which every byte is here, whoever sent it."""
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256 == sha256, Blob.received == Blob.size)
    return session.scalars(query.order_by(Blob.id).limit(1)).one_or_none()


def find_own(session: Session, centre_id: int, sha256: str, device_id: int | None) -> Blob | None:
    """Return what a phone has sent of an attachment, for changing it in this transaction."""
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256 == sha256, Blob.device_id == device_id)
    return session.scalars(query.with_for_update()).one_or_none()


def content(session: Session, blob: Blob) -> bytes:
    query = sa.select(BlobPiece.data).where(BlobPiece.blob_id == blob.id).order_by(BlobPiece.start)
    return b"".join(session.scalars(query))


def drop_pieces(session: Session, blob: Blob) -> None:
    session.execute(sa.delete(BlobPiece).where(BlobPiece.blob_id == blob.id))


def unfinished_bytes(session: Session, device_id: int) -> int:
    """Return how much of attachments that are not whole yet a phone has here."""
    query = sa.select(sa.func.coalesce(sa.func.sum(Blob.received), 0))
    return session.scalars(query.where(Blob.device_id == device_id, Blob.received < Blob.size)).one()
