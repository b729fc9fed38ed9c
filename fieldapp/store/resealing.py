"""Seal again, under the newest keys, what lies under earlier ones.

A page in each transaction, while others work.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.store.base import Base
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations.keys import DATA, CentreKey
from fieldapp.store.people.users import User
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.products.pieces import FrozenPiece
from fieldapp.store.records.attachments import Blob, BlobPiece
from fieldapp.store.records.records import Record
from fieldapp.store.records.reviews import Review
from fieldapp.store.records.submissions import Submission
from fieldapp.store.sealing import find_sealer, list_sealed, renew

PAGE = 200
Resealed = Submission | Record | Review | FrozenPiece
KEPT = 2  # of a centre's data keys: a transaction that began before the newest may still write under the one before


def reseal_centre(session: Session, centre_id: int) -> int:
    """Seal all that a centre has under its newest key; return how many rows that changed.

    Killed in between, the same call goes on with what is left. Keys that open nothing any more are deleted.
    """
    count = 0
    for model in (Submission, Record, Review, FrozenPiece):
        count += _reseal_rows(session, centre_id, model)
    for user_id in session.scalars(sa.select(User.id).where(User.centre_id == centre_id).order_by(User.id)).all():
        count += _reseal_pulled(session, centre_id, user_id)
    for blob_id in session.scalars(sa.select(Blob.id).where(Blob.centre_id == centre_id).order_by(Blob.id)).all():
        count += _reseal_pieces(session, centre_id, blob_id)
    with WriteTransaction(session):
        _delete_old_keys(session, centre_id)
    return count


def _reseal_rows(session: Session, centre_id: int, model: type[Resealed]) -> int:
    count = 0
    for first, last in _list_pages(session, centre_id, model):
        # A session for each page, so that memory does not grow with what there is.
        with Session(session.get_bind()) as own, WriteTransaction(own):
            query = sa.select(model).where(model.centre_id == centre_id, model.id.between(first, last))
            for item in own.scalars(query.order_by(model.id).with_for_update()):
                renewed = [sealed.renew(own, item) for sealed in list_sealed(model)]
                count += any(renewed)
    return count


def _list_pages(session: Session, centre_id: int, model: type[Resealed]) -> Iterator[tuple[int, int]]:
    last = 0
    while True:
        query = sa.select(model.id).where(model.centre_id == centre_id, model.id > last).order_by(model.id).limit(PAGE)
        ids = session.scalars(query).all()
        session.rollback()
        if not ids:
            return
        yield ids[0], ids[-1]
        last = ids[-1]


def _reseal_pulled(session: Session, centre_id: int, user_id: int) -> int:
    count = 0
    with WriteTransaction(session):
        sealer = find_sealer(session, centre_id).for_rows_without_centre()
        query = sa.select(PullItem.key, PullItem.sealed_body).where(PullItem.user_id == user_id)
        for key, sealed in session.execute(query.with_for_update()).all():
            fresh = renew(sealer, "feed_item", "body", f"{user_id}|{key}", sealed)
            if fresh != sealed:
                ours = sa.and_(PullItem.user_id == user_id, PullItem.key == key)
                session.execute(_update(PullItem, ours).values(sealed_body=fresh))
                count += 1
    return count


def _reseal_pieces(session: Session, centre_id: int, blob_id: int) -> int:
    count = 0
    with WriteTransaction(session):
        sealer = find_sealer(session, centre_id)
        query = sa.select(BlobPiece.start, BlobPiece.sealed_data).where(BlobPiece.blob_id == blob_id)
        for start, sealed in session.execute(query.with_for_update()).all():
            fresh = renew(sealer, "blob_piece", "data", f"{blob_id}|{start}", sealed)
            if fresh != sealed:
                ours = sa.and_(BlobPiece.blob_id == blob_id, BlobPiece.start == start)
                session.execute(_update(BlobPiece, ours).values(sealed_data=fresh))
                count += 1
    return count


def _update(model: type[Base], condition: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(model).where(condition).execution_options(synchronize_session=False)


def _delete_old_keys(session: Session, centre_id: int) -> None:
    ours = sa.and_(CentreKey.centre_id == centre_id, CentreKey.purpose == DATA)
    newest = session.scalars(sa.select(CentreKey.id).where(ours).order_by(CentreKey.id.desc()).limit(KEPT)).all()
    session.execute(sa.delete(CentreKey).where(ours, CentreKey.id.not_in(newest)))
