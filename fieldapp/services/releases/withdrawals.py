"""Lists of rows that recipients must delete, since somebody took everything back.

The path of a row: noted when its person takes everything back (services/consent/withdrawn_rows.py), put into a round
with rows of others just before the next package with rows is built (withdrawal_draw.py), listed in that package, and
attested as deleted by those who have it.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.standing import ConsentFell
from fieldapp.services.problems import N_
from fieldapp.services.releases.withheld import is_list_settled, list_batches
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import Release
from fieldapp.store.releases.withdrawals import WithdrawalRound


def require_unchanged(ctx: ActContext, mark: str) -> None:
    """Raise ConsentFell, so that a package is built again, if rows were taken back meanwhile.

    `mark` is as it was before rows were read. Called in the transaction that publishes, in which the centre is locked.
    """
    if withdrawals.mark(ctx.session, ctx.centre_id) != mark:
        text = N_("Somebody withdrew consent while this was being built, so it is built again.")
        raise ConsentFell("consent.fell", text)


def replace_packages(ctx: ActContext, release_ids: Collection[int], period: str) -> None:
    """Revoke releases that nobody had: the package of `period` has their rows and tables."""
    for release_id in release_ids:
        release = ctx.session.get_one(Release, release_id)
        release.revoked_at = ctx.now
        release.replaced_by = period
        releases.stop_deliveries(ctx.session, release.id)


def update_rounds(ctx: ActContext) -> None:
    """Note of each round whether all who have its rows have the list, and deleted them."""
    batches_by_round = withdrawals.batches_of_rounds(ctx.session, ctx.centre_id)
    packages_by_series: dict[int, list[Release]] = {}
    for release in releases.list_for(ctx.session, ctx.centre_id):
        if not release.replaced_by:
            packages_by_series.setdefault(release.series_id, []).append(release)
    for this_round in withdrawals.rounds(ctx.session, ctx.centre_id):
        if this_round.attested_at is not None:
            continue
        batches = batches_by_round.get(this_round.id, set())
        states = [_find_state(this_round.id, batches, packages) for packages in packages_by_series.values()]
        if all(is_listed for is_listed, _ in states):
            mark_listed(this_round, ctx.now)
            if all(is_attested for _, is_attested in states):
                mark_attested(this_round, ctx.now)
    ctx.session.flush()
    withdrawals.copy_states(ctx.session, ctx.centre_id)


def _find_state(round_id: int, batches: Collection[tuple[str, int]], packages: Sequence[Release]) -> tuple[bool, bool]:
    """Return whether a series has listed a round, and whether its recipient deleted the rows.

    Both are true where its recipient has none of the rows.
    """
    earlier = [release for release in packages if release.listed_round < round_id]
    if not any(set(list_batches(release.manifest)) & set(batches) for release in earlier):
        return True, True
    lists = [release for release in packages if release.listed_round >= round_id]
    return bool(lists), any(is_list_settled(release) for release in lists)


def mark_listed(this_round: WithdrawalRound, at: dt.datetime) -> None:
    """Note that everybody who has rows of a round has the list."""
    this_round.listed_at = this_round.listed_at or at


def mark_attested(this_round: WithdrawalRound, at: dt.datetime) -> None:
    """Note that everybody who had rows of a round says that they are deleted."""
    this_round.attested_at = this_round.attested_at or at
