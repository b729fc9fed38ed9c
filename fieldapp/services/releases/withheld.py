"""Packages that are not handed out any more: rows in them were taken back since."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fieldapp.services.problems import N_
from fieldapp.services.transports.targets import EMAIL
from fieldapp.store.operations import audit
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import Release
from fieldapp.store.session import Session

ATTEST_DAYS = 30  # within which recipients say that the rows on a list are deleted
WITHDRAWN = N_(
    "Rows in this package were taken back, so nobody can get it any more. The next one lists them, or replaces it."
)


def find_withheld(session: Session, packages: Iterable[Release]) -> set[int]:
    """Return the ids of the releases of a centre in which rows were taken back since."""
    rounds: dict[int, Mapping[tuple[str, int], int]] = {}
    withheld: set[int] = set()
    for release in packages:
        centre_id = release.centre_id
        if centre_id not in rounds:
            rounds[centre_id] = withdrawals.last_rounds(session, centre_id)
        last = rounds[centre_id]
        if any(last.get(batch, 0) > release.listed_round for batch in list_batches(release.manifest)):
            withheld.add(release.id)
    return withheld


def list_batches(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the batches in a package: dataset and number."""
    batches: list[tuple[str, int]] = []
    for name, dataset in manifest["datasets"].items():
        batches.extend((name, entry["number"]) for entry in dataset.get("ledger", {}).get("entries", ()))
    return batches


def find_replaceable(session: Session, packages: Sequence[Release]) -> list[Release]:
    """Return the last packages of a series, if they are withheld and nobody had them.

    The next package brings what they have.

    `packages`: all of the series, oldest first. One before a package that somebody has is not replaced: its rows would
    come out of order.
    """
    withheld = find_withheld(session, packages)
    replaceable: list[Release] = []
    for release in reversed(packages):
        if release.revoked_at or release.id not in withheld or _was_handed_out(session, release):
            break
        replaceable.append(release)
    return replaceable


def _was_handed_out(session: Session, release: Release) -> bool:
    """Say whether a package was downloaded or sent; a try that failed midway counts, too."""
    for delivery in releases.deliveries_of(session, [release.id]):
        if delivery.target.get("kind") != EMAIL and (delivery.token or delivery.state == "sent"):
            return True
    events = audit.list_for_target(session, release.centre_id, f"release/{release.id}")
    return any(event.act == "release.download" for event in events)


def is_list_settled(release: Release) -> bool:
    """Say whether a package lists no rows, or its recipient says that they are deleted."""
    return release.list_attested_at is not None or not count_listed(release.manifest)


def count_listed(manifest: Mapping[str, Any]) -> int:
    """Return how many rows a package tells its recipient to delete."""
    return int(manifest.get("withdrawals", {}).get("rows", 0))


def compute_deadline(release: Release) -> dt.datetime:
    """Return until when a recipient should say that the rows on a package's list are deleted."""
    return release.created_at + dt.timedelta(days=ATTEST_DAYS)


def is_list_overdue(release: Release, now: dt.datetime) -> bool:
    """Say whether a recipient should have said by now that listed rows are deleted."""
    return not is_list_settled(release) and compute_deadline(release) < now
