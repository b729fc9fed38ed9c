"""Series of releases, their runs (one a period, guarded by a lease) and the packages built."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fieldapp.store.base import Base


class Series(Base):
    __tablename__ = "series"
    __table_args__ = (sa.UniqueConstraint("centre_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centre.id"))
    key: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[dict[str, Any]]
    recipe: Mapped[str] = mapped_column(sa.Text)  # YAML
    cadence: Mapped[str] = mapped_column(sa.String(12))  # month, quarter
    first_period: Mapped[str] = mapped_column(sa.String(12))
    secret: Mapped[str] = mapped_column(sa.String(64))  # keys the rounding and the order of rows; never leaves
    is_active: Mapped[bool] = mapped_column(default=True)


class ReleaseRun(Base):
    """One period of a series. The unique period makes a double run impossible; the token fences off a stalled runner."""

    __tablename__ = "release_run"
    __table_args__ = (sa.UniqueConstraint("series_id", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"))
    period: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(12))  # running, done, failed
    token: Mapped[str] = mapped_column(sa.String(32))
    lease_until: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    problem: Mapped[str] = mapped_column(sa.Text, default="")


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


def active_series(session: Session) -> Sequence[Series]:
    return session.scalars(sa.select(Series).where(Series.is_active).order_by(Series.id)).all()


def series_of(session: Session, centre_id: int) -> Sequence[Series]:
    return session.scalars(sa.select(Series).where(Series.centre_id == centre_id).order_by(Series.id)).all()


def series_by_key(session: Session, centre_id: int, key: str) -> Series | None:
    return session.scalars(sa.select(Series).where(Series.centre_id == centre_id, Series.key == key)).one_or_none()


def run_of(session: Session, series_id: int, period: str) -> ReleaseRun | None:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id == series_id, ReleaseRun.period == period)
    return session.scalars(query.with_for_update()).one_or_none()


def runs_of(session: Session, series_ids: list[int]) -> Sequence[ReleaseRun]:
    query = sa.select(ReleaseRun).where(ReleaseRun.series_id.in_(series_ids))
    return session.scalars(query.order_by(ReleaseRun.period.desc(), ReleaseRun.id.desc())).all()


def finish(session: Session, run_id: int, token: str, state: str, now: dt.datetime, problem: str = "") -> bool:
    """End a run, only if its token is still the one that was claimed."""
    statement = (
        sa.update(ReleaseRun)
        .where(ReleaseRun.id == run_id, ReleaseRun.token == token, ReleaseRun.state == "running")
        .values(state=state, ended_at=now, problem=problem)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


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
