"""What a release build knows from its first step to its last, in one object."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evaluator_export.datasets.recipe import Recipe
from evaluator_export.periods import Period
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.series.released_dataset import ReleaseContext
from fieldapp.services.consent.standing import Standings
from fieldapp.services.releases.agreements import find_last_day, is_agreement_over
from fieldapp.services.releases.datasets import DatasetCatalogue, load_catalogue, read_recipe, recipe_text
from fieldapp.services.releases.gathering.withdrawn_places import WithdrawnPlaces, load_withdrawn_places
from fieldapp.services.releases.withheld import find_replaceable, is_list_settled
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.releases import releases, withdrawals
from fieldapp.store.releases.releases import Release, ReleaseSeries
from fieldapp.store.session import Session

# Each report renews the lease and is a write; more often would cost more than reading.
PROGRESS_EVERY = 5000  # records

Manifest = dict[str, Any]


@dataclass(frozen=True)
class SentPackage:
    """An earlier package of the series, as a value.

    Reading records ends the transaction that it was read in.
    """

    release_id: int
    period: str
    sha256: str
    manifest: Manifest
    listed_round: int
    is_settled: bool  # its recipient has deleted what it lists, or it lists nothing

    @classmethod
    def of(cls, release: Release) -> "SentPackage":
        """Return a release as a value."""
        return cls(
            release_id=release.id,
            period=release.period,
            sha256=release.sha256,
            manifest=release.manifest,
            listed_round=release.listed_round,
            is_settled=is_list_settled(release),
        )


@dataclass
class Assembly:
    """A release being built: its series and period, its sources, and how far it has come.

    `sent` are the series' earlier packages, but for those that it replaces (`replaced`): nobody had them, and rows in
    them were taken back. `handed_out` has the manifests of all the centre's packages. `standings` is people's standing
    consent as it was read, `withdrawn` are rows that nobody gets any more; publishing asks for both again.
    `report_progress` is called from time to time with the number of records read.
    """

    session: Session
    series: ReleaseSeries
    period: Period
    cut_off: dt.datetime
    centre: Centre
    catalogue: DatasetCatalogue
    recipe: Recipe
    standings: Standings
    withdrawal_mark: str
    withdrawn: dict[int, WithdrawnPlaces]
    sent: list[SentPackage]
    replaced: list[SentPackage]
    handed_out: list[Manifest]
    report_progress: Callable[[int], None]
    records_read: int = 0

    @property
    def centre_id(self) -> int:
        return self.series.centre_id

    @property
    def table_secret(self) -> bytes:
        """Return the centre's key for rounding counts: all its tables round a record alike."""
        return bytes.fromhex(self.centre.table_secret)

    def list_periods_again(self) -> set[str]:
        """Return the periods of tables in the packages that are replaced: nobody has them."""
        names: set[str] = set()
        for package in self.replaced:
            names.update(package.manifest.get("table_periods", [package.period]))
        return names

    def make_context(self) -> ReleaseContext:
        """Return what the package says about itself: for whom, of which period, cut off when."""
        return ReleaseContext(
            centre=self.centre.name,
            period=self.period,
            cut_off=self.cut_off.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            secret=bytes.fromhex(self.series.secret),
            recipient=self.series.recipient,
            agreement=self.series.agreement,
        )

    def count_record(self) -> None:
        """Count one more record as read, and report it where it is time to."""
        self.records_read += 1
        if self.records_read % PROGRESS_EVERY == 0:
            self.report_progress(self.records_read)


def start_assembly(
    session: Session, series: ReleaseSeries, period: Period, cut_off: dt.datetime, report_progress: Callable[[int], None]
) -> Assembly:
    """Return a release in the making, of records that the centre had at `cut_off`.

    Raises ExportProblem when the recipe or a dataset is not in order, or the agreement has ended.
    """
    # Before the rows: what is taken back between the two is seen when the package is published.
    withdrawal_mark = withdrawals.mark(session, series.centre_id)
    packages = releases.of_series(session, series.id)
    replaced = {release.id for release in find_replaceable(session, packages)}
    centre_catalogue = load_catalogue(session, series.centre_id)
    recipe = read_recipe(recipe_text(series), centre_catalogue)
    _require_agreement(series, cut_off)
    return Assembly(
        session=session,
        series=series,
        period=period,
        cut_off=cut_off,
        centre=centres.get(session, series.centre_id),
        catalogue=centre_catalogue,
        recipe=recipe,
        standings=Standings(session, series.centre_id),
        withdrawal_mark=withdrawal_mark,
        withdrawn=load_withdrawn_places(session, series.centre_id),
        sent=[SentPackage.of(release) for release in packages if release.id not in replaced],
        replaced=[SentPackage.of(release) for release in packages if release.id in replaced],
        handed_out=[release.manifest for release in releases.list_for(session, series.centre_id)],
        report_progress=report_progress,
    )


def _require_agreement(series: ReleaseSeries, cut_off: dt.datetime) -> None:
    """Raise ExportProblem when the agreement with the recipient is over (governance GR1)."""
    if is_agreement_over(series, cut_off):
        raise ExportProblem(Reason("release.agreement", {"day": find_last_day(series)}))
