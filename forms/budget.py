"""How much work a form's logic may do over one record.

The caller that sets the bound brings the clock.
"""

from collections.abc import Callable

LOOK_EVERY = 256  # steps between two looks at the clock
MAX_MADE = 50_000  # instances that a form's own counts may make in one record
MAX_COMPUTED = 1_000_000  # characters of one computed answer


class TooSlow(Exception):
    """A form's rules took longer over one record than they may."""


class Budget:
    """Time for the rules of a form over one record; without a clock there is no end to it."""

    def __init__(self, seconds: float = 0.0, clock: Callable[[], float] | None = None):
        self.clock = clock
        self.until = 0.0
        if clock:
            self.until = clock() + seconds
        self.steps = 0
        self.made = 0
        self.is_used_up = False

    def spend(self, steps: int = 1) -> None:
        """Count steps, and look at the clock now and then; raise TooSlow when the time is up."""
        self.steps += steps
        # The clock itself costs more than the steps that are counted.
        if self.steps >= LOOK_EVERY:
            self.look()

    def look(self) -> None:
        """Look at the clock; raise TooSlow when the time is up."""
        self.steps = 0
        if self.clock and self.clock() > self.until:
            self.is_used_up = True
            raise TooSlow

    def make(self) -> None:
        """Count an instance that a form's own count makes; raise TooSlow when there are too many."""
        self.made += 1
        if self.made > MAX_MADE:
            raise TooSlow
        self.spend()
