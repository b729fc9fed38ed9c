"""Keys of the feed: each reads one recipient's series, and can write nothing.

A key is shown once; only its hash is stored.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.releases.agreements import is_agreement_over
from fieldapp.services.revisions import check_revision
from fieldapp.store.products import feed_keys
from fieldapp.store.products.feed_keys import FeedKey
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

PREFIX = "fa_"  # so that a key that was pasted somewhere can be recognized
KEY_BYTES = 32  # of randomness; too many to guess, so an unsalted hash is enough
LABEL_LENGTH = 80  # characters


@dataclass(frozen=True)
class FeedKeysPage:
    """All keys of a centre, and its series by id."""

    keys: Sequence[FeedKey]
    series: Mapping[int, ReleaseSeries]


@read_act("feed_keys.list")
def list_keys(ctx: ActContext) -> FeedKeysPage:
    """Return the centre's keys, revoked ones too, and its series."""
    series_by_id = {series.id: series for series in releases.series_of(ctx.session, ctx.centre_id)}
    return FeedKeysPage(feed_keys.of_centre(ctx.session, ctx.centre_id), series_by_id)


@act("feed_key.make")
def make_key(ctx: ActContext, series_id: int, label: str) -> str:
    """Return a new key for a series of the centre; nobody can see it a second time.

    Raise ActProblem "access.not_found", "feed.agreement_over", or "feed.label" for a label under three characters.
    """
    series = {row.id: row for row in releases.series_of(ctx.session, ctx.centre_id)}.get(series_id)
    if series is None:
        raise make_not_found()
    check_agreement(series, ctx.now)
    if len(label.strip()) < 3:
        raise ActProblem("feed.label", N_("Say whose key it is, in a few words."))
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    ctx.session.add(
        FeedKey(
            centre_id=ctx.centre_id,
            series_id=series_id,
            label=label.strip()[:LABEL_LENGTH],
            key_hash=_hash_key(key),
            made_by=ctx.actor.user_id,
            created_at=ctx.now,
        )
    )
    ctx.describe(f"series/{series_id}")
    return key


@act("feed_key.revoke")
def revoke_key(ctx: ActContext, key_id: int, seen: str | None = None) -> None:
    """Let a key read nothing any more; raise ActProblem "access.not_found"."""
    key = feed_keys.get(ctx.session, ctx.centre_id, key_id)
    if key is None:
        raise make_not_found()
    check_revision(ctx, seen, key, f"series/{key.series_id}", ("feed_key.revoke",))
    key.revoked_at = key.revoked_at or ctx.now  # revoked again, it keeps the first moment
    ctx.describe(f"series/{key.series_id}", key=key_id)


def check_agreement(series: ReleaseSeries, now: dt.datetime) -> None:
    """Raise ActProblem "feed.agreement_over" after the last day of a recipient's agreement."""
    if is_agreement_over(series, now):
        raise ActProblem("feed.agreement_over", N_("The agreement with the recipient is over, so this feed is closed."))


def authenticate_key(session: Session, key: str) -> FeedKey:
    """Return the row of a key that may read; raise ActProblem "feed.key"."""
    row = None
    if key.startswith(PREFIX):
        row = feed_keys.by_hash(session, _hash_key(key))
    if row is None or row.revoked_at is not None:
        raise ActProblem("feed.key", N_("This key is not known here, or was revoked."))
    return row


def _hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
