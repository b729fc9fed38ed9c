"""What a phone may leave at the centre: nothing that counts once it is shut out, and only so much of anything."""

from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.problems import ActProblem
from fieldapp.store.phones import devices
from sync.envelope import Envelope
from sync.intake import Decision, Reason, Status, refuse
from sync.problems import N_

MB = 1_000_000
LEAST_FILE = 4096  # bytes: what the rows of an attachment of a single byte take
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
    """How much is kept of one phone; bytes, but for the first."""

    shut_out_records: int = 1000  # besides those that it had said were waiting, of which no more than as many again
    shut_out_bytes: int = 10 * MB
    shut_out_files: int = 200 * MB
    refused_a_day: int = 50 * MB
    kept_a_day: int = 1000 * MB


DEFAULT = Limits()


class Meter:
    """Counts what is kept of the phone that an act is about. The office's own submissions are not counted."""

    def __init__(self, ctx: ActContext, limits: Limits):
        self.session, self.device_id, self.limits = ctx.session, ctx.actor.device_id, limits
        self.standing = devices.hold(ctx.session, self.device_id) if self.device_id else None
        self.changes: dict[str, Any] = {}
        if self.standing is None:
            return
        if self.standing.is_shut_out and self.standing.waiting_then is None:
            self.changes["waiting_then"] = self.standing.unsent  # before the phone says something else
        elif not self.standing.is_shut_out and self.standing.waiting_then is not None:
            self.changes["waiting_then"] = None
        if self.standing.day != ctx.now.date():
            self.changes |= {"day": ctx.now.date(), "day_bytes": 0, "day_refused": 0}

    @property
    def is_shut_out(self) -> bool:
        return self.standing is not None and self.standing.is_shut_out

    def reasons(self, envelope: Envelope) -> list[Reason]:
        """Return why what comes from this phone is kept aside; nothing when it is not."""
        if self.standing is None or not self.is_shut_out:
            return []
        found = [PHONE if self.standing.is_active else PERSON]
        if at := self.standing.shut_out_at:
            found.append(AFTER if envelope.finished_at > at else BEFORE)
        return found

    def admit(self, envelope: Envelope, decision: Decision) -> Decision:
        """Return the decision, or that nothing of it is kept since there is too much of this phone already."""
        if self.standing is None or decision.status in (Status.DUPLICATE, Status.RETRY, Status.CLOSED):
            return decision
        size = size_of(envelope)
        if self.is_shut_out:
            waiting = min(self._now("waiting_then") or 0, self.limits.shut_out_records)
            most = self.limits.shut_out_records + waiting
            if self._now("aside_records") >= most or self._now("aside_bytes") + size > self.limits.shut_out_bytes:
                return refuse(Status.CLOSED, NO_MORE)
            self._count(aside_records=1, aside_bytes=size)
            return decision
        refused = 0 if decision.status is Status.STORED else size
        may_be_refused = refused or envelope.root  # whose record it corrects is seen only when it is folded
        is_over = may_be_refused and self._now("day_refused") + size > self.limits.refused_a_day
        if is_over or self._now("day_bytes") + size > self.limits.kept_a_day:
            return refuse(Status.RETRY, TOO_MUCH)
        self._count(day_bytes=size, day_refused=refused)
        return decision

    def admit_file(self, size: int) -> None:
        """Count an attachment; raise ActProblem when no more of this phone's are taken."""
        if self.standing is None:
            return
        if self.is_shut_out:
            taken = max(size, LEAST_FILE)
            if self._now("aside_files") + taken > self.limits.shut_out_files:
                raise ActProblem(*NO_MORE)
            self._count(aside_files=taken)
            return
        if self._now("day_bytes") + size > self.limits.kept_a_day:
            raise ActProblem(*TOO_MUCH)
        self._count(day_bytes=size)

    def count_refused(self, envelope: Envelope) -> None:
        """Count one that was refused only after it had been admitted."""
        if self.standing is not None and not self.is_shut_out:
            self._count(day_refused=size_of(envelope))

    def write(self) -> None:
        """Keep what was counted, in the act's transaction."""
        if self.device_id and self.changes:
            devices.count(self.session, self.device_id, self.changes)

    def _now(self, name: str) -> Any:
        return self.changes[name] if name in self.changes else getattr(self.standing, name)

    def _count(self, **more: int) -> None:
        for name, number in more.items():
            self.changes[name] = self._now(name) + number


def size_of(envelope: Envelope) -> int:
    return len(envelope.body.encode("utf-8", "surrogatepass"))
