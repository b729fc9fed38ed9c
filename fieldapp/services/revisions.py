"""Refuse a page's form when a colleague changed, since the page was opened, what it shows.

A form carries a mark of the state that its page showed. The act compares it, in its own transaction, with the state that
there is now. Where no page was shown (commands, the clock), there is no mark: None.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from fieldapp.services.access import FORMER_ACTS
from fieldapp.services.acts import ActContext
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.base import Base
from fieldapp.store.operations import audit
from fieldapp.store.people import users

# What of a row a form may change, or what somebody decides by. A change of anything else is no reason to refuse.
SHOWN: dict[str, tuple[str, ...]] = {
    "card": ("worker_id", "is_open"),
    "centre": ("lock_minutes", "shred_days", "has_voice_notes", "by_invitation", "allows_collect"),
    "device": ("revoked_at", "order"),
    "feed_key": ("revoked_at",),
    "form_version": ("withdrawn_at",),
    "partner_source": ("calendar", "sha256"),
    "release": ("revoked_at", "attested_at", "list_attested_at"),
    "series": (
        "title", "recipe", "cadence", "first_period", "is_active", "recipient", "agreement", "age_key", "keep_days",
        "readers", "targets",
    ),
    "submission": ("state",),
    "subscription": ("product", "address"),
    "user": ("label", "role", "active", "fs_uniquifier"),
}  # fmt: skip


@dataclass(frozen=True)
class LastChange:
    """Who changed something last, when, by which act."""

    act: str
    at: dt.datetime
    who: str
    is_own: bool  # by the one who is told: a second click, or another window


class Overtaken(ActProblem):
    """Something was changed after the page was shown. Nothing was written."""

    def __init__(self, last: LastChange | None, code: str = "page.overtaken", text: str = ""):
        super().__init__(code, text or N_("This was changed after you opened the page. Nothing of yours was saved."))
        self.last = last


def mark_of(*values: object) -> str:
    """Return a short mark of values; other values give another mark."""
    text = json.dumps(values, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def revision_of(row: Base) -> str:
    """Return the mark of a row as it stands."""
    columns = SHOWN[row.__tablename__]
    return mark_of(row.__tablename__, row.id, *(getattr(row, name) for name in columns))  # type: ignore[attr-defined]


def check_revision(ctx: ActContext, seen: str | None, row: Base, target: str, acts: Collection[str]) -> None:
    """Raise Overtaken unless a row is as the page showed it, and lock it until the act ends.

    `target` and `acts` say where the audit trail would name who did it.
    """
    if seen is None:
        return
    ctx.session.refresh(row, with_for_update={"key_share": True})
    require(ctx, seen, revision_of(row), target, acts)


def require(ctx: ActContext, seen: str | None, now: str, target: str, acts: Collection[str]) -> None:
    """Raise Overtaken unless the mark that a page carried is that of now."""
    if seen is not None and seen != now:
        raise Overtaken(last_change(ctx, target, acts))


def last_change(ctx: ActContext, target: str, acts: Collection[str]) -> LastChange | None:
    """Return the newest of some acts on a target; None when the audit trail has none."""
    former = [old for old, new in FORMER_ACTS.items() if new in acts]
    line = audit.last_of(ctx.session, ctx.centre_id, target, [*acts, *former])
    if line is None:
        return None
    who = users.labels(ctx.session, ctx.centre_id).get(line.actor_id or 0, "")
    return LastChange(line.act, line.at, who, line.actor_id is not None and line.actor_id == ctx.actor.user_id)
