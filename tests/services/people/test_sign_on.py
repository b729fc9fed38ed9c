"""Accounts that a sign-on provider opens, on both databases."""

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.people import accounts, one_time_codes, second_factor, sign_on
from fieldapp.services.people.one_time_codes import SIGN_ON
from fieldapp.services.people.provider import Identity
from fieldapp.services.problems import ActProblem
from fieldapp.store.people import sign_on_links
from tests.cast import Cast
from tests.second_steps import set_up_app

JANE = Identity.of("https://id.city.example", "sub", "jane")
JOE = Identity.of("https://id.city.example", "sub", "joe", has_second_step=True)


def test_nobody_is_linked_until_somebody_links_them(session: Session, cast: Cast) -> None:
    assert sign_on.find_person(session, JANE) is None
    sign_on.link_account(session, cast.rosa, JANE)
    found = sign_on.find_person(session, JANE)
    assert found is not None and found.id == cast.rosa.user_id
    assert sign_on.find_person(session, JOE) is None
    # The same name of another provider is somebody else.
    assert sign_on.find_person(session, Identity.of("https://other.example", "sub", "jane")) is None


def test_what_opens_one_account_opens_no_other_of_any_centre(session: Session, cast: Cast) -> None:
    sign_on.link_account(session, cast.rosa, JANE)
    for actor in (cast.eve, cast.olaf):
        with pytest.raises(ActProblem) as problem:
            sign_on.link_account(session, actor, JANE)
        assert problem.value.code == "sign_on.taken"
    sign_on.link_account(session, cast.rosa, JOE)
    assert sign_on.find_person(session, JANE) is None, "the link moved"
    sign_on.link_account(session, cast.olaf, JANE)


def test_a_code_of_another_purpose_or_of_before_links_nothing(session: Session, cast: Cast) -> None:
    eve = cast.eve.user_id or 0
    old = one_time_codes.give_one_time_code(session, cast.rosa, user_id=eve, purpose=SIGN_ON)
    new = one_time_codes.give_one_time_code(session, cast.rosa, user_id=eve, purpose=SIGN_ON)
    set_up = one_time_codes.give_one_time_code(session, cast.rosa, user_id=eve)
    for code in (old, set_up, ""):
        with pytest.raises(ActProblem) as problem:
            sign_on.link_by_code(session, "eve", code, JANE)
        assert problem.value.code == "person.code"
    assert sign_on.link_by_code(session, "eve", new, JANE).id == eve
    # A link that is removed takes codes along that were not used.
    later = one_time_codes.give_one_time_code(session, cast.rosa, user_id=eve, purpose=SIGN_ON)
    sign_on.unlink_account(session, cast.rosa, user_id=eve)
    with pytest.raises(ActProblem):
        sign_on.link_by_code(session, "eve", later, JANE)
    assert sign_on_links.of_user(session, eve) is None


def test_the_providers_second_step_needs_the_centres_word(session: Session, cast: Cast, server_secret: str) -> None:
    sign_on.link_account(session, cast.rosa, JOE)
    with pytest.raises(ActProblem) as problem:
        sign_on.check_identity(session, cast.rosa, JOE)
    assert problem.value.code == "sign_on.not_enough"
    with pytest.raises(ActProblem) as problem:
        sign_on.trust_second_step(session, cast.rosa, is_trusted=True)
    assert problem.value.code == "second_factor.own_first"
    set_up_app(session, cast.rosa, server_secret)
    sign_on.trust_second_step(session, cast.rosa, is_trusted=True)
    sign_on.check_identity(session, cast.rosa, JOE)
    for other in (JANE, Identity(JOE.subject_hash, has_second_step=False)):
        with pytest.raises(ActProblem):
            sign_on.check_identity(session, cast.rosa, other)


def test_a_centre_without_a_local_way_in_is_named(session: Session, cast: Cast, server_secret: str) -> None:
    assert sign_on.find_without_local_way(session) == []
    second_factor.ask_second_factor(session, cast.system, is_asked=True)
    assert sign_on.find_without_local_way(session) == ["rexdale"]
    set_up_app(session, cast.rosa, server_secret, grant=_accept(session, cast))
    assert sign_on.find_without_local_way(session) == []


def _accept(session: Session, cast: Cast) -> int:
    """Return the one-time code with which Rosa sets up her first factor, as she gave it."""
    code = one_time_codes.give_one_time_code(session, cast.system, user_id=cast.rosa.user_id or 0)
    return one_time_codes.accept_set_up_code(session, cast.rosa, code)


def test_who_is_switched_off_does_not_come_in(session: Session, cast: Cast) -> None:
    sign_on.link_account(session, cast.eve, JANE)
    accounts.set_person_active(session, cast.rosa, user_id=cast.eve.user_id or 0, active=False)
    assert sign_on.find_person(session, JANE) is None


def test_a_new_password_ends_the_link_too(session: Session, cast: Cast) -> None:
    """Who had the old one may have linked an account of theirs."""
    sign_on.link_account(session, cast.eve, JANE)
    accounts.restore_access(session, Actor.system(cast.centre.id), username="eve")
    assert sign_on.find_person(session, JANE) is None
    sign_on.link_account(session, cast.eve, JANE)
    code = one_time_codes.give_one_time_code(
        session, cast.rosa, user_id=cast.eve.user_id or 0, purpose=one_time_codes.PASSWORD
    )
    accounts.set_forgotten_password(session, "eve", code, "several good words")
    assert sign_on.find_person(session, JANE) is None
