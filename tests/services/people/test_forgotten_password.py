"""A forgotten password is replaced without mail: with a one-time code, by its owner, who alone knows the new one."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import utcnow
from fieldapp.services.people.accounts import set_forgotten_password, set_person_active
from fieldapp.services.people.one_time_codes import PASSWORD, SET_UP, give_one_time_code
from fieldapp.services.people.sign_in import PER_NAME_AND_ADDRESS, sign_in
from fieldapp.services.problems import ActProblem
from fieldapp.store.people.one_time_codes import OneTimeCode
from fieldapp.store.phones.devices import Device
from tests.cast import PASSWORD as OLD
from tests.cast import Cast

NEW = "several quite new words"


def refused(session: Session, username: str, code: str, new: str = NEW) -> str:
    """Return "" for a password that was replaced, or the code of the refusal."""
    try:
        set_forgotten_password(session, username, code=code, new=new)
    except ActProblem as problem:
        return problem.code
    return ""


def test_only_the_right_code_of_the_right_person_replaces_a_password(session: Session, cast: Cast) -> None:
    code = give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id, purpose=PASSWORD)
    other = give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id, purpose=SET_UP)
    for name, wrong in [("eve", ""), ("eve", code[:-1]), ("eve", other), ("rosa", code), ("nobody", code), ("", code)]:
        assert refused(session, name, wrong) == "person.code"
    assert refused(session, "eve", code, "short") == "person.new_password"
    assert sign_in(session, "eve", OLD, "").id == cast.eve.user_id, "nothing has changed yet"
    assert refused(session, " EVE ", code.upper().replace("-", " ")) == ""
    assert sign_in(session, "eve", NEW, "").id == cast.eve.user_id
    with pytest.raises(ActProblem):
        sign_in(session, "eve", OLD, "")
    assert refused(session, "eve", code) == "person.code", "it was used"


def test_a_code_ends_after_a_day_and_with_somebodys_access(session: Session, cast: Cast) -> None:
    code = give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id, purpose=PASSWORD)
    set_person_active(session, cast.rosa, user_id=cast.eve.user_id, active=False)
    assert refused(session, "eve", code) == "person.code"
    with pytest.raises(ActProblem, match="nothing here"):
        give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id, purpose=PASSWORD)
    set_person_active(session, cast.rosa, user_id=cast.eve.user_id, active=True)
    session.execute(sa.update(OneTimeCode).values(expires_at=utcnow()))
    session.commit()
    assert refused(session, "eve", code) == "person.code"


def test_a_workers_phone_goes_on_and_a_pause_ends(session: Session, cast: Cast) -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        with pytest.raises(ActProblem):
            sign_in(session, "amina", "a guess", "192.0.2.1")
    code = give_one_time_code(session, cast.rosa, user_id=cast.amina.user_id, purpose=PASSWORD)
    assert refused(session, "amina", code) == ""
    assert sign_in(session, "amina", NEW, "192.0.2.1").id == cast.amina.user_id
    assert session.scalars(sa.select(Device.revoked_at)).all() == [None]
