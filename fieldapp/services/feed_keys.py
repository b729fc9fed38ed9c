"""Keys for the feed: each reads one recipient's series. A key is shown once; whoever has it can read, nobody can write."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldapp.services.acts import Act, act, reading
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store import feed_keys, releases
from fieldapp.store.feed_keys import FeedKey
from fieldapp.store.releases import Series

PREFIX = "fa_"


@dataclass(frozen=True)
class Keys:
    keys: Sequence[FeedKey]
    series: Mapping[int, Series]


@reading("feed_keys.list")
def list_keys(a: Act) -> Keys:
    series = {one.id: one for one in releases.series_of(a.session, a.centre_id)}
    return Keys(feed_keys.of_centre(a.session, a.centre_id), series)


@act("feed_key.make")
def make_key(a: Act, series_id: int, label: str) -> str:
    """Return a new key; only its hash is kept."""
    if series_id not in {one.id for one in releases.series_of(a.session, a.centre_id)}:
        raise not_found()
    if len(label.strip()) < 3:
        raise ActProblem("feed.label", N_("Say whose key it is, in a few words."))
    key = PREFIX + secrets.token_urlsafe(32)
    a.session.add(
        FeedKey(
            centre_id=a.centre_id,
            series_id=series_id,
            label=label.strip()[:80],
            key_hash=_hash(key),
            made_by=a.actor.user_id,
            created_at=a.now,
        )
    )
    a.note(f"series/{series_id}")
    return key


@act("feed_key.revoke")
def revoke_key(a: Act, key_id: int, seen: str | None = None) -> None:
    found = feed_keys.get(a.session, a.centre_id, key_id)
    if found is None:
        raise not_found()
    check_revision(a, seen, found, f"series/{found.series_id}", ("feed_key.revoke",))
    found.revoked_at = found.revoked_at or a.now
    a.note(f"series/{found.series_id}", key=key_id)


def holder_of(session: Session, key: str) -> FeedKey:
    """Return whose key this is; raise ActProblem "feed.key"."""
    found = feed_keys.by_hash(session, _hash(key)) if key.startswith(PREFIX) else None
    if found is None or found.revoked_at is not None:
        raise ActProblem("feed.key", N_("This key is not known here, or was taken away."))
    return found


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
