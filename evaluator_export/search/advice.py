"""What would have to change when a policy cannot be kept: the nearest one that can."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluator_export.policy.policy import Policy
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.lattice import find_optimal_node

PRECISION = 0.0005  # of the share of rows that would have to be suppressed
MOST_HALVINGS = 12  # enough for that precision


class AdviceKind(StrEnum):
    """What would have to change."""

    PERSONS = "persons"
    SHARE = "share"
    PINNED = "pinned"
    GROUP = "group"
    NOTHING = "nothing"


ADVICE = {
    AdviceKind.PERSONS: "There are {persons} persons in all, fewer than k = {k}. Wait for more, or take a longer period.",
    AdviceKind.SHARE: "The nearest that works: suppress up to {percent} of the rows (max_rows: {share}).",
    AdviceKind.PINNED: "Or let these become coarser than their max: {columns}.",
    AdviceKind.GROUP: "Or name who waives the limit for groups of {column} (max_group_rate: waived).",
    AdviceKind.NOTHING: "Even all together, the rows do not hold what the policy asks of a class.",
}


@dataclass(frozen=True)
class PolicyAdvice:
    """One change that would help: `kind` says which, `values` fill in its sentence."""

    kind: AdviceKind
    values: dict[str, str]

    def __str__(self) -> str:
        return ADVICE[self.kind].format(**self.values)


def suggest_changes(policy: Policy, table: Microdata) -> list[PolicyAdvice]:
    """Return what would have to change for a policy to be kept, the least change first.

    Call it for a policy that cannot be kept with this table; it searches the table several times.
    """
    persons = table.rows if table.persons is None else len(np.unique(table.persons))
    if persons < policy.model.k:
        values = {"persons": str(persons), "k": str(policy.model.k)}
        return [PolicyAdvice(AdviceKind.PERSONS, values)]
    advice = []
    share = _find_least_share(policy, table)
    if share is not None:
        rounded_up = np.ceil(share * 1000) / 1000
        values = {"percent": f"{share:.1%}", "share": f"{rounded_up:.3f}"}
        advice.append(PolicyAdvice(AdviceKind.SHARE, values))
    pinned = [column.name for column in table.columns if column.maximum < len(column.levels) - 1]
    if pinned:
        advice.append(PolicyAdvice(AdviceKind.PINNED, {"columns": ", ".join(pinned)}))
    group = policy.limits.group
    if group and not group.waived:
        advice.append(PolicyAdvice(AdviceKind.GROUP, {"column": group.field}))
    return advice or [PolicyAdvice(AdviceKind.NOTHING, {})]


def _find_least_share(policy: Policy, table: Microdata) -> float | None:
    """Return the least share of rows (0 to 1) to suppress so that some node is good.

    None when suppression is not what stands in the way, or no share under 1 would do.
    """
    best = find_optimal_node(table, policy.model, 1.0)
    if best is None or best.suppressed >= table.rows:
        return None
    share = best.suppressed / table.rows
    limits = policy.limits
    if share <= limits.max_suppressed and not limits.group and not limits.average:
        return None
    low = 0.0
    high = share
    for _ in range(MOST_HALVINGS):
        if high - low < PRECISION:
            break
        middle = (low + high) / 2
        if find_optimal_node(table, policy.model, middle) is None:
            low = middle
        else:
            high = middle
    return high
