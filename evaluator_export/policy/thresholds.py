"""How many persons a class must hold: the thresholds of Ontario's guidelines, and the risk that a context brings.

Sources: IPC Ontario, De-Identification Guidelines for Structured Data, 2016 (insider table, acquaintance, strict average);
the class sizes 11, 15 and 20 for the 2025 guideline as secondary sources quote them. Never under 3: Government of Canada.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evaluator_export.problems import ExportProblem, Reason

HARD_FLOOR = 3  # no setting can go lower
PRESETS: Mapping[str, tuple[int, float]] = {  # persons a class, threshold of risk
    "ipc2025-low": (11, 0.09),
    "ipc2025-medium": (15, 0.075),
    "ipc2025-high": (20, 0.05),
    "ipc2016-low": (10, 0.1),
    "ipc2016-medium": (15, 0.075),
    "ipc2016-high": (20, 0.05),
}
INSIDER: Mapping[str, Mapping[str, float]] = {  # mitigating controls → motives and capacity → probability of an attempt
    "high": {"low": 0.05, "medium": 0.1, "high": 0.2},
    "medium": {"low": 0.2, "medium": 0.3, "high": 0.4},
    "low": {"low": 0.4, "medium": 0.5, "high": 0.6},
}
ACQUAINTANCES = 150  # people whom one person knows well enough to recognise (Dunbar's number)


@dataclass(frozen=True)
class SharingContext:
    """Who receives data: their controls, their motives, the share of the population in the data, breaches of such bodies."""

    controls: str
    motives: str
    participants: int
    population: int
    breach: float  # share of such bodies that have a breach in a year

    @property
    def insider(self) -> float:
        return INSIDER[self.controls][self.motives]

    @property
    def acquaintance(self) -> float:
        """Probability that someone at the recipient knows at least one person in the data."""
        return 1 - (1 - self.participants / self.population) ** ACQUAINTANCES

    @property
    def risk(self) -> float:
        """The highest of the three: deliberate attempt, recognising by chance, breach."""
        return max(self.insider, self.acquaintance, self.breach)

    def average_class(self, threshold: float) -> int:
        """Return how many persons a class must hold on average, so that context risk × 1/size ≤ threshold."""
        return max(HARD_FLOOR, math.ceil(self.risk / threshold - 1e-9))


def read_sharing_context(body: Mapping[str, object]) -> SharingContext:
    """Return the context in a policy; raise ExportProblem with everything that is wrong in it."""
    problems = [
        Reason("policy.controls", {"name": name, "value": str(body.get(name))}, ("context",))
        for name in ("controls", "motives")
        if body.get(name) not in INSIDER
    ]
    numbers = {name: body.get(name) for name in ("participants", "population")}
    problems += [
        Reason("policy.count", {"name": name}, ("context",)) for name, value in numbers.items() if not _is_count(value)
    ]
    breach = body.get("breach")
    if not isinstance(breach, int | float) or not 0 <= breach <= 1:
        problems.append(Reason("policy.breach", where=("context",)))
    if not problems and int(str(numbers["participants"])) > int(str(numbers["population"])):
        problems.append(Reason("policy.population", where=("context",)))
    if problems:
        raise ExportProblem(*problems)
    return SharingContext(
        str(body["controls"]),
        str(body["motives"]),
        int(str(numbers["participants"])),
        int(str(numbers["population"])),
        float(str(breach)),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
