"""How much a phone may send: a daily limit, and less once its access has ended.

What a phone sends after its access has ended is set aside until somebody looks at it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.problems import ActProblem
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Standing
from sync.envelope import Envelope
from sync.intake import Decision, Reason, Status, refuse
from sync.problems import N_

MB = 1_000_000
LEAST_FILE = 4096  # bytes: what the rows of an attachment of a single byte take
# Reasons that phones and the office read: a code and its sentence.
PERSON = "sync.shut_out", N_("The centre has turned off this person's access. The record is kept aside.")
PHONE = "sync.phone_shut_out", N_("The centre has turned off this phone's access. The record is kept aside.")
BEFORE = "sync.finished_before", N_("By the phone's clock the record was finished before access was turned off.")
AFTER = "sync.finished_after", N_("By the phone's clock the record was finished after access was turned off.")
NO_MORE = "sync.accepts_no_more", N_("The centre has turned off this phone's access and accepts nothing more from it.")
TOO_MUCH = (
    "sync.too_much",
    N_("The centre accepts no more from this phone today. The phone saves the record and sends it again."),
)


@dataclass(frozen=True)
class Limits:
    """How much is stored of one phone: a number of records, then bytes."""

    # Besides the records that it had reported as waiting, of which at most as many again.
    shut_out_records: int = 1000
    shut_out_bytes: int = 10 * MB
    shut_out_files: int = 200 * MB
    refused_a_day: int = 50 * MB
    kept_a_day: int = 1000 * MB


DEFAULT = Limits()
NOT_STORED_ANEW = (Status.DUPLICATE, Status.RETRY, Status.CLOSED)


class Meter:
    """Counts what is stored of the phone that an act is about, and refuses what is too much.

    The office's own submissions are not counted. `counters` holds what changed, by column of the
    device; `write` saves it at the end of the act.
    """

    def __init__(self, ctx: ActContext, limits: Limits):
        self.session = ctx.session
        self.device_id = ctx.actor.device_id
        self.limits = limits
        self.counters: dict[str, int | None] = {}
        self.day: dt.date | None = None  # where the counters of another day end
        self.standing: Standing | None = None
        if self.device_id:
            # Locked: two messages of one phone must not both find room for the last megabyte.
            self.standing = devices.lock_standing(ctx.session, self.device_id)
            self._start(self.standing, ctx.now.date())

    def _start(self, standing: Standing, today: dt.date) -> None:
        """Note what a phone had waiting when its access ended, and begin the counters of a day."""
        if standing.is_shut_out and standing.waiting_then is None:
            self.counters["waiting_then"] = standing.unsent  # before the phone reports something else
        # The access was given back: a later end counts again what is waiting then.
        elif not standing.is_shut_out and standing.waiting_then is not None:
            self.counters["waiting_then"] = None
        if standing.day != today:
            self.day = today
            self.counters["day_bytes"] = 0
            self.counters["day_refused"] = 0

    @property
    def is_shut_out(self) -> bool:
        return self.standing is not None and self.standing.is_shut_out

    def reasons(self, envelope: Envelope) -> list[Reason]:
        """Return why what this phone sends is set aside; none while it has access."""
        if self.standing is None or not self.is_shut_out:
            return []
        reasons = [PHONE if self.standing.is_active else PERSON]
        ended_at = self.standing.shut_out_at
        if ended_at is not None:
            # Only a hint for the supervisor: the phone's clock can be set by its owner.
            reasons.append(AFTER if envelope.finished_at > ended_at else BEFORE)
        return reasons

    def admit(self, envelope: Envelope, decision: Decision) -> Decision:
        """Return the decision about a submission, or a refusal where this phone has sent too much."""
        # What stores nothing takes nothing of the limit, else sending again would use it up.
        if self.standing is None or decision.status in NOT_STORED_ANEW:
            return decision
        if self.is_shut_out:
            return self._admit_after_end(envelope, decision)
        return self._admit_today(envelope, decision)

    def _admit_after_end(self, envelope: Envelope, decision: Decision) -> Decision:
        size = size_of(envelope)
        # A phone reports how many records wait; a stolen one could report any number.
        waiting = min(self._read("waiting_then"), self.limits.shut_out_records)
        has_all_records = self._read("aside_records") >= self.limits.shut_out_records + waiting
        if has_all_records or self._read("aside_bytes") + size > self.limits.shut_out_bytes:
            return refuse(Status.CLOSED, NO_MORE)
        self._count(aside_records=1, aside_bytes=size)
        return decision

    def _admit_today(self, envelope: Envelope, decision: Decision) -> Decision:
        size = size_of(envelope)
        refused = 0 if decision.status is Status.STORED else size
        # Whose record a correction is about is seen only when it is folded, so it may be refused then.
        may_be_refused = bool(refused or envelope.root)
        is_over = may_be_refused and self._read("day_refused") + size > self.limits.refused_a_day
        if is_over or self._read("day_bytes") + size > self.limits.kept_a_day:
            return refuse(Status.RETRY, TOO_MUCH)
        self._count(day_bytes=size, day_refused=refused)
        return decision

    def admit_file(self, size: int) -> None:
        """Count an attachment of `size` bytes; raise ActProblem when it is too much."""
        if self.standing is None:
            return
        if self.is_shut_out:
            taken = max(size, LEAST_FILE)
            if self._read("aside_files") + taken > self.limits.shut_out_files:
                raise ActProblem(*NO_MORE)
            self._count(aside_files=taken)
            return
        if self._read("day_bytes") + size > self.limits.kept_a_day:
            raise ActProblem(*TOO_MUCH)
        self._count(day_bytes=size)

    def count_refused(self, envelope: Envelope) -> None:
        """Count a submission that was refused only after it had been admitted."""
        if self.standing is not None and not self.is_shut_out:
            self._count(day_refused=size_of(envelope))

    def write(self) -> None:
        """Save what was counted, in the act's transaction."""
        columns: dict[str, Any] = dict(self.counters)
        if self.day is not None:
            columns["day"] = self.day
        if self.device_id and columns:
            devices.update_counters(self.session, self.device_id, columns)

    def _read(self, column: str) -> int:
        """Return a counter as it is now, in this act; 0 for one that is not set."""
        if column in self.counters:
            return self.counters[column] or 0
        return getattr(self.standing, column) or 0

    def _count(self, **more: int) -> None:
        for column, number in more.items():
            self.counters[column] = self._read(column) + number


def size_of(envelope: Envelope) -> int:
    return len(envelope.body.encode("utf-8", "surrogatepass"))
