"""A policy: how one table is made safe. What it does not name does not leave. docs/policies.md describes the format."""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from evaluator_export.policy import hierarchies, thresholds
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.privacy_models import Diversity, PrivacyModel
from evaluator_export.policy.suppression_limits import GroupLimit, SuppressionLimits
from evaluator_export.problems import Detail, ExportProblem, Reason, make_yaml_reason

FORMAT = 1
TOP_KEYS = {"deid", "id", "title", "series", "unit", "model", "suppress", "memory", "context", "fields", "default_role"}
MODEL_KEYS = {"k", "preset", "average", "l", "t"}
SUPPRESS_KEYS = {"mode", "max_rows", "max_group_rate", "max_singled_out"}
MAX_SINGLED_OUT = 0.05  # of a dataset that says nothing else
FIELD_KEYS = {"role", "hierarchy", "min", "max", "weight", "keep", "title", "from"}
MOST = 1_000_000
SPEC = re.compile(r"(\w+)\[([^\]]*)\]")


class Role(StrEnum):
    """What a policy does with a column; the values are the words of the format."""

    QUASI_IDENTIFIER = "quasi-identifier"  # others may know it: generalized until none stands out
    SENSITIVE = "sensitive"  # nobody should learn it: it must vary within every class
    KEEP = "keep"  # leaves as it is, or at one fixed level
    PSEUDONYM = "pseudonym"  # says whose row it is, under a name made for one recipient and period
    PERSON = "person"  # says whose row it is, and never leaves
    DROP = "drop"  # never leaves


ROLES = {"qi": Role.QUASI_IDENTIFIER} | {role.value: role for role in Role}


@dataclass(frozen=True)
class Field:
    """A column that a policy names; `weight` says how much its detail matters.

    A quasi-identifier is generalised to a level from minimum to maximum; another column with a hierarchy, always to its
    minimum.
    """

    name: str
    role: Role
    hierarchy: Hierarchy | None = None
    minimum: int = 0
    maximum: int = 0
    weight: float = 1.0


@dataclass(frozen=True)
class Policy:
    id: str
    sha256: str
    fields: tuple[Field, ...]
    model: PrivacyModel
    limits: SuppressionLimits
    context: thresholds.SharingContext | None = None
    max_singled_out: float = 1.0  # the share of rows that may be like no other on all columns that leave

    def list_fields_with_role(self, *roles: Role) -> list[Field]:
        return [field for field in self.fields if field.role in roles]

    @property
    def person(self) -> str:
        """The column that says whose row it is; empty when each row counts as a person of its own."""
        return next((field.name for field in self.list_fields_with_role(Role.PERSON, Role.PSEUDONYM)), "")

    @property
    def identifiers(self) -> list[Field]:
        return self.list_fields_with_role(Role.QUASI_IDENTIFIER)


def read_policy(path: Path) -> Policy:
    """Return the policy in a YAML file; its hierarchy files lie beside it. ExportProblem lists everything that is wrong."""
    try:
        text = path.read_bytes()
        body = yaml.safe_load(text)
    except OSError as error:
        raise ExportProblem(Reason("file.unreadable", {"file": str(path), "why": str(error.strerror)})) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExportProblem(make_yaml_reason(error).inside(str(path))) from None
    return parse_policy(body, hashlib.sha256(text).hexdigest(), lambda name: read_hierarchy(path.parent, name))


def read_hierarchy(folder: Path, name: str) -> Hierarchy:
    """Return the hierarchy in a file: with ";" between levels and no heading, as ARX writes it, or CSV with level names."""
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExportProblem(Reason("file.unreadable", {"file": str(path), "why": str(error.strerror)})) from None
    except UnicodeDecodeError:
        raise ExportProblem(Reason("file.encoding", {"file": str(path)})) from None
    is_plain = ";" in text.split("\n", 1)[0]
    rows = [row for row in csv.reader(text.splitlines(), delimiter=";" if is_plain else ",") if row]
    if is_plain:
        rows.insert(0, [f"level {number}" for number in range(len(rows[0]))])
    try:
        return hierarchies.make_hierarchy(rows)
    except ExportProblem as problem:
        raise ExportProblem(*(reason.inside(name) for reason in problem.reasons)) from None


def parse_policy(body: Any, sha256: str, open_hierarchy: Callable[[str], Hierarchy]) -> Policy:
    """Return a policy from its parsed YAML; raise ExportProblem with everything that is wrong in it."""
    problems: list[Reason] = []
    if not isinstance(body, dict) or body.get("deid") != FORMAT:
        raise ExportProblem(Reason("policy.format", {"format": FORMAT}))
    _reject_unknown_keys((), body, TOP_KEYS, problems)
    if body.get("default_role", Role.DROP) != Role.DROP:
        problems.append(Reason("policy.default_role"))
    fields = parse_fields(body.get("fields"), open_hierarchy, problems)
    unit = _read_mapping("unit", body.get("unit", {}), problems)
    if unit.get("person") and not any(field.role in (Role.PERSON, Role.PSEUDONYM) for field in fields):
        fields.append(Field(str(unit["person"]), Role.PERSON))
    context = None
    if "context" in body:
        try:
            context = thresholds.read_sharing_context(_read_mapping("context", body["context"], problems))
        except ExportProblem as problem:
            problems += problem.reasons
    model, average = parse_model(
        _read_mapping("model", body.get("model"), problems), {field.name for field in fields}, context, problems
    )
    suppress = _read_mapping("suppress", body.get("suppress", {}), problems)
    limits = parse_limits(suppress, average, problems)
    singled_out = _read_number(("suppress", "max_singled_out"), suppress.get("max_singled_out", 1), problems, 0, 1)
    if limits.group and limits.group.field not in {field.name for field in fields}:
        problems.append(Reason("policy.no_field", {"field": limits.group.field}, ("suppress",)))
    if sum(field.role in (Role.PERSON, Role.PSEUDONYM) for field in fields) > 1:
        problems.append(Reason("policy.one_person"))
    if problems:
        raise ExportProblem(*problems)
    return Policy(str(body.get("id", "")), sha256, tuple(fields), model, limits, context, singled_out)


def parse_fields(body: Any, open_hierarchy: Callable[[str], Hierarchy], problems: list[Reason]) -> list[Field]:
    fields = []
    for name, item in _read_mapping("fields", body, problems).items():
        try:
            fields.append(_parse_field(str(name), item if isinstance(item, dict) else {"role": item}, open_hierarchy))
        except ExportProblem as problem:
            problems += [reason.inside(str(name)) for reason in problem.reasons]
    return fields


def _parse_field(name: str, item: Mapping[str, Any], open_hierarchy: Callable[[str], Hierarchy]) -> Field:
    problems: list[Reason] = []
    _reject_unknown_keys((), item, FIELD_KEYS, problems)
    role = ROLES.get(str(item.get("role", Role.DROP)))
    if role is None:
        raise ExportProblem(Reason("policy.role", {"role": str(item["role"]), "known": ", ".join(sorted(ROLES))}))
    weight = _read_number(("weight",), item.get("weight", 1), problems, 0.001, 1000)
    if "hierarchy" not in item:
        if role == Role.QUASI_IDENTIFIER:
            problems.append(Reason("policy.no_hierarchy"))
        if problems:
            raise ExportProblem(*problems)
        return Field(name, role)
    found = parse_hierarchy(item["hierarchy"], open_hierarchy)
    if item.get("keep"):
        found = keep_values(found, [str(value) for value in _as_list(item["keep"])])
    minimum = item.get("min", 0)
    maximum = item.get("max", found.top if role == Role.QUASI_IDENTIFIER else minimum)
    if not (isinstance(minimum, int) and isinstance(maximum, int) and 0 <= minimum <= maximum <= found.top):
        problems.append(Reason("policy.levels", {"top": found.top, "levels": ", ".join(found.names)}))
    if problems:
        raise ExportProblem(*problems)
    return Field(name, role, found, minimum, maximum, weight)


def parse_hierarchy(spec: Any, open_hierarchy: Callable[[str], Hierarchy]) -> Hierarchy:
    """Return the hierarchy that a policy names: file:NAME, bins[5,10], bands[1,2,4], date[month,year], h3[8,7,6]."""
    text = str(spec)
    if text.startswith("file:"):
        return open_hierarchy(text.removeprefix("file:"))
    if text == "date":
        return hierarchies.make_date_hierarchy()
    match = SPEC.fullmatch(text)
    parts = [part.strip() for part in match[2].split(",")] if match else []
    if match and match[1] == "date":
        return hierarchies.make_date_hierarchy(parts)
    if match and match[1] in ("bins", "bands", "h3"):
        if not all(part.isdecimal() for part in parts):
            raise ExportProblem(Reason("policy.whole_numbers", {"hierarchy": text}))
        numbers = [int(part) for part in parts]
        if match[1] == "h3":
            if numbers != list(range(numbers[0], numbers[-1] - 1, -1)) or not 0 <= numbers[-1] <= numbers[0] <= 15:
                raise ExportProblem(Reason("policy.resolutions", {"hierarchy": text}))
            return hierarchies.make_h3_hierarchy(numbers[0], numbers[-1])
        if numbers != sorted(set(numbers)) or (match[1] == "bins" and numbers[0] < 1):
            raise ExportProblem(Reason("policy.rising", {"hierarchy": text}))
        return hierarchies.make_equal_width_bands(numbers) if match[1] == "bins" else hierarchies.make_numeric_bands(numbers)
    if re.fullmatch(r"\w+", text):
        return open_hierarchy(text)
    raise ExportProblem(Reason("policy.hierarchy", {"hierarchy": text}))


def keep_values(found: Hierarchy, kept: Sequence[str]) -> Hierarchy:
    """Return a hierarchy in which some values of level 0 keep their own label at every level below the top."""
    own = set(kept)

    def rule(value: str) -> tuple[str, ...]:
        labels = found.rule(value)
        return (*[labels[0]] * found.top, labels[-1]) if labels[0] in own else labels

    return Hierarchy(found.names, found.domain, rule)


def parse_model(
    body: Mapping[str, Any], names: set[str], context: thresholds.SharingContext | None, problems: list[Reason]
) -> tuple[PrivacyModel, float]:
    """Return the model and how many persons classes must hold on average (0: no demand)."""
    _reject_unknown_keys(("model",), body, MODEL_KEYS, problems)
    preset = body.get("preset")
    if preset is not None and not (isinstance(preset, str) and preset in thresholds.PRESETS):
        known = ", ".join(thresholds.PRESETS)
        problems.append(Reason("policy.preset", {"preset": str(preset), "known": known}, ("model",)))
        preset = None
    k = body.get("k", thresholds.PRESETS[preset][0] if preset else None)
    if not isinstance(k, int) or isinstance(k, bool) or k > MOST:
        problems.append(Reason("policy.k", where=("model",)))
        k = thresholds.HARD_FLOOR
    if k < thresholds.HARD_FLOOR:
        problems.append(Reason("policy.k_floor", {"k": k, "least": thresholds.HARD_FLOOR}, ("model",)))
    average = _read_number(("model", "average"), body.get("average", 0), problems, 0, MOST)
    if context and preset:
        average = max(average, context.average_class(thresholds.PRESETS[preset][1]))
    diversities = [_parse_diversity(item, names, problems) for item in _as_list(body.get("l"))]
    for item in _as_list(body.get("t")):
        if not _names_a_field(item, names):
            problems.append(Reason("policy.t_field", where=("t",)))
            continue
        diversities.append(Diversity(str(item["field"]), t=_read_number(("t", "max"), item.get("max", 1), problems, 0, 1)))
    return PrivacyModel(k, tuple(_merge_diversities(diversities))), average


def _parse_diversity(item: Any, names: set[str], problems: list[Reason]) -> Diversity:
    if not _names_a_field(item, names):
        problems.append(Reason("policy.l_field", where=("l",)))
        return Diversity("")
    _reject_unknown_keys(("l",), item, {"field", "distinct", "entropy", "max_confidence"}, problems)
    return Diversity(
        str(item["field"]),
        int(_read_number(("l", "distinct"), item.get("distinct", 1), problems, 1, MOST)),
        _read_number(("l", "entropy"), item.get("entropy", 0), problems, 0, MOST),
        _read_number(("l", "max_confidence"), item.get("max_confidence", 1), problems, 0.01, 1),
    )


def _names_a_field(item: Any, names: set[str]) -> bool:
    return isinstance(item, dict) and isinstance(item.get("field"), str) and item["field"] in names


def _merge_diversities(found: Sequence[Diversity]) -> list[Diversity]:
    merged: dict[str, Diversity] = {}
    for one in found:
        other = merged.get(one.field, Diversity(one.field))
        merged[one.field] = Diversity(
            one.field,
            max(one.distinct, other.distinct),
            max(one.entropy, other.entropy),
            min(one.max_confidence, other.max_confidence),
            min(one.t, other.t),
        )
    return list(merged.values())


def parse_limits(body: Mapping[str, Any], average: float, problems: list[Reason]) -> SuppressionLimits:
    _reject_unknown_keys(("suppress",), body, SUPPRESS_KEYS, problems)
    mode = body.get("mode", "global")
    if mode not in ("global", "local"):
        problems.append(Reason("policy.mode", {"mode": str(mode)}, ("suppress",)))
    share = _read_number(("suppress", "max_rows"), body.get("max_rows", 0), problems, 0, 1)
    group = None
    if body.get("max_group_rate"):
        item = _read_mapping("max_group_rate", body["max_group_rate"], problems)
        _reject_unknown_keys(("max_group_rate",), item, {"field", "ratio", "min_n", "free", "waived"}, problems)
        group = GroupLimit(
            str(item.get("field", "")),
            _read_number(("max_group_rate", "ratio"), item.get("ratio", 2), problems, 1, MOST),
            int(_read_number(("max_group_rate", "min_n"), item.get("min_n", 50), problems, 1, MOST)),
            _read_number(("max_group_rate", "free"), item.get("free", 0.01), problems, 0, 1),
            str(item.get("waived") or ""),
        )
    return SuppressionLimits(share, mode == "local", group, average)


def _read_number(where: tuple[str, ...], value: Any, problems: list[Reason], least: float, most: float) -> float:
    """Return a number within limits; otherwise say so and return the least."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and least <= value <= most:
        return float(value)
    limits: dict[str, Detail] = {"least": _as_detail(least), "most": _as_detail(most)}
    problems.append(Reason("policy.number", limits, where))
    return least


def _as_detail(limit: float) -> Detail:
    """Return a limit as text; as a detail, a float would be read as a share."""
    return int(limit) if limit == int(limit) else f"{limit:g}"


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _read_mapping(where: str, value: Any, problems: list[Reason]) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    problems.append(Reason("policy.mapping", where=(where,)))
    return {}


def _reject_unknown_keys(where: tuple[str, ...], body: Mapping[str, Any], known: set[str], problems: list[Reason]) -> None:
    names = ", ".join(sorted(known))
    problems += [Reason("policy.key", {"key": str(key), "known": names}, where) for key in body if key not in known]
