"""What the pages of a record and of a refused submission do alike: erase it for good."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.problems import ActProblem


def erase_for_reason(erase: Callable[[str], str], page: str, after: str) -> ResponseReturnValue:
    """Erase for the reason that was entered, and lead to what becomes of it.

    `erase` takes the reason and returns the id of the withdrawal that it began; "" for none, and then `after` is
    shown. Where it is refused, `page` says why.
    """
    try:
        withdrawal_id = erase(request.form.get("reason", ""))
    except ActProblem as problem:
        if not problem.code.startswith(("erase.", "consent.")):
            raise
        flash(gettext(problem.text), "danger")
        return redirect(page)
    flash(gettext("The record is erased."), "safe")
    if not withdrawal_id:
        return redirect(after)
    return redirect(url_for("office.withdrawal", withdrawal_id=withdrawal_id))
