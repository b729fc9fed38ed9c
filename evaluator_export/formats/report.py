"""report.json: what was done to the data, what it cost whom, and what risk is left.

Shares are in steps of 5 %, so that they tell no small count; the centre's own preview has them exactly.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.coarse_counts import round_share
from evaluator_export.datasets.recipe import Recipe
from evaluator_export.policy.policy import Policy
from evaluator_export.series.released_dataset import ReleaseContext, ReleasedDataset
from evaluator_export.tables.protected_counts import BASE, ProtectedTable

FORMAT = 1


def write(
    recipe: Recipe, parts: Sequence[ReleasedDataset], tables: Sequence[ProtectedTable], occasion: ReleaseContext
) -> bytes:
    """Return report.json; shares are in steps of 5%."""
    body = {
        "report": FORMAT,
        "recipe": recipe.id,
        "period": occasion.period.name,
        "datasets": {part.name: dataset(part) for part in parts},
        "tables": {
            "method": sorted({table.spec.method for table in tables}),
            "base": BASE,
            "threshold": recipe.threshold,
            "hidden_share": round_share(
                sum(map(_count_hidden, tables)),
                sum(len(table.cells) for table in tables),
            ),
        },
    }
    return json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True).encode()


def _count_hidden(table: ProtectedTable) -> int:
    return sum(text.startswith("<") for _, text in table.cells)


def dataset(part: ReleasedDataset) -> dict[str, Any]:
    """Return the report of one dataset; "context" is None where k is by guideline."""
    policy = part.view.dataset.policy
    batches = []
    for batch in part.sent:
        about = {"number": batch.entry.number, "rows": batch.rows}
        batches.append({**about, **coarse(batch.report)})
    return {
        "k": policy.model.k,
        "levels": {name: part.level_name(name) for name in part.levels},
        "singled_out": {"columns": part.measured, **part.singled_out},
        "held_back_share": part.withheld_share,
        "without_consent_share": part.without_consent_share,
        "context": _describe_context(policy),
        "batches": batches,
    }


def _describe_context(policy: Policy) -> dict[str, Any] | None:
    """Return how likely an attempt at finding people was taken to be.

    None if that was not asked.
    """
    context = policy.context
    if context is None:
        return None
    return {
        "insider": context.insider,
        "acquaintance": round(context.acquaintance, 4),
        "breach": context.breach,
        "risk": round(context.risk, 4),
        "average_class": policy.limits.average,
    }


def coarse(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipient may read of a batch's report."""
    # A list of names, not a copy of the whole report: what is added to reports later stays at the
    # centre until somebody puts it here.
    return {
        "classes": report["class_sizes"],
        "risk": report["risk"],
        "loss": round(float(report["loss"]), 4),
        # Two digits: an exact loss of a small batch can be computed back to a count.
        "loss_by_field": {name: round(value, 2) for name, value in report["utility"]["loss_by_field"].items()},
        "held_back_by_group": _coarsen_groups(report.get("groups")),
    }


def _coarsen_groups(groups: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return from which groups rows were withheld; None where the policy watches none."""
    if not groups:
        return None
    shares = {name: round_share(share, 1) for name, share in groups["suppressed_share"].items()}
    return {
        "field": groups["field"],
        "limit": groups["limit"],
        "waived": groups["waived"],
        "share": shares,
    }
