"""When a phone's copy may go: the rule, the same on both sides, and a model in which simpler rules lose records."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sync.keeping import LogState, choose_epoch, decide_copy
from tests.sync.log_model import Model, add_one, forget_epochs, shred_on_receipt

VECTORS = json.loads((Path(__file__).parent / "keeping.json").read_text(encoding="utf-8"))
RUNS = int(os.environ.get("MODEL_RUNS", "150"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["why"])
def test_what_becomes_of_a_copy(vector: dict[str, Any]) -> None:
    log = vector["kept"]
    state = LogState(log["epoch"], log["lineage"], log["safe"])
    assert decide_copy(*vector["at"], state) == vector["fate"]


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost_whatever_burns() -> None:
    for seed in range(RUNS):
        model = Model(seed)
        assert model.run() == set(), f"seed {seed}"
        for phone in model.phones:
            assert phone.waiting == set(), f"seed {seed}: a record still waits after two meetings"
            assert phone.heard >= set(model.centre.news), f"seed {seed}: a phone is deaf"
        places = list(model.centre.places.values())
        assert sorted(places) == list(range(1, model.centre.position + 1)), f"seed {seed}: a gap, or a position twice"


@pytest.mark.slow
@pytest.mark.parametrize(
    "simpler",
    [
        {"decide": shred_on_receipt},
        {"decide": forget_epochs},
        {"choose": add_one},
        {"copies": 1},
    ],
    ids=["delete on the receipt", "no epochs", "the copy's epoch and one more", "one copy is enough"],
)
def test_simpler_rules_lose_records(simpler: dict[str, Any]) -> None:
    assert any(Model(seed, **simpler).run() for seed in range(100))


def test_an_epoch_is_above_all_that_is_known_and_above_the_clock() -> None:
    assert choose_epoch([3, 8], 5) == 9
    assert choose_epoch([3], 50) == 51
    assert choose_epoch([0, 0], 0) == 1
