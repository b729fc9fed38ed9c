"""Records that are preserved for legal reasons, by two persons."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.consent.retention import confirm_hold, make_hold
from fieldapp.store.consent.retention import LegalHold
from fieldapp.store.people.users import User
from tests.cast import Cast, password_hash


def second_admin(session: Session, cast: Cast) -> Actor:
    """Return another administrator of the centre."""
    user = User(
        centre_id=cast.centre.id, username="sam", label="L-sam", role="admin", password=password_hash(),
        fs_uniquifier=uuid.uuid4().hex, created_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    session.add(user)
    session.commit()
    return Actor(cast.centre.id, "admin", user.id)


def find_hold(session: Session, root_id: str) -> LegalHold:
    session.rollback()
    return session.scalars(sa.select(LegalHold).where(LegalHold.root_id == root_id)).one()


def preserve(session: Session, cast: Cast, root_id: str, until: dt.date) -> None:
    """Preserve a record until a day; the operator is the second person."""
    make_hold(session, cast.rosa, root_id=root_id, reference="Court file 12", until=until)
    confirm_hold(session, cast.system, hold_id=find_hold(session, root_id).id)
