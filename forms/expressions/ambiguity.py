"""How long a pattern can take.

A bound on the steps of an engine that tries one way after another, as all of ours do.

Such an engine walks every path of the pattern's automaton that reads the beginning of an answer. So the automaton is made
(Glushkov's: a state for each character that the pattern writes, repetitions written out) and its paths are counted:

- within a loop one character may lead one way only, since two ways around it multiply with every turn (exponential);
- a loop that can hand what it reads to a later loop gives as many paths as the answer has characters. One such loop is
  allowed (quadratic), a second one after it is refused;
- what is left has a greatest number of paths at once, which is counted on every set of states that an answer can reach.

Weber and Seidl (1991); Allauzen, Mohri and Rastogi (2008).
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TEXT = 1000  # characters of an answer that a pattern looks at
MAX_STATES = 1_500
MAX_WORK = 600_000  # steps of this analysis; a pattern that needs more is refused
MAX_STEPS = 6_000_000  # of an engine, on the worst answer
START = -1

# A pattern as a tree: ("set", text of one character class), ("seq", nodes), ("alt", nodes),
# ("repeat", node, least, most or None), ("look", node); ("seq", ()) is empty.
Node = tuple[Any, ...]


class TooAmbiguous(Exception):
    """Some answer could take too long."""


def check(tree: Node) -> None:
    """Raise TooAmbiguous if 1,000 characters could take a pattern over MAX_STEPS steps."""
    automaton = _Automaton(tree)
    if automaton.steps() > MAX_STEPS:
        raise TooAmbiguous


@dataclass
class _Part:
    """A piece of the automaton.

    How often each state begins it or ends it, and the ways in which it reads nothing.
    """

    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)
    empty: int = 1


class _Automaton:
    def __init__(self, tree: Node):
        self.work = 0
        self.texts: list[str] = []  # of each state: the class of characters that leads to it
        self.follow: dict[int, Counter[int]] = {}
        whole = self.part(tree)
        self.follow[START] = whole.first
        self.masks = self.characters()

    # ── making it ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def part(self, node: Node) -> _Part:
        kind = node[0]
        if kind == "set":
            state = len(self.texts)
            if state >= MAX_STATES:
                raise TooAmbiguous
            self.texts.append(node[1])
            self.follow[state] = Counter()
            return _Part(Counter([state]), Counter([state]), 0)
        if kind == "alt":
            # Each branch is one way more to go on, and one of them may read nothing at all.
            whole = _Part(empty=0)
            for child in node[1]:
                branch = self.part(child)
                whole.first = _sum(whole.first, branch.first)
                whole.last = _sum(whole.last, branch.last)
                whole.empty += branch.empty
            return whole
        if kind == "look":  # what it looks at is read and led nowhere, and the pattern goes on from where it was
            return _Part(self.part(node[1]).first, Counter(), 1)
        if kind == "repeat":
            return self.repeated(*node[1:])
        whole = _Part()
        for child in node[1]:
            whole = self.joined(whole, self.part(child))
        return whole

    def repeated(self, node: Node, least: int, most: int | None) -> _Part:
        """Return a repeated part: copies for what must be there, then the rest.

        The rest is a loop, or copies one inside the other that may be left out.
        """
        tail = _Part()
        if most is None:
            tail = self.part(node)
            # Turns that read nothing never end; an engine would go around for ever, or has rules of
            # its own to stop.
            if tail.empty:
                raise TooAmbiguous  # a loop around nothing
            self.link(tail.last, tail.first)
            # The loop itself is one copy of what must be there.
            if least:
                least -= 1
            else:
                tail.empty = 1
        else:
            for _ in range(most - least):
                tail = self.joined(self.part(node), tail)
                tail.empty += 1
        for _ in range(least):
            tail = self.joined(self.part(node), tail)
        return tail

    def joined(self, left: _Part, right: _Part) -> _Part:
        """Return two parts read one after the other; either may be empty."""
        self.link(left.last, right.first)
        # Shared where nothing is added: a part that is repeated 400 times would copy itself each time.
        first = _sum(left.first, right.first, left.empty) if left.empty else left.first
        last = _sum(right.last, left.last, right.empty) if right.empty else right.last
        self.spend(len(first) + len(last))
        return _Part(first, last, left.empty * right.empty)

    def link(self, sources: Counter[int], targets: Counter[int]) -> None:
        self.spend(len(sources) * len(targets))
        for source, ways in sources.items():
            following = self.follow[source]
            for target, more in targets.items():
                following[target] += ways * more
                # Also while counting: the number itself would grow without bound.
                if following[target] > MAX_STEPS:
                    raise TooAmbiguous

    def spend(self, work: int) -> None:
        self.work += work + 1
        if self.work > MAX_WORK:
            raise TooAmbiguous

    def characters(self) -> list[int]:
        """Return for each state which kinds of characters lead to it, as bits."""
        classes = {text: re.compile(text, re.ASCII) for text in set(self.texts)}
        # Classes are told apart at their edges, so only characters at and beside an edge, ASCII and
        # a few exotic ones have to be tried.
        seen = {chr(code) for code in (*range(128), 0x80, 0x2028, 0x2029, 0xE000, 0x10FFFF)}
        for text in classes:
            for code in set(map(ord, text)):
                near = range(max(code - 1, 0), min(code + 2, 0x110000))
                # Half a surrogate pair is no character of its own.
                seen.update(chr(point) for point in near if not 0xD800 <= point < 0xE000)
        self.spend(len(seen) * len(classes) // 10)
        kinds = {_classify(character, classes.values()) for character in seen}
        masks = dict.fromkeys(classes, 0)
        for bit, kind in enumerate(kinds):
            for text, is_in in zip(classes, kind, strict=True):
                masks[text] |= is_in << bit
        self.bits = len(kinds)
        return [masks[text] for text in self.texts]

    # ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def steps(self) -> int:
        """Return how many steps an engine can need on an answer of 1,000 characters."""
        loops = self.loops()
        # Exponential patterns first: the counts below would not end on them.
        for loop in loops:
            self.refuse_two_ways(loop)
        reach = [self.reached(loop) for loop in loops]
        sources = [position for position in range(len(loops)) if self.hands_over_to_any(position, loops, reach[position])]
        # One loop behind another that it hands text to is quadratic; two such hand-overs in a row
        # would be cubic.
        for first, second in itertools.permutations(sources, 2):
            if loops[second] <= reach[first]:
                raise TooAmbiguous
        width = max(map(len, self.follow.values()))
        leaving: dict[int, int] = {}
        for source in sources:
            leaving |= dict.fromkeys(loops[source], source)
        most = self.most_paths(START, loops, leaving)
        total = TEXT * most
        handed = [self.handed_over(loops[at], loops, leaving) for at in sources]
        if handed:
            # Half: the text that one loop leaves to the next gets shorter with every character.
            total += TEXT * TEXT // 2 * most * max(handed)
        return total * width

    def loops(self) -> list[set[int]]:
        """Return the sets of states that can be gone around: strongly connected components.

        Source: Tarjan, Depth-First Search and Linear Graph Algorithms (1972).
        """
        number: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        components: list[set[int]] = []
        # With an own stack: a pattern of 1,500 states would exhaust Python's.
        waiting = [(START, iter(self.follow[START]))]
        number[START] = low[START] = 0
        stack.append(START)
        on_stack = {START}
        while waiting:
            state, following = waiting[-1]
            target = next(following, None)
            if target is None:
                waiting.pop()
                if waiting:
                    low[waiting[-1][0]] = min(low[waiting[-1][0]], low[state])
                if low[state] == number[state]:
                    components.append(_pop_down_to(state, stack))
                    on_stack -= components[-1]
            elif target not in number:
                number[target] = low[target] = len(number)
                stack.append(target)
                on_stack.add(target)
                waiting.append((target, iter(self.follow[target])))
            elif target in on_stack:
                low[state] = min(low[state], number[target])
            self.spend(1)
        return [states for states in components if len(states) > 1 or self.is_own_follower(states)]

    def is_own_follower(self, states: set[int]) -> bool:
        return all(state in self.follow[state] for state in states)

    def hands_over_to_any(self, position: int, loops: list[set[int]], reach: set[int]) -> bool:
        """Return whether a loop can hand a text over to another one that it leads to."""
        for other, later in enumerate(loops):
            if other != position and later <= reach and self.hands_over(loops[position], later):
                return True
        return False

    def reached(self, states: Iterable[int]) -> set[int]:
        seen: set[int] = set()
        waiting = list(states)
        while waiting:
            targets = self.follow[waiting.pop()].keys() - seen
            seen |= targets
            waiting += targets
        self.spend(len(seen))
        return seen

    def refuse_two_ways(self, loop: set[int]) -> None:
        """Raise TooAmbiguous when one character could lead two ways within a loop.

        With every turn the paths may double.
        """
        for state in loop:
            taken = 0
            for target in self.follow[state].keys() & loop:
                if self.follow[state][target] > 1 or taken & self.masks[target]:
                    raise TooAmbiguous
                taken |= self.masks[target]
            self.spend(len(self.follow[state]))

    def hands_over(self, loop: set[int], later: set[int]) -> bool:
        """Return whether one text leads around a loop, into a later one, and around that."""
        seen = {(state, state, end) for state, end in itertools.product(loop, later)}
        waiting = list(seen)
        while waiting:
            state1, state2, state3 = waiting.pop()
            for first in self.follow[state1].keys() & loop:
                for third in self.follow[state3].keys() & later:
                    mask = self.masks[first] & self.masks[third]
                    if not mask:
                        continue
                    for second in self.follow[state2]:
                        self.spend(0)
                        triple = (first, second, third)
                        if not mask & self.masks[second] or triple in seen:
                            continue
                        # The middle state has followed the first loop's text into the second loop:
                        # the hand-over is found.
                        if second == third:
                            return True
                        seen.add(triple)
                        waiting.append(triple)
        return False

    def handed_over(self, loop: set[int], loops: list[set[int]], leaving: dict[int, int]) -> int:
        """Return how many paths can come of leaving a loop once."""
        most = 0
        for state in loop:
            ways = {target: n for target, n in self.follow[state].items() if target not in loop}
            for bit in range(self.bits):
                read = Counter({target: n for target, n in ways.items() if self.masks[target] >> bit & 1})
                if read:
                    most = max(most, self.most_of(read, leaving, loops))
        return most

    def most_paths(self, state: int, loops: list[set[int]], leaving: dict[int, int]) -> int:
        return self.most_of(Counter({state: 1}), leaving, loops)

    def most_of(self, begun: Counter[int], leaving: dict[int, int], loops: list[set[int]]) -> int:
        """Return the greatest number of paths at once, over all answers.

        Loops in `leaving` are not left.
        """
        # Sets of states, not answers: there are far fewer of them, and all answers that lead to one
        # set go on alike.
        start = frozenset(begun.items())
        seen = {start}
        waiting = [start]
        most = sum(begun.values())
        while waiting:
            states = waiting.pop()
            following: Counter[int] = Counter()
            for state, ways in states:
                for target, more in self.follow[state].items():
                    if state not in leaving or target in loops[leaving[state]]:
                        following[target] += ways * more
            self.spend(len(states) + len(following))
            for bit in range(self.bits):
                read = {target: ways for target, ways in following.items() if self.masks[target] >> bit & 1}
                after = frozenset(read.items())
                self.spend(len(read) // 4)
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
                    most = max(most, sum(read.values()))
                    # Stop at once: beyond this the answer is "refuse", however far it goes.
                    if most * TEXT > MAX_STEPS:
                        raise TooAmbiguous
        return most


def _pop_down_to(state: int, stack: list[int]) -> set[int]:
    """Take a state, and what lies above it, off the stack."""
    taken = set()
    while state not in taken:
        taken.add(stack.pop())
    return taken


def _classify(character: str, classes: Iterable[re.Pattern[str]]) -> tuple[bool, ...]:
    """Return which of some classes of characters a character is in."""
    return tuple(bool(pattern.fullmatch(character)) for pattern in classes)


def _sum(counter: Counter[int], other: Counter[int], factor: int = 1) -> Counter[int]:
    """Return a new counter: the first, and `factor` times the other."""
    total = counter.copy()
    for state, ways in other.items():
        total[state] += ways * factor
    return total
