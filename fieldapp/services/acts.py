"""The machinery around every act: may they, one transaction, one audit line in it."""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from fieldapp.services.access import ACCESS, NEEDS_CONFIRMATION, SYSTEM
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.store.session import Session

P = ParamSpec("P")
R = TypeVar("R")

ACTS: dict[str, Callable[..., Any]] = {}
SAME_VIEW = dt.timedelta(minutes=10)  # the board asks for itself again each minute


@dataclass(frozen=True)
class Actor:
    """Who acts: a person at a centre, or the system on behalf of a centre.

    `device_id`: the phone that they act with, if any. `is_confirmed`: whether a second factor has shown in the last
    minutes that it is they, or none is asked of them.
    """

    centre_id: int
    role: str
    user_id: int | None = None
    device_id: int | None = None
    is_confirmed: bool = False

    @classmethod
    def system(cls, centre_id: int) -> "Actor":
        return cls(centre_id, SYSTEM, is_confirmed=True)


@dataclass
class ActContext:
    """One act under way: its session and actor, and what its audit line will say."""

    session: Session
    actor: Actor
    now: dt.datetime
    target: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    is_audited: bool = True
    last_steps: list[Callable[[], None]] = field(default_factory=list)
    more_lines: list[AuditLine] = field(default_factory=list)

    @property
    def centre_id(self) -> int:
        return self.actor.centre_id

    def describe(self, target: str, **details: Any) -> None:
        """Set what the audit line says was acted on.

        Ids, codes and counts only; never answers, names or tokens.
        """
        self.target = target
        self.details |= details

    def do_last(self, step: Callable[[], None]) -> None:
        """Do something after all else in the transaction, in the order in which it is asked for.

        For what locks a row that others wait for: held until the end from here on, it is held shortly, and nobody who
        holds it waits for another lock.
        """
        self.last_steps.append(step)

    def add_line(self, act: str, target: str, **details: Any) -> None:
        """Add a line to the audit log beside the act's own, at the end of the transaction."""
        self.more_lines.append(self._make_line(act, target, details))

    def _make_line(self, act: str, target: str, details: dict[str, Any]) -> AuditLine:
        return AuditLine(self.now, act, self.centre_id, self.actor.user_id, self.actor.device_id, target, details)

    def list_lines(self, name: str) -> list[AuditLine]:
        """Return the lines that the act leaves in the audit log, its own last."""
        own_lines = [self._make_line(name, self.target, self.details)] if self.is_audited else []
        return [*self.more_lines, *own_lines]

    def skip_audit(self) -> None:
        """Leave no audit line, because nothing changed.

        Repeating such a request must not fill the disk.
        """
        self.is_audited = False


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _require_access(name: str, actor: Actor) -> None:
    # Asked by name: an act without a line in the table fails here, and is not open by mistake.
    if actor.role not in ACCESS[name]:
        raise ActProblem("access.denied", N_("Your role does not allow this."))
    if name in NEEDS_CONFIRMATION:
        require_confirmation(actor)


def require_confirmation(actor: Actor) -> None:
    """Raise ActProblem "second_factor.needed" unless a second factor has just shown who acts."""
    if not actor.is_confirmed:
        raise ActProblem("second_factor.needed", N_("Confirm first that it is you."))


def act(name: str) -> Callable[[Callable[Concatenate[ActContext, P], R]], Callable[Concatenate[Session, Actor, P], R]]:
    """Register a function as the write act `name`.

    The wrapper checks `ACCESS[name]`, opens one transaction, calls the function, and writes one audit
    line before it commits. Raises ActProblem "access.denied".

    Example: `@act("record.review") def review_record(ctx, …)`; callers write
    `review_record(session, actor, …)`.
    """

    def wrap_function(function: Callable[Concatenate[ActContext, P], R]) -> Callable[Concatenate[Session, Actor, P], R]:
        @functools.wraps(function)
        def run(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            # Before the transaction: who may not act cannot even wait for a lock.
            _require_access(name, actor)
            with WriteTransaction(session):
                this = ActContext(session, actor, utcnow())
                result = function(this, *args, **kwargs)
                # What the database refuses is refused before the audit line says that it was done.
                session.flush()
                for step in this.last_steps:
                    step()
                # In the same transaction: there is never an act without its line, nor a line
                # without its act.
                lines = this.list_lines(name)
                if lines:
                    audit.add(session, lines)
            return result

        ACTS[name] = run
        return run

    return wrap_function


def read_act(name: str) -> Callable[[Callable[Concatenate[ActContext, P], R]], Callable[Concatenate[Session, Actor, P], R]]:
    """Register a function as the read act `name`.

    The wrapper checks `ACCESS[name]`, raising ActProblem "access.denied". A read has no transaction of
    its own and leaves no audit line.
    """

    def wrap_function(function: Callable[Concatenate[ActContext, P], R]) -> Callable[Concatenate[Session, Actor, P], R]:
        @functools.wraps(function)
        def run(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            _require_access(name, actor)
            return function(ActContext(session, actor, utcnow()), *args, **kwargs)

        ACTS[name] = run
        return run

    return wrap_function


def view_act(name: str) -> Callable[[Callable[Concatenate[ActContext, P], R]], Callable[Concatenate[Session, Actor, P], R]]:
    """Register a function as a read act of which the audit log says who looked at what.

    As `read_act`, but a line says what the function described: what was shown, by which filter, and how much. The same
    person, looking at the same again within ten minutes, leaves no second line.
    """

    def wrap_function(function: Callable[Concatenate[ActContext, P], R]) -> Callable[Concatenate[Session, Actor, P], R]:
        @functools.wraps(function)
        def run(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            _require_access(name, actor)
            this = ActContext(session, actor, utcnow())
            result = function(this, *args, **kwargs)
            # The system looks at everything, for instance to print it: that it does so says the act that asked for it.
            if this.target and actor.user_id is not None:
                _note_view(this, name)
            return result

        ACTS[name] = run
        return run

    return wrap_function


def _note_view(ctx: ActContext, name: str) -> None:
    """Leave a line in a transaction of its own: what was read goes on being used."""
    (line,) = ctx.list_lines(name)
    with Session(ctx.session.get_bind()) as session:
        if audit.has_line_since(session, line, ctx.now - SAME_VIEW):
            return
        with WriteTransaction(session):
            audit.add(session, [line])
