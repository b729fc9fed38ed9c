"""Standing consent: all that a person said about consent, folded to what holds now.

The order of arrival changes nothing. Each statement names those that its writer knew of. What a later writer
knew of is settled: the later statement replaces it. All others are heads, and of the heads the lowest holds.
No clock decides. Nobody can have known the truly last statement, so it is always a head, and what holds is never
more than the last thing the person said.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sync.ancestors import Ancestors

END = -1  # "no more: take everything back"; it is final
LOWEST = 0  # "nothing is kept": what older forms call no
HIGHEST = 3
MAX_KNEW = 16  # ids that one statement may name; whoever knows more names those that say least


@dataclass(frozen=True)
class Statement:
    """What a person said about consent on one occasion."""

    id: str
    tier: int  # END, or LOWEST to HIGHEST: how far the facts may go
    is_asked: bool  # the person was asked then, and understood: only so can it raise what others said
    knew: frozenset[str]  # ids of the statements that the writer knew of
    month: dt.date  # in which it was said, by the phone's clock; for display only
    wording: str = ""  # identifies the text that was read out; "" where that is not known


@dataclass(frozen=True)
class StandingConsent:
    """What holds for a person now."""

    tier: int
    since: dt.date  # the first of a month
    heads: tuple[str, ...]  # ids, the lowest first; what the next statement has to know to settle them
    is_in_doubt: bool  # statements that did not know of each other differ: the lowest holds, so ask again
    wording: str  # "" where the heads were said under different texts


def fold_statements(statements: Iterable[Statement]) -> StandingConsent | None:
    """Return what holds for one person; None when they never said anything.

    The result does not depend on the order of the statements or on how often each of them came. An end holds for
    good. Where two statements bear one id, the less of both counts.

    Example: a yes to tier 3 and, from a phone that had not heard of it, a yes to tier 1, hold as tier 1 in doubt.
    """
    by_id: dict[str, Statement] = {}
    for statement in statements:
        earlier = by_id.get(statement.id)
        by_id[statement.id] = statement if earlier is None else _take_less(earlier, statement)
    if not by_id:
        return None
    ends = [statement for statement in by_id.values() if statement.tier == END]
    heads = [by_id[number] for number in find_heads(by_id)]
    heads.sort(key=lambda head: (head.tier, head.id))
    # An end counts even where a later statement knew of it: after it nothing is left by which the
    # person could be recognized and asked again.
    lowest = ends or [head for head in heads if head.tier == heads[0].tier]
    wordings = {head.wording for head in heads}
    return StandingConsent(
        tier=lowest[0].tier,
        since=min(statement.month for statement in lowest),
        heads=tuple(head.id for head in heads),
        is_in_doubt=not ends and heads[-1].tier != heads[0].tier,
        wording=wordings.pop() if len(wordings) == 1 else "",
    )


def find_heads(by_id: Mapping[str, Statement]) -> set[str]:
    """Return the ids of the statements that no other one settles.

    Only a false statement can know one that knows it. Such a circle settles nothing: all of it counts.
    """
    if len(by_id) == 1:
        return set(by_id)
    links = {statement.id: statement.knew & by_id.keys() for statement in by_id.values()}
    settled: set[str] = set()
    if not any(links.values()):
        return set(by_id)
    ancestors = Ancestors(links)
    for number, earlier in links.items():
        settled.update(_find_settled(by_id[number], earlier, by_id, ancestors))
    return set(by_id) - settled


def _find_settled(
    statement: Statement, earlier: Collection[str], by_id: Mapping[str, Statement], ancestors: Ancestors
) -> list[str]:
    """Return which of the earlier statements, which it knew of, a statement settles.

    It replaces more only when the person was asked and understood; what says no more than it replaces always does.
    """
    settled = []
    for number in earlier:
        replaces = statement.is_asked or statement.tier <= by_id[number].tier
        if replaces and number != statement.id and ancestors.builds_on(statement.id, number):
            settled.append(number)
    return settled


def _take_less(first: Statement, second: Statement) -> Statement:
    """Return what two statements under one id both say."""
    return Statement(
        id=first.id,
        tier=min(first.tier, second.tier),
        is_asked=first.is_asked and second.is_asked,
        knew=first.knew & second.knew,
        month=min(first.month, second.month),
        wording=first.wording if first.wording == second.wording else "",
    )
