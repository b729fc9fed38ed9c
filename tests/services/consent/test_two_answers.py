"""The program's forms offer two noes: “nothing today” is about its record only, “no more” takes everything back."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.settings import Settings
from fieldapp.store.consent import standing as words
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.validation import validate
from sync.intake import local_time
from tests.cast import Cast, envelope
from tests.in_clear import everything
from tests.programme import definition_of
from tests.services.consent.refusals import CARD, NOT_ASKED, NOT_UNDERSTOOD, SAID_NO, YES, met, receive

TODAY = dt.datetime.combine(dt.date.today(), dt.time(22))
NO_MORE = {**SAID_NO, "tier_said": "-1", "no_more_sure": "yes"}


@pytest.fixture(autouse=True)
def can_end(session: Session, tmp_path: Path) -> None:
    """Let the centre end cards."""
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))


def talked(consent: dict[str, str], minutes: int = -60, **more: Any) -> dict[str, Any]:
    """Return an encounter with the person of the card, as a phone finishes it."""
    definition = definition_of("encounter")
    finished = validate(definition, {**met(YES), "consent": consent}, local_time(TODAY))
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    item = envelope(finished.answers, version=definition.version, finished_at=moment.isoformat(), **more)
    return item | ({"refused_by": finished.refused_by} if finished.refused_by else {})


def tiers(session: Session, cast: Cast) -> dict[str, int]:
    session.rollback()
    return dict(words.list_tiers(session, cast.centre.id))


@pytest.mark.parametrize("consent", [SAID_NO, NOT_UNDERSTOOD, NOT_ASKED], ids=["said so", "not understood", "not asked"])
def test_nothing_today_stores_nothing_and_leaves_what_the_person_said_before(
    session: Session, cast: Cast, consent: dict[str, str]
) -> None:
    receive(session, cast, talked(YES))
    before = tiers(session, cast)
    item = talked(consent, -10)
    assert "refused_by" not in item
    older_app = talked(consent, -5) | {"refused_by": CARD}  # an app that knows one kind of no
    assert receive(session, cast, item, older_app) == ["stored", "stored"]
    assert tiers(session, cast) == before == {CARD: 2}
    for no in session.scalars(sa.select(Submission).where(Submission.is_refusal)):
        assert CARD not in no.body and "risk_now" not in no.body
    assert len(session.scalars(sa.select(Record)).all()) == 3


def test_a_record_that_is_corrected_to_nothing_today_is_cut_and_the_card_keeps_its_consent(
    session: Session, cast: Cast
) -> None:
    receive(session, cast, talked(YES))
    second = talked(YES, -40)
    receive(session, cast, second)
    receive(session, cast, talked(SAID_NO, -10, root=second["id"], prev=[second["id"]]))
    assert tiers(session, cast) == {CARD: 2}
    record = session.scalars(sa.select(Record).where(Record.instance_id == second["id"])).one()
    assert set(record.answers) == {"what", "people", "consent"}


def test_nothing_today_that_cannot_be_used_holds_its_record_back_and_lowers_no_card(session: Session, cast: Cast) -> None:
    first = talked(YES)
    receive(session, cast, first)
    broken = talked(SAID_NO, -10, root=first["id"], prev=[first["id"]])
    body = broken["body"].replace('"check_in"', '"elephant"')
    broken = envelope(body, **{key: broken[key] for key in ("version", "finished_at", "root", "prev")})
    assert receive(session, cast, broken) == ["rejected"]
    assert tiers(session, cast) == {CARD: 2}
    assert session.scalars(sa.select(Record)).one().is_refused


def test_no_more_takes_everything_back(session: Session, cast: Cast) -> None:
    receive(session, cast, talked(YES))
    assert "CANARY" in everything(session)
    item = talked(NO_MORE, -10)
    assert item["refused_by"] == CARD
    receive(session, cast, item)
    assert tiers(session, cast).get(CARD, -1) == -1
    receive(session, cast, talked(YES, -5))  # whatever comes
    assert tiers(session, cast).get(CARD, -1) == -1
    stored = everything(session, "feed_item")  # what phones are told to forget goes later: test_ending.py
    assert [word for word in ("CANARY", "risk_now", CARD, f"{CARD[:4]}-{CARD[4:]}") if word in stored] == []


def test_no_more_without_the_second_answer_ends_no_card_until_an_admin_lets_it_in(session: Session, cast: Cast) -> None:
    receive(session, cast, talked(YES))
    hasty = talked({key: value for key, value in NO_MORE.items() if key != "no_more_sure"}, -10)
    assert receive(session, cast, hasty) == ["rejected"]
    assert "risk_now" in everything(session)
    assert tiers(session, cast) != {CARD: 2}  # it counts as no yes meanwhile


def test_no_more_is_offered_to_nobody_without_a_card(session: Session, cast: Cast) -> None:
    definition = definition_of("encounter")
    answers = {**met(YES), "people": {"who": "new_person"}, "consent": NO_MORE}
    found = validate(definition, answers, local_time(TODAY))
    assert "consent.tier_said" in {problem.path for problem in found.problems}
    assert found.refused_by == ""
