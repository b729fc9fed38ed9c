"""Read a policy from YAML, with everything that is wrong in it at once.

docs/policies.md describes the format. Each function appends what it finds wrong to `problems` and
returns something usable in its place, so that the rest is checked, too; a policy with problems is
never used.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluator_export.policy.hierarchy_reader import (
    OpenHierarchy,
    keep_values,
    make_file_reason,
    parse_hierarchy,
    read_hierarchy,
)
from evaluator_export.policy.model_reader import (
    as_list,
    parse_limits,
    parse_model,
    read_mapping,
    read_number,
    read_share,
    reject_unknown_keys,
)
from evaluator_export.policy.policy import Field, Policy, Role
from evaluator_export.policy.sharing_context import SharingContext, read_sharing_context
from evaluator_export.problems import Detail, ExportProblem, Reason, make_yaml_reason
from evaluator_export.yaml_text import read_yaml

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
FIELD_KEYS = {"role", "hierarchy", "min", "max", "weight", "keep", "title", "from"}
ROLES = {"qi": Role.QUASI_IDENTIFIER} | {role.value: role for role in Role}
SAYS_WHOSE = (Role.PERSON, Role.PSEUDONYM)


def read_policy(path: Path) -> Policy:
    """Return the policy in a YAML file; its hierarchy files lie beside it.

    Raises ExportProblem with everything that is wrong in it.
    """
    try:
        text = path.read_bytes()
        body = read_yaml(text)
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
    reject_unknown_keys((), body, TOP_KEYS, problems)
    # The key may be written to make the rule plain to readers; it cannot change it.
    if body.get("default_role", Role.DROP) != Role.DROP:
        problems.append(Reason("policy.default_role"))
    fields = parse_fields(body.get("fields"), open_hierarchy, problems)
    unit = read_mapping("unit", body.get("unit", {}), problems)
    # The person may be named without a field of its own: it counts, and never leaves.
    if unit.get("person") and not any(field.role in SAYS_WHOSE for field in fields):
        fields.append(Field(str(unit["person"]), Role.PERSON))
    names = {field.name for field in fields}
    context = _parse_context(body, problems)
    model_body = read_mapping("model", body.get("model"), problems)
    model, average = parse_model(model_body, names, context, problems)
    suppress = read_mapping("suppress", body.get("suppress", {}), problems)
    limits = parse_limits(suppress, average, problems)
    singled_out = suppress.get("max_singled_out", 1)
    max_singled_out = read_share(("suppress", "max_singled_out"), singled_out, problems)
    # A limit for a field that is not there would never be broken, and nobody would notice.
    if limits.group and limits.group.field not in names:
        details = {"field": limits.group.field}
        problems.append(Reason("policy.no_field", details, ("suppress",)))
    # Two answers to "whose row is this" would give two counts of persons in one class.
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
        return read_sharing_context(read_mapping("context", body["context"], problems))
    except ExportProblem as problem:
        problems += problem.reasons
        return None


def parse_fields(body: Any, open_hierarchy: OpenHierarchy, problems: list[Reason]) -> list[Field]:
    """Return the fields of a policy, without those that are wrong."""
    fields = []
    for name, item in read_mapping("fields", body, problems).items():
        field_body = item
        if not isinstance(item, dict):
            field_body = {"role": item}
        try:
            fields.append(_parse_field(str(name), field_body, open_hierarchy))
        except ExportProblem as problem:
            problems += [reason.inside(str(name)) for reason in problem.reasons]
    return fields


def _parse_field(name: str, body: Mapping[str, Any], open_hierarchy: OpenHierarchy) -> Field:
    problems: list[Reason] = []
    reject_unknown_keys((), body, FIELD_KEYS, problems)
    role = ROLES.get(str(body.get("role", Role.DROP)))
    if role is None:
        details = {"role": str(body["role"]), "known": ", ".join(sorted(ROLES))}
        raise ExportProblem(Reason("policy.role", details))
    weight = read_number(("weight",), body.get("weight", 1), problems, 0.001, 1000)
    if "hierarchy" not in body:
        if role == Role.QUASI_IDENTIFIER:
            problems.append(Reason("policy.no_hierarchy"))
        if problems:
            raise ExportProblem(*problems)
        return Field(name, role)
    hierarchy = parse_hierarchy(body["hierarchy"], open_hierarchy)
    if body.get("keep"):
        values = [str(value) for value in as_list(body["keep"])]
        hierarchy = keep_values(hierarchy, values)
    minimum = body.get("min", 0)
    # Other columns have one fixed level: a range would let the search choose for them, too.
    maximum = body.get("max", hierarchy.top if role == Role.QUASI_IDENTIFIER else minimum)
    are_numbers = isinstance(minimum, int) and isinstance(maximum, int)
    if not are_numbers or not 0 <= minimum <= maximum <= hierarchy.top:
        levels: dict[str, Detail] = {"top": hierarchy.top, "levels": ", ".join(hierarchy.names)}
        problems.append(Reason("policy.levels", levels))
    if problems:
        raise ExportProblem(*problems)
    return Field(name, role, hierarchy, minimum, maximum, weight)
