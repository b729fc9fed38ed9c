"""The audit log: one row per act, written in the act's own transaction.

It has ids and codes only, never answers or tokens. The lines of each centre are a chain of hashes, so that a line that
is changed, missing or moved is found (`services/operations/audit_chain.py`).
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base
from fieldapp.store.dialects import make_insert

NO_CENTRE = 0  # whose chain has the lines of no centre: failed sign-ins with a name that nobody has
SALT_LENGTH = 16  # bytes
START = bytes(32)  # the link before the first line
MOST_COMPARED = 20
ERASED = "audit.erased"  # the line that says which lines retention deleted; it stays itself
ANONYMOUS_TARGET = "record/"  # a target that was taken out is a record that cannot be found any more


class AuditEvent(Base):
    """A line of the audit log, chained to the line before it.

    `number` has no gaps within a centre; lines from before there was a chain have none. `link` is a hash of the line
    and of the link before it. The target is in it as a salted hash, so that it can be taken out later.
    """

    __tablename__ = "audit"
    __table_args__ = (
        sa.Index("ix_audit_centre_id_target", "centre_id", "target", "id"),
        sa.Index("ix_audit_centre_id_number", "centre_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    centre_id: Mapped[int | None] = mapped_column(sa.ForeignKey("centre.id"))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("device.id"))
    act: Mapped[str] = mapped_column(sa.String(60))
    target: Mapped[str] = mapped_column(sa.String(120), default="")
    details: Mapped[dict[str, Any]]
    number: Mapped[int | None] = mapped_column(sa.BigInteger)
    salt: Mapped[bytes | None] = mapped_column(sa.LargeBinary(SALT_LENGTH))  # None once the target was taken out
    target_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    link: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))


class AuditHead(Base):
    """The end of a centre's chain, and what the last check found.

    Who adds to the chain locks it until their commit.
    """

    __tablename__ = "audit_head"

    centre_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # NO_CENTRE: of none
    number: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    link: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    checked_at: Mapped[dt.datetime | None]
    fault: Mapped[str] = mapped_column(sa.String(20), default="")  # what the last check found; "" for nothing
    fault_at: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # the number of the line


@dataclass(frozen=True)
class AuditLine:
    """What a line of the audit log says."""

    at: dt.datetime
    act: str
    centre_id: int | None = None
    actor_id: int | None = None
    device_id: int | None = None
    target: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


INSERT = sa.insert(AuditEvent)
NEXT = (
    sa.update(AuditHead)
    .where(AuditHead.centre_id == sa.bindparam("of_centre"))
    .values(number=AuditHead.number + sa.bindparam("count"))
    .returning(AuditHead.number, AuditHead.link)
)
MOVE = sa.update(AuditHead).where(AuditHead.centre_id == sa.bindparam("of_centre")).values(link=sa.bindparam("last"))


def add(session: Session, lines: Sequence[AuditLine]) -> None:
    """Add lines of one centre to its chain, in their order.

    To be called last in a transaction: until it ends, others of the centre wait.
    """
    connection = session.connection()
    of_centre = lines[0].centre_id or NO_CENTRE
    parameters = {"of_centre": of_centre, "count": len(lines)}
    head = connection.execute(NEXT, parameters).one_or_none()
    if head is None:
        _begin(session, of_centre)
        head = connection.execute(NEXT, parameters).one()
    link = head.link
    rows = []
    for number, line in enumerate(lines, start=head.number + 1 - len(lines)):
        salt = secrets.token_bytes(SALT_LENGTH)
        target_hash = hash_target(salt, line.target)
        link = compute_link(link, number, line, target_hash)
        rows.append({**vars(line), "number": number, "salt": salt, "target_hash": target_hash, "link": link})
    connection.execute(INSERT, rows)
    connection.execute(MOVE, {"of_centre": of_centre, "last": link})


def _begin(session: Session, of_centre: int) -> None:
    statement = make_insert(session, AuditHead).values(centre_id=of_centre, number=0, link=START, fault="", fault_at=0)
    # Another transaction may have begun it at the same moment.
    session.execute(statement.on_conflict_do_nothing(index_elements=["centre_id"]))


def hash_target(salt: bytes, target: str) -> bytes:
    """Return what stands for a target in its line's link."""
    return hashlib.sha256(salt + target.encode()).digest()


def compute_link(before: bytes, number: int, line: AuditLine, target_hash: bytes) -> bytes:
    """Return the link of a line.

    It is the SHA-256 of the link before it and of the line in canonical JSON.
    """
    at = line.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    who = [line.centre_id, line.actor_id, line.device_id]
    details = json.loads(json.dumps(line.details))  # as it will be read: with keys that are texts
    content = [number, at, *who, line.act, target_hash.hex(), details]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(before + text.encode()).digest()


def list_heads(session: Session) -> Sequence[AuditHead]:
    return session.scalars(sa.select(AuditHead).order_by(AuditHead.centre_id)).all()


def find_head(session: Session, centre_id: int) -> AuditHead | None:
    return session.scalars(sa.select(AuditHead).where(AuditHead.centre_id == centre_id)).one_or_none()


def read_link(session: Session, centre_id: int) -> str:
    """Return the link of a centre's last line, hexadecimal, for somebody else to keep."""
    head = find_head(session, centre_id)
    return (head.link if head else START).hex()


def list_chained(session: Session, of_centre: int, after: int, limit: int) -> Sequence[AuditEvent]:
    """Return the next lines of a chain after a number, by number."""
    query = (
        sa.select(AuditEvent).where(_is_of(of_centre), AuditEvent.number > after).order_by(AuditEvent.number, AuditEvent.id)
    )
    return session.scalars(query.limit(limit).execution_options(populate_existing=True)).all()


def find_last_number(session: Session, of_centre: int) -> int:
    """Return the greatest number of a line of a chain; 0 where it has none."""
    return session.scalar(sa.select(sa.func.max(AuditEvent.number)).where(_is_of(of_centre))) or 0


def find_unchained(session: Session, of_centre: int) -> int | None:
    """Return after which line of a chain one without a number was written; None for none.

    Lines from before there was a chain have no number either, and come before all of it.
    """
    of_chain = sa.select(AuditEvent).where(_is_of(of_centre), AuditEvent.number.is_not(None))
    first = session.scalars(of_chain.order_by(AuditEvent.number).limit(1)).one_or_none()
    if first is None:
        return None
    later = sa.or_(AuditEvent.id > first.id, AuditEvent.at > first.at)
    without = sa.select(AuditEvent).where(_is_of(of_centre), AuditEvent.number.is_(None), later)
    added = session.scalars(without.order_by(AuditEvent.id).limit(1)).one_or_none()
    if added is None:
        return None
    before = of_chain.where(AuditEvent.id < added.id).order_by(AuditEvent.number.desc()).limit(1)
    line = session.scalars(before).one_or_none()
    return (line.number or 0) if line is not None else 0


def _is_of(of_centre: int) -> sa.ColumnElement[bool]:
    return AuditEvent.centre_id == of_centre if of_centre else AuditEvent.centre_id.is_(None)


def list_erasures(session: Session, of_centre: int) -> Sequence[AuditEvent]:
    """Return the lines that say which lines of a chain were deleted."""
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == of_centre, AuditEvent.act == ERASED)
    return session.scalars(query.order_by(AuditEvent.id)).all()


def note_check(session: Session, of_centre: int, at: dt.datetime, fault: str, fault_at: int) -> None:
    """Note what a check of a chain found; "" for nothing."""
    _begin(session, of_centre)  # somebody may have deleted it
    head = sa.update(AuditHead).where(AuditHead.centre_id == of_centre)
    session.execute(head.values(checked_at=at, fault=fault, fault_at=fault_at))


def list_for_target(session: Session, centre_id: int, target: str) -> Sequence[AuditEvent]:
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == centre_id, AuditEvent.target == target)
    return session.scalars(query.order_by(AuditEvent.id)).all()


def last_of(session: Session, centre_id: int, target: str, acts: Collection[str]) -> AuditEvent | None:
    """Return the newest line of some acts on a target."""
    query = sa.select(AuditEvent).where(
        AuditEvent.centre_id == centre_id, AuditEvent.target == target, AuditEvent.act.in_(acts)
    )
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(1)).one_or_none()


def list_by_command(session: Session, centre_id: int, acts: Collection[str], since: dt.datetime) -> Sequence[AuditEvent]:
    """Return what was done since then by a command on the server, the newest first."""
    query = sa.select(AuditEvent).where(
        AuditEvent.centre_id == centre_id, AuditEvent.actor_id.is_(None), AuditEvent.act.in_(acts), AuditEvent.at >= since
    )
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(10)).all()


def list_newest(session: Session, centre_id: int, limit: int = 50) -> Sequence[AuditEvent]:
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == centre_id)
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit)).all()


@dataclass(frozen=True)
class AuditFilter:
    """What lines are looked for; blank means all."""

    act: str = ""
    actor_id: int | None = None
    target: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None  # not included


def list_matching(
    session: Session, centre_id: int, audit_filter: AuditFilter, before: int, limit: int
) -> Sequence[AuditEvent]:
    """Return the lines that match, newest first.

    `before`: only those with a lower id; 0 for all.
    """
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == centre_id)
    if audit_filter.act:
        query = query.where(AuditEvent.act == audit_filter.act)
    if audit_filter.actor_id is not None:
        query = query.where(AuditEvent.actor_id == audit_filter.actor_id)
    if audit_filter.target:
        query = query.where(AuditEvent.target == audit_filter.target)
    if audit_filter.since is not None:
        query = query.where(AuditEvent.at >= audit_filter.since)
    if audit_filter.until is not None:
        query = query.where(AuditEvent.at < audit_filter.until)
    if before:
        query = query.where(AuditEvent.id < before)
    return session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit)).all()


def list_acts(session: Session, centre_id: int) -> list[str]:
    """Return the acts of which a centre's log has lines."""
    query = sa.select(AuditEvent.act).where(AuditEvent.centre_id == centre_id).distinct()
    return sorted(session.scalars(query))


def has_line_since(session: Session, line: AuditLine, since: dt.datetime) -> bool:
    """Say whether the same person left the same line since a time.

    Only the last lines about its target are compared.
    """
    query = sa.select(AuditEvent).where(AuditEvent.centre_id == line.centre_id, AuditEvent.target == line.target)
    for earlier in session.scalars(query.order_by(AuditEvent.id.desc()).limit(MOST_COMPARED)):
        is_same = (earlier.act, earlier.actor_id, earlier.details) == (line.act, line.actor_id, line.details)
        if is_same and earlier.at >= since:
            return True
    return False


def replace_targets(session: Session, centre_id: int, targets: Mapping[str, str]) -> None:
    """Let lines be about something else, since what was acted on is no more."""
    # A line stays, so that the log has no gap; what it was about can no longer be found out.
    for target, replacement in targets.items():
        ours = sa.update(AuditEvent).where(AuditEvent.centre_id == centre_id, AuditEvent.target == target)
        session.execute(ours.values(target=replacement, salt=None))
