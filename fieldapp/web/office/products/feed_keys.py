"""Keys for the feed that Power BI and Excel read."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.problems import ActProblem
from fieldapp.services.products.odata import keys as acts
from fieldapp.web.office.blueprint import office
from fieldapp.web.overtaken import seen
from fieldapp.web.parsing import parse_number
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session


@office.get("/feed")
def feed_keys() -> ResponseReturnValue:
    return _page()


@office.post("/feed")
def feed_key_make() -> ResponseReturnValue:
    series_id = parse_number(request.form.get("series", ""))
    try:
        new_key = acts.make_key(session(), actor(), series_id=series_id, label=request.form.get("label", ""))
    except ActProblem as problem:
        if problem.code == "second_factor.needed":
            raise
        return _page(problem=gettext(problem.text)), STATUS[problem.code]
    return _page(new_key=new_key), 201


@office.post("/feed/<int:key_id>/revoke")
def feed_key_revoke(key_id: int) -> ResponseReturnValue:
    acts.revoke_key(session(), actor(), key_id=key_id, seen=seen())
    return redirect(url_for("office.feed_keys"))


def _page(new_key: str = "", problem: str = "") -> str:
    page = acts.list_keys(session(), actor())
    address = url_for("odata.service", _external=True)
    return render_template("products/feed_keys.html", page=page, new_key=new_key, problem=problem, address=address)
