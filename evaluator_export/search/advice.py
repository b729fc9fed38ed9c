"""What would have to change when a policy cannot be kept: the nearest one that can."""

import numpy as np

from evaluator_export.policy.policy import Policy
from evaluator_export.problems import Detail, Reason
from evaluator_export.search.encoding import Microdata
from evaluator_export.search.lattice import find_optimal_node

PRECISION = 0.0005  # of the share of rows that would have to be suppressed
MOST_HALVINGS = 12  # enough for that precision


def suggest_changes(policy: Policy, table: Microdata) -> list[Reason]:
    """Return what would have to change for a policy to be kept, the least change first.

    Call it for a policy that cannot be kept with this table; it searches the table several times.
    """
    # No policy helps a table with fewer persons than k, so nothing else is worth trying.
    persons = table.rows if table.persons is None else len(np.unique(table.persons))
    if persons < policy.model.k:
        return [Reason("advice.persons", {"persons": persons, "k": policy.model.k})]
    advice = []
    share = _find_least_share(policy, table)
    if share is not None:
        rounded_up = np.ceil(share * 1000) / 1000
        details: dict[str, Detail] = {"percent": float(share), "share": f"{rounded_up:.3f}"}
        advice.append(Reason("advice.share", details))
    # A maximum level that the policy sets keeps the search from going further up: lifting it may be
    # all that is needed.
    pinned = [column.name for column in table.columns if column.maximum < len(column.levels) - 1]
    if pinned:
        advice.append(Reason("advice.pinned", {"columns": ", ".join(pinned)}))
    group = policy.limits.group
    if group and not group.waived:
        advice.append(Reason("advice.group", {"column": group.field}))
    return advice or [Reason("advice.nothing")]


def _find_least_share(policy: Policy, table: Microdata) -> float | None:
    """Return the least share of rows (0 to 1) to suppress so that some node is good.

    None when suppression is not what stands in the way, or no share under 1 would do.
    """
    # At 100% no node is refused for what it suppresses: a share that surely works, from which the
    # halving below goes down.
    best = find_optimal_node(table, policy.model, 1.0)
    if best is None or best.suppressed >= table.rows:
        return None
    share = best.suppressed / table.rows
    limits = policy.limits
    # Suppression alone was within its limit, so it is some other rule that stood in the way.
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
