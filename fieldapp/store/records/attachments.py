"""Attachments by the hash of their content, as they arrive in pieces.

Phones seal them; OpenRosa clients such as ODK Collect send them plain.
"""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.records.submissions import Submission
from fieldapp.store.sealing import SealedBytes, find_sealer, open_value


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
    sealed_data: Mapped[bytes] = mapped_column("data", SealedBytes)


class AttachmentName(Base):
    """The name by which an OpenRosa client calls an attachment of a submission.

    Stored until all attachments of the submission have arrived.
    """

    __tablename__ = "attachment_name"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    instance_id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    answer: Mapped[str] = mapped_column(sa.String(200))  # attachment:<kind>:<SHA-256>


class GoneAttachment(Base):
    """An attachment of a phone that was deleted after a refused consent.

    What the phone sends of it later is not stored.
    """

    __tablename__ = "gone_attachment"

    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    device_id: Mapped[int] = mapped_column(sa.ForeignKey("device.id"), primary_key=True)


def find_client_file_names(session: Session, centre_id: int, instance_id: str) -> dict[str, str]:
    query = sa.select(AttachmentName.name, AttachmentName.answer)
    query = query.where(AttachmentName.centre_id == centre_id, AttachmentName.instance_id == instance_id)
    return {row[0]: row[1] for row in session.execute(query)}


def find_complete_hashes(session: Session, centre_id: int, hashes: Collection[str]) -> set[str]:
    """Return the hashes among these of attachments that are complete."""
    query = sa.select(Blob.sha256).where(Blob.centre_id == centre_id, Blob.sha256.in_(hashes))
    return set(session.scalars(query.where(Blob.received == Blob.size)))


def find_whole(session: Session, centre_id: int, sha256: str) -> Blob | None:
    """Return a complete attachment, from any phone; None when there is none."""
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256 == sha256)
    query = query.where(Blob.received == Blob.size)
    return session.scalars(query.order_by(Blob.id).limit(1)).one_or_none()


def find_own(session: Session, centre_id: int, sha256: str, device_id: int | None) -> Blob | None:
    """Return what a phone has sent of an attachment, locked for changing."""
    query = sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256 == sha256)
    query = query.where(Blob.device_id == device_id)
    return session.scalars(query.with_for_update()).one_or_none()


def content(session: Session, blob: Blob) -> bytes:
    query = sa.select(BlobPiece.start, BlobPiece.sealed_data).where(BlobPiece.blob_id == blob.id)
    pieces = []
    for start, sealed in session.execute(query.order_by(BlobPiece.start)):
        pieces.append(open_value("blob_piece", "data", blob.centre_id, f"{blob.id}|{start}", sealed))
    return b"".join(pieces)


def add_piece(session: Session, blob: Blob, start: int, data: bytes) -> None:
    """Store a piece of an attachment, sealed; not every client seals it before."""
    sealed = find_sealer(session, blob.centre_id).seal("blob_piece", "data", f"{blob.id}|{start}", data)
    session.add(BlobPiece(blob_id=blob.id, start=start, sealed_data=sealed))


def drop_pieces(session: Session, blob: Blob) -> None:
    session.execute(sa.delete(BlobPiece).where(BlobPiece.blob_id == blob.id))


def unfinished_bytes(session: Session, device_id: int) -> int:
    """Return how many bytes of incomplete attachments a phone has sent."""
    query = sa.select(sa.func.coalesce(sa.func.sum(Blob.received), 0))
    return session.scalars(query.where(Blob.device_id == device_id, Blob.received < Blob.size)).one()


def is_gone(session: Session, centre_id: int, sha256: str, device_id: int | None) -> bool:
    """Say whether an attachment that a phone sends was deleted after a refused consent."""
    if device_id is None:
        return False
    return session.get(GoneAttachment, (centre_id, sha256, device_id)) is not None


def take_out(session: Session, centre_id: int, hashes: Collection[str], device_id: int) -> None:
    """Delete attachments of a phone that nothing it sent names any more; they stay refused.

    What another phone sent under the same hash is not touched: nobody can delete a colleague's
    picture by naming it.
    """
    for sha256 in sorted(hashes):
        # Another record of the same phone may show the same picture.
        if _is_named(session, centre_id, sha256, device_id):
            continue
        _delete(session, find_own(session, centre_id, sha256, device_id))
        # Remembered: the phone may not have heard of the refusal yet, and would send it again.
        session.merge(GoneAttachment(centre_id=centre_id, sha256=sha256, device_id=device_id))
    session.flush()


def take_out_named(session: Session, centre_id: int, instance_ids: Collection[str]) -> None:
    """Delete the names of submissions' attachments, and attachments without any name left."""
    ours = (AttachmentName.centre_id == centre_id, AttachmentName.instance_id.in_(instance_ids))
    answers = session.scalars(sa.select(AttachmentName.answer).where(*ours))
    hashes = {answer.rpartition(":")[2] for answer in answers}
    if not hashes:
        return
    session.execute(sa.delete(AttachmentName).where(*ours))
    blobs = session.scalars(sa.select(Blob).where(Blob.centre_id == centre_id, Blob.sha256.in_(hashes))).all()
    for blob in blobs:
        if not _is_named(session, centre_id, blob.sha256, blob.device_id):
            _delete(session, blob)
    session.flush()


def _delete(session: Session, blob: Blob | None) -> None:
    if blob is not None:
        drop_pieces(session, blob)
        session.delete(blob)


def take_back(session: Session, centre_id: int, hashes: Collection[str], device_id: int | None) -> None:
    """Accept attachments from a phone again, since another record of it names them."""
    statement = sa.delete(GoneAttachment).where(GoneAttachment.centre_id == centre_id)
    statement = statement.where(GoneAttachment.device_id == device_id)
    session.execute(statement.where(GoneAttachment.sha256.in_(hashes)))


def _is_named(session: Session, centre_id: int, sha256: str, device_id: int | None) -> bool:
    by_client = sa.select(AttachmentName.name).where(AttachmentName.centre_id == centre_id)
    # Names end in the hash, whatever type the client gave the file.
    if session.execute(by_client.where(AttachmentName.answer.endswith(f":{sha256}")).limit(1)).first():
        return True
    # The answers name attachments by hash; only the phone's own submissions count.
    sent = sa.select(Submission.body).where(Submission.centre_id == centre_id, Submission.device_id == device_id)
    bodies = session.scalars(sent.where(Submission.body != "").execution_options(yield_per=500))
    return any(sha256 in body for body in bodies)
