"""Series of releases, their runs (one a period, guarded by a lease), the packages built, and where they were sent."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base

FAILED, ASKED = "failed", "asked"  # states of a run: it failed; somebody asked that it be built again


class Series(Base):
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
    age_key: Mapped[str] = mapped_column(sa.String(120), default="")  # the recipient's; packages are encrypted to it
    keep_days: Mapped[int] = mapped_column(default=90)  # how long a package can be downloaded
    readers: Mapped[list[Any]] = mapped_column(default=list)  # evaluators who may fetch it here; empty: all of the centre
    targets: Mapped[list[Any]] = mapped_column(default=list)  # where packages are sent: see services/deliver_release


class ReleaseRun(Base):
    """One period of a series. The unique period makes a double run impossible; the token fences off a stalled runner."""

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


class Delivery(Base):
    """A package on its way to one target: tried again with back-off until it is there, once."""

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


def active_series(session: Session) -> Sequence[Series]:
    return session.scalars(sa.select(Series).where(Series.is_active).order_by(Series.id)).all()


def series_of(session: Session, centre_id: int) -> Sequence[Series]:
    return session.scalars(sa.select(Series).where(Series.centre_id == centre_id).order_by(Series.id)).all()


def series_by_key(session: Session, centre_id: int, key: str) -> Series | None:
    return session.scalars(sa.select(Series).where(Series.centre_id == centre_id, Series.key == key)).one_or_none()


def series_by_id(session: Session, centre_id: int, series_id: int) -> Series | None:
    return session.scalars(sa.select(Series).where(Series.centre_id == centre_id, Series.id == series_id)).one_or_none()


def run_of(session: Session, series_id: int, period: str) -> ReleaseRun | None:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id == series_id, ReleaseRun.period == period)
    return session.scalars(query.with_for_update()).one_or_none()


def runs_of(session: Session, series_ids: list[int]) -> Sequence[ReleaseRun]:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id.in_(series_ids))
    return session.scalars(query.order_by(ReleaseRun.period.desc(), ReleaseRun.id.desc())).all()


def run_by_id(session: Session, centre_id: int, run_id: int) -> ReleaseRun | None:
    query = sa.select(ReleaseRun).join(Series, Series.id == ReleaseRun.series_id)
    query = query.where(Series.centre_id == centre_id, ReleaseRun.id == run_id)
    return session.scalars(query.with_for_update(of=ReleaseRun)).one_or_none()


def finish(session: Session, run_id: int, token: str, state: str, now: dt.datetime, problem: str = "") -> bool:
    """End a run, only if its token is still the one that was claimed."""
    statement = (
        sa.update(ReleaseRun)
        .where(ReleaseRun.id == run_id, ReleaseRun.token == token, ReleaseRun.state == "running")
        .values(state=state, ended_at=now, problem=problem)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def progress(session: Session, run_id: int, token: str, step: str, lease_until: dt.datetime, done: int) -> bool:
    """Say what a running build is at, and hold its lease on; False when another runner has the period now."""
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


def deliveries_of(session: Session, release_ids: list[int]) -> Sequence[Delivery]:
    query = sa.select(Delivery).where(Delivery.release_id.in_(release_ids))
    return session.scalars(query.order_by(Delivery.release_id, Delivery.number)).all()


def deliveries_due(session: Session, now: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """Return the id of each delivery that is due, and since when: values, since a row would be read anew when claimed."""
    query = sa.select(Delivery.id, Delivery.due_at).where(sa.text("delivery.state = 'waiting'"), Delivery.due_at <= now)
    return [(identity, due_at) for identity, due_at in session.execute(query.order_by(Delivery.due_at))]


def claim_delivery(session: Session, delivery_id: int, due_at: dt.datetime, token: str, lease_until: dt.datetime) -> bool:
    """Take a delivery that is due, unless another has; while the lease holds, it is not due for others."""
    statement = (
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == "waiting", Delivery.due_at == due_at)
        .values(token=token, due_at=lease_until)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def settle(session: Session, delivery_id: int, token: str, **values: Any) -> bool:
    """Write down what became of a delivery, only if its token is still the one that was claimed."""
    statement = (
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.token == token, Delivery.state == "waiting")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def fallen(session: Session, now: dt.datetime) -> Sequence[Release]:
    """Return the releases whose packages nobody may fetch any more."""
    is_over = sa.or_(Release.revoked_at.is_not(None), Release.expires_at < now)
    return session.scalars(sa.select(Release).where(is_over)).all()


def delivery_by_id(session: Session, centre_id: int, delivery_id: int) -> Delivery | None:
    query = sa.select(Delivery).where(Delivery.centre_id == centre_id, Delivery.id == delivery_id)
    return session.scalars(query.with_for_update()).one_or_none()


def stop_deliveries(session: Session, release_id: int) -> None:
    statement = (
        sa.update(Delivery).where(Delivery.release_id == release_id, Delivery.state == "waiting").values(state="stopped")
    )
    session.execute(statement)


def failed_deliveries(session: Session, centre_id: int) -> Sequence[Delivery]:
    query = sa.select(Delivery).where(Delivery.centre_id == centre_id, Delivery.state == "failed")
    return session.scalars(query.order_by(Delivery.id.desc()).limit(20)).all()


def list_for(session: Session, centre_id: int) -> Sequence[Release]:
    query = sa.select(Release).where(Release.centre_id == centre_id)
    return session.scalars(query.order_by(Release.period.desc(), Release.id.desc())).all()


def get(session: Session, centre_id: int, release_id: int) -> Release | None:
    query = sa.select(Release).where(Release.centre_id == centre_id, Release.id == release_id)
    return session.scalars(query).one_or_none()


def scheduler_beat(session: Session) -> "SchedulerBeat | None":
    return session.get(SchedulerBeat, 1)


class SchedulerBeat(Base):
    """When the scheduler last looked at what is due; the office says so when it is late."""

    __tablename__ = "scheduler_beat"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]


def beat(session: Session, now: dt.datetime) -> None:
    session.merge(SchedulerBeat(id=1, at=now))
