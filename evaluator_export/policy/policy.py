"""A policy: how one table is made safe. A column that it does not name does not leave.

`policy_reader` reads it from YAML; docs/policies.md describes the format.
"""

from dataclasses import dataclass
from enum import StrEnum

from evaluator_export.arrays import Array
from evaluator_export.policy.hierarchies import Hierarchy
from evaluator_export.policy.privacy_models import PrivacyModel
from evaluator_export.policy.sharing_context import SharingContext


class Role(StrEnum):
    """What a policy does with a column; the values are the words of the format."""

    QUASI_IDENTIFIER = "quasi-identifier"  # others may know it: generalized until none stands out
    SENSITIVE = "sensitive"  # nobody should learn it: it must vary within every class
    KEEP = "keep"  # leaves as it is, or at one fixed level
    PSEUDONYM = "pseudonym"  # says whose row it is, under a name made for one recipient and period
    PERSON = "person"  # says whose row it is, and never leaves
    DROP = "drop"  # never leaves


@dataclass(frozen=True)
class Field:
    """A column that a policy names.

    A quasi-identifier is generalized to a level from `minimum` to `maximum`; another column with a
    hierarchy, always to its minimum. `weight` says how much its detail matters beside that of the
    other quasi-identifiers.
    """

    name: str
    role: Role
    hierarchy: Hierarchy | None = None
    minimum: int = 0
    maximum: int = 0
    weight: float = 1.0


@dataclass(frozen=True)
class GroupLimit:
    """Limit how unevenly suppression may fall on the groups of one column.

    `ratio` is the highest allowed (rate of a group) / (rate of all rows). Groups under
    `min_group_size` rows and rates up to `tolerated_rate` (0 to 1) are not tested. `waived` names
    the person who lifted the limit; then nothing is refused, and the report says who did.
    """

    field: str
    ratio: float = 2.0
    min_group_size: int = 50
    tolerated_rate: float = 0.01
    waived: str = ""

    def find_worst_ratio(self, sizes: Array, suppressed: Array) -> float:
        """Return the greatest (rate of a group) / (rate of all); 0 when no group is tested.

        Both arrays have one value per group: its rows, and how many of them are suppressed.
        """
        import numpy as np  # noqa: PLC0415  heavy, and servers read policies without computing with them

        # Only used where something is suppressed; else no rate is over the tolerated one and
        # nothing is divided by 0.
        overall = suppressed.sum() / max(sizes.sum(), 1)
        rates = suppressed / np.maximum(sizes, 1)
        tested = rates[(sizes >= self.min_group_size) & (rates > self.tolerated_rate)]
        if not len(tested):
            return 0.0
        return float(tested.max() / overall)


@dataclass(frozen=True)
class SuppressionLimits:
    """What a policy demands of the rows that stay and of those that do not.

    `max_suppressed`: highest share of rows suppressed (0 to 1). `is_local`: recode in passes, so
    that rows of small classes become less detailed than the others. `group`: None means no limit by
    group. `average`: persons that a class must have on average; 0 means no demand.
    """

    max_suppressed: float
    is_local: bool = False
    group: GroupLimit | None = None
    average: float = 0.0


@dataclass(frozen=True)
class Policy:
    """The fields of a table, and what must be true of its rows before they leave.

    `sha256`: of the text it was read from. `max_singled_out`: the share of rows (0 to 1) that may
    be like no other on all columns that leave. `context`: None when the policy says nothing of it.
    """

    id: str
    sha256: str
    fields: tuple[Field, ...]
    model: PrivacyModel
    limits: SuppressionLimits
    context: SharingContext | None = None
    max_singled_out: float = 1.0

    def list_fields_with_role(self, *roles: Role) -> list[Field]:
        """Return the fields that have one of some roles, in the order of the policy."""
        return [field for field in self.fields if field.role in roles]

    @property
    def person(self) -> str:
        """The column that says whose row it is; empty when each row is another person's."""
        fields = self.list_fields_with_role(Role.PERSON, Role.PSEUDONYM)
        if fields:
            return fields[0].name
        return ""

    @property
    def identifiers(self) -> list[Field]:
        """The quasi-identifiers, in the order of the policy: nodes have their levels so."""
        return self.list_fields_with_role(Role.QUASI_IDENTIFIER)
