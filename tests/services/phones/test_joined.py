"""A phone that joins in somebody's name is told to their other phones, and to the office."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.keys import current_key
from fieldapp.services.operations.overview import view_home
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token, revoke_device
from fieldapp.services.phones.manifest import JOINED_SHOWN, fetch_manifest
from fieldapp.store.phones.devices import Device
from tests.cast import Cast, another_worker

SECRET = "a secret of the server, which is long"


def told(session: Session, phone: Actor) -> list[str]:
    key = current_key(session, phone.centre_id, SECRET)
    return [joined["label"] for joined in fetch_manifest(session, phone, key=key, receipts=key)["joined"]]


@pytest.fixture
def second(session: Session, cast: Cast) -> Actor:
    """Another phone that joins in Amina's name, a minute after hers."""
    session.execute(sa.update(Device).values(created_at=utcnow() - dt.timedelta(minutes=1)))
    session.commit()
    worker = Actor(cast.centre.id, "worker", cast.amina.user_id)
    phone = find_actor_for_token(session, enrol_device(session, worker, label="A stranger's phone").token)
    assert phone
    return phone


def test_her_other_phone_is_told_and_the_new_one_is_not(session: Session, cast: Cast, second: Actor) -> None:
    assert told(session, cast.amina) == ["A stranger's phone"]
    assert told(session, second) == []
    assert told(session, another_worker(session, cast)) == []


def test_it_is_told_for_two_weeks_and_not_once_it_is_locked(session: Session, cast: Cast, second: Actor) -> None:
    long_ago = utcnow() - JOINED_SHOWN + dt.timedelta(minutes=2)
    session.execute(sa.update(Device).where(Device.id == second.device_id).values(created_at=long_ago))
    session.execute(
        sa.update(Device).where(Device.id == cast.amina.device_id).values(created_at=long_ago - dt.timedelta(days=1))
    )
    session.commit()
    assert told(session, cast.amina) == ["A stranger's phone"]
    session.execute(sa.update(Device).where(Device.id == second.device_id).values(created_at=utcnow() - JOINED_SHOWN))
    session.commit()
    assert told(session, cast.amina) == []
    session.execute(sa.update(Device).where(Device.id == second.device_id).values(created_at=utcnow()))
    session.commit()
    revoke_device(session, cast.rosa, device_id=second.device_id or 0)
    assert told(session, cast.amina) == []


def test_the_office_sees_what_joined_in_the_last_week(session: Session, cast: Cast, second: Actor) -> None:
    def labels(who: Actor) -> list[str]:
        return [phone.label for phone in view_home(session, who, secret=SECRET).joined]

    assert labels(cast.rosa) == ["A stranger's phone", "Amina's phone"]
    assert labels(cast.olaf) == []
    session.execute(
        sa.update(Device).where(Device.id == cast.amina.device_id).values(created_at=utcnow() - dt.timedelta(days=7))
    )
    session.commit()
    assert labels(cast.rosa) == ["A stranger's phone"]
