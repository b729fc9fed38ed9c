"""Read what a policy asks of classes, and what it lets be suppressed.

Each function appends what it finds wrong to `problems` and returns something usable in its place,
so that the rest is checked, too; a policy with problems is never used.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluator_export.policy import thresholds
from evaluator_export.policy.policy import GroupLimit, SuppressionLimits
from evaluator_export.policy.privacy_models import Diversity, PrivacyModel
from evaluator_export.policy.sharing_context import SharingContext
from evaluator_export.problems import Detail, Reason

MODEL_KEYS = {"k", "preset", "average", "l", "t"}
DIVERSITY_KEYS = {"field", "distinct", "entropy", "max_confidence"}
SUPPRESS_KEYS = {"mode", "max_rows", "max_group_rate", "max_singled_out"}
GROUP_KEYS = {"field", "ratio", "min_n", "free", "waived"}
MOST = 1_000_000


def parse_model(
    body: Mapping[str, Any],
    names: set[str],
    context: SharingContext | None,
    problems: list[Reason],
) -> tuple[PrivacyModel, float]:
    """Return the model, and how many persons a class must have on average (0: no demand).

    `names`: of the policy's fields. A preset gives k, and with a context the average, too.
    """
    reject_unknown_keys(("model",), body, MODEL_KEYS, problems)
    preset = body.get("preset")
    if preset is not None and not (isinstance(preset, str) and preset in thresholds.PRESETS):
        details = {"preset": str(preset), "known": ", ".join(thresholds.PRESETS)}
        problems.append(Reason("policy.preset", details, ("model",)))
        preset = None
    k = body.get("k", thresholds.PRESETS[preset][0] if preset else None)
    # YAML's yes is a number to Python, and k = 1 would protect nobody.
    if not isinstance(k, int) or isinstance(k, bool) or k > MOST:
        problems.append(Reason("policy.k", where=("model",)))
        k = thresholds.HARD_FLOOR
    if k < thresholds.HARD_FLOOR:
        floor = {"k": k, "least": thresholds.HARD_FLOOR}
        problems.append(Reason("policy.k_floor", floor, ("model",)))
    average = read_number(("model", "average"), body.get("average", 0), problems, 0, MOST)
    # A class on average, not each class: the guideline's risk is that of the whole table.
    if context and preset:
        average = max(average, context.average_class(thresholds.PRESETS[preset][1]))
    diversities = [_parse_diversity(item, names, problems) for item in as_list(body.get("l"))]
    for item in as_list(body.get("t")):
        if _names_a_field(item, names):
            distance = read_share(("t", "max"), item.get("max", 1), problems)
            diversities.append(Diversity(str(item["field"]), t=distance))
        else:
            problems.append(Reason("policy.t_field", where=("t",)))
    return PrivacyModel(k, tuple(_merge_diversities(diversities))), average


def _parse_diversity(body: Any, names: set[str], problems: list[Reason]) -> Diversity:
    if not _names_a_field(body, names):
        problems.append(Reason("policy.l_field", where=("l",)))
        return Diversity("")
    reject_unknown_keys(("l",), body, DIVERSITY_KEYS, problems)
    confidence = body.get("max_confidence", 1)
    return Diversity(
        field=str(body["field"]),
        distinct=int(read_number(("l", "distinct"), body.get("distinct", 1), problems, 1, MOST)),
        entropy=read_number(("l", "entropy"), body.get("entropy", 0), problems, 0, MOST),
        max_confidence=read_number(("l", "max_confidence"), confidence, problems, 0.01, 1),
    )


def _names_a_field(body: Any, names: set[str]) -> bool:
    return isinstance(body, dict) and isinstance(body.get("field"), str) and body["field"] in names


def _merge_diversities(diversities: Sequence[Diversity]) -> list[Diversity]:
    """Return one diversity per field, the strictest of all that were asked of it."""
    merged: dict[str, Diversity] = {}
    for diversity in diversities:
        other = merged.get(diversity.field, Diversity(diversity.field))
        merged[diversity.field] = Diversity(
            field=diversity.field,
            # The strictest of each kind, so that a second line about a field can only ask for more.
            distinct=max(diversity.distinct, other.distinct),
            entropy=max(diversity.entropy, other.entropy),
            max_confidence=min(diversity.max_confidence, other.max_confidence),
            t=min(diversity.t, other.t),
        )
    return list(merged.values())


def parse_limits(
    body: Mapping[str, Any],
    average: float,
    problems: list[Reason],
) -> SuppressionLimits:
    """Return what a policy allows to be suppressed; `average` as `parse_model` gave it."""
    reject_unknown_keys(("suppress",), body, SUPPRESS_KEYS, problems)
    mode = body.get("mode", "global")
    if mode not in ("global", "local"):
        problems.append(Reason("policy.mode", {"mode": str(mode)}, ("suppress",)))
    # A policy that says nothing allows no row to be suppressed.
    max_suppressed = read_share(("suppress", "max_rows"), body.get("max_rows", 0), problems)
    group = None
    if body.get("max_group_rate"):
        group = _parse_group_limit(body["max_group_rate"], problems)
    return SuppressionLimits(max_suppressed, mode == "local", group, average)


def _parse_group_limit(body: Any, problems: list[Reason]) -> GroupLimit:
    where = "max_group_rate"
    body = read_mapping(where, body, problems)
    reject_unknown_keys((where,), body, GROUP_KEYS, problems)
    min_size = read_number((where, "min_n"), body.get("min_n", 50), problems, 1, MOST)
    return GroupLimit(
        field=str(body.get("field", "")),
        ratio=read_number((where, "ratio"), body.get("ratio", 2), problems, 1, MOST),
        min_group_size=int(min_size),
        tolerated_rate=read_share((where, "free"), body.get("free", 0.01), problems),
        waived=str(body.get("waived") or ""),
    )


def read_share(where: tuple[str, ...], value: Any, problems: list[Reason]) -> float:
    """Return a share (0 to 1); for anything else, report it and return 0."""
    return read_number(where, value, problems, 0, 1)


def read_number(
    where: tuple[str, ...],
    value: Any,
    problems: list[Reason],
    least: float,
    most: float,
) -> float:
    """Return a number within limits; for anything else, report it and return the least."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and least <= value <= most:
        return float(value)
    limits: dict[str, Detail] = {"least": _as_detail(least), "most": _as_detail(most)}
    problems.append(Reason("policy.number", limits, where))
    return least


def _as_detail(limit: float) -> Detail:
    """Return a limit as a detail; a float would be read as a share."""
    if limit == int(limit):
        return int(limit)
    return f"{limit:g}"


def as_list(value: Any) -> list[Any]:
    """Return what may be written as one item or as a list of them."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    return [value]


def read_mapping(where: str, value: Any, problems: list[Reason]) -> Mapping[str, Any]:
    """Return names with values; for anything else, report it and return none."""
    if isinstance(value, dict):
        return value
    problems.append(Reason("policy.mapping", where=(where,)))
    return {}


def reject_unknown_keys(
    where: tuple[str, ...],
    body: Mapping[str, Any],
    keys: set[str],
    problems: list[Reason],
) -> None:
    """Report keys that the format does not have: a typo would be a rule that nobody applies."""
    names = ", ".join(sorted(keys))
    for key in body:
        if key not in keys:
            problems.append(Reason("policy.key", {"key": str(key), "known": names}, where))
