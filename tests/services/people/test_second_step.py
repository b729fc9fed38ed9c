"""The second step: what sets one up, what passes, what does not, and that nobody is kept out by others."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.operations import audit_log
from fieldapp.services.operations.audit_log import AuditSearch
from fieldapp.services.people import (
    accounts,
    known_browsers,
    one_time_codes,
    passkeys,
    recovery_codes,
    second_factor,
    second_step,
)
from fieldapp.services.people.passkeys import Challenge, draw_nonce, make_new_options, make_sign_in_options
from fieldapp.services.people.second_step import (
    PER_ADDRESS,
    PER_PERSON,
    PER_PERSON_AND_DAY,
    Answer,
    Where,
    check_second_step,
)
from fieldapp.services.people.tries import WINDOW
from fieldapp.services.phones import devices
from fieldapp.services.problems import ActProblem
from fieldapp.store.people import passkeys as stored
from fieldapp.store.people.one_time_codes import PASSWORD, OneTimeCode
from fieldapp.store.people.recovery_codes import RecoveryCode
from fieldapp.store.phones.invitations import Invitation
from tests.cast import Cast
from tests.passkeys import SoftPasskey
from tests.second_steps import code_of, set_up_app

SECRET = "a secret of the server, which is long"
HERE, ELSEWHERE = Where(address="192.0.2.1"), Where(address="192.0.2.2")


@pytest.fixture
def asked(session: Session, cast: Cast) -> Cast:
    """The cast, at a centre that asks for two-step verification."""
    second_factor.ask_second_factor(session, cast.system, is_asked=True)
    return cast


def refused(session: Session, actor: Actor, code: str, where: Where = HERE) -> str:
    """Return "" for a second step that passes, or the code of the refusal."""
    try:
        check_second_step(session, actor, Answer(code=code), where, SECRET)
    except ActProblem as problem:
        return problem.code
    return ""


def code_for(session: Session, cast: Cast) -> str:
    return one_time_codes.give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id)


def grant_for(session: Session, cast: Cast) -> int:
    return one_time_codes.accept_set_up_code(session, cast.eve, code=code_for(session, cast))


def ask(since: dt.timedelta = dt.timedelta(), host: str = "localhost") -> Challenge:
    return Challenge(host=host, origin=f"http://{host}", nonce=draw_nonce(), asked_at=utcnow() - since)


def test_a_first_factor_needs_a_one_time_code(session: Session, asked: Cast) -> None:
    for grant in (None, 0, 999):
        with pytest.raises(ActProblem, match="one-time code"):
            set_up_app(session, asked.eve, SECRET, grant=grant)
    code = code_for(session, asked)
    for wrong in ("", "x" * 1000, code[:-1], code_for(session, asked)[:-1] + "é"):
        with pytest.raises(ActProblem, match="one-time code"):
            one_time_codes.accept_set_up_code(session, asked.eve, code=wrong)
    with pytest.raises(ActProblem, match="one-time code"):  # an earlier one counts no more
        one_time_codes.accept_set_up_code(session, asked.eve, code=code)
    grant = grant_for(session, asked)
    with pytest.raises(ActProblem, match="one-time code"):  # of another person
        set_up_app(session, asked.rosa, SECRET, grant=grant)
    set_up_app(session, asked.eve, SECRET, grant=grant)
    assert second_factor.list_factors(session, asked.eve).has_app
    second_factor.remove_factors(session, asked.eve.user_id or 0)
    session.commit()
    with pytest.raises(ActProblem, match="one-time code"):  # it was used
        set_up_app(session, asked.eve, SECRET, grant=grant)


def test_a_one_time_code_is_good_for_a_day_and_for_its_purpose(session: Session, asked: Cast) -> None:
    other = one_time_codes.give_one_time_code(session, asked.rosa, user_id=asked.eve.user_id, purpose=PASSWORD)
    with pytest.raises(ActProblem, match="one-time code"):
        one_time_codes.accept_set_up_code(session, asked.eve, code=other)
    code = code_for(session, asked)
    grant = one_time_codes.accept_set_up_code(session, asked.eve, code=f" {code.upper().replace('-', ' ')} ")
    session.execute(sa.update(OneTimeCode).values(expires_at=utcnow()))
    session.commit()
    with pytest.raises(ActProblem, match="one-time code"):
        one_time_codes.accept_set_up_code(session, asked.eve, code=code)
    with pytest.raises(ActProblem, match="one-time code"):
        set_up_app(session, asked.eve, SECRET, grant=grant)
    with pytest.raises(ActProblem, match="another administrator"):
        one_time_codes.give_one_time_code(session, asked.rosa, user_id=asked.rosa.user_id)
    assert code not in str(session.execute(sa.select(OneTimeCode.__table__)).all())


def test_who_is_asked_for_a_second_step(session: Session, cast: Cast) -> None:
    users = {name: session.get_one(accounts.User, cast.actor(name).user_id) for name in ("rosa", "eve", "amina")}
    needed = {name: second_factor.is_second_step_needed(session, user) for name, user in users.items()}
    assert needed == {"rosa": False, "eve": False, "amina": False}
    set_up_app(session, cast.rosa, SECRET)
    assert second_factor.is_second_step_needed(session, users["rosa"]), "her own lock, also where nobody is asked"
    second_factor.ask_second_factor(session, cast.system, is_asked=True)
    needed = {name: second_factor.is_second_step_needed(session, user) for name, user in users.items()}
    assert needed == {"rosa": True, "eve": True, "amina": False}


def test_an_admin_turns_it_on_only_with_a_factor_and_never_off(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem, match="yourself first"):
        second_factor.ask_second_factor(session, cast.rosa, is_asked=True)
    set_up_app(session, cast.rosa, SECRET)
    second_factor.ask_second_factor(session, cast.rosa, is_asked=True)
    with pytest.raises(ActProblem, match="Only a command"):
        second_factor.ask_second_factor(session, cast.rosa, is_asked=False)


def test_a_code_passes_once(session: Session, cast: Cast) -> None:
    key = set_up_app(session, cast.rosa, SECRET)
    code = code_of(key)
    assert refused(session, cast.rosa, code) == ""
    assert refused(session, cast.rosa, code) == "second_factor.wrong"
    assert refused(session, cast.eve, code_of(key, 30)) == "second_factor.wrong"


def test_a_new_app_takes_the_place_of_the_one_before(session: Session, cast: Cast) -> None:
    old = set_up_app(session, cast.rosa, SECRET)
    new = set_up_app(session, cast.rosa, SECRET)
    assert refused(session, cast.rosa, code_of(old)) == "second_factor.wrong"
    assert refused(session, cast.rosa, code_of(new)) == ""


def test_wrong_codes_pause_one_address_and_nobody_elsewhere(session: Session, cast: Cast) -> None:
    key = set_up_app(session, cast.rosa, SECRET)
    for _ in range(PER_ADDRESS):
        assert refused(session, cast.rosa, "000000", ELSEWHERE) == "second_factor.wrong"
    assert refused(session, cast.rosa, code_of(key), ELSEWHERE) == "sign_in.paused"
    assert refused(session, cast.rosa, code_of(key), HERE) == ""


def test_many_addresses_together_pause_new_browsers_but_not_known_ones(session: Session, cast: Cast) -> None:
    key = set_up_app(session, cast.rosa, SECRET)
    for number in range(PER_PERSON):
        assert refused(session, cast.rosa, "000000", Where(address=f"198.51.100.{number}")) == "second_factor.wrong"
    assert refused(session, cast.rosa, code_of(key), HERE) == "sign_in.paused"
    mark = known_browsers.make_mark(cast.rosa.user_id or 0, SECRET)
    assert refused(session, cast.rosa, code_of(key), replace(HERE, marks=[mark])) == ""
    # In a session that is open, too: a stranger does not stop what she does.
    assert refused(session, cast.rosa, code_of(key, 30), Where(token="a session of hers")) == ""


def test_guessing_day_after_day_stays_slow(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    key = set_up_app(session, cast.rosa, SECRET)
    now = utcnow()
    judged = 0
    for quarter in range(4 * 24):
        monkeypatch.setattr(second_step, "utcnow", lambda quarter=quarter: now + quarter * WINDOW)
        for number in range(3):
            where = Where(address=f"198.51.100.{number}")
            judged += refused(session, cast.rosa, "000000", where) == "second_factor.wrong"
    assert judged == PER_PERSON_AND_DAY
    mark = known_browsers.make_mark(cast.rosa.user_id or 0, SECRET)
    assert refused(session, cast.rosa, code_of(key), replace(HERE, marks=[mark])) == ""
    monkeypatch.setattr(second_step, "utcnow", lambda: now + dt.timedelta(days=1))
    assert refused(session, cast.rosa, code_of(key, 30)) == ""


def test_recovery_codes_pass_once_each_also_in_a_pause(session: Session, cast: Cast) -> None:
    set_up_app(session, cast.rosa, SECRET)
    codes = recovery_codes.make_recovery_codes(session, cast.rosa)
    assert len(set(codes)) == 10
    assert not any(code in str(session.execute(sa.select(RecoveryCode.__table__)).all()) for code in codes)
    for number in range(PER_PERSON):
        refused(session, cast.rosa, "000000", Where(address=f"198.51.100.{number}"))
    assert refused(session, cast.rosa, codes[0]) == ""
    assert refused(session, cast.rosa, codes[0]) == "second_factor.wrong"
    assert refused(session, cast.eve, codes[1]) == "second_factor.wrong"
    assert refused(session, cast.rosa, codes[1].upper().replace("-", " ")) == ""
    assert second_factor.list_factors(session, cast.rosa).recovery_left == 8
    recovery_codes.make_recovery_codes(session, cast.rosa)
    assert refused(session, cast.rosa, codes[2]) == "second_factor.wrong", "new ones end the old ones"


def test_wrong_recovery_codes_leave_no_lines_in_the_audit_log(session: Session, cast: Cast) -> None:
    set_up_app(session, cast.rosa, SECRET)
    count = sa.text("SELECT count(*) FROM audit")
    before = session.execute(count).scalar_one()
    for _ in range(30):
        assert refused(session, cast.rosa, "abcde-fghjk-mnpqr") == "second_factor.wrong"
    assert session.execute(count).scalar_one() == before


def make_passkey(session: Session, actor: Actor, grant: int | None = None) -> SoftPasskey:
    key, challenge = SoftPasskey(), ask()
    options = make_new_options([], challenge, actor.user_id or 0, "somebody")
    passkeys.add_passkey(session, actor, answer=key.make(options), challenge=challenge, label="desk", grant=grant)
    return key


def test_a_passkey_passes_and_its_answer_is_good_once(session: Session, asked: Cast) -> None:
    with pytest.raises(ActProblem, match="one-time code"):
        make_passkey(session, asked.eve)
    key = make_passkey(session, asked.eve, grant_for(session, asked))
    challenge = ask()
    answer = Answer(passkey=key.answer(make_sign_in_options([], challenge)), challenge=challenge)
    check_second_step(session, asked.eve, answer, HERE, SECRET)
    with pytest.raises(ActProblem, match="not accepted"):  # the same answer a second time
        check_second_step(session, asked.eve, answer, HERE, SECRET)
    challenge = ask()
    again = Answer(passkey=key.answer(make_sign_in_options([], challenge)), challenge=challenge)
    with pytest.raises(ActProblem, match="not accepted"):  # another person's sign-in
        check_second_step(session, asked.rosa, again, HERE, SECRET)
    check_second_step(session, asked.eve, again, HERE, SECRET)


def test_a_passkey_is_refused_for_another_site_another_key_or_an_old_challenge(session: Session, cast: Cast) -> None:
    key = make_passkey(session, cast.rosa)

    def try_it(key: SoftPasskey, challenge: Challenge, asked: Challenge | None = None) -> None:
        answer = Answer(passkey=key.answer(make_sign_in_options([], asked or challenge)), challenge=challenge)
        check_second_step(session, cast.rosa, answer, HERE, SECRET)

    imitation = SoftPasskey(origin="http://local-host", host="localhost")
    imitation.id, imitation.key = key.id, key.key
    thief = SoftPasskey()
    thief.id = key.id
    old = ask(since=passkeys.CHALLENGE_LASTS)
    future = ask(since=-dt.timedelta(minutes=1))
    elsewhere = ask(host="elsewhere")
    cases = [(imitation, ask()), (thief, ask()), (SoftPasskey(), ask()), (key, old), (key, future), (key, elsewhere)]
    for wrong_key, challenge in cases:
        with pytest.raises(ActProblem, match="not accepted"):
            try_it(wrong_key, challenge)
    with pytest.raises(ActProblem, match="not accepted"):
        try_it(key, ask(), asked=ask())
    try_it(key, ask())


@pytest.mark.parametrize(
    "answer", ["{", "[]", "null", '{"id": 1}', '{"id": "a", "rawId": "a", "response": {}}', "x" * 30_000]
)
def test_rubbish_is_no_passkey(session: Session, cast: Cast, answer: str) -> None:
    with pytest.raises(ActProblem, match="not accepted"):
        check_second_step(session, cast.rosa, Answer(passkey=answer, challenge=ask()), HERE, SECRET)
    with pytest.raises(ActProblem, match="not accepted"):
        passkeys.add_passkey(session, cast.rosa, answer=answer, challenge=ask(), label="")
    with pytest.raises(ActProblem, match="not accepted"):
        check_second_step(session, cast.rosa, Answer(passkey="{}", challenge=None), HERE, SECRET)


def test_the_last_factor_stays_where_one_is_asked_for(session: Session, asked: Cast) -> None:
    make_passkey(session, asked.eve, grant_for(session, asked))
    (passkey,) = stored.of_user(session, asked.eve.user_id or 0)
    with pytest.raises(ActProblem, match="only second step"):
        passkeys.remove_passkey(session, asked.eve, passkey_id=passkey.id)
    set_up_app(session, asked.eve, SECRET)
    with pytest.raises(ActProblem, match="nothing here"):
        passkeys.remove_passkey(session, asked.rosa, passkey_id=passkey.id)
    passkeys.remove_passkey(session, asked.eve, passkey_id=passkey.id)
    assert not second_factor.list_factors(session, asked.eve).passkeys


def test_a_reset_takes_all_factors_away(session: Session, asked: Cast) -> None:
    make_passkey(session, asked.eve, grant_for(session, asked))
    set_up_app(session, asked.eve, SECRET)
    second_factor.reset_second_factor(session, asked.rosa, user_id=asked.eve.user_id)
    factors = second_factor.list_factors(session, asked.eve)
    assert (factors.is_any, factors.recovery_left) == (False, 0)


def test_grave_acts_need_a_fresh_second_step(session: Session, cast: Cast) -> None:
    rosa = replace(cast.rosa, is_confirmed=False)
    eve = cast.eve.user_id
    acts = [
        lambda: accounts.reset_password(session, rosa, user_id=eve),
        lambda: second_factor.reset_second_factor(session, rosa, user_id=eve),
        lambda: one_time_codes.give_one_time_code(session, rosa, user_id=eve),
        lambda: recovery_codes.make_recovery_codes(session, rosa),
        lambda: set_up_app(session, rosa, SECRET),
        lambda: accounts.add_person(session, rosa, username="nadia", label="N", role="admin"),
        lambda: accounts.add_person(session, rosa, username="w-99", label="W-99", role="worker"),
        lambda: audit_log.export_lines(session, rosa, search=AuditSearch()),
        lambda: devices.invite_device(session, rosa, user_id=cast.amina.user_id),
        lambda: devices.set_up_collect(session, rosa, user_id=cast.amina.user_id),
    ]
    for act in acts:
        with pytest.raises(ActProblem) as problem:
            act()
        assert problem.value.code == "second_factor.needed"
    assert session.scalars(sa.select(Invitation)).all() == [], "nothing was made"
