"""Wrong slips of the last minute, counted by network and in all.

They are in this process's memory alone: no address is written down anywhere. A right slip is never held up: the counts
change what a wrong one is told, and stop a flood before it reaches the database.
"""

import ipaddress
import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger("fieldapp.web")

WINDOW = 60  # seconds
PER_NETWORK = 10  # wrong slips in the window before one is told to wait
PER_SECOND = 50  # wrong slips of everybody, but of networks that wait, before none is looked up
NETWORKS = 10_000  # that are counted at most


class SlipFailures:
    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.lock = threading.Lock()
        self.by_network: dict[str, deque[float]] = {}
        self.of_second: deque[float] = deque()
        self.warned_at = -float(WINDOW)
        self.timer: threading.Timer | None = None

    def add(self, address: str) -> bool:
        """Count a wrong slip; return whether its network had too many of them."""
        now = self.clock()
        network = find_network(address)
        with self.lock:
            self._forget_later()
            if network not in self.by_network and len(self.by_network) >= NETWORKS:
                self.of_second.append(now)
                return True
            failures = self.by_network.setdefault(network, deque(maxlen=PER_NETWORK + 1))
            while failures and failures[0] <= now - WINDOW:
                failures.popleft()
            failures.append(now)
            is_many = len(failures) > PER_NETWORK
            if is_many:
                self._warn(now)
            else:
                # Not of a network that is told to wait: one of them alone must not stop everybody's.
                self.of_second.append(now)
            return is_many

    def is_flood(self) -> bool:
        """Say whether so many wrong slips came in the last second that none is looked up."""
        now = self.clock()
        with self.lock:
            while self.of_second and self.of_second[0] <= now - 1:
                self.of_second.popleft()
            is_flood = len(self.of_second) >= PER_SECOND
            if is_flood:
                self._warn(now)
            return is_flood

    def _forget_later(self) -> None:
        """Have networks forgotten when the window is over."""
        if self.timer is None:
            self.timer = threading.Timer(WINDOW, self.forget)
            self.timer.daemon = True
            self.timer.start()

    def forget(self) -> None:
        """Forget the networks without a wrong slip in the window."""
        now = self.clock()
        with self.lock:
            self.timer = None
            for network, failures in list(self.by_network.items()):
                if failures[-1] <= now - WINDOW:
                    del self.by_network[network]
            if self.by_network:
                self._forget_later()

    def _warn(self, now: float) -> None:
        """Write one line a minute, without any address."""
        if now >= self.warned_at + WINDOW:
            self.warned_at = now
            log.warning("somebody tries many wrong slips: %s networks in the last minute", len(self.by_network))


def find_network(address: str) -> str:
    """Return the network of an address: /24 of IPv4, /64 of IPv6.

    >>> find_network("192.0.2.77"), find_network("2001:db8:1:2:3::4"), find_network("")
    ('192.0.2.0/24', '2001:db8:1:2::/64', '')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped:
        parsed = mapped
    length = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network(f"{parsed}/{length}", strict=False))
