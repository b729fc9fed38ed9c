"""How long the rules of a form may take.

Processor time of this thread is measured, so that a busy machine refuses nothing.
"""

import time

from forms.budget import Budget

# All in seconds.
AT_ONCE = 0.05  # in a thread that answers phones; what takes longer goes to a process of its own
PER_RECORD = 2.0  # before the database is locked for writing
PER_MESSAGE = 10.0  # for all records of a message; the phone sends those that are left again
WHILE_LOCKED = 0.5  # for what can only be computed then: two corrections that are merged
AT_REVIEW = 20.0  # for a record that somebody at the centre accepts
# By the clock: a busy machine takes longer over the same.
PATIENCE = 120.0


def time_for(seconds: float) -> Budget:
    """Return a budget of processor time of this thread."""
    return Budget(seconds, time.thread_time)


def is_over(until: float) -> bool:
    return time.thread_time() > until


def until(seconds: float) -> float:
    """Return the processor time of this thread at which so many seconds from now have passed."""
    return time.thread_time() + seconds
