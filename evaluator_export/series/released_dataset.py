"""What the steps hand on to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from evaluator_export.periods import Period
from evaluator_export.policy.policy import Role
from evaluator_export.policy.recipe import RecipientView
from evaluator_export.search.measures import measure_singling_out
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.tabular import CategoricalColumn


def coarsen_count(count: int, threshold: int) -> str:
    """Return a count as it may be told: 0, under the threshold, or down to a multiple of 5."""
    return "0" if not count else f"<{threshold}" if count < threshold else str(count // 5 * 5)


def round_share(count: float, of: float) -> float:
    """Return a share in steps of 5 %, so that it tells no small count."""
    return round(round(20 * count / of) / 20, 2) if of else 0.0


@dataclass(frozen=True)
class ReleaseContext:
    """What a release is for: the centre, the period, when it was cut off (ISO, UTC), and the series' secret.

    `agreement` and `approvals` are what the centre wrote down about why this recipient may have it.
    """

    centre: str
    period: Period
    cut_off: str
    secret: bytes
    recipient: str = ""
    agreement: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleasedBatch:
    """A batch as its file and its entry in the ledger, with what was measured when it was made."""

    entry: LedgerEntry
    columns: Mapping[str, CategoricalColumn]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class ReleasedDataset:
    """One dataset in a package: its columns in their final order, the batches it holds, and what stays at the centre.

    `before` is the ledger's head before the first of its batches; `withheld` rows stay for a later
    batch; of all `records` that it was made of, published or not, `without_consent` have none.
    """

    view: RecipientView
    levels: dict[str, int]
    columns: dict[str, CategoricalColumn]
    sent: Sequence[ReleasedBatch]
    before: str
    withheld: int
    without_consent: int
    records: int
    withdrawn: int = 0  # rows that were published before and are no longer covered by consent

    elsewhere: int = 0  # records that left under another dataset's name, so they are not published again
    too_fine: float = 0.0  # not zero: the share of rows that would be like no other, more than may be, so none leaves

    @property
    def name(self) -> str:
        return self.view.dataset.name

    @property
    def rows(self) -> int:
        return sum(one.entry.rows for one in self.sent)

    @property
    def withheld_share(self) -> float:
        return round_share(self.withheld, self.withheld + self.rows)

    @property
    def without_consent_share(self) -> float:
        return round_share(self.without_consent, self.records)

    @cached_property
    def measured(self) -> list[str]:
        """Return the columns that somebody could know of a row: all but pseudonyms; the batch is one of them."""
        hidden = {field.name for field in self.view.dataset.policy.list_fields_with_role(Role.PSEUDONYM)}
        return [name for name in self.columns if name not in hidden]

    @cached_property
    def singled_out(self) -> dict[str, float]:
        """Return which shares of the rows are alone, or nearly, on all columns that leave."""
        return measure_singling_out([self.columns[name] for name in self.measured])

    @cached_property
    def overall(self) -> dict[str, Any]:
        """Return what the reports of all batches in the package come to: the smallest class, the greatest shares."""
        reports = [one.report for one in self.sent]
        sizes = [one["class_sizes"] for one in reports]
        losses: dict[str, list[float]] = {}
        attributes: dict[str, float] = {}
        groups: dict[str, float] = {}
        for report in reports:
            for name, loss in report["utility"]["loss_by_field"].items():
                losses.setdefault(name, []).append(loss)
            for name, found in report["risk"]["attributes"].items():
                attributes[name] = max(attributes.get(name, 0.0), found["max_confidence"])
            for value, share in ((report.get("groups") or {}).get("suppressed_share") or {}).items():
                groups[value] = max(groups.get(value, 0.0), share)
        return {
            "classes": sum(one["classes"] for one in sizes),
            "smallest": min((one["smallest"] for one in sizes), default=0),
            "largest": max((one["largest"] for one in sizes), default=0),
            "losses": {name: (min(found), max(found)) for name, found in losses.items()},
            "max_confidence": attributes,
            "held_back_by_group": groups,
        }

    def level_name(self, column: str) -> str:
        """Return the name of the level that a quasi-identifier is at."""
        return self.view.dataset.hierarchy(column).names[self.levels[column]]
