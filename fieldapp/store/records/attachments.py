"""Attachments by the hash of their content, as they arrive in pieces: sealed by phones, plain from OpenRosa clients."""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.records.submissions import Submission


class Blob(Base):
    __tablename__ = "blob"
    __table_args__ = (sa.UniqueConstraint("centre_id", "sha256"),)

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


class GoneAttachment(Base):
    """An attachment that was taken out after a no: what of it comes later is not kept."""

    __tablename__ = "gone_attachment"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)


def names_of(session: Session, centre_id: int, instance_id: str) -> dict[str, str]:
    query = sa.select(AttachmentName.name, AttachmentName.answer)
    query = query.where(AttachmentName.centre_id == centre_id, AttachmentName.instance_id == instance_id)
    return {row[0]: row[1] for row in session.execute(query)}


def whole(session: Session, centre_id: int, hashes: Collection[str]) -> set[str]:
    """Return those of these attachments of which every byte is here."""
    query = sa.select(Blob.sha256).where(Blob.centre_id == centre_id, Blob.sha256.in_(hashes), Blob.received == Blob.size)
    return set(session.scalars(query))


def find(session: Session, centre_id: int, sha256: str) -> Blob | None:
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256 == sha256)
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


def is_gone(session: Session, centre_id: int, sha256: str) -> bool:
    """Say whether an attachment was taken out after a no."""
    return session.get(GoneAttachment, (centre_id, sha256)) is not None


def forget_names(session: Session, centre_id: int, instance_ids: Collection[str]) -> set[str]:
    """Delete by which names clients called the attachments of submissions, and return their hashes."""
    ours = AttachmentName.centre_id == centre_id, AttachmentName.instance_id.in_(instance_ids)
    answers = session.scalars(sa.select(AttachmentName.answer).where(*ours)).all()
    if answers:
        session.execute(sa.delete(AttachmentName).where(*ours))
    return {answer.rpartition(":")[2] for answer in answers}


def take_out(session: Session, centre_id: int, hashes: Collection[str], device_id: int | None) -> None:
    """Delete attachments that no record names any more, and remember that they are not to come again.

    A sealed one is named only by what its own phone sent, a plain one also by the names that clients gave it.
    """
    for sha256 in sorted(hashes):
        blob = find(session, centre_id, sha256)
        if _is_named(session, centre_id, sha256, blob.device_id if blob else device_id):
            continue
        if blob is not None:
            drop_pieces(session, blob)
            session.delete(blob)
        session.merge(GoneAttachment(centre_id=centre_id, sha256=sha256))
    session.flush()


def take_back(session: Session, centre_id: int, hashes: Collection[str]) -> None:
    """Let attachments come again, since another record names them."""
    gone = GoneAttachment.centre_id == centre_id, GoneAttachment.sha256.in_(hashes)
    session.execute(sa.delete(GoneAttachment).where(*gone))


def _is_named(session: Session, centre_id: int, sha256: str, device_id: int | None) -> bool:
    by_client = sa.select(AttachmentName.name).where(AttachmentName.centre_id == centre_id)
    if session.execute(by_client.where(AttachmentName.answer.endswith(f":{sha256}")).limit(1)).first():
        return True
    sent = sa.select(Submission.id).where(Submission.centre_id == centre_id, Submission.device_id == device_id)
    return session.execute(sent.where(Submission.body.contains(sha256)).limit(1)).first() is not None
