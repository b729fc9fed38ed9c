"""Keep `make check` quick: a test of the pure packages that is slow or starts a process says so by its mark.

`make check` leaves out what is marked `@pytest.mark.slow`; `make test` runs everything.
"""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
QUICK_FOLDERS = ("forms", "sync", "evaluator_export", "conformance", "house")
MOST_CPU_SECONDS = 1.0  # over this, a test is listed at the end: mark it slow
FAILS_AT_CPU_SECONDS = 3.0  # a cold start or a busy machine makes the same test use up to twice as much; not this much
PROCESS_EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"}

_started: list[str] = []
_long: list[str] = []


def _note_process(event: str, arguments: tuple[object, ...]) -> None:
    if event in PROCESS_EVENTS:
        _started.append(str(arguments[0]) if arguments else event)


# An audit hook sees every way of starting a process, also those inside libraries. It cannot be taken out again.
sys.addaudithook(_note_process)


def is_quick_test(path: Path, is_slow: bool) -> bool:
    """Return whether a test must be quick: it stands in a pure folder and is not marked slow."""
    return not is_slow and path.is_relative_to(HERE) and path.relative_to(HERE).parts[0] in QUICK_FOLDERS


def _cpu_seconds() -> float:
    # CPU time and not wall time, so that a busy machine fails nobody; children's time counts once they have ended.
    return sum(os.times()[:4])


def _watch(item: pytest.Item) -> Generator[None, object, object]:
    is_slow = item.get_closest_marker("slow") is not None
    if not is_quick_test(item.path, is_slow):
        return (yield)
    _started.clear()
    before = _cpu_seconds()
    result = yield
    seconds = _cpu_seconds() - before
    if seconds > MOST_CPU_SECONDS:
        _long.append(f"{seconds:.1f} s  {item.nodeid}")
    complain(seconds, list(_started))
    return result


def complain(seconds: float, started: list[str]) -> None:
    """Fail the test that used too much CPU or started processes."""
    if started:
        pytest.fail(f"It starts a process ({started[0]}): mark it @pytest.mark.slow.", pytrace=False)
    if seconds > FAILS_AT_CPU_SECONDS:
        pytest.fail(f"It uses {seconds:.1f} s of CPU: mark it @pytest.mark.slow, or make it quicker.", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _watch(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _watch(item))


def write_long_tests(terminalreporter: pytest.TerminalReporter) -> None:
    """List the quick tests that used over a second of CPU this time."""
    if _long:
        terminalreporter.section("quick tests that were not quick: mark them @pytest.mark.slow")
        for line in _long:
            terminalreporter.write_line(line)
