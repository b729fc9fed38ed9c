"""Release series: who gets what, how often, how it is sent.

The person who answers for a series sees what a release would be before the series is saved.
"""

import datetime as dt
import re
import secrets
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator_export import periods
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.datasets.recipe import AUDIENCES, Audience
from evaluator_export.datasets.table_reader import Menu
from evaluator_export.labels import Labels
from evaluator_export.periods import CADENCES, Period
from evaluator_export.policy.hierarchies import ALL
from evaluator_export.problems import Reason
from fieldapp.services.access import EVALUATOR
from fieldapp.services.acts import ActContext, act, read_act, view_act
from fieldapp.services.problems import N_, make_not_found
from fieldapp.services.releases.datasets import (
    hierarchy_words,
    load_catalogue,
    load_table_menu,
)
from fieldapp.services.releases.series_input import (
    SeriesInput,
    SeriesRefused,
    build_recipe,
    check_content,
    check_input,
    check_recipe,
    has_rows_about_people,
    make_series_input,
)
from fieldapp.services.revisions import check_revision
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import Release, ReleaseSeries

if TYPE_CHECKING:
    from evaluator_export.tabular import CategoricalColumn
    from fieldapp.services.releases.gathering.gather import ReleaseContents

THRESHOLDS = (20, 15, 11)
SHOWN_ROWS = 4
KEY_LENGTH = 34  # characters, so that a number fits behind it


@dataclass(frozen=True)
class SeriesOptions:
    """What can be chosen: datasets with their fields, and tables."""

    datasets: Sequence[DatasetSpec]
    broken: Mapping[str, Sequence[Reason]]
    tables: Menu


@dataclass(frozen=True)
class SeriesPage:
    """What the page of a series shows; `series` is None for a new one."""

    series: ReleaseSeries | None
    series_input: SeriesInput
    options: SeriesOptions
    labels: Labels
    evaluators: Sequence[User]


@dataclass(frozen=True)
class ReleasePreview:
    """What a release would be now: `rows` has the first rows as the recipient would see them."""

    contents: "ReleaseContents"
    period: Period
    last: Release | None
    rows: Mapping[str, list[list[str]]]


@read_act("series.view")
def list_series(ctx: ActContext) -> tuple[Sequence[ReleaseSeries], Mapping[int, Release]]:
    """Return every series of the centre, and the newest release of each."""
    newest: dict[int, Release] = {}
    for release in releases.list_for(ctx.session, ctx.centre_id):
        newest.setdefault(release.series_id, release)
    return releases.series_of(ctx.session, ctx.centre_id), newest


@read_act("series.view")
def open_series(ctx: ActContext, series_id: int | None) -> SeriesPage:
    """Return what the page of a series needs; of a new one without an id."""
    series = _get_series(ctx, series_id)
    catalogue = load_catalogue(ctx.session, ctx.centre_id)
    options = SeriesOptions(
        datasets=[dataset for dataset in catalogue.datasets.values() if dataset.has_rows],
        broken=catalogue.problems,
        tables=[table for table in load_table_menu() if table.get("audience") != Audience.STAFF],
    )
    series_input = make_series_input(series, catalogue) if series else _make_default_input(ctx)
    labels = Labels(catalogue.definitions, hierarchy_words())
    return SeriesPage(series, series_input, options, labels, _list_evaluators(ctx))


def _get_series(ctx: ActContext, series_id: int | None) -> ReleaseSeries | None:
    """Return a series of the centre; None where a new one is meant.

    Raises ActProblem for a series that is not there.
    """
    if series_id is None:
        return None
    series = releases.series_by_id(ctx.session, ctx.centre_id, series_id)
    if series is None:
        raise make_not_found()
    return series


def _list_evaluators(ctx: ActContext) -> list[User]:
    people = users.list_for(ctx.session, ctx.centre_id)
    return [user for user in people if user.role == EVALUATOR and user.active]


def _find_last_period(ctx: ActContext, cadence: str) -> Period:
    """Return the newest period that is over."""
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    today = ctx.now.astimezone(zone).date()
    current = periods.find_containing(today, cadence if cadence in CADENCES else "quarter")
    return periods.find_containing(current.first - dt.timedelta(days=1), current.cadence)


def _make_default_input(ctx: ActContext) -> SeriesInput:
    return SeriesInput(
        title={"en": "", "fr": ""},
        purpose={"en": "", "fr": ""},
        recipient="",
        audience=AUDIENCES[0].value,
        cadence="quarter",
        first_period=_find_last_period(ctx, "quarter").following().name,
        threshold=THRESHOLDS[0],
    )


@act("series.change")
def save_series(ctx: ActContext, series_id: int | None, series_input: SeriesInput, seen: str | None = None) -> ReleaseSeries:
    """Save a series; a change applies from the next release on.

    `seen` is the revision that the page showed. Raises SeriesRefused for input that is wrong.
    """
    series = _get_series(ctx, series_id)
    if series is not None:
        check_revision(ctx, seen, series, f"series/{series.id}", ("series.change",))
    key = series.key if series else _make_unique_key(ctx, series_input)
    recipe = build_recipe(key, series_input)
    _require_good_input(ctx, series, series_input, recipe)
    if series is None:
        series = ReleaseSeries(centre_id=ctx.centre_id, key=key, secret=secrets.token_hex(32))
        ctx.session.add(series)
    series.title = series_input.title
    series.recipe = recipe
    series.recipient = series_input.recipient.strip()
    series.cadence = series_input.cadence
    series.first_period = series_input.first_period
    series.is_active = series_input.is_active
    series.age_key = series_input.age_key
    series.keep_days = series_input.keep_days
    series.agreement = series_input.agreement
    series.targets = series_input.targets
    evaluators = {user.id for user in _list_evaluators(ctx)}
    series.readers = [reader for reader in series_input.readers if reader in evaluators]
    ctx.session.flush()
    ctx.describe(f"series/{series.id}")
    return series


def _require_good_input(ctx: ActContext, series: ReleaseSeries | None, series_input: SeriesInput, recipe: str) -> None:
    """Raise SeriesRefused with everything that is wrong; `series` is the stored one, if any."""
    problems = check_input(series_input)
    catalogue = load_catalogue(ctx.session, ctx.centre_id)
    # A recipe of input that is wrong would be refused for the same reasons in other words.
    reasons = () if problems else check_recipe(recipe, catalogue)
    if reasons:
        problems["datasets"] = N_("What was chosen cannot be released:")
    # The more often rows about people leave, the fewer look alike in each batch.
    if series_input.cadence != "quarter" and has_rows_about_people(series_input, catalogue):
        problems["cadence"] = N_("Rows about people go out once a quarter at most.")
    is_changed = series is not None and series.cadence != series_input.cadence
    if series is not None and is_changed and releases.of_series(ctx.session, series.id):
        problems["cadence"] = N_("How often a series is built cannot change. Create another series for that.")
    if problems:
        raise SeriesRefused(problems, reasons)


def _make_unique_key(ctx: ActContext, series_input: SeriesInput) -> str:
    """Return a key in small letters from the recipient's name, numbered where it is taken."""
    text = f"{series_input.recipient} {series_input.cadence}".lower()
    base = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:KEY_LENGTH] or "series"
    used_keys = {series.key for series in releases.series_of(ctx.session, ctx.centre_id)}
    key = base
    number = 2
    while key in used_keys:
        key = f"{base}-{number}"
        number += 1
    return key


@view_act("release.preview")
def preview_release(ctx: ActContext, series_id: int | None, series_input: SeriesInput) -> ReleasePreview:
    """Return what a release of the last period would be; nothing is written or sent.

    Raises SeriesRefused for input that is not complete, ExportProblem for a damaged ledger.
    """
    problems = check_content(series_input)
    if problems:
        raise SeriesRefused(problems)
    series = _get_series(ctx, series_id)
    earlier = releases.of_series(ctx.session, series.id) if series else ()
    ctx.describe(f"series/{series.id}" if series else "series")
    period = _find_last_period(ctx, series_input.cadence)
    if any(release.period == period.name for release in earlier):
        period = period.following()  # the one that is running now, as far as it has come
    candidate = _make_candidate(ctx, series, series_input, period)
    # The engine takes 100 MB; only a trial needs it here.
    from fieldapp.services.releases.gathering.gather import gather_release  # noqa: PLC0415

    contents = gather_release(ctx.session, candidate, period, ctx.now)
    last = earlier[-1] if earlier else None
    rows = {dataset.name: _list_first_rows(dataset.columns) for dataset in contents.datasets}
    return ReleasePreview(contents, period, last, rows)


def _make_candidate(
    ctx: ActContext, series: ReleaseSeries | None, series_input: SeriesInput, period: Period
) -> ReleaseSeries:
    """Return the series that the input would make, for a preview; it is never saved."""
    key = series.key if series else "preview"
    return ReleaseSeries(
        id=series.id if series else 0,
        centre_id=ctx.centre_id,
        key=key,
        title=series_input.title,
        recipe=build_recipe(key, series_input),
        cadence=series_input.cadence,
        first_period=min(periods.parse(series_input.first_period), period).name,
        secret="00" * 32,  # nothing of a preview leaves, so the order of its rows need not be secret
        recipient=series_input.recipient,
        agreement=series_input.agreement,
    )


def _list_first_rows(columns: "Mapping[str, CategoricalColumn]") -> list[list[str]]:
    """Return the first rows of a dataset: their values in the order of the columns."""
    row_count = len(next(iter(columns.values())).codes)
    rows = []
    for row in range(min(SHOWN_ROWS, row_count)):
        rows.append([column.values[column.codes[row]] for column in columns.values()])
    return rows


def level_examples(dataset: DatasetSpec, name: str, labels: Labels, language: str) -> list[str]:
    """Return what an indirect identifier's value is at each level; "*" for left out.

    The example is the first value of the hierarchy, or a date for hierarchies of dates.
    """
    hierarchy = dataset.hierarchy(name)
    example = hierarchy.domain[0] if hierarchy.domain else "2026-10-15"
    words = []
    for label in hierarchy.labels(example):
        words.append(label if label == ALL else labels.value(dataset, name, label, language))
    return words
