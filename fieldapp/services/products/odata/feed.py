"""Read a recipient's feed: whose key, which file, what of it; every read is audited."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.products.odata.keys import authenticate_key, check_agreement
from fieldapp.store.products import products
from fieldapp.store.products.feed_file import Feed, open_feed
from fieldapp.store.products.feed_keys import FeedKey
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import ReleaseSeries
from fieldapp.store.session import Session

PRODUCTS = ("dashboard", "panel")  # whose numbers are in feeds too
VERSION_LENGTH = 24  # hexadecimal digits; part of a file's name and of page tokens


@dataclass(frozen=True)
class OpenFeed:
    """A feed that a key may read, and the version of its file."""

    key: FeedKey
    feed: Feed
    version: str


def get_feed_folder(packages: Path) -> Path:
    """Return the folder of all feed files, beside the packages."""
    return packages / "feeds"


def compute_feed_version(session: Session, series: ReleaseSeries) -> str:
    """Return the version of what a series' feed is made of, down to the editions."""
    parts = [*sorted(list_feed_sources(session, series)), *_iterate_edition_hashes(session, series.centre_id)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:VERSION_LENGTH]


def _iterate_edition_hashes(session: Session, centre_id: int) -> Iterator[str]:
    for name in PRODUCTS:
        latest = products.find_latest_version(session, centre_id, name)
        yield latest[1] if latest else ""


def open_feed_for_key(session: Session, key: str, packages: Path) -> OpenFeed:
    """Return the feed that a key may read.

    Raise ActProblem "feed.key", "feed.agreement_over" after the recipient's last day, or "feed.missing" while its file
    is being built.
    """
    row = authenticate_key(session, key)
    series = session.get_one(ReleaseSeries, row.series_id)
    check_agreement(series, utcnow())
    version = compute_feed_version(session, series)
    newest = get_feed_folder(packages) / f"{series.id}-{version}.db"
    live = list_feed_sources(session, series)
    for path in [newest, *get_feed_folder(packages).glob(f"{series.id}-*.db")]:
        if not path.is_file():
            continue
        feed = open_feed(path, path.stat().st_size)
        # An older file may be read while a newer one is built, but never one that holds something
        # revoked since.
        if set(feed.about["made_of"]) <= live:
            return OpenFeed(row, feed, path.stem.partition("-")[2])
    raise ActProblem("feed.missing", N_("This feed is being built. Try again in some minutes."))


def list_feed_sources(session: Session, series: ReleaseSeries) -> set[str]:
    """Return what a series' feed may hold.

    SHA-256 of its releases that are not revoked and of its recipe, the names of the products that are on, and the mark of
    rows that were taken back: a file from before holds them.
    """
    sources = {hashlib.sha256(series.recipe.encode()).hexdigest()}
    sources |= {release.sha256 for release in releases.of_series(session, series.id) if not release.revoked_at}
    sources.add(f"withdrawn {withdrawals.mark(session, series.centre_id)}")
    sources |= {name for name in PRODUCTS if products.is_on(session, series.centre_id, name)}
    return sources


@act("feed.read")
def _save_feed_read(ctx: ActContext, key_id: int, entity: str, rows: int) -> None:
    key = ctx.session.get(FeedKey, key_id)
    if key is not None:
        key.last_used_at = ctx.now
    ctx.describe(f"feed_key/{key_id}", set=entity, rows=rows)


def log_feed_read(session: Session, key: FeedKey, entity: str, rows: int) -> None:
    """Record in the audit trail who read which set of a feed, and how many rows."""
    # The reader is no user of ours, so the system acts for the key's centre.
    _save_feed_read(session, Actor.system(key.centre_id), key_id=key.id, entity=entity, rows=rows)
