"""Forms of the slip's page that were sent, so that none is sent again by Back and Reload.

On a shared computer the browser would send the same form again for the next person who sits there. Each form has a random
number of its own. They are in this process's memory alone, and say nothing of a slip.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

GRACE = 10  # seconds in which the same form counts again: a double tap
REMEMBERED = 20_000  # forms; the oldest are forgotten first


class SentForms:
    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.lock = threading.Lock()
        self.sent_at: OrderedDict[str, float] = OrderedDict()

    def is_sent_again(self, number: str) -> bool:
        """Note that a form was sent; return whether it had been sent a while ago."""
        now = self.clock()
        with self.lock:
            first = self.sent_at.setdefault(number, now)
            if len(self.sent_at) > REMEMBERED:
                self.sent_at.popitem(last=False)
        return bool(number) and now > first + GRACE
