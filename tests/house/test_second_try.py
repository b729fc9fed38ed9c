"""A browser test that needs a second try is listed, one that fails twice fails, also with several workers."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONFTEST = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests import second_try
from tests.second_try import pytest_runtest_protocol
from tests.second_try import write_flaky_tests as pytest_terminal_summary
second_try.BROWSER = Path(__file__).parent
"""
THREE_TESTS = """
from pathlib import Path
import pytest
TRIED = Path(__file__).with_name("tried")
@pytest.fixture
def folder(tmp_path): return tmp_path
def test_good(folder): assert folder.exists()
def test_lucky(folder):
    is_second = TRIED.exists()
    TRIED.touch()
    assert is_second, "the page was slow"
def test_bad(folder): assert not folder.exists()
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_second_try_is_made_and_said_loudly(tmp_path: Path, workers: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.format(root=str(ROOT)))
    (tmp_path / "test_three.py").write_text(THREE_TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 2 passed" in ran.stdout, ran.stdout + ran.stderr
    _, _, listed = ran.stdout.partition("FLAKY: passed only at the second try")
    assert "FLAKY test_three.py::test_lucky" in listed
    assert "the page was slow" in listed
    assert "FLAKY test_three.py::test_good" not in listed
