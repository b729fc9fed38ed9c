"""Invitations: one phone, one worker, once, soon."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.people.accounts import set_person_active
from fieldapp.services.phones.devices import find_actor_for_invitation, invite_device, join_device
from fieldapp.services.problems import ActProblem
from fieldapp.store.phones.devices import Device
from fieldapp.store.phones.invitations import Invitation
from tests.cast import Cast
from tests.sealing import PhoneKey

KEY = PhoneKey().public


def invite(session: Session, cast: Cast) -> str:
    assert cast.amina.user_id
    return invite_device(session, cast.rosa, user_id=cast.amina.user_id)


def join(session: Session, token: str, key: str = KEY) -> None:
    join_device(session, find_actor_for_invitation(session, token), token=token, label="Phone", public_key=key)


def refusal(session: Session, token: str, key: str = KEY) -> str:
    with pytest.raises(ActProblem) as refused:
        join(session, token, key)
    return refused.value.code


def test_an_invitation_works_once(session: Session, cast: Cast) -> None:
    token = invite(session, cast)
    join(session, token)
    device = session.scalars(sa.select(Device).where(Device.public_key == KEY)).one()
    assert device.user_id == cast.amina.user_id
    assert refusal(session, token) == "sync.invitation"


def test_only_the_hash_is_kept(session: Session, cast: Cast) -> None:
    token = invite(session, cast)
    assert token not in str(session.scalars(sa.select(Invitation)).one().__dict__)


@pytest.mark.parametrize("token", ["", "x", "A" * 32])
def test_an_unknown_one_is_refused(session: Session, cast: Cast, token: str) -> None:
    assert refusal(session, token) == "sync.invitation"


def test_an_old_one_is_refused(session: Session, cast: Cast) -> None:
    token = invite(session, cast)
    session.execute(sa.update(Invitation).values(expires_at=dt.datetime.now(dt.UTC)))
    session.commit()
    assert refusal(session, token) == "sync.invitation"


def test_a_new_one_takes_the_old_one_back(session: Session, cast: Cast) -> None:
    old, new = invite(session, cast), invite(session, cast)
    assert refusal(session, old) == "sync.invitation"
    join(session, new)


def test_a_phone_without_a_key_of_its_own_does_not_use_it_up(session: Session, cast: Cast) -> None:
    token = invite(session, cast)
    assert refusal(session, token, "") == "sync.public_key"
    join(session, token)


def test_a_person_switched_off_cannot_be_joined(session: Session, cast: Cast) -> None:
    token = invite(session, cast)
    assert cast.amina.user_id
    set_person_active(session, cast.rosa, user_id=cast.amina.user_id, active=False)
    assert refusal(session, token) == "sync.invitation"


@pytest.mark.parametrize("who", ["olaf", "amina", "eve"])
def test_only_the_centres_own_admin_invites(session: Session, cast: Cast, who: str) -> None:
    assert cast.amina.user_id
    with pytest.raises(ActProblem):
        invite_device(session, cast.actor(who), user_id=cast.amina.user_id)
