"""Sentences of the board: who did, asked for and has seen what."""

import datetime as dt

from flask_babel import gettext

from fieldapp.services.board.board import BoardPage, Giving, Request
from fieldapp.services.board.steps import StepKind
from fieldapp.services.board.words import WHO_DID
from fieldapp.store.board.board import BoardStep
from fieldapp.web.formats import format_clock, format_moment

AT_ONCE = dt.timedelta(minutes=3)  # what came later had waited for a signal


class Sentences:
    """Writes with the names that the board shows."""

    def __init__(self, page: BoardPage):
        self.people = page.people

    def write_step(self, step: BoardStep) -> str:
        """Say who took a step."""
        who, to = (self.people.get(user_id or 0, "") for user_id in (step.author_id, step.to_id))
        return str(gettext(WHO_DID[step.kind], who=who, to=to))

    def write_asked(self, asked: Request) -> str:
        """Say who asked for something and when; when it came, where it had waited for a signal."""
        step = asked.steps[0]
        who = self.people.get(step.author_id, "")
        said_at = step.said_at or step.at
        if step.at - said_at > AT_ONCE:
            times = {"asked": format_moment(said_at), "heard": format_moment(step.at)}
            return str(gettext("%(who)s asked on %(asked)s without signal; it came on %(heard)s", who=who, **times))
        return str(gettext("%(who)s asked on %(asked)s", who=who, asked=format_moment(step.at)))

    def write_seen(self, who: str, giving: Giving) -> str:
        """Say that a worker knows of what was given to them, and when the centre heard that."""
        answer = giving.answer
        assert answer is not None
        times = {"who": who, "given": format_clock(giving.at), "at": format_clock(answer.at)}
        if answer.kind == StepKind.NOTIFIED:
            return str(gettext("Assigned at %(given)s; %(who)s was notified in another way at %(at)s.", **times))
        # By the phone's clock, which may be wrong: not before it was given.
        seen_at = max(answer.said_at or answer.at, giving.at)
        times["seen"] = format_clock(seen_at)
        if answer.at - seen_at > AT_ONCE:
            return str(
                gettext("Assigned at %(given)s; %(who)s saw it at %(seen)s, and the centre heard of it at %(at)s.", **times)
            )
        return str(gettext("Assigned at %(given)s; %(who)s saw it at %(seen)s.", **times))
