"""How long a form's rules may take: by the processor's time of this thread, so that a busy machine refuses nothing."""

import time

from forms.budget import Budget

PER_RECORD = 2.0  # seconds, before the database is locked for writing
PER_MESSAGE = 10.0  # for all records of a message; those that are left are asked for again
WHILE_LOCKED = 0.5  # for what can only be known then: two corrections that are brought together
LET_IN = 20.0  # for one that somebody at the centre lets in


def time_for(seconds: float) -> Budget:
    return Budget(seconds, time.thread_time)


def is_over(until: float) -> bool:
    return time.thread_time() > until


def until(seconds: float) -> float:
    return time.thread_time() + seconds
