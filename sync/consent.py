"""Standing consent: all that a person said about consent, folded to what holds now.

The order of arrival changes nothing. Each answer names those that its writer had heard of. What a later writer
had heard of is settled: the later answer replaces it. All others are heads, and of the heads the least holds.
No clock decides. Nobody can have heard the truly last answer, so it is always a head, and what holds is never
more than the last thing the person said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

END = -1  # "no more: take everything back"; it is final
LOWEST_TIER = 0
HIGHEST_TIER = 3
MAX_HEARD = 16  # ids that one answer may name; whoever knows more names the heads


@dataclass(frozen=True)
class ConsentAnswer:
    """What a person said about consent on one occasion."""

    id: str  # of the record or note that brought it
    tier: int  # END, or 1 to 3: how far the facts may go
    may_contact: bool  # the person may be contacted later
    wording: int  # generation of the text that was read out; grows with every change of meaning
    heard: frozenset[str]  # ids of the answers that the writer knew of


@dataclass(frozen=True)
class StandingConsent:
    """What holds for a person now."""

    tier: int
    may_contact: bool
    wording: int
    heads: tuple[str, ...]  # ids; what the next answer has to know to settle them
    is_in_doubt: bool  # answers that did not know of each other differ: the least holds, so ask again

    @property
    def has_ended(self) -> bool:
        """Say whether the person took everything back."""
        return self.tier == END


def fold_answers(answers: Iterable[ConsentAnswer]) -> StandingConsent | None:
    """Return what holds for one person; None when they never said anything.

    The result does not depend on the order of the answers or on how often each of them came. An end holds for good.
    Where two answers bear one id, the less of both counts.

    Example: a yes to tier 3 and, from a phone that had not heard of it, a yes to tier 1, hold as tier 1 in doubt.
    """
    by_id: dict[str, ConsentAnswer] = {}
    for answer in answers:
        earlier = by_id.get(answer.id, answer)
        by_id[answer.id] = _take_less(earlier, answer)
    if not by_id:
        return None
    heads = [by_id[number] for number in sorted(find_heads(by_id.values()))]
    has_ended = any(answer.tier == END for answer in by_id.values())
    different_answers = {(head.tier, head.may_contact) for head in heads}
    return StandingConsent(
        tier=END if has_ended else min(head.tier for head in heads),
        may_contact=not has_ended and all(head.may_contact for head in heads),
        wording=min(head.wording for head in heads),
        heads=tuple(head.id for head in heads),
        is_in_doubt=not has_ended and len(different_answers) > 1,
    )


def find_heads(answers: Iterable[ConsentAnswer]) -> set[str]:
    """Return the ids of the answers that no other one settles.

    Only a false answer can know one that knows it. Such a circle settles nothing: all of it counts.
    """
    heard_by_id = {answer.id: answer.heard - {answer.id} for answer in answers}
    heard = frozenset().union(*heard_by_id.values())
    heads = set(heard_by_id) - heard
    reached = set(heads)
    waiting = list(heads)
    while waiting:
        for number in heard_by_id[waiting.pop()]:
            if number in heard_by_id and number not in reached:
                reached.add(number)
                waiting.append(number)
    return heads | (set(heard_by_id) - reached)


def _take_less(first: ConsentAnswer, second: ConsentAnswer) -> ConsentAnswer:
    """Return what two answers under one id both say: the lower of each answer."""
    return ConsentAnswer(
        id=first.id,
        tier=min(first.tier, second.tier),
        may_contact=first.may_contact and second.may_contact,
        wording=min(first.wording, second.wording),
        heard=first.heard & second.heard,
    )
