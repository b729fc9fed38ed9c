"""The log of who did what: who looked is in it, it can be searched and taken away, and other centres are not in it."""

import csv
import datetime as dt
import html
import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.settings import Settings
from fieldapp.store.operations.audit import AuditEvent
from tests.cast import Cast
from tests.opening import open_engine

LOG = "/office/system/log"


def read_views(settings: Settings, cast: Cast) -> list[tuple[str, str, dict[str, object]]]:
    """Return the lines of the admin's looking, in order."""
    with Session(open_engine(settings)) as session:
        query = sa.select(AuditEvent).where(AuditEvent.actor_id == cast.rosa.user_id, ~AuditEvent.act.startswith("sign_in"))
        return [(line.act, line.target, line.details) for line in session.scalars(query.order_by(AuditEvent.id))]


def test_only_admins_look_through_the_log(client_of: Callable[[str], FlaskClient]) -> None:
    assert client_of("eve").get(LOG).status_code == 403
    assert client_of("eve").post(f"{LOG}.csv").status_code in (400, 403)


@pytest.mark.parametrize(
    ("page", "act", "target"),
    [
        ("/office/records?worker=1&since=2026-01-01", "records.browse", "records"),
        ("/office/review", "records.browse", "review queue"),
        ("/office/board", "board.view", "board"),
        ("/office/caseload", "caseload.list", "caseload"),
        ("/office/map", "map.view", "map/week"),
        ("/office/system", "system.view", "system"),
        (f"{LOG}?act=form.publish", "audit.view", "audit"),
    ],
)
def test_who_looks_at_people_leaves_a_line_with_filter_and_count_once(
    settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient], page: str, act: str, target: str
) -> None:
    rosa = client_of("rosa")
    for _ in range(3):
        answer = rosa.get(page, follow_redirects=True)
        assert answer.status_code == 200, page
    views = [view for view in read_views(settings, web_cast) if view[:2] == (act, target)]
    assert len(views) == 1
    details = views[0][2]
    if target == "records":
        assert details == {"author_id": "1", "since": "2026-01-01", "shown": 0}
    if target == "audit":
        assert (details["act"], details["shown"]) == ("form.publish", 2)


def test_the_log_is_searched_by_act_person_and_day(web_cast: Cast, client_of: Callable[[str], FlaskClient]) -> None:
    rosa = client_of("rosa")
    assert html.unescape(rosa.get(LOG).text).count("A form was published") >= 2
    page = html.unescape(rosa.get(f"{LOG}?act=device.enrol").text)
    assert "A phone signed in" in page.partition("<tbody>")[2]
    assert "A form was published" not in page.partition("<tbody>")[2]
    tomorrow = dt.date.today() + dt.timedelta(days=2)
    assert "No line matches" in rosa.get(f"{LOG}?since={tomorrow}").text
    assert "No line matches" in rosa.get(f"{LOG}?who=999999").text
    assert rosa.get(f"{LOG}?since=nonsense&until=9999-12-31&before=x").status_code == 200


def test_what_is_taken_away_is_all_that_matches_and_leaves_a_line(
    settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    rosa = client_of("rosa")
    page = rosa.get(f"{LOG}?act=form.publish")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = rosa.post(f"{LOG}.csv?act=form.publish", data={"csrf_token": token})
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert {row["act"] for row in rows} == {"form.publish"}
    assert all(len(row["link"]) == 64 for row in rows)
    last = read_views(settings, web_cast)[-1]
    assert last == ("audit.export", "audit", {"act": "form.publish", "lines": len(rows)})
