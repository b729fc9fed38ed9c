"""Pages that had another address before version 0.7.

People have bookmarks of them, and pages that were open during an upgrade still post to them.
"""

from urllib.parse import quote

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fieldapp.web.office.blueprint import office

FORMER = {"encounters": "records", "attention": "review", "figures": "numbers", "password": "account"}
FORMER_ENDS = {"settle": "dismiss"}  # of an address under one of these


@office.route("/encounters", methods=["GET", "POST"])
@office.route("/encounters.zip", methods=["GET", "POST"])
@office.route("/encounters/<path:rest>", methods=["GET", "POST"])
@office.route("/attention", methods=["GET", "POST"])
@office.route("/attention/<path:rest>", methods=["GET", "POST"])
@office.route("/figures", methods=["GET", "POST"])
@office.route("/password", methods=["GET", "POST"])
def moved(rest: str = "") -> ResponseReturnValue:
    """Say where a page is now; who may see it is asked there."""
    address = request.script_root + quote(find_new_path(request.path))
    query = request.query_string.decode("ascii", "ignore")
    # 308 and not 301: what a form sent goes along, and stays a POST.
    return redirect(f"{address}?{query}" if query else address, 308)


def find_new_path(path: str) -> str:
    """Return where a page is now, by its former path in the office.

    Example:
        find_new_path("/office/attention/7/settle")  # "/office/review/7/dismiss"
    """
    start, former, *rest = path.removeprefix("/").split("/")
    name, dot, extension = former.partition(".")
    if rest and former == "attention":
        rest[-1] = FORMER_ENDS.get(rest[-1], rest[-1])
    return "/" + "/".join([start, f"{FORMER[name]}{dot}{extension}", *rest])
