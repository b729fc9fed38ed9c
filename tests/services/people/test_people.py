"""People and phones."""

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.people import accounts
from fieldapp.services.people.sign_in import sign_in
from fieldapp.services.phones import devices
from fieldapp.services.problems import ActProblem
from tests.cast import PASSWORD, Cast


def test_wrong_unknown_and_switched_off_look_the_same(session: Session, cast: Cast) -> None:
    accounts.set_person_active(session, cast.rosa, user_id=cast.eve.user_id, active=False)
    texts = set()
    for username, password in [("rosa", "wrong"), ("nobody", PASSWORD), ("eve", PASSWORD)]:
        with pytest.raises(ActProblem) as refused:
            sign_in(session, username, password, "192.0.2.1")
        texts.add(str(refused.value))
    assert len(texts) == 1


def test_sign_in_is_blind_to_case_and_spaces_in_the_name(session: Session, cast: Cast) -> None:
    assert sign_in(session, " Rosa ", PASSWORD, "192.0.2.1").id == cast.rosa.user_id


def test_a_person_is_added_with_a_password_shown_once(session: Session, cast: Cast) -> None:
    password = accounts.add_person(session, cast.rosa, username="W-99", label="W-99", role="worker")
    assert sign_in(session, "w-99", password, "192.0.2.1").centre_id == cast.centre.id


@pytest.mark.parametrize(
    ("username", "label", "role", "code"),
    [
        ("ab", "x", "worker", "person.username"),
        ("a b c", "x", "worker", "person.username"),
        ("rosa", "x", "worker", "person.taken"),
        ("new", " ", "worker", "person.incomplete"),
        ("new", "x", "system", "person.incomplete"),
        ("new", "x", "", "person.incomplete"),
    ],
)
def test_a_bad_person_is_refused(session: Session, cast: Cast, username: str, label: str, role: str, code: str) -> None:
    with pytest.raises(ActProblem) as refused:
        accounts.add_person(session, cast.rosa, username=username, label=label, role=role)
    assert refused.value.code == code


def test_switching_off_and_a_new_password_shut_the_phone_out(session: Session, cast: Cast) -> None:
    assert devices.find_actor_for_token(session, cast.token)
    accounts.set_person_active(session, cast.rosa, user_id=cast.amina.user_id, active=False)
    assert devices.find_actor_for_token(session, cast.token) is None
    accounts.set_person_active(session, cast.rosa, user_id=cast.amina.user_id, active=True)
    assert devices.find_actor_for_token(session, cast.token)
    accounts.reset_password(session, cast.rosa, user_id=cast.amina.user_id)
    assert devices.find_actor_for_token(session, cast.token) is None


def test_a_revoked_phone_is_shut_out(session: Session, cast: Cast) -> None:
    devices.revoke_device(session, cast.rosa, device_id=cast.amina.device_id)
    assert devices.find_actor_for_token(session, cast.token) is None


def test_nobody_switches_themselves_off(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem, match="your own"):
        accounts.set_person_active(session, cast.rosa, user_id=cast.rosa.user_id, active=False)
