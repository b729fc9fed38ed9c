"""A short run of the fault harness on each database; `make chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.harness import Run, database, run_chaos

SEEDS = [
    1,
    3,
]  # those that once failed stay: 1 a follow-up that only the phone knew of, 3 a card that only the centre knew of


@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize(("kind", "seed"), [*(("sqlite", seed) for seed in SEEDS), ("postgresql", 2)])
def test_nothing_is_lost_doubled_or_put_under_another_name(kind: str, seed: int, tmp_path: Path) -> None:
    with database(kind, tmp_path) as (url, server):
        run = Run(seed, 240, url, tmp_path, workers=6, postgres=server)
        assert run_chaos(run) == []
        assert sum(len(phone["seen"]) for phone in run.report["held"]) > 60
        assert run.kills, "neither the server nor its database was killed"


@pytest.mark.xdist_group("chaos")
def test_twelve_phones_come_back_from_a_weekend_at_once_while_the_server_restarts(tmp_path: Path) -> None:
    with database("sqlite", tmp_path) as (url, _):
        run = Run(5, 0, url, tmp_path, weekend=25)
        assert run_chaos(run) == []
        assert sum(len(phone["seen"]) for phone in run.report["held"]) == 12 * 25
        assert run.kills, "neither the server nor its database was killed"
