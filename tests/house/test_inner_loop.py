"""The guard of the quick tests sees what it is there to see."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import inner_loop

ROOT = Path(__file__).parent.parent.parent


def test_only_tests_of_the_pure_folders_without_the_mark_must_be_quick() -> None:
    pure, services = inner_loop.HERE / "forms/test_a.py", inner_loop.HERE / "services/records/test_a.py"
    assert inner_loop.is_quick_test(pure, is_slow=False)
    assert not inner_loop.is_quick_test(pure, is_slow=True)
    assert not inner_loop.is_quick_test(services, is_slow=False)
    assert not inner_loop.is_quick_test(Path("/elsewhere/test_a.py"), is_slow=False)


def test_a_test_that_computes_too_long_or_starts_a_process_fails() -> None:
    inner_loop.complain(2.9, [])
    with pytest.raises(pytest.fail.Exception, match=r"uses 3\.2 s of CPU"):
        inner_loop.complain(3.2, [])
    with pytest.raises(pytest.fail.Exception, match="starts a process"):
        inner_loop.complain(0.1, ["git"])


CONFTEST = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests import inner_loop
from tests.inner_loop import pytest_runtest_call, pytest_runtest_setup
from tests.inner_loop import write_long_tests as pytest_terminal_summary
inner_loop.HERE = Path(__file__).parent
"""
THREE_TESTS = """
import os, subprocess
def test_quick(): pass
def test_process(): subprocess.run(["true"])
def test_long():
    start = sum(os.times()[:2])
    while sum(os.times()[:2]) < start + 3.3: pass
"""


@pytest.mark.slow
def test_it_watches_real_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.format(root=str(ROOT)))
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms/test_three.py").write_text(THREE_TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "2 failed, 1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "It starts a process" in ran.stdout
    assert "s of CPU: mark it" in ran.stdout
    assert "quick tests that were not quick" in ran.stdout
