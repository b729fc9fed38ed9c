"""The risk that comes from who receives data, beside what the data themselves show.

Source: IPC Ontario, De-Identification Guidelines for Structured Data, 2016 (table of insiders,
acquaintances, strict average).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import ExportProblem, Reason

# Mitigating controls, then motives and capacity: the probability of an attempt (0 to 1).
INSIDER: Mapping[str, Mapping[str, float]] = {
    "high": {"low": 0.05, "medium": 0.1, "high": 0.2},
    "medium": {"low": 0.2, "medium": 0.3, "high": 0.4},
    "low": {"low": 0.4, "medium": 0.5, "high": 0.6},
}
ACQUAINTANCES = 150  # people whom one person knows well enough to recognize (Dunbar's number)
ROUNDING = 1e-9  # a risk exactly at a threshold must not ask for one person more


@dataclass(frozen=True)
class SharingContext:
    """Who receives data.

    `controls` and `motives`: high, medium or low. `participants` of a `population` are in the data.
    `breach`: the share of such bodies that have a breach in a year (0 to 1).
    """

    controls: str
    motives: str
    participants: int
    population: int
    breach: float

    @property
    def insider(self) -> float:
        """Probability that somebody at the recipient tries to find a person on purpose."""
        return INSIDER[self.controls][self.motives]

    @property
    def acquaintance(self) -> float:
        """Probability that somebody at the recipient knows at least one person in the data."""
        return 1 - (1 - self.participants / self.population) ** ACQUAINTANCES

    @property
    def risk(self) -> float:
        """The highest of the three: attempt on purpose, recognition by chance, breach."""
        # The highest and not the sum: the guideline takes the three as ways of which one happens.
        return max(self.insider, self.acquaintance, self.breach)

    def average_class(self, threshold: float) -> int:
        """Return how many persons a class must have on average: risk / size <= threshold."""
        return max(HARD_FLOOR, math.ceil(self.risk / threshold - ROUNDING))


def read_sharing_context(body: Mapping[str, object]) -> SharingContext:
    """Return the context that a policy describes.

    Raises ExportProblem with everything that is wrong in it.
    """
    problems = []
    for name in ("controls", "motives"):
        if body.get(name) not in INSIDER:
            details = {"name": name, "value": str(body.get(name))}
            problems.append(Reason("policy.controls", details, ("context",)))
    participants = body.get("participants")
    population = body.get("population")
    for name, value in (("participants", participants), ("population", population)):
        if not _is_count(value):
            problems.append(Reason("policy.count", {"name": name}, ("context",)))
    breach = body.get("breach")
    if not isinstance(breach, int | float) or not 0 <= breach <= 1:
        problems.append(Reason("policy.breach", where=("context",)))
    # Only when both are numbers; otherwise the complaint above says it already.
    if not problems and int(str(participants)) > int(str(population)):
        problems.append(Reason("policy.population", where=("context",)))
    if problems:
        raise ExportProblem(*problems)
    return SharingContext(
        controls=str(body["controls"]),
        motives=str(body["motives"]),
        participants=int(str(participants)),
        population=int(str(population)),
        breach=float(str(breach)),
    )


def _is_count(value: object) -> bool:
    # YAML's yes is a number to Python.
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
