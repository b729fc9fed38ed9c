"""A model of phones, a centre, its copies and its disasters, which runs the rules that the product runs.

Each run is some hundred steps by chance: records are made and sent, answers get lost, copies are made elsewhere, the
centre's disk burns and a copy is put back (now and then the one before the newest, now and then on a machine whose
clock stands at 1970), and the old machine may go on answering. At the end all phones meet the centre. What was
acknowledged and is at neither side then is lost.
"""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sync.cursor import Cursor
from sync.keeping import Fate, LogState, advance_safe, choose_epoch, decide_copy

Decide = Callable[[int, int, LogState], Fate]
Choose = Callable[[list[int], int], int]


@dataclass
class Log:
    """A centre's database: all that a copy holds."""

    epoch: int = 0
    lineage: list[list[int]] = field(default_factory=lambda: [[0, 0]])
    position: int = 0
    copied: int = 0
    safe: int = 0
    places: dict[int, int] = field(default_factory=dict)  # of records: position by id
    news: list[int] = field(default_factory=list)  # what phones are told

    def take(self, record: int) -> int:
        """Store a record once; return its position."""
        if record not in self.places:
            self.position += 1
            self.places[record] = self.position
        return self.places[record]


@dataclass
class Phone:
    """What a phone keeps: records that wait, and those with a receipt for (epoch, position)."""

    waiting: set[int] = field(default_factory=set)
    sent: dict[int, tuple[int, int]] = field(default_factory=dict)
    known: int = 0  # the newest epoch that it heard of
    cursor: Cursor = field(default_factory=Cursor)
    heard: set[int] = field(default_factory=set)


def shred_on_receipt(epoch: int, position: int, state: LogState) -> Fate:
    return Fate.GONE


def forget_epochs(epoch: int, position: int, state: LogState) -> Fate:
    return Fate.GONE if state.safe is not None and position <= state.safe else Fate.KEEP


def add_one(known: list[int], clock: int) -> int:
    """Choose an epoch as one would at first: the copy's, and one more."""
    return known[0] + 1


class Model:
    """One run."""

    def __init__(self, seed: int, decide: Decide = decide_copy, choose: Choose = choose_epoch, copies: int = 2):
        self.chance = random.Random(seed)
        self.decide = decide
        self.choose = choose
        self.copies = copies
        self.centre = Log()
        self.old: Log | None = None  # a machine that was given up and still answers
        self.place: list[Log] = []
        self.last_epoch = 0  # as noted beside the copies
        self.clock = 1_700_000_000_000
        self.phones = [Phone() for _ in range(3)]
        self.made = 0
        self.acknowledged: set[int] = set()

    def run(self, steps: int = 150) -> set[int]:
        """Return the records that were acknowledged and are nowhere in the end."""
        acts = [(0.35, self.make), (0.7, self.meet), (0.78, self.tell), (0.95, self.back_up), (1.0, self.burn)]
        for _ in range(steps):
            dice = self.chance.random()
            self.clock += 1000
            next(act for limit, act in acts if dice < limit)()
        self.old = None
        for phone in self.phones * 2:
            self.exchange(phone, self.centre, is_lost=False)
        return self.acknowledged - self.centre.places.keys()

    def make(self) -> None:
        self.made += 1
        self.chance.choice(self.phones).waiting.add(self.made)

    def meet(self) -> None:
        centre = self.centre
        if self.old is not None and self.chance.random() < 0.2:
            centre = self.old
        self.exchange(self.chance.choice(self.phones), centre, is_lost=self.chance.random() < 0.15)

    def tell(self) -> None:
        self.centre.news.append(self.chance.randrange(2**40))

    def exchange(self, phone: Phone, centre: Log, is_lost: bool) -> None:
        """Let a phone deliver and pull; what it hears is lost, or is believed unless it is from the past."""
        receipts = {record: (centre.epoch, centre.take(record)) for record in phone.waiting}
        if is_lost or centre.epoch < phone.known:
            return
        phone.known = centre.epoch
        self.acknowledged |= receipts.keys()
        phone.sent |= receipts
        phone.waiting.clear()
        state = LogState(centre.epoch, centre.lineage, centre.safe)
        for record, place in list(phone.sent.items()):
            fate = self.decide(*place, state)
            if fate is not Fate.KEEP:
                del phone.sent[record]
            if fate is Fate.AGAIN:
                phone.waiting.add(record)
        is_known = phone.cursor.is_known_to(centre.epoch, len(centre.news))
        start = phone.cursor.number if is_known else 0
        if not is_known:
            phone.heard.clear()
        phone.heard |= set(centre.news[start:])
        phone.cursor = Cursor(len(centre.news), centre.epoch)

    def back_up(self) -> None:
        """Make a copy elsewhere; now and then the old machine, if it still runs, does so too."""
        log = self.centre
        if self.old is not None and self.chance.random() < 0.2:
            log = self.old
        if self.last_epoch > log.epoch:
            return  # what lies there says that this machine was replaced
        self.place.append(copy.deepcopy(log))
        before = log.copied if self.copies == 2 else log.position
        log.safe = advance_safe(log.safe, before, log.position)
        log.copied = max(log.copied, log.position)

    def burn(self) -> None:
        """Lose the disk, or give the machine up while it still answers; put a copy back."""
        if not self.place:
            return
        ours = sorted(self.place, key=lambda log: log.epoch)  # in the order of making, within an epoch
        is_older = len(ours) > 1 and self.chance.random() < 0.2
        back = copy.deepcopy(ours[-2] if is_older else ours[-1])
        clock = 0 if self.chance.random() < 0.1 else self.clock
        epoch = self.choose([back.epoch, self.last_epoch], clock)
        self.old = self.centre if self.chance.random() < 0.3 else None
        self.last_epoch = epoch
        back.epoch = epoch
        back.lineage.append([epoch, back.position])
        self.centre = back
