"""The page of what is erased when, and of records that are preserved."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext

from fieldapp.services.consent import retention as acts
from fieldapp.services.problems import ActProblem
from fieldapp.web.office.blueprint import office
from fieldapp.web.sessions import actor, session


@office.get("/system/retention")
def retention() -> Any:
    page = acts.view_retention(session(), actor())
    return render_template("operations/retention.html", page=page, me=actor().user_id)


@office.post("/system/retention/<int:plan_id>/delay")
def retention_delay(plan_id: int) -> Any:
    reason = request.form.get("because", "")
    return _answer(
        lambda: acts.delay_plan(session(), actor(), plan_id=plan_id, reason=reason),
        gettext("Done. It goes 30 days later, and everybody here can read why."),
    )


@office.post("/system/retention/hold")
def retention_hold() -> Any:
    root_id = request.form.get("record", "").strip()[:36]
    reference = request.form.get("reference", "")
    until = _read_day("until")

    def preserve() -> str | None:
        if acts.make_hold(session(), actor(), root_id=root_id, reference=reference, until=until):
            return None
        text: str = gettext("This record was preserved before, so another administrator has to agree first.")
        return text

    return _answer(
        preserve,
        gettext("Done. Nothing of this record is erased for 14 days. It goes on when another administrator agrees here."),
    )


@office.post("/system/retention/hold/<int:hold_id>/confirm")
def retention_hold_confirm(hold_id: int) -> Any:
    return _answer(
        lambda: acts.confirm_hold(session(), actor(), hold_id=hold_id),
        gettext("Done. Nothing of this record is erased until its last day."),
    )


@office.post("/system/retention/hold/<int:hold_id>/shorten")
def retention_hold_shorten(hold_id: int) -> Any:
    until = _read_day("until")
    reason = request.form.get("because", "")
    return _answer(
        lambda: acts.shorten_hold(session(), actor(), hold_id=hold_id, until=until, reason=reason),
        gettext("Done. It ends earlier once another administrator agrees here."),
    )


@office.post("/system/retention/hold/<int:hold_id>/shorten/agree")
def retention_hold_shorten_agree(hold_id: int) -> Any:
    return _answer(
        lambda: acts.agree_to_shorten(session(), actor(), hold_id=hold_id, until=_read_day("until")),
        gettext("Done. The record is preserved until the earlier day only."),
    )


@office.post("/system/retention/day")
def retention_day() -> Any:
    return _answer(
        lambda: acts.confirm_day(session(), actor(), day=_read_day("day")),
        gettext("Done. What is due goes on within the hour."),
    )


def _read_day(name: str) -> dt.date:
    """Return a day that was typed; when it is none, one that every act refuses."""
    try:
        return dt.date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return dt.date.min


def _answer(do: Callable[[], str | None], text: str) -> Any:
    """Do something and say that it was done, or why not; either way on the page.

    `text` is said where what was done returns no other text.
    """
    try:
        other_text = do()
    except ActProblem as problem:
        if problem.code.split(".")[0] not in ("retention", "hold"):
            raise
        flash(gettext(problem.text), "danger")
    else:
        flash(other_text or text, "safe")
    return redirect(url_for("office.retention"))
