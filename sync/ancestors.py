"""What submissions build on, directly or not; cheap for long chains too."""

from collections.abc import Collection, Mapping


class Ancestors:
    """What each of some ids builds on, directly or not.

    Each id has a bit, and each a mask of what it builds on: a chain of 1,000 takes milliseconds.
    """

    def __init__(self, prev: Mapping[str, Collection[str]]):
        ids = dict.fromkeys(prev)
        for earlier in prev.values():
            ids.update(dict.fromkeys(earlier))
        self._bit = {number: 1 << place for place, number in enumerate(ids)}
        self._masks = self._propagate(prev)
        self._missing = 0
        for number in ids:
            if number not in prev:
                self._missing |= self._bit[number]

    def _propagate(self, prev: Mapping[str, Collection[str]]) -> dict[str, int]:
        """Return the mask of each id; one pass does it, and as many more as circles are nested."""
        order = _order_by_age(prev)
        masks = dict.fromkeys(order, 0)
        # Ids are random, so only forged submissions can build on each other in a circle. One pass
        # misses what flows around such a circle; hence until nothing changes.
        is_stable = False
        while not is_stable:
            is_stable = True
            for number in order:
                mask = masks[number]
                for earlier in prev[number]:
                    mask |= self._bit[earlier] | masks.get(earlier, 0)
                is_stable = is_stable and mask == masks[number]
                masks[number] = mask
        return masks

    def has(self, number: str, earlier: str) -> bool:
        """Say whether an id builds on an earlier one."""
        return bool(self._masks[number] & self._bit.get(earlier, 0))

    def builds_on(self, number: str, earlier: str) -> bool:
        """Say whether an id builds on an earlier one that does not claim to build on it too."""
        return self.has(number, earlier) and not (earlier in self._masks and self.has(earlier, number))

    def find_superseded(self, numbers: Collection[str], by: Collection[str] | None = None) -> set[str]:
        """Return those of these ids that another of them builds on, or one of `by`.

        Two that build on each other hide neither.
        """
        union = 0
        for number in numbers if by is None else by:
            mask = self._masks[number]
            if mask & self._bit[number]:  # in a circle
                # Without this an id in a circle would hide itself, and a forged pair could make all
                # heads of a record vanish.
                mask = sum(self._bit[other] for other in set(numbers) if self.builds_on(number, other))
            union |= mask
        return {number for number in numbers if union & self._bit[number]}

    def find_built_on(self, numbers: Collection[str]) -> set[str]:
        """Return those of these ids that any of them builds on."""
        union = 0
        for number in numbers:
            union |= self._masks[number]
        return {number for number in numbers if union & self._bit[number]}

    def knows_any(self, number: str, earlier: Collection[str]) -> bool:
        """Say whether an id builds on any of some earlier ones."""
        return any(self.builds_on(number, other) for other in earlier)

    def lacks_beside(self, number: str, other: str) -> bool:
        """Say whether an id builds on one that is not here and that the other does not build on."""
        return bool(self._masks[number] & self._missing & ~self._masks[other])

    def find_common(self, numbers: Collection[str]) -> set[str]:
        """Return the ids that are here and that all of these build on."""
        common = -1
        for number in numbers:
            common &= self._masks[number]
        return {number for number in self._masks if common & self._bit[number]}


def _order_by_age(prev: Mapping[str, Collection[str]]) -> list[str]:
    """Return the ids so that each stands after what it builds on, but for circles."""
    order: list[str] = []
    seen: set[str] = set()
    for start in prev:
        waiting = [(start, False)]
        while waiting:
            number, is_done = waiting.pop()
            if is_done:
                order.append(number)
            elif number not in seen and number in prev:
                seen.add(number)
                waiting.append((number, True))
                waiting += [(earlier, False) for earlier in prev[number]]
    return order
