"""Lines of the audit log from before acts were renamed: they stay as they were written, and are shown in words."""

import datetime as dt
import html
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.access import FORMER_ACTS
from fieldapp.services.acts import ActContext, utcnow
from fieldapp.services.revisions import last_change
from fieldapp.settings import Settings
from fieldapp.store.operations import audit
from fieldapp.store.operations.audit import AuditLine
from fieldapp.web.office.operations.words import ACTS
from tests.cast import Cast
from tests.opening import open_engine


def write_line(session: Session, cast: Cast, act: str, at: dt.datetime) -> None:
    audit.add(session, [AuditLine(at, act, cast.centre.id, cast.rosa.user_id, target="card/1")])


def test_every_former_act_is_shown_in_words(
    settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    with Session(open_engine(settings)) as session:
        for act in FORMER_ACTS:
            write_line(session, web_cast, act, utcnow())
        session.commit()
    page = html.unescape(client_of("rosa").get("/office/system").text).replace("’", "'")
    for former, act in FORMER_ACTS.items():
        assert former not in page
        assert ACTS[act] in page


def test_who_was_faster_is_found_also_by_the_former_name_of_what_they_did(session: Session, cast: Cast) -> None:
    now = utcnow()
    write_line(session, cast, "card.assign", now)
    change = last_change(ActContext(session, cast.rosa, now), "card/1", ("card.hand_over",))
    assert change is not None
    assert change.act == "card.assign"
    write_line(session, cast, "card.hand_over", now)
    change = last_change(ActContext(session, cast.rosa, now), "card/1", ("card.hand_over",))
    assert change is not None
    assert change.act == "card.hand_over"
    assert last_change(ActContext(session, cast.rosa, now), "card/1", ("record.review",)) is None
