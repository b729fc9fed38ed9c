"""Read a policy from YAML, with everything that is wrong in it at once.

docs/policies.md describes the format. Each function appends what it finds wrong to `problems` and
returns something usable in its place, so that the rest is checked, too; a policy with problems is
never used.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from evaluator_export.policy import hierarchies, thresholds
from evaluator_export.policy.hierarchy_reader import (
    OpenHierarchy,
    make_file_reason,
    parse_hierarchy,
    read_hierarchy,
)
from evaluator_export.policy.policy import Field, Policy, Role
from evaluator_export.policy.privacy_models import Diversity, PrivacyModel
from evaluator_export.policy.sharing_context import SharingContext, read_sharing_context
from evaluator_export.policy.suppression_limits import GroupLimit, SuppressionLimits
from evaluator_export.problems import Detail, ExportProblem, Reason, make_yaml_reason

FORMAT = 1
TOP_KEYS = {
    "deid",
    "id",
    "title",
    "series",
    "unit",
    "model",
    "suppress",
    "memory",
    "context",
    "fields",
    "default_role",
}
MODEL_KEYS = {"k", "preset", "average", "l", "t"}
DIVERSITY_KEYS = {"field", "distinct", "entropy", "max_confidence"}
SUPPRESS_KEYS = {"mode", "max_rows", "max_group_rate", "max_singled_out"}
GROUP_KEYS = {"field", "ratio", "min_n", "free", "waived"}
FIELD_KEYS = {"role", "hierarchy", "min", "max", "weight", "keep", "title", "from"}
ROLES = {"qi": Role.QUASI_IDENTIFIER} | {role.value: role for role in Role}
SAYS_WHOSE = (Role.PERSON, Role.PSEUDONYM)
MOST = 1_000_000


def read_policy(path: Path) -> Policy:
    """Return the policy in a YAML file; its hierarchy files lie beside it.

    Raises ExportProblem with everything that is wrong in it.
    """
    try:
        text = path.read_bytes()
        body = yaml.safe_load(text)
    except OSError as error:
        raise ExportProblem(make_file_reason(path, error)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExportProblem(make_yaml_reason(error).inside(str(path))) from None
    sha256 = hashlib.sha256(text).hexdigest()
    return parse_policy(body, sha256, lambda name: read_hierarchy(path.parent, name))


def parse_policy(body: Any, sha256: str, open_hierarchy: OpenHierarchy) -> Policy:
    """Return a policy from its parsed YAML.

    `sha256`: of its text. `open_hierarchy` returns a hierarchy by the name that the policy gives
    it, or raises ExportProblem. Raises ExportProblem with everything that is wrong.
    """
    problems: list[Reason] = []
    if not isinstance(body, dict) or body.get("deid") != FORMAT:
        raise ExportProblem(Reason("policy.format", {"format": FORMAT}))
    _reject_unknown_keys((), body, TOP_KEYS, problems)
    # The key may be written to make the rule plain to readers; it cannot change it.
    if body.get("default_role", Role.DROP) != Role.DROP:
        problems.append(Reason("policy.default_role"))
    fields = parse_fields(body.get("fields"), open_hierarchy, problems)
    unit = _read_mapping("unit", body.get("unit", {}), problems)
    if unit.get("person") and not any(field.role in SAYS_WHOSE for field in fields):
        fields.append(Field(str(unit["person"]), Role.PERSON))
    names = {field.name for field in fields}
    context = _parse_context(body, problems)
    model_body = _read_mapping("model", body.get("model"), problems)
    model, average = parse_model(model_body, names, context, problems)
    suppress = _read_mapping("suppress", body.get("suppress", {}), problems)
    limits = parse_limits(suppress, average, problems)
    singled_out = suppress.get("max_singled_out", 1)
    max_singled_out = _read_share(("suppress", "max_singled_out"), singled_out, problems)
    if limits.group and limits.group.field not in names:
        details = {"field": limits.group.field}
        problems.append(Reason("policy.no_field", details, ("suppress",)))
    if sum(field.role in SAYS_WHOSE for field in fields) > 1:
        problems.append(Reason("policy.one_person"))
    if problems:
        raise ExportProblem(*problems)
    return Policy(
        id=str(body.get("id", "")),
        sha256=sha256,
        fields=tuple(fields),
        model=model,
        limits=limits,
        context=context,
        max_singled_out=max_singled_out,
    )


def _parse_context(body: Mapping[str, Any], problems: list[Reason]) -> SharingContext | None:
    if "context" not in body:
        return None
    try:
        return read_sharing_context(_read_mapping("context", body["context"], problems))
    except ExportProblem as problem:
        problems += problem.reasons
        return None


def parse_fields(body: Any, open_hierarchy: OpenHierarchy, problems: list[Reason]) -> list[Field]:
    """Return the fields of a policy, without those that are wrong."""
    fields = []
    for name, item in _read_mapping("fields", body, problems).items():
        field_body = item if isinstance(item, dict) else {"role": item}
        try:
            fields.append(_parse_field(str(name), field_body, open_hierarchy))
        except ExportProblem as problem:
            problems += [reason.inside(str(name)) for reason in problem.reasons]
    return fields


def _parse_field(name: str, body: Mapping[str, Any], open_hierarchy: OpenHierarchy) -> Field:
    problems: list[Reason] = []
    _reject_unknown_keys((), body, FIELD_KEYS, problems)
    role = ROLES.get(str(body.get("role", Role.DROP)))
    if role is None:
        details = {"role": str(body["role"]), "known": ", ".join(sorted(ROLES))}
        raise ExportProblem(Reason("policy.role", details))
    weight = _read_number(("weight",), body.get("weight", 1), problems, 0.001, 1000)
    if "hierarchy" not in body:
        if role == Role.QUASI_IDENTIFIER:
            problems.append(Reason("policy.no_hierarchy"))
        if problems:
            raise ExportProblem(*problems)
        return Field(name, role)
    hierarchy = parse_hierarchy(body["hierarchy"], open_hierarchy)
    if body.get("keep"):
        values = [str(value) for value in _as_list(body["keep"])]
        hierarchy = hierarchies.keep_values(hierarchy, values)
    minimum = body.get("min", 0)
    maximum = body.get("max", hierarchy.top if role == Role.QUASI_IDENTIFIER else minimum)
    are_numbers = isinstance(minimum, int) and isinstance(maximum, int)
    if not are_numbers or not 0 <= minimum <= maximum <= hierarchy.top:
        levels: dict[str, Detail] = {"top": hierarchy.top, "levels": ", ".join(hierarchy.names)}
        problems.append(Reason("policy.levels", levels))
    if problems:
        raise ExportProblem(*problems)
    return Field(name, role, hierarchy, minimum, maximum, weight)


def parse_model(
    body: Mapping[str, Any],
    names: set[str],
    context: SharingContext | None,
    problems: list[Reason],
) -> tuple[PrivacyModel, float]:
    """Return the model, and how many persons a class must have on average (0: no demand).

    `names`: of the policy's fields. A preset gives k, and with a context the average, too.
    """
    _reject_unknown_keys(("model",), body, MODEL_KEYS, problems)
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
    average = _read_number(("model", "average"), body.get("average", 0), problems, 0, MOST)
    # A class on average, not each class: the guideline's risk is that of the whole table.
    if context and preset:
        average = max(average, context.average_class(thresholds.PRESETS[preset][1]))
    diversities = [_parse_diversity(item, names, problems) for item in _as_list(body.get("l"))]
    for item in _as_list(body.get("t")):
        if _names_a_field(item, names):
            distance = _read_share(("t", "max"), item.get("max", 1), problems)
            diversities.append(Diversity(str(item["field"]), t=distance))
        else:
            problems.append(Reason("policy.t_field", where=("t",)))
    return PrivacyModel(k, tuple(_merge_diversities(diversities))), average


def _parse_diversity(body: Any, names: set[str], problems: list[Reason]) -> Diversity:
    if not _names_a_field(body, names):
        problems.append(Reason("policy.l_field", where=("l",)))
        return Diversity("")
    _reject_unknown_keys(("l",), body, DIVERSITY_KEYS, problems)
    confidence = body.get("max_confidence", 1)
    return Diversity(
        field=str(body["field"]),
        distinct=int(_read_number(("l", "distinct"), body.get("distinct", 1), problems, 1, MOST)),
        entropy=_read_number(("l", "entropy"), body.get("entropy", 0), problems, 0, MOST),
        max_confidence=_read_number(("l", "max_confidence"), confidence, problems, 0.01, 1),
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
    _reject_unknown_keys(("suppress",), body, SUPPRESS_KEYS, problems)
    mode = body.get("mode", "global")
    if mode not in ("global", "local"):
        problems.append(Reason("policy.mode", {"mode": str(mode)}, ("suppress",)))
    max_suppressed = _read_share(("suppress", "max_rows"), body.get("max_rows", 0), problems)
    group = None
    if body.get("max_group_rate"):
        group = _parse_group_limit(body["max_group_rate"], problems)
    return SuppressionLimits(max_suppressed, mode == "local", group, average)


def _parse_group_limit(body: Any, problems: list[Reason]) -> GroupLimit:
    where = "max_group_rate"
    body = _read_mapping(where, body, problems)
    _reject_unknown_keys((where,), body, GROUP_KEYS, problems)
    min_size = _read_number((where, "min_n"), body.get("min_n", 50), problems, 1, MOST)
    return GroupLimit(
        field=str(body.get("field", "")),
        ratio=_read_number((where, "ratio"), body.get("ratio", 2), problems, 1, MOST),
        min_group_size=int(min_size),
        tolerated_rate=_read_share((where, "free"), body.get("free", 0.01), problems),
        waived=str(body.get("waived") or ""),
    )


def _read_share(where: tuple[str, ...], value: Any, problems: list[Reason]) -> float:
    return _read_number(where, value, problems, 0, 1)


def _read_number(
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
    return int(limit) if limit == int(limit) else f"{limit:g}"


def _as_list(value: Any) -> list[Any]:
    """Return what may be written as one item or as a list of them."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_mapping(where: str, value: Any, problems: list[Reason]) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    problems.append(Reason("policy.mapping", where=(where,)))
    return {}


def _reject_unknown_keys(
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
