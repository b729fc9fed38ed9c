"""What the pages of a record and of a refused submission do alike: erase it for good."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.consent.withdrawals import view_withdrawal
from fieldapp.services.problems import ActProblem
from fieldapp.web.sessions import actor, session


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
    if withdrawal_id and view_withdrawal(session(), actor(), withdrawal_id=withdrawal_id).has_held:
        text = gettext(
            "The record is preserved for legal reasons: it went out of every list, and is erased when that is over."
        )
        flash(text, "wait")
    else:
        flash(gettext("The record is erased."), "safe")
    if not withdrawal_id:
        return redirect(after)
    return redirect(url_for("office.withdrawal", withdrawal_id=withdrawal_id))
