"""What goes to whom: release series, tried before they are kept; and taking a release back."""

from collections.abc import Sequence
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from evaluator_export.problems import ExportProblem, Reason
from fieldapp.services.keys import KeyLost
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases import downloads, retries
from fieldapp.services.releases import series as acts
from fieldapp.services.releases.series import OnePage, Preview, Wish, WishRefused
from fieldapp.services.revisions import Overtaken, revision_of
from fieldapp.services.transports.targets import EMAIL, NEEDED, S3, SFTP
from fieldapp.web import language
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.release_words import SERIES_PARTS, TARGET_FIELDS
from fieldapp.web.sessions import actor, session

# What may be left out of a target, beside what it needs.
OPTIONAL = {SFTP: ("port",), S3: ("prefix", "region"), EMAIL: ()}
MOST = 4000


@office.get("/series")
def series_list() -> Any:
    series, newest = acts.see_series(session(), actor())
    try:
        key = downloads.public_key(session(), actor().centre_id, current_app.config["SECRET_KEY"])
    except KeyLost:
        key = ""
    return render_template("releases/series_list.html", series=series, newest=newest, key=key)


@office.get("/series/new", defaults={"series_id": None})
@office.get("/series/<int:series_id>")
def series(series_id: int | None) -> Any:
    page = acts.open_series(session(), actor(), series_id=series_id)
    return _page(page, page.wish)


@office.post("/series/new", defaults={"series_id": None})
@office.post("/series/<int:series_id>")
def series_change(series_id: int | None) -> Any:
    """Try what was chosen, or keep it; either way what was typed stays on the page."""
    wish, who = _wish(), actor()
    is_trial = request.form.get("action") == "try"
    try:
        if is_trial:
            preview = acts.preview_release(session(), who, series_id=series_id, wish=wish)
            return _page(acts.open_series(session(), who, series_id=series_id), wish, preview=preview)
        saved = acts.save_series(session(), who, series_id=series_id, wish=wish, seen=seen())
    except Overtaken as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, overtaken=problem), STATUS[problem.code]
    except WishRefused as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, problems=problem.fields, unfit=problem.reasons), STATUS[problem.code]
    except ExportProblem as problem:
        page = acts.open_series(session(), who, series_id=series_id)
        return _page(page, wish, stopped=problem.reasons), STATUS["series.refused"]
    flash(gettext("Kept. It holds from the next release on."), "safe")
    return redirect(url_for("office.series", series_id=saved.id))


def _page(
    page: OnePage,
    wish: Wish,
    preview: Preview | None = None,
    problems: dict[str, str] | None = None,
    unfit: Sequence[Reason] = (),
    stopped: Sequence[Reason] = (),
    overtaken: Overtaken | None = None,
) -> Any:
    """Show the page with what was chosen. What was typed on an older page keeps that page's state until it is told."""
    now = revision_of(page.series) if page.series else ""
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
        leaving=acts.leaving,
        thresholds=acts.THRESHOLDS,
        overtaken=overtaken,
        differing=_differing(wish, page.wish) if overtaken else [],
        revision=now if overtaken or request.method == "GET" else seen(),
    )


def _differing(typed: Wish, kept: Wish) -> list[tuple[str, str, str]]:
    """Return what differs: the name of a part, how it is kept now, how it was typed."""
    found = []
    for name, words in SERIES_PARTS.items():
        now, here = getattr(kept, name), getattr(typed, name)
        if now != here:
            found.append((gettext(words), _plain(now), _plain(here)))
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_plain(one)}" for key, one in value.items() if one)
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value) or "–"
    return str(value) or "–"


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:MOST]


def _number(name: str, otherwise: int) -> int:
    text = _text(name)
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise


def _wish() -> Wish:
    """Return what was chosen; anything that is not among the choices is left for the act to refuse."""
    datasets = request.form.getlist("use")
    coarser: dict[str, dict[str, int]] = {}
    for name in datasets:
        prefix = f"level:{name}:"
        chosen = {field.removeprefix(prefix): _number(field, 0) for field in request.form if field.startswith(prefix)}
        coarser[name] = {column: level for column, level in chosen.items() if level}
    targets = []
    for kind, fields in NEEDED.items():
        target = {field: _text(f"{kind}_{field}") for field in (*fields, *OPTIONAL[kind])}
        if any(target.values()):
            targets.append({"kind": kind, **{field: value for field, value in target.items() if value}})
    return Wish(
        title={code: _text(f"title_{code}") for code in ("en", "fr")},
        purpose={code: _text(f"purpose_{code}") for code in ("en", "fr")},
        recipient=_text("recipient")[:120],
        audience=_text("audience"),
        cadence=_text("cadence"),
        first_period=_text("first_period"),
        threshold=_number("threshold", 0),
        columns={name: request.form.getlist(f"column:{name}") for name in datasets},
        coarser=coarser,
        tables=request.form.getlist("table"),
        age_key=_text("age_key"),
        keep_days=_number("keep_days", 0),
        agreement={
            "reference": _text("reference"),
            "ends_on": _text("ends_on"),
            "approvals": [line.strip() for line in _text("approvals").splitlines() if line.strip()],
        },
        targets=targets,
        readers=[int(one) for one in request.form.getlist("reader") if one.isdecimal() and len(one) < 10],
        is_active=_text("is_active") == "yes",
    )


@office.post("/releases/<int:release_id>/revoke")
def release_revoke(release_id: int) -> Any:
    try:
        downloads.revoke_release(session(), actor(), release_id=release_id, because=_text("because"), seen=seen())
    except ActProblem as problem:
        if problem.code != "release.no_reason":
            raise
        flash(gettext(problem.text), "danger")
        return redirect(url_for("evaluator.shelf"))
    downloads.remove_fallen(session(), current_app.config["SETTINGS"].packages)
    flash(gettext("Revoked. Nobody can fetch it any more; tell the recipients to delete their copies."), "wait")
    return redirect(url_for("evaluator.shelf"))


@office.post("/releases/runs/<int:run_id>/retry")
def release_retry(run_id: int) -> Any:
    retries.retry_release(session(), actor(), run_id=run_id)
    flash(gettext("It is built again at the scheduler's next turn, in about a minute."), "safe")
    return redirect(url_for("evaluator.shelf"))


@office.post("/releases/deliveries/<int:delivery_id>/retry")
def delivery_retry(delivery_id: int) -> Any:
    retries.retry_delivery(session(), actor(), delivery_id=delivery_id)
    flash(gettext("It is sent again in about a minute."), "safe")
    return redirect(url_for("evaluator.shelf"))
