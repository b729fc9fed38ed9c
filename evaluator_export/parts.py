"""What the steps hand on to each other."""

from dataclasses import dataclass

from evaluator_export.anonymity import Anonymised
from evaluator_export.periods import Period
from evaluator_export.recipe import Dataset


@dataclass(frozen=True)
class Occasion:
    """What a release is for: the centre, the period, when it was cut off (ISO, UTC), and the series' secret."""

    centre: str
    period: Period
    cut_off: str
    secret: bytes


@dataclass(frozen=True)
class Part:
    """One dataset after all steps, with what was left out and why."""

    dataset: Dataset
    result: Anonymised
    refused: int
    records: int
