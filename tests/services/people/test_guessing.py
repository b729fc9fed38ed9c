"""Wrong tries are slow, and do not keep the right person out."""

import threading

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldapp.services.people import known_browsers, sign_in
from fieldapp.services.people.sign_in import PER_ADDRESS, PER_BROWSER, PER_NAME, PER_NAME_AND_ADDRESS
from fieldapp.services.problems import ActProblem
from tests.cast import PASSWORD, Cast

SECRET = "a secret of the server"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def attempt(session: Session, name: str, password: str, address: str = HERE, marks: list[str] | None = None) -> str:
    """Return "" for a sign-in, or the code of the refusal."""
    try:
        sign_in.sign_in(session, name, password, address, marks=marks, secret=SECRET)
    except ActProblem as problem:
        return problem.code
    return ""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare passwords without their slow hash: these tests are about counting."""
    monkeypatch.setattr(
        sign_in.passwords, "verify_password", lambda hashed, password: hashed is not None and password == PASSWORD
    )


def test_guessing_pauses_one_name_at_one_address(session: Session, cast: Cast) -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        assert attempt(session, "rosa", "guess") == "sign_in.wrong"
    assert attempt(session, "rosa", PASSWORD) == "sign_in.paused"
    assert attempt(session, "eve", PASSWORD) == ""


def test_a_stranger_elsewhere_does_not_keep_the_right_person_out(session: Session, cast: Cast) -> None:
    for _ in range(PER_NAME_AND_ADDRESS + 3):
        attempt(session, "rosa", "guess", ELSEWHERE)
    assert attempt(session, "rosa", PASSWORD, HERE) == ""


def test_many_addresses_together_are_slow_too_but_not_for_a_known_browser(session: Session, cast: Cast) -> None:
    for number in range(PER_NAME):
        assert attempt(session, "rosa", "guess", f"198.51.100.{number}") == "sign_in.wrong"
    assert attempt(session, "rosa", "guess", "203.0.113.1") == "sign_in.paused"
    mark = known_browsers.make_mark(cast.rosa.user_id or 0, SECRET)
    assert attempt(session, "rosa", PASSWORD, "203.0.113.1", [mark]) == ""


def test_behind_one_address_for_all_a_known_browser_still_gets_in(session: Session, cast: Cast) -> None:
    for number in range(PER_ADDRESS):
        attempt(session, f"nobody{number}", "guess")
    assert attempt(session, "rosa", PASSWORD) == "sign_in.paused"
    mark = known_browsers.make_mark(cast.rosa.user_id or 0, SECRET)
    assert attempt(session, "rosa", PASSWORD, marks=["x", mark]) == ""


def test_a_known_browser_is_paused_by_its_own_wrong_tries_only(session: Session, cast: Cast) -> None:
    mark = known_browsers.make_mark(cast.rosa.user_id or 0, SECRET)
    for _ in range(PER_BROWSER):
        assert attempt(session, "rosa", "guess", marks=[mark]) == "sign_in.wrong"
    assert attempt(session, "rosa", PASSWORD, marks=[mark]) == "sign_in.paused"


def test_a_mark_of_another_person_or_another_server_is_worth_nothing(session: Session, cast: Cast) -> None:
    eves = known_browsers.make_mark(cast.eve.user_id or 0, SECRET)
    forged = known_browsers.make_mark(cast.rosa.user_id or 0, "another secret")
    for marks in ([eves], [forged], ["", ".", "a.b", "é.ü"], ["x"] * 1000):
        assert known_browsers.find_mark(marks, cast.rosa.user_id or 0, SECRET) is None


def test_right_tries_count_nowhere(session: Session, cast: Cast) -> None:
    for _ in range(PER_ADDRESS + 5):
        assert attempt(session, "rosa", PASSWORD) == ""


def test_many_guesses_at_once_are_as_slow_as_one_after_the_other(session: Session, cast: Cast) -> None:
    """Forty threads begin together; no more are looked at than one after the other would be."""
    make_session = sessionmaker(session.get_bind())
    session.commit()
    codes: list[str] = []

    def guess() -> None:
        with make_session() as own:
            codes.append(attempt(own, "rosa", "guess"))

    threads = [threading.Thread(target=guess) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("sign_in.wrong") == PER_NAME_AND_ADDRESS
    assert codes.count("sign_in.paused") == 40 - PER_NAME_AND_ADDRESS
