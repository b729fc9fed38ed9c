"""What a record says of consent by all its versions, in whatever order they arrived."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.ancestors import Ancestors


@dataclass(frozen=True)
class VersionConsent:
    """What one version of a record says of consent."""

    id: str
    tier: int
    is_asked: bool  # the person was asked then, and understood
    finished_at: dt.datetime
    position: int  # the id of its submission: the order of arrival
    is_no: bool = False


@dataclass(frozen=True)
class RecordConsent:
    """What all versions of a record say together.

    `answered` are the noes to which a later yes is the answer, by their place in the log. `lowered_by` are the ids of
    those since which it is another statement than the record's first: who knew of the first did not know of them.
    """

    tier: int
    is_asked: bool
    finished_at: dt.datetime
    position: int
    answered: frozenset[int]
    lowered_by: frozenset[str]


def compute_record_consent(record_id: str, statements: Sequence[VersionConsent], before: Ancestors) -> RecordConsent | None:
    """Return the lowest statement that holds; None where nothing is said.

    A statement holds until a version that knows of it says as little or less, or until the person was asked again in
    one that knows of it, later by the phone's clock. A word that was lowered counts from then; any other from when
    the record was made.
    """
    if not statements:
        return None
    holding = _find_holding(statements, before)
    tier = min(statement.tier for statement in holding)
    lowest = [statement for statement in holding if statement.tier == tier]
    lowering = _find_lowering(statements, before)
    highest = max(statement.tier for statement in statements)
    lowered_by = [
        statement.id
        for statement in statements
        if statement.id != record_id and (statement.is_no or statement.tier < highest)
    ]
    answered = [no.position for no in statements if no.is_no and _find_answer(no, statements, before)]
    lower = [statement.id for statement in statements if statement.tier < tier]
    is_raised = any(before.knows_any(statement.id, lower) for statement in lowest)
    asked_of = holding if is_raised else statements
    counts_from = max if lowering else min
    return RecordConsent(
        tier,
        all(statement.is_asked for statement in asked_of) and (is_raised or not lowering),
        counts_from(statement.finished_at for statement in lowering or statements),
        counts_from(statement.position for statement in lowering or statements),
        frozenset(answered),
        frozenset(lowered_by),
    )


def _find_holding(statements: Sequence[VersionConsent], before: Ancestors) -> list[VersionConsent]:
    """Return the statements that no other one replaces."""
    by_tier = _group_by_tier(statements)
    holding: list[VersionConsent] = []
    for tier, of_tier in by_tier.items():
        lower_tiers = [lower for lower in by_tier if lower <= tier]
        laters = _list_ids(by_tier, lower_tiers)
        gone = before.find_superseded([statement.id for statement in of_tier], by=laters)
        holding += [statement for statement in of_tier if statement.id not in gone]
    return [statement for statement in holding if not _find_answer(statement, statements, before)]


def _find_lowering(statements: Sequence[VersionConsent], before: Ancestors) -> list[VersionConsent]:
    """Return the noes, and what says less than a statement that it knows of."""
    by_tier = _group_by_tier(statements)
    lowering: list[VersionConsent] = []
    for tier, of_tier in by_tier.items():
        higher = _list_ids(by_tier, [other for other in by_tier if other > tier])
        lowering += [statement for statement in of_tier if statement.is_no or before.knows_any(statement.id, higher)]
    return lowering


def _find_answer(earlier: VersionConsent, statements: Sequence[VersionConsent], before: Ancestors) -> VersionConsent | None:
    """Return a statement that says more, made by asking again in the knowledge of this."""
    for later in statements:
        is_later = later.is_asked and later.tier > earlier.tier and later.finished_at > earlier.finished_at
        if is_later and before.builds_on(later.id, earlier.id):
            return later
    return None


def _group_by_tier(statements: Sequence[VersionConsent]) -> dict[int, list[VersionConsent]]:
    by_tier: dict[int, list[VersionConsent]] = {}
    for statement in statements:
        by_tier.setdefault(statement.tier, []).append(statement)
    return by_tier


def _list_ids(by_tier: Mapping[int, Sequence[VersionConsent]], tiers: Iterable[int]) -> list[str]:
    ids: list[str] = []
    for tier in tiers:
        ids.extend(statement.id for statement in by_tier[tier])
    return ids
