"""“Confirm that it is you”: a page before something grave, with all that was typed.

After the second step the browser sends again, unchanged, what it had sent; that needs no script.
"""

from flask import render_template, request, url_for

from fieldapp.web import second_steps, sign_on
from fieldapp.web.sessions import actor

OWN_FIELDS = {"csrf_token", "confirm_code", "passkey_answer"}
# Where one goes on after a file: a download leaves the browser on the page that it was on.
AFTER_FILE = {"office.records_zip": "office.records", "evaluator.package": "evaluator.shelf"}


def page() -> tuple[str, int]:
    """Return the page that asks before this request is carried out."""
    back = AFTER_FILE.get(request.endpoint or "")
    how = "get" if request.method == "GET" else "post"
    return render(request.full_path.rstrip("?"), how, url_for(back) if back else "", ""), 403


def render(to: str, how: str, back: str, problem: str) -> str:
    """Return the page that asks.

    `to` is the address of what was asked for, `how` its method, `back` the page to go on with.
    """
    typed = [field for field in request.form.items(multi=True) if field[0] not in OWN_FIELDS]
    who = actor()
    ways = second_steps.list_for_page(who)
    page = {"to": to, "how": how, "back": back, "problem": problem, "kept": typed, **ways}
    return render_template("confirm.html", by_sign_on=sign_on.can_confirm(who), **page)
