"""Keys for the feed: each reads one recipient's series. A key is shown once; whoever has it can read, nobody can write."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store.products import feed_keys
from fieldapp.store.products.feed_keys import FeedKey
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

PREFIX = "fa_"


@dataclass(frozen=True)
class Keys:
    keys: Sequence[FeedKey]
    series: Mapping[int, ReleaseSeries]


@read_act("feed_keys.list")
def list_keys(ctx: ActContext) -> Keys:
    series = {one.id: one for one in releases.series_of(ctx.session, ctx.centre_id)}
    return Keys(feed_keys.of_centre(ctx.session, ctx.centre_id), series)


@act("feed_key.make")
def make_key(ctx: ActContext, series_id: int, label: str) -> str:
    """Return a new key; only its hash is kept."""
    if series_id not in {one.id for one in releases.series_of(ctx.session, ctx.centre_id)}:
        raise make_not_found()
    if len(label.strip()) < 3:
        raise ActProblem("feed.label", N_("Say whose key it is, in a few words."))
    key = PREFIX + secrets.token_urlsafe(32)
    ctx.session.add(
        FeedKey(
            centre_id=ctx.centre_id,
            series_id=series_id,
            label=label.strip()[:80],
            key_hash=_hash(key),
            made_by=ctx.actor.user_id,
            created_at=ctx.now,
        )
    )
    ctx.describe(f"series/{series_id}")
    return key


@act("feed_key.revoke")
def revoke_key(ctx: ActContext, key_id: int, seen: str | None = None) -> None:
    found = feed_keys.get(ctx.session, ctx.centre_id, key_id)
    if found is None:
        raise make_not_found()
    check_revision(ctx, seen, found, f"series/{found.series_id}", ("feed_key.revoke",))
    found.revoked_at = found.revoked_at or ctx.now
    ctx.describe(f"series/{found.series_id}", key=key_id)


def holder_of(session: Session, key: str) -> FeedKey:
    """Return whose key this is; raise ActProblem "feed.key"."""
    found = feed_keys.by_hash(session, _hash(key)) if key.startswith(PREFIX) else None
    if found is None or found.revoked_at is not None:
        raise ActProblem("feed.key", N_("This key is not known here, or was revoked."))
    return found


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
