"""A right given or taken away by mistake fails a test: every role × act is flipped, and the checks must see it."""

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from fieldapp.services.access import ACCESS
from fieldapp.services.acts import Actor
from fieldapp.services.problems import ActProblem
from tests.services import test_walls
from tests.services.rights import RIGHTS, all_acts

ROOT = Path(__file__).parent.parent.parent
PLACES = all_acts()
ACTS = sorted({name for name, _ in PLACES.values()})


def is_refused(place: str, role: str) -> bool:
    """Return whether an act turns a role away. Without a session, an act that does not turn it away cannot begin."""
    nothing = cast("Any", None)
    try:
        PLACES[place][1](nothing, Actor(centre_id=1, role=role))
    except ActProblem as problem:
        return problem.code == "access.denied"
    except (AttributeError, TypeError):  # no session, or what the act asks for is missing: it would have begun
        return False
    raise AssertionError(f"{place} did something without a session")


def find_mistakes(act: str) -> set[str]:
    """Return the roles for which an act decides otherwise than the table of the tests says."""
    functions = [place for place, (name, _) in PLACES.items() if name == act]
    return {role for role in RIGHTS for place in functions if is_refused(place, role) == (act in RIGHTS[role])}


@pytest.mark.parametrize("act", ACTS)
def test_every_flipped_right_is_noticed(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not find_mistakes(act)
    for role in RIGHTS:
        with monkeypatch.context() as patch:
            patch.setitem(ACCESS, act, ACCESS[act] ^ {role})
            assert find_mistakes(act) == {role}
            with pytest.raises(AssertionError):
                test_walls.test_a_role_has_the_rights_that_are_written_down_and_no_other(role)


@pytest.mark.parametrize(
    ("act", "role", "tests"),
    [
        (
            "record.open",
            "crisis",
            "tests/services/test_walls.py::test_a_role_has_the_rights_that_are_written_down_and_no_other",
        ),
        ("records.browse", "crisis", "tests/web/test_every_route.py::test_every_route_against_everyone"),
        ("board.view", "crisis", "tests/web/test_every_route.py::test_every_route_against_everyone"),
    ],
)
def test_the_tests_themselves_fail_on_a_flipped_right(act: str, role: str, tests: str, tmp_path: Path) -> None:
    (tmp_path / "flipped_right.py").write_text(
        f"from fieldapp.services.access import ACCESS\nACCESS[{act!r}] = ACCESS[{act!r}] ^ {{{role!r}}}\n"
    )
    code = f"import sys, pytest; sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]; sys.exit(pytest.main(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-c", code, "-p", "flipped_right", "-q", "-n", "0", "-k", f"{role} or carla", tests],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
