"""Minutes between two times: with offsets in the hour that comes twice, and with phones that give none."""

import pytest

from evaluator_export.datasets.eligibility import _count_minutes


@pytest.mark.parametrize(
    ("alert", "first", "minutes"),
    [
        ("2026-11-01T01:50:00.000-04:00", "2026-11-01T01:10:00.000-05:00", "20"),
        ("2026-11-01T01:50:00.000-05:00", "2026-11-01T02:10:00.000-05:00", "20"),
        ("2026-11-01T01:50:00.000", "2026-11-01T02:10:00.000", "20"),
        # One of them alone has an offset: by the clock on the wall, rather than not at all.
        ("2026-11-02T01:50:00.000-05:00", "2026-11-02T02:10:00.000", "20"),
        ("2026-11-02T01:50:00.000", "2026-11-02T02:10:00.000-05:00", "20"),
        ("2026-11-02T01:50:00.000", "no time", ""),
        ("", "2026-11-02T01:50:00.000", ""),
    ],
)
def test_minutes_between(alert: str, first: str, minutes: str) -> None:
    assert _count_minutes({"alert": alert, "first": first}, "alert", "first") == minutes
