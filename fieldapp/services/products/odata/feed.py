"""Read a recipient's feed: whose key, which file, what of it; every pull is written down."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.odata.keys import holder_of
from fieldapp.store.products import products
from fieldapp.store.products.feed_file import Feed, open_feed
from fieldapp.store.products.feed_keys import FeedKey
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

PRODUCTS = ("dashboard", "panel")  # whose numbers are in feeds too


@dataclass(frozen=True)
class Opened:
    key: FeedKey
    feed: Feed
    mark: str


def folder_of(packages: Path) -> Path:
    return packages / "feeds"


def mark_of(session: Session, series: ReleaseSeries) -> str:
    """Return a mark of what a series' feed is made of, down to the editions."""
    marks = [products.find_latest_version(session, series.centre_id, name) for name in PRODUCTS]
    parts = [*sorted(made_of(session, series)), *(mark[1] if mark else "" for mark in marks)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def open_for(session: Session, key: str, packages: Path) -> Opened:
    """Return the feed that a key opens; raise ActProblem "feed.key", or "feed.missing" while it is being made."""
    holder = holder_of(session, key)
    series = session.get_one(ReleaseSeries, holder.series_id)
    mark = mark_of(session, series)
    newest = folder_of(packages) / f"{series.id}-{mark}.db"
    live = made_of(session, series)
    for path in [newest, *folder_of(packages).glob(f"{series.id}-*.db")]:
        if path.is_file():
            feed = open_feed(path, path.stat().st_size)
            if set(feed.about["made_of"]) <= live:  # a newer one is being made; nothing that was taken back is in this one
                return Opened(holder, feed, path.stem.partition("-")[2])
    raise ActProblem("feed.missing", N_("This feed is being built. Try again in some minutes."))


def made_of(session: Session, series: ReleaseSeries) -> set[str]:
    """Return what a series' feed may hold: its releases that are not revoked, its recipe, the products that are on."""
    live = {one.sha256 for one in releases.of_series(session, series.id) if not one.revoked_at}
    on = {name for name in PRODUCTS if products.is_on(session, series.centre_id, name)}
    return {*live, hashlib.sha256(series.recipe.encode()).hexdigest(), *on}


@act("feed.pull")
def _note(ctx: ActContext, key_id: int, entity: str, rows: int) -> None:
    found = ctx.session.get(FeedKey, key_id)
    if found is not None:
        found.last_used_at = ctx.now
    ctx.describe(f"feed_key/{key_id}", set=entity, rows=rows)


def note_pull(session: Session, key: FeedKey, entity: str, rows: int) -> None:
    """Write down who read what of a feed, and how much."""
    _note(session, Actor.system(key.centre_id), key_id=key.id, entity=entity, rows=rows)
