"""Data releases: what a recipient gets, with a preview; revoke or repeat a release."""

from collections.abc import Sequence
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from evaluator_export.problems import ExportProblem, Reason
from fieldapp.services.keys import KeyUnavailable
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases import downloads, retries, withdrawals_page
from fieldapp.services.releases import series as acts
from fieldapp.services.releases.series import ReleasePreview, SeriesPage
from fieldapp.services.releases.series_input import SeriesInput, SeriesRefused, list_releasable_columns
from fieldapp.services.revisions import Overtaken, revision_of
from fieldapp.services.transports.targets import EMAIL, NEEDED, S3, SFTP
from fieldapp.web import language
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.release_words import SERIES_PARTS, TARGET_FIELDS
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, session

# What may be left out of a target, beside what it needs.
OPTIONAL = {SFTP: ("port",), S3: ("prefix", "region"), EMAIL: ()}
MAX_LENGTH = 4000


@office.get("/series")
def series_list() -> ResponseReturnValue:
    series, newest = acts.list_series(session(), actor())
    try:
        key = downloads.public_key(session(), actor().centre_id, server_secret())
    # The page is of use without the key; recipients just cannot be told it now.
    except KeyUnavailable:
        key = ""
    return render_template("releases/series_list.html", series=series, newest=newest, key=key)


@office.get("/series/new", defaults={"series_id": None})
@office.get("/series/<int:series_id>")
def series(series_id: int | None) -> ResponseReturnValue:
    page = acts.open_series(session(), actor(), series_id=series_id)
    return _page(page, page.series_input)


@office.post("/series/new", defaults={"series_id": None})
@office.post("/series/<int:series_id>")
def series_change(series_id: int | None) -> ResponseReturnValue:
    """Preview what was chosen, or save it; either way what was typed stays on the page."""
    wish = _read_wish()
    who = actor()
    is_trial = request.form.get("action") == "try"
    try:
        if is_trial:
            preview = acts.preview_release(session(), who, series_id=series_id, series_input=wish)
            # A trial writes nothing, so it needs no revision either.
            return _page(acts.open_series(session(), who, series_id=series_id), wish, preview=preview)
        saved = acts.save_series(session(), who, series_id=series_id, series_input=wish, seen=seen())
    # What was typed stays on the page beside what a colleague saved.
    except Overtaken as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, overtaken=problem), STATUS[problem.code]
    except SeriesRefused as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, problems=problem.fields, unfit=problem.reasons), STATUS[problem.code]
    except ExportProblem as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, stopped=problem.reasons), STATUS["series.refused"]
    flash(gettext("Saved. It applies from the next data release on."), "safe")
    return redirect(url_for("office.series", series_id=saved.id))


def _page(
    page: SeriesPage,
    wish: SeriesInput,
    preview: ReleasePreview | None = None,
    problems: dict[str, str] | None = None,
    unfit: Sequence[Reason] = (),
    stopped: Sequence[Reason] = (),
    overtaken: Overtaken | None = None,
) -> str:
    """Show the page with what was chosen.

    It carries the revision it was first shown with, so that a change in the meantime is noticed when it is saved.
    """
    revision = seen()
    # The revision that the page was first shown with, also after a trial: else a trial would hide a
    # change of a colleague.
    if overtaken or request.method == "GET":
        revision = ""
        if page.series:
            revision = revision_of(page.series)
    return render_template(
        "releases/series.html",
        page=page,
        wish=wish,
        preview=preview,
        problems=problems or {},
        unfit=unfit,
        stopped=stopped,
        needed=NEEDED,
        optional=OPTIONAL,
        target_fields=TARGET_FIELDS,
        levels=lambda dataset, name: acts.level_examples(dataset, name, page.labels, language.current()),
        labels=page.labels,
        leaving=list_releasable_columns,
        thresholds=acts.THRESHOLDS,
        overtaken=overtaken,
        differing=_list_differences(wish, page.series_input) if overtaken else [],
        revision=revision,
    )


def _list_differences(typed: SeriesInput, saved: SeriesInput) -> list[tuple[str, str, str]]:
    """Return what differs: the name of a part, how it is saved, how it was typed."""
    differences = []
    for name, words in SERIES_PARTS.items():
        before = getattr(saved, name)
        after = getattr(typed, name)
        if before != after:
            differences.append((gettext(words), _write_part(before), _write_part(after)))
    return differences


def _write_part(value: Any) -> str:
    """Return a part of a series as plain text; a dash when there is none."""
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_write_part(part)}" for key, part in value.items() if part)
    if isinstance(value, list):
        return ", ".join(_write_part(part) for part in value) or "–"
    return str(value) or "–"


def _read_text(name: str) -> str:
    # Cut: nothing that long is meant, and it would be written into a recipe.
    return request.form.get(name, "").strip()[:MAX_LENGTH]


def _read_lines(name: str) -> list[str]:
    lines = [line.strip() for line in _read_text(name).splitlines()]
    return [line for line in lines if line]


def _read_number(name: str, otherwise: int) -> int:
    text = _read_text(name)
    if text.isdecimal() and len(text) < 7:
        return int(text)
    return otherwise


def _read_wish() -> SeriesInput:
    """Return what was chosen; what is not among the choices is left for the act to refuse."""
    datasets = request.form.getlist("use")
    return SeriesInput(
        title={code: _read_text(f"title_{code}") for code in language.LANGUAGES},
        purpose={code: _read_text(f"purpose_{code}") for code in language.LANGUAGES},
        recipient=_read_text("recipient")[:120],
        audience=_read_text("audience"),
        cadence=_read_text("cadence"),
        first_period=_read_text("first_period"),
        threshold=_read_number("threshold", 0),
        columns={name: request.form.getlist(f"column:{name}") for name in datasets},
        coarser={name: _read_levels(name) for name in datasets},
        tables=request.form.getlist("table"),
        age_key=_read_text("age_key"),
        keep_days=_read_number("keep_days", 0),
        agreement={
            "reference": _read_text("reference"),
            "ends_on": _read_text("ends_on"),
            "approvals": _read_lines("approvals"),
        },
        targets=_read_targets(),
        readers=[int(text) for text in request.form.getlist("reader") if text.isdecimal() and len(text) < 10],
        is_active=_read_text("is_active") == "yes",
    )


def _read_levels(dataset: str) -> dict[str, int]:
    """Return the level that was chosen for each column of a dataset; full detail is left out."""
    prefix = f"level:{dataset}:"
    fields = [field for field in request.form if field.startswith(prefix)]
    levels = {field.removeprefix(prefix): _read_number(field, 0) for field in fields}
    return {column: level for column, level in levels.items() if level}


def _read_targets() -> list[dict[str, str]]:
    """Return where a package is sent: each kind of which at least one field was filled in."""
    targets = []
    for kind, needed in NEEDED.items():
        # An empty form of a target means that it is not wanted.
        fields = {field: _read_text(f"{kind}_{field}") for field in (*needed, *OPTIONAL[kind])}
        filled = {field: text for field, text in fields.items() if text}
        if filled:
            targets.append({"kind": kind, **filled})
    return targets


@office.get("/releases/withdrawals")
def withdrawals() -> ResponseReturnValue:
    return render_template("releases/withdrawals.html", page=withdrawals_page.view_withdrawals(session(), actor()))


@office.post("/releases/<int:release_id>/revoke")
def release_revoke(release_id: int) -> ResponseReturnValue:
    try:
        downloads.revoke_release(session(), actor(), release_id=release_id, because=_read_text("because"), seen=seen())
    except ActProblem as problem:
        # Only this one is something that the reader can correct on the page; others have their own
        # status and words.
        if problem.code != "release.no_reason":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("evaluator.shelf"))
    # At once and not at the scheduler's next turn: it was revoked for a reason.
    downloads.delete_expired_packages(session(), current_app.config["SETTINGS"].packages)
    flash(gettext("Revoked. No one can download the release any more; ask the recipients to delete their copies."), "wait")
    return redirect(url_for("evaluator.shelf"))


@office.post("/releases/runs/<int:run_id>/retry")
def release_retry(run_id: int) -> ResponseReturnValue:
    retries.retry_release(session(), actor(), run_id=run_id)
    flash(gettext("It is built again at the scheduler's next turn, in about a minute."), "safe")
    return redirect(url_for("evaluator.shelf"))


@office.post("/releases/deliveries/<int:delivery_id>/retry")
def delivery_retry(delivery_id: int) -> ResponseReturnValue:
    retries.retry_delivery(session(), actor(), delivery_id=delivery_id)
    flash(gettext("It is sent again in about a minute."), "safe")
    return redirect(url_for("evaluator.shelf"))
