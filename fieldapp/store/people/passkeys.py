"""Passkeys (WebAuthn): the public halves of what people prove with who they are."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Passkey(Base):
    __tablename__ = "passkey"
    # A page may still name one that was removed: its number must not become another one's.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    credential: Mapped[str] = mapped_column(sa.String(1400), unique=True)  # its id, in base64url
    public_key: Mapped[bytes]
    host: Mapped[str] = mapped_column(sa.String(255))  # where it was made; it works nowhere else
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    label: Mapped[str] = mapped_column(sa.String(40))
    created_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime]


def of_user(session: Session, user_id: int) -> Sequence[Passkey]:
    return session.scalars(sa.select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)).all()


def lock_one(session: Session, user_id: int, credential: str) -> Passkey | None:
    """Return a person's passkey, locked for changing."""
    query = sa.select(Passkey).where(Passkey.user_id == user_id, Passkey.credential == credential)
    return session.scalars(query.with_for_update()).one_or_none()


def is_known(session: Session, credential: str) -> bool:
    return session.scalar(sa.select(Passkey.id).where(Passkey.credential == credential)) is not None


def list_users_with_passkey(session: Session, centre_id: int) -> set[int]:
    return set(session.scalars(sa.select(Passkey.user_id).where(Passkey.centre_id == centre_id)))


def delete_of_user(session: Session, user_id: int) -> int:
    """Delete a person's passkeys; return how many there were."""
    own_passkeys = of_user(session, user_id)
    for passkey in own_passkeys:
        session.delete(passkey)
    return len(own_passkeys)
