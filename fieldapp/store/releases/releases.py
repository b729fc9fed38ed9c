"""Release series, their runs (one per period, with a lease), packages and deliveries."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base

# States of a run, beside running and done.
FAILED = "failed"
ASKED = "asked"  # it failed, and somebody asked that it be built again


class ReleaseSeries(Base):
    __tablename__ = "series"
    __table_args__ = (sa.UniqueConstraint("centre_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    key: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[dict[str, Any]]
    recipe: Mapped[str] = mapped_column(sa.Text)  # YAML
    cadence: Mapped[str] = mapped_column(sa.String(12))  # week, month, quarter
    first_period: Mapped[str] = mapped_column(sa.String(12))
    secret: Mapped[str] = mapped_column(sa.String(64))  # keys the order of rows and pseudonyms; never leaves
    is_active: Mapped[bool] = mapped_column(default=True)
    recipient: Mapped[str] = mapped_column(sa.String(120), default="")
    agreement: Mapped[dict[str, Any]] = mapped_column(default=dict)  # reference, ends_on, approvals: [{who, on}]
    # The recipient's public key, to which packages are encrypted.
    age_key: Mapped[str] = mapped_column(sa.String(120), default="")
    keep_days: Mapped[int] = mapped_column(default=90)  # how long a package can be downloaded
    # Ids of evaluators who may download it; empty: all of the centre.
    readers: Mapped[list[Any]] = mapped_column(default=list)
    targets: Mapped[list[Any]] = mapped_column(default=list)  # as services/transports/targets has them


class ReleaseRun(Base):
    """One period of a series.

    The unique period makes a double run impossible; the token fences off a process that stalled.
    """

    __tablename__ = "release_run"
    __table_args__ = (sa.UniqueConstraint("series_id", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"))
    period: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(12))  # running, done, failed, asked
    token: Mapped[str] = mapped_column(sa.String(32))
    lease_until: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    step: Mapped[str] = mapped_column(sa.String(20), default="")  # what a running build is at
    done: Mapped[int] = mapped_column(default=0)  # records read so far


class Release(Base):
    __tablename__ = "release"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("release_run.id"), unique=True)
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"), index=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    period: Mapped[str] = mapped_column(sa.String(12))
    filename: Mapped[str] = mapped_column(sa.String(160))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    revoked_because: Mapped[str] = mapped_column(sa.Text, default="")
    attested_at: Mapped[dt.datetime | None]  # when the recipient said that all copies are deleted
    attested_by: Mapped[str] = mapped_column(sa.String(120), default="")
    listed_round: Mapped[int] = mapped_column(default=0)  # rows withdrawn up to this round are not in it
    replaced_by: Mapped[str] = mapped_column(sa.String(12), default="")  # the period whose package has its rows and tables
    list_attested_at: Mapped[dt.datetime | None]  # when the recipient said that the rows on its list are deleted
    list_attested_by: Mapped[str] = mapped_column(sa.String(120), default="")


class PackageDelivery(Base):
    """A package on its way to one target: tried after ever longer pauses until it has arrived."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.UniqueConstraint("release_id", "number"),
        sa.Index(
            "ix_delivery_due",
            "due_at",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(sa.ForeignKey(Release.id))
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    number: Mapped[int]  # which of the series' targets
    target: Mapped[dict[str, Any]]  # as it was when the release was built; without secrets
    state: Mapped[str] = mapped_column(sa.String(12))  # waiting, sent, failed, stopped
    token: Mapped[str] = mapped_column(sa.String(32), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(sa.Text, default="")


def active_series(session: Session) -> Sequence[ReleaseSeries]:
    return session.scalars(sa.select(ReleaseSeries).where(ReleaseSeries.is_active).order_by(ReleaseSeries.id)).all()


def series_of(session: Session, centre_id: int) -> Sequence[ReleaseSeries]:
    query = sa.select(ReleaseSeries).where(ReleaseSeries.centre_id == centre_id)
    return session.scalars(query.order_by(ReleaseSeries.id)).all()


def series_by_key(session: Session, centre_id: int, key: str) -> ReleaseSeries | None:
    query = sa.select(ReleaseSeries)
    query = query.where(ReleaseSeries.centre_id == centre_id, ReleaseSeries.key == key)
    return session.scalars(query).one_or_none()


def series_by_id(session: Session, centre_id: int, series_id: int) -> ReleaseSeries | None:
    query = sa.select(ReleaseSeries)
    query = query.where(ReleaseSeries.centre_id == centre_id, ReleaseSeries.id == series_id)
    return session.scalars(query).one_or_none()


def find_run(session: Session, series_id: int, period: str) -> ReleaseRun | None:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id == series_id, ReleaseRun.period == period)
    return session.scalars(query.with_for_update()).one_or_none()


def runs_of(session: Session, series_ids: list[int]) -> Sequence[ReleaseRun]:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id.in_(series_ids))
    return session.scalars(query.order_by(ReleaseRun.period.desc(), ReleaseRun.id.desc())).all()


def run_by_id(session: Session, centre_id: int, run_id: int) -> ReleaseRun | None:
    query = sa.select(ReleaseRun).join(ReleaseSeries, ReleaseSeries.id == ReleaseRun.series_id)
    query = query.where(ReleaseSeries.centre_id == centre_id, ReleaseRun.id == run_id)
    return session.scalars(query.with_for_update(of=ReleaseRun)).one_or_none()


def finish_run(session: Session, run_id: int, token: str, state: str, now: dt.datetime, problem: str = "") -> bool:
    """End a run; False when another process has claimed it since."""
    statement = (
        sa.update(ReleaseRun)
        .where(ReleaseRun.id == run_id, ReleaseRun.token == token, ReleaseRun.state == "running")
        .values(state=state, ended_at=now, problem=problem)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def renew_lease(session: Session, run_id: int, token: str, step: str, lease_until: dt.datetime, done: int) -> bool:
    """Save the step of a running build, and extend its lease.

    False when another process has claimed the run since.
    """
    statement = (
        sa.update(ReleaseRun)
        .where(ReleaseRun.id == run_id, ReleaseRun.token == token, ReleaseRun.state == "running")
        .values(step=step, done=done, lease_until=lease_until)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def running_tokens(session: Session, now: dt.datetime) -> set[str]:
    """Return the tokens of the builds whose lease holds."""
    query = sa.select(ReleaseRun.token).where(ReleaseRun.state == "running", ReleaseRun.lease_until > now)
    return set(session.scalars(query))


def known_digests(session: Session, digests: Sequence[str]) -> set[str]:
    """Return those of these digests under which a package was published, in any centre."""
    return set(session.scalars(sa.select(Release.sha256).where(Release.sha256.in_(digests)))) if digests else set()


def of_series(session: Session, series_id: int) -> Sequence[Release]:
    """Return the releases of a series, oldest first."""
    return session.scalars(sa.select(Release).where(Release.series_id == series_id).order_by(Release.id)).all()


def deliveries_of(session: Session, release_ids: list[int]) -> Sequence[PackageDelivery]:
    query = sa.select(PackageDelivery).where(PackageDelivery.release_id.in_(release_ids))
    return session.scalars(query.order_by(PackageDelivery.release_id, PackageDelivery.number)).all()


def deliveries_due(session: Session, now: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """Return the id of each delivery that is due, and since when.

    Values, not rows: a claim expires rows, which would then be read again.
    """
    query = sa.select(PackageDelivery.id, PackageDelivery.due_at).where(
        sa.text("delivery.state = 'waiting'"), PackageDelivery.due_at <= now
    )
    return [(identity, due_at) for identity, due_at in session.execute(query.order_by(PackageDelivery.due_at))]


def claim_delivery(session: Session, delivery_id: int, due_at: dt.datetime, token: str, lease_until: dt.datetime) -> bool:
    """Claim a delivery that is due; False when another process has.

    While the lease holds, it is not due for others.
    """
    statement = (
        sa.update(PackageDelivery)
        .where(PackageDelivery.id == delivery_id, PackageDelivery.state == "waiting", PackageDelivery.due_at == due_at)
        .values(token=token, due_at=lease_until)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def update_delivery(session: Session, delivery_id: int, token: str, **values: Any) -> bool:
    """Save the result of a try; False when another process has claimed the delivery since."""
    statement = (
        sa.update(PackageDelivery)
        .where(PackageDelivery.id == delivery_id, PackageDelivery.token == token, PackageDelivery.state == "waiting")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def list_ended(session: Session, now: dt.datetime) -> Sequence[Release]:
    """Return the releases that nobody may download any more: revoked or expired."""
    is_over = sa.or_(Release.revoked_at.is_not(None), Release.expires_at < now)
    return session.scalars(sa.select(Release).where(is_over)).all()


def delivery_by_id(session: Session, centre_id: int, delivery_id: int) -> PackageDelivery | None:
    query = sa.select(PackageDelivery).where(PackageDelivery.centre_id == centre_id, PackageDelivery.id == delivery_id)
    return session.scalars(query.with_for_update()).one_or_none()


def stop_deliveries(session: Session, release_id: int) -> None:
    statement = (
        sa.update(PackageDelivery)
        .where(PackageDelivery.release_id == release_id, PackageDelivery.state == "waiting")
        .values(state="stopped")
    )
    session.execute(statement)


def failed_deliveries(session: Session, centre_id: int) -> Sequence[PackageDelivery]:
    query = sa.select(PackageDelivery).where(PackageDelivery.centre_id == centre_id, PackageDelivery.state == "failed")
    return session.scalars(query.order_by(PackageDelivery.id.desc()).limit(20)).all()


def list_for(session: Session, centre_id: int) -> Sequence[Release]:
    query = sa.select(Release).where(Release.centre_id == centre_id)
    return session.scalars(query.order_by(Release.period.desc(), Release.id.desc())).all()


def list_months(session: Session, centre_id: int, since: dt.datetime) -> list[dt.date]:
    """Return the months in which releases were made, as first days, the newest first."""
    query = sa.select(Release.created_at).where(Release.centre_id == centre_id, Release.created_at >= since)
    months = {moment.date().replace(day=1) for moment in session.scalars(query)}
    return sorted(months, reverse=True)


def get(session: Session, centre_id: int, release_id: int) -> Release | None:
    query = sa.select(Release).where(Release.centre_id == centre_id, Release.id == release_id)
    return session.scalars(query).one_or_none()


def scheduler_beat(session: Session) -> "SchedulerBeat | None":
    return session.get(SchedulerBeat, 1)


class SchedulerBeat(Base):
    """When the scheduler last looked at what is due; the office shows when that is late."""

    __tablename__ = "scheduler_beat"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]


def record_heartbeat(session: Session, now: dt.datetime) -> None:
    session.merge(SchedulerBeat(id=1, at=now))
