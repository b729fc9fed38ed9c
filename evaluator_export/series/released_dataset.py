"""What the steps of a release pass to each other: its context, its batches, its datasets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from evaluator_export.coarse_counts import round_share
from evaluator_export.datasets.recipe import RecipientView
from evaluator_export.periods import Period
from evaluator_export.policy.policy import Role
from evaluator_export.search.measures import measure_singling_out
from evaluator_export.series.ledger import LedgerEntry
from evaluator_export.series.withdrawal import WithdrawalList
from evaluator_export.tabular import CategoricalColumn


@dataclass(frozen=True)
class ReleaseContext:
    """What a release is for.

    `centre`: its name. `cut_off`: when records were read (ISO, UTC). `secret`: the key of the
    series, for orders and pseudonyms. `agreement`: what the centre wrote down about why this
    recipient may have it. `withdrawals`: what the recipient is to delete of earlier packages.
    """

    centre: str
    period: Period
    cut_off: str
    secret: bytes
    recipient: str = ""
    agreement: Mapping[str, Any] = field(default_factory=dict)
    withdrawals: WithdrawalList = field(default_factory=WithdrawalList)


@dataclass(frozen=True)
class ReleasedBatch:
    """A batch in a package: its ledger entry, its columns, and the report of its making.

    `left_out`: the places of rows that are in the batch, and that nobody gets any more.
    """

    entry: LedgerEntry
    columns: Mapping[str, CategoricalColumn]
    report: Mapping[str, Any]
    left_out: frozenset[int] = frozenset()

    @property
    def rows(self) -> int:
        """How many rows of the batch are in the package."""
        return self.entry.rows - len(self.left_out)


@dataclass(frozen=True)
class ReleasedDataset:
    """One dataset in a package: its columns, its batches, and how much stays behind.

    `before`: the ledger's head before the first of its batches. `withheld`: rows that wait for a
    later batch. `records`: all that it was made of, published or not; of these, `without_consent`
    are not covered by consent. `withdrawn`: published before, and no longer covered by consent, or never to leave again.
    `elsewhere`: left under another dataset's name, so they are not published again. `too_fine`: 0,
    or the share of rows that would be like no other; then none leaves.
    """

    view: RecipientView
    levels: dict[str, int]
    columns: dict[str, CategoricalColumn]
    sent: Sequence[ReleasedBatch]
    before: str
    withheld: int
    without_consent: int
    records: int
    withdrawn: int = 0
    elsewhere: int = 0
    too_fine: float = 0.0

    @property
    def name(self) -> str:
        """The dataset's name, after which its files are named."""
        return self.view.dataset.name

    @property
    def rows(self) -> int:
        """How many rows are in the package."""
        return sum(batch.rows for batch in self.sent)

    @property
    def withheld_share(self) -> float:
        """Rows that wait, as a rounded share (0 to 1) of these and those in the package."""
        return round_share(self.withheld, self.withheld + self.rows)

    @property
    def without_consent_share(self) -> float:
        """Records that consent does not cover, as a rounded share (0 to 1) of all records."""
        return round_share(self.without_consent, self.records)

    @cached_property
    def measured(self) -> list[str]:
        """Names of the columns that somebody may know of a row: all but pseudonyms.

        The number of the batch is one of them: a witness knows about when it happened.
        """
        fields = self.view.dataset.policy.list_fields_with_role(Role.PSEUDONYM)
        hidden = {pseudonym.name for pseudonym in fields}
        return [name for name in self.columns if name not in hidden]

    @cached_property
    def singled_out(self) -> dict[str, float]:
        """Shares of the rows (0 to 1) that are `alone`, or `under_5` alike, on all columns."""
        return measure_singling_out([self.columns[name] for name in self.measured])

    @cached_property
    def overall(self) -> dict[str, Any]:
        """The reports of all batches as one: smallest and largest class, the greatest shares.

        `losses`: by column the least and greatest loss of a batch. `held_back_by_group`: by group
        the greatest share that had to wait. All shares are from 0 to 1.
        """
        losses: dict[str, list[float]] = {}
        confidences: dict[str, float] = {}
        groups: dict[str, float] = {}
        for batch in self.sent:
            for name, loss in batch.report["utility"]["loss_by_field"].items():
                losses.setdefault(name, []).append(loss)
            for name, attribute in batch.report["risk"]["attributes"].items():
                confidence = attribute["max_confidence"]
                confidences[name] = max(confidences.get(name, 0.0), confidence)
            group_report = batch.report.get("groups") or {}
            for value, share in (group_report.get("suppressed_share") or {}).items():
                groups[value] = max(groups.get(value, 0.0), share)
        sizes = [batch.report["class_sizes"] for batch in self.sent]
        smallest = min((size["smallest"] for size in sizes), default=0)
        if any(batch.left_out for batch in self.sent):
            # What is left of a group keeps to the policy, but may be smaller than it was when its batch was made.
            smallest = min(smallest, self.view.dataset.policy.model.k)
        return {
            "classes": sum(size["classes"] for size in sizes),
            "smallest": smallest,
            "largest": max((size["largest"] for size in sizes), default=0),
            "losses": {name: (min(values), max(values)) for name, values in losses.items()},
            "max_confidence": confidences,
            "held_back_by_group": groups,
        }

    def level_name(self, column: str) -> str:
        """Return the name of the level that a quasi-identifier is at."""
        return self.view.dataset.hierarchy(column).names[self.levels[column]]
