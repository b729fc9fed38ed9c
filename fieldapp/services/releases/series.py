"""Release series: who gets what, how often, how it is sent. Who answers for one sees its effect before it is saved."""

import datetime as dt
import re
import secrets
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from evaluator_export import periods
from evaluator_export.datasets.dataset_spec import DatasetSpec, Family
from evaluator_export.datasets.recipe import AUDIENCES, Audience
from evaluator_export.datasets.table_reader import Menu
from evaluator_export.labels import Labels
from evaluator_export.package import seal
from evaluator_export.periods import CADENCES, Period
from evaluator_export.policy.hierarchies import ALL
from evaluator_export.policy.policy import Role
from evaluator_export.policy.thresholds import HARD_FLOOR
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.yaml_text import read_yaml
from fieldapp.services.access import EVALUATOR
from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.releases.datasets import (
    Catalogue,
    catalogue,
    hierarchy_words,
    read_recipe,
    recipe_text,
    table_menu,
)
from fieldapp.services.revisions import check_revision
from fieldapp.services.transports import targets
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.releases import releases
from fieldapp.store.releases.releases import Release, Series

if TYPE_CHECKING:
    from fieldapp.services.releases.gathering.gather import ReleaseContents

THRESHOLDS = (20, 15, 11)
SHOWN_ROWS = 4


@dataclass(frozen=True)
class Wish:
    """What somebody chose for a series, as they chose it."""

    title: dict[str, str]
    purpose: dict[str, str]
    recipient: str
    audience: str
    cadence: str
    first_period: str
    threshold: int
    columns: dict[str, list[str]] = field(default_factory=dict)  # of the datasets that are chosen
    coarser: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    age_key: str = ""
    keep_days: int = 90
    agreement: dict[str, Any] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)
    is_active: bool = True


@dataclass(frozen=True)
class Offer:
    """What can be chosen: datasets with their fields, and tables."""

    datasets: Sequence[DatasetSpec]
    broken: Mapping[str, Sequence[Reason]]
    tables: Menu


@dataclass(frozen=True)
class OnePage:
    series: Series | None
    wish: Wish
    offer: Offer
    labels: Labels
    evaluators: Sequence[User]


@dataclass(frozen=True)
class Preview:
    """What a release would be now: `rows` shows the first rows as the recipient would see them."""

    contents: "ReleaseContents"
    period: Period
    last: Release | None
    rows: Mapping[str, list[list[str]]]


def leaving(dataset: DatasetSpec) -> list[str]:
    """Return the columns that a recipient can get of a dataset."""
    return [one.name for one in dataset.policy.fields if one.role not in (Role.PERSON, Role.PSEUDONYM, Role.DROP)]


@read_act("series.see")
def see_series(ctx: ActContext) -> tuple[Sequence[Series], Mapping[int, Release]]:
    """Return every series of the centre, and the newest release of each."""
    newest: dict[int, Release] = {}
    for one in releases.list_for(ctx.session, ctx.centre_id):
        newest.setdefault(one.series_id, one)
    return releases.series_of(ctx.session, ctx.centre_id), newest


@read_act("series.see")
def open_series(ctx: ActContext, series_id: int | None) -> OnePage:
    """Return what the page of a series needs; of a new one without an id."""
    known, series = catalogue(ctx.session, ctx.centre_id), _existing(ctx, series_id)
    menu = [item for item in table_menu() if item.get("audience") != Audience.STAFF]
    offer = Offer([one for one in known.datasets.values() if one.has_rows], known.problems, menu)
    wish = wish_of(series, known) if series else _new_wish(ctx)
    return OnePage(series, wish, offer, Labels(known.definitions, hierarchy_words()), _evaluators(ctx))


def _existing(ctx: ActContext, series_id: int | None) -> Series | None:
    """Return a series of the centre, None where a new one is meant; raise ActProblem for one that is not there."""
    if series_id is None:
        return None
    found = releases.series_by_id(ctx.session, ctx.centre_id, series_id)
    if found is None:
        raise make_not_found()
    return found


def _evaluators(ctx: ActContext) -> list[User]:
    return [one for one in users.list_for(ctx.session, ctx.centre_id) if one.role == EVALUATOR and one.active]


def _period(ctx: ActContext, cadence: str) -> Period:
    """Return the newest period that is over."""
    zone = zoneinfo.ZoneInfo(centres.get(ctx.session, ctx.centre_id).time_zone)
    today = ctx.now.astimezone(zone).date()
    current = periods.find_containing(today, cadence if cadence in CADENCES else "quarter")
    return periods.find_containing(current.first - dt.timedelta(days=1), current.cadence)


def _new_wish(ctx: ActContext) -> Wish:
    return Wish(
        title={"en": "", "fr": ""},
        purpose={"en": "", "fr": ""},
        recipient="",
        audience=AUDIENCES[0].value,
        cadence="quarter",
        first_period=_period(ctx, "quarter").following().name,
        threshold=THRESHOLDS[0],
    )


def wish_of(series: Series, known: Catalogue) -> Wish:
    body = read_yaml(recipe_text(series))
    columns = {}
    for item in body.get("datasets") or ():
        name = str(item["use"])
        dataset = known.datasets.get(name)
        columns[name] = [str(one) for one in item.get("columns") or (leaving(dataset) if dataset else ())]
    return Wish(
        title=body["title"],
        purpose=body["purpose"],
        recipient=series.recipient,
        audience=str(body["audience"]),
        cadence=series.cadence,
        first_period=series.first_period,
        threshold=int(body["threshold"]),
        columns=columns,
        coarser={str(item["use"]): dict(item.get("coarser") or {}) for item in body.get("datasets") or ()},
        tables=[str(name) for name in body.get("tables") or ()],
        age_key=series.age_key,
        keep_days=series.keep_days,
        agreement=series.agreement,
        targets=series.targets,
        readers=series.readers,
        is_active=series.is_active,
    )


def compose(key: str, wish: Wish) -> str:
    """Return the recipe that a wish amounts to."""
    body: dict[str, Any] = {
        "recipe": 2,
        "id": key,
        "title": wish.title,
        "purpose": wish.purpose,
        "audience": wish.audience,
        "threshold": wish.threshold,
    }
    datasets = []
    for name, columns in wish.columns.items():
        item: dict[str, Any] = {"use": name, "columns": columns}
        if wish.coarser.get(name):
            item["coarser"] = wish.coarser[name]
        datasets.append(item)
    if datasets:
        body["datasets"] = datasets
    body["tables"] = wish.tables
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1000)


def problems_of(wish: Wish) -> dict[str, str]:
    """Return what is wrong with a wish, by the field that it is wrong in."""
    found: dict[str, str] = {}
    for language in ("en", "fr"):
        if not wish.title.get(language, "").strip():
            found[f"title_{language}"] = N_("Give a title in both languages.")
        if len(wish.purpose.get(language, "").strip()) < 10:
            found[f"purpose_{language}"] = N_("Say what it is for in both languages: it is printed in every package.")
    if not wish.recipient.strip():
        found["recipient"] = N_("Say who gets it.")
    return found | _what_problems(wish) | _how_problems(wish)


def _what_problems(wish: Wish) -> dict[str, str]:
    """Return what is wrong with what is chosen, and when."""
    found: dict[str, str] = {}
    if wish.threshold < HARD_FLOOR:
        found["threshold"] = N_("It may never be under 3.")
    if wish.audience == Audience.CITY and wish.columns:
        found["audience"] = N_("The City gets tables only: what it has can be asked for by others. Untick the datasets.")
    if not (wish.columns or wish.tables):
        found["tables"] = N_("Choose at least one dataset or table.")
    if any(not columns for columns in wish.columns.values()):
        found["datasets"] = N_("A dataset needs at least one column.")
    if not _is_of_cadence(wish.first_period, wish.cadence):
        found["first_period"] = N_(
            "Write 2026-W47 for weeks, 2026-10 for months, 2026-Q4 for quarters, to match how often the series is built."
        )
    return found


def _is_of_cadence(name: str, cadence: str) -> bool:
    try:
        return periods.parse(name).cadence == cadence
    except ExportProblem:
        return False


def _how_problems(wish: Wish) -> dict[str, str]:
    """Return what is wrong with how it is kept and sent."""
    found: dict[str, str] = {}
    if not 1 <= wish.keep_days <= 3650:
        found["keep_days"] = N_("Give a number of days from 1 to 3650.")
    if wish.age_key:
        try:
            seal.check_recipients([wish.age_key])
        except ExportProblem:
            found["age_key"] = N_("This is no age public key: it begins with age1 and has 62 characters.")
    for target in wish.targets:
        if targets.problems_of(target):
            found["targets"] = N_("A delivery target is not complete.")
        elif target["kind"] != targets.EMAIL and not wish.age_key:
            found["age_key"] = N_("Packages are sent only encrypted: give the recipient's age public key.")
    return found


class WishRefused(ActProblem):
    """A wish with something wrong in it; `fields` says what, by field, and `reasons` what does not fit together."""

    def __init__(self, fields: dict[str, str], reasons: Sequence[Reason] = ()):
        super().__init__("series.refused", N_("Something is missing or wrong: see the fields."))
        self.fields, self.reasons = fields, reasons


@act("series.change")
def save_series(ctx: ActContext, series_id: int | None, wish: Wish, seen: str | None = None) -> Series:
    """Keep a series; what was released stays as it is, the change holds from the next release on."""
    problems = problems_of(wish)
    known = catalogue(ctx.session, ctx.centre_id)
    series = _existing(ctx, series_id)
    if series is not None:
        check_revision(ctx, seen, series, f"series/{series.id}", ("series.change",))
    key = series.key if series else _key(ctx, wish)
    text = compose(key, wish)
    reasons = () if problems else _recipe_reasons(text, known)
    if reasons:
        problems["datasets"] = N_("What was chosen cannot be released:")
    if wish.cadence != "quarter" and any(
        known.datasets[name].family == Family.PEOPLE for name in wish.columns if name in known.datasets
    ):
        problems["cadence"] = N_("Rows about people go out once a quarter at most.")
    if series and releases.of_series(ctx.session, series.id) and wish.cadence != series.cadence:
        problems["cadence"] = N_("How often a series is built cannot change. Create another series for that.")
    if problems:
        raise WishRefused(problems, reasons)
    if series is None:
        series = Series(
            centre_id=ctx.centre_id, key=key, secret=secrets.token_hex(32), title={}, recipe="", cadence="", first_period=""
        )
        ctx.session.add(series)
    series.title, series.recipe, series.recipient = wish.title, text, wish.recipient.strip()
    series.cadence, series.first_period, series.is_active = wish.cadence, wish.first_period, wish.is_active
    series.age_key, series.keep_days = wish.age_key, wish.keep_days
    series.agreement, series.targets = wish.agreement, wish.targets
    known_readers = {one.id for one in _evaluators(ctx)}
    series.readers = [reader for reader in wish.readers if reader in known_readers]
    ctx.session.flush()
    ctx.describe(f"series/{series.id}")
    return series


def _recipe_reasons(text: str, known: Catalogue) -> Sequence[Reason]:
    """Return what is wrong in a recipe and in the datasets that it reads."""
    try:
        read_recipe(text, known)
    except ExportProblem as problem:
        return problem.reasons
    return ()


def _key(ctx: ActContext, wish: Wish) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", f"{wish.recipient} {wish.cadence}".lower()).strip("-")[:34] or "series"
    taken = {one.key for one in releases.series_of(ctx.session, ctx.centre_id)}
    return next(key for number in range(1, 1000) if (key := plain if number == 1 else f"{plain}-{number}") not in taken)


@read_act("preview.see")
def preview_release(ctx: ActContext, series_id: int | None, wish: Wish) -> Preview:
    """Return what a release of the newest complete period would be; nothing is written, and nothing leaves.

    Raise WishRefused for a wish that is not complete, ExportProblem when the ledger is not whole.
    """
    if problems := _what_problems(wish):
        raise WishRefused(problems)
    existing = _existing(ctx, series_id)
    earlier = releases.of_series(ctx.session, existing.id) if existing else ()
    period = _period(ctx, wish.cadence)
    if any(one.period == period.name for one in earlier):
        period = period.following()  # the one that is running now, as far as it has come
    candidate = Series(
        id=existing.id if existing else 0,
        centre_id=ctx.centre_id,
        key=existing.key if existing else "preview",
        title=wish.title,
        recipe=compose(existing.key if existing else "preview", wish),
        cadence=wish.cadence,
        first_period=min(periods.parse(wish.first_period), period).name,
        secret="00" * 32,  # nothing of a preview leaves, so its order may be anybody's
        recipient=wish.recipient,
        agreement=wish.agreement,
    )
    from fieldapp.services.releases.gathering.gather import gather_release  # noqa: PLC0415 - the engine takes 100 MB; only a trial needs it here

    contents = gather_release(ctx.session, candidate, period, ctx.now)
    last = earlier[-1] if earlier else None
    return Preview(contents, period, last, {part.name: _first_rows(part.columns) for part in contents.datasets})


def _first_rows(columns: Mapping[str, Any]) -> list[list[str]]:
    words = list(columns.values())
    return [[one.values[one.codes[row]] for one in words] for row in range(min(SHOWN_ROWS, len(words[0].codes)))]


def level_examples(dataset: DatasetSpec, name: str, labels: Labels, language: str) -> list[str]:
    """Return what one value of a quasi-identifier becomes at each of its levels, in words; "*" where it is left out."""
    hierarchy = dataset.hierarchy(name)
    example = hierarchy.domain[0] if hierarchy.domain else "2026-10-15"
    found = hierarchy.labels(example)
    return [label if label == ALL else labels.value(dataset, name, label, language) for label in found]
