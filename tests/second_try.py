"""A browser test that fails is run once more, and one that passes only then is listed loudly at the end.

A machine that is busy may make a browser test fail; a test that needs luck must still not hide.
"""

from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

BROWSER = Path(__file__).parent / "browser"
FLAKY = "failed at first"


def run_again(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test; when it fails, run it once more and report only the second run, with the first one's failure."""
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [report for report in reports if report.failed]
    if failed:
        item._initrequest()  # type: ignore[attr-defined]  fixtures of the first run are gone
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports:
            report.user_properties.append((FLAKY, failed[0].longreprtext))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not item.path.is_relative_to(BROWSER):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    run_again(item, nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def write_flaky_tests(terminalreporter: pytest.TerminalReporter) -> None:
    """List what passed only at the second try, with why the first one failed."""
    passed = terminalreporter.stats.get("passed", [])
    flaky = [report for report in passed if FLAKY in dict(report.user_properties)]
    if not flaky:
        return
    terminalreporter.section("FLAKY: passed only at the second try", red=True, bold=True)
    for report in flaky:
        terminalreporter.write_line(f"FLAKY {report.nodeid}", red=True)
        terminalreporter.write_line(dict(report.user_properties)[FLAKY][-2000:])
