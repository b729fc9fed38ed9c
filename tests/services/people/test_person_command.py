"""A locked-out admin gets back in by command, and the command says what it did."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from fieldapp.cli.person import person
from fieldapp.services.people import accounts, sign_in
from fieldapp.services.people.one_time_codes import accept_set_up_code
from fieldapp.services.people.second_factor import ask_second_factor
from fieldapp.services.problems import ActProblem
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.people.second_factors import SecondFactor
from fieldapp.store.people.users import User
from fieldapp.store.phones.devices import Device
from tests.cast import PASSWORD, Cast
from tests.second_steps import set_up_app

Run = Callable[..., str]


@pytest.fixture
def run(session: Session, cast: Cast, url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `fieldapp person …` on the database of the test; return what it printed."""
    monkeypatch.setenv("FIELDAPP_DATABASE_URL", url)

    def ran(*arguments: str) -> str:
        session.rollback()
        done = CliRunner().invoke(person, arguments, catch_exceptions=False)
        session.rollback()
        session.expire_all()
        assert done.exit_code == 0, done.output
        return done.output

    return ran


def password_in(output: str) -> str:
    return output.splitlines()[0].rsplit(" ", 1)[1]


@pytest.mark.parametrize(
    ("centre", "name", "words"),
    [
        ("nowhere", "rosa", "no centre"),
        ("rexdale", "nobody", "Nobody at this centre"),
        ("jane", "rosa", "Nobody at this centre"),
    ],
)
def test_an_unknown_centre_or_name_is_refused_in_words(
    run: Run, session: Session, centre: str, name: str, words: str
) -> None:
    before = session.scalars(sa.select(User.password).order_by(User.id)).all()
    with pytest.raises(ActProblem) as refused:
        run("reset", centre, name)
    assert words in str(refused.value)
    session.rollback()
    assert session.scalars(sa.select(User.password).order_by(User.id)).all() == before


def test_the_only_admin_gets_back_in(run: Run, session: Session, cast: Cast) -> None:
    output = run("reset", "rexdale", "rosa")
    password = password_in(output)
    assert output.count(password) == 1
    with pytest.raises(ActProblem):
        sign_in.sign_in(session, "rosa", PASSWORD, "")
    assert sign_in.sign_in(session, "rosa", password, "").id == cast.rosa.user_id
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "person.reset_password")).one()
    assert (line.target, line.actor_id, line.centre_id) == (f"user/{cast.rosa.user_id}", None, cast.centre.id)
    assert line.details == {"by": "command", "second_factor": False, "active": True}


def test_who_is_switched_off_stays_so_unless_it_is_asked_for(run: Run, session: Session, cast: Cast) -> None:
    accounts.set_person_active(session, cast.rosa, user_id=cast.amina.user_id, active=False)
    output = run("reset", "rexdale", "amina")
    assert "Phones that were signed out: 1." in output
    assert "switched off and stays so" in output
    with pytest.raises(ActProblem):
        sign_in.sign_in(session, "amina", password_in(output), "")
    assert session.scalars(sa.select(Device.revoked_at)).one() is not None
    output = run("reset", "rexdale", "amina", "--switch-on")
    assert "stays so" not in output
    assert sign_in.sign_in(session, "amina", password_in(output), "").id == cast.amina.user_id


def test_a_second_factor_goes_only_where_it_is_asked_for(run: Run, session: Session, cast: Cast) -> None:
    session.add(SecondFactor(user_id=cast.rosa.user_id, wrapped=b"x", confirmed_at=dt.datetime.now(dt.UTC)))
    session.commit()
    assert "is as it was" in run("reset", "rexdale", "rosa")
    assert session.get(SecondFactor, cast.rosa.user_id)
    assert "was taken away" in run("reset", "rexdale", "rosa", "--second-factor")
    assert session.get(SecondFactor, cast.rosa.user_id) is None
    assert "no second factor to take away" in run("reset", "rexdale", "rosa", "--second-factor")


def test_the_list_says_who_can_sign_in_at_one_centre(run: Run, session: Session, cast: Cast) -> None:
    accounts.set_person_active(session, cast.rosa, user_id=cast.eve.user_id, active=False)
    rows = [line.split() for line in run("list", "rexdale").splitlines()]
    assert ["rosa", "L-rosa", "admin", "active", "no"] in rows
    assert ["eve", "L-eve", "evaluator", "switched", "off", "no"] in rows
    assert "olaf" not in str(rows)


def test_ones_own_password_needs_the_old_one(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem) as refused:
        accounts.reset_password(session, cast.rosa, user_id=cast.rosa.user_id)
    assert refused.value.code == "person.self"
    with pytest.raises(ActProblem) as refused:
        accounts.change_own_password(session, cast.rosa, old="wrong", new="several new words")
    assert refused.value.code == "person.old_password"
    accounts.change_own_password(session, cast.rosa, old=PASSWORD, new="several new words")
    assert sign_in.sign_in(session, "rosa", "several new words", "").id == cast.rosa.user_id


def guess(session: Session, name: str) -> None:
    for _ in range(sign_in.PER_NAME_AND_ADDRESS):
        with pytest.raises(ActProblem, match="do not go together"):
            sign_in.sign_in(session, name, "a guess", "192.0.2.1")
    with pytest.raises(ActProblem, match="Wait 15 minutes"):
        sign_in.sign_in(session, name, PASSWORD, "192.0.2.1")


def test_a_new_password_works_at_once_also_after_many_wrong_ones(run: Run, session: Session, cast: Cast) -> None:
    guess(session, "rosa")
    guess(session, "amina")
    assert (
        sign_in.sign_in(session, "rosa", password_in(run("reset", "rexdale", "rosa")), "192.0.2.1").id == cast.rosa.user_id
    )
    with pytest.raises(ActProblem, match="Wait 15 minutes"):  # hers alone
        sign_in.sign_in(session, "amina", PASSWORD, "192.0.2.1")
    assert cast.amina.user_id
    password = accounts.reset_password(session, cast.rosa, user_id=cast.amina.user_id)
    assert sign_in.sign_in(session, "amina", password, "192.0.2.1").id == cast.amina.user_id


def test_who_is_switched_on_by_command_was_switched_off_at_no_time(run: Run, session: Session, cast: Cast) -> None:
    assert cast.amina.user_id
    accounts.set_person_active(session, cast.rosa, user_id=cast.amina.user_id, active=False)
    run("reset", "rexdale", "amina", "--switch-on")
    user = session.get_one(User, cast.amina.user_id)
    assert (user.active, user.switched_off_at) == (True, None)


def test_a_command_gives_a_one_time_code(run: Run, session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem, match="Nobody at this centre"):
        run("code", "jane", "rosa")
    with pytest.raises(AssertionError, match="no second step is asked for"):
        run("code", "rexdale", "amina")
    code = password_in(run("code", "rexdale", "Rosa"))
    assert accept_set_up_code(session, cast.rosa, code=code)
    code = password_in(run("code", "rexdale", "amina", "--password"))
    accounts.set_forgotten_password(session, "amina", code=code, new="several new words")
    assert sign_in.sign_in(session, "amina", "several new words", "").id == cast.amina.user_id
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "one_time_code.give")).first()
    assert line
    assert (line.actor_id, line.details["by"]) == (None, "command")


def test_the_last_admin_who_lost_everything_gets_back_in(run: Run, session: Session, cast: Cast) -> None:
    ask_second_factor(session, cast.system, is_asked=True)
    grant = accept_set_up_code(session, cast.rosa, code=password_in(run("code", "rexdale", "rosa")))
    set_up_app(session, cast.rosa, "a secret of the server, which is long", grant=grant)
    output = run("reset", "rexdale", "rosa", "--second-factor")
    assert sign_in.sign_in(session, "rosa", password_in(output), "").id == cast.rosa.user_id
    code = output.splitlines()[-1].rsplit(" ", 1)[1]
    assert accept_set_up_code(session, cast.rosa, code=code)
