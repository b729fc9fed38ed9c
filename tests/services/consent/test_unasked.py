"""The phone knew what stands and asked nobody: the record goes as far as that, and says nothing itself."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent import refusals, unasked
from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.quarantine import let_in
from fieldapp.store.consent import standing as words
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.budget import TooSlow
from forms.validation import validate
from sync import intake
from sync.envelope import parse_batch
from tests.cast import Cast, batch, envelope, publish_others
from tests.in_clear import everything
from tests.services.caseload.meetings import code, knows
from tests.services.consent.consents import (
    APRIL,
    JULY,
    JUNE,
    MAY,
    ONE,
    consent,
    corrected,
    filled,
    knowing,
    met,
    send,
    told,
)
from tests.services.records.phone import Phone
from tests.services.records.shutting_out import shut_out

NOTE = "will be at the arena on friday"
FEW = 20
GENDER = "two_spirit"  # needs a yes to level 2


def deliver(session: Session, cast: Cast, item: dict[str, Any]) -> tuple[str, set[str]]:
    """Return what became of a record, and the codes of what is wrong with it."""
    [answer] = receive_batch(session, cast.amina, parse_batch(batch(item)))
    session.rollback()
    return answer["status"], {problem["code"] for problem in answer.get("problems", ())}


def review(tier: str) -> dict[str, Any]:
    """Return the review of a participant of whom the phone knows what stands."""
    answers = {
        "start": {"kind": "review", "code": ONE},
        "arrival": {"month_in": f"{JUNE:%Y-%m-01}"},
        "consent": consent(tier, "as_before"),
        "about": {"age_band": "16-19", "gender": GENDER, "school_work": "school", "housing": "stable"},
        "risks": {"risk_level": "high", "feel_safe": "sometimes"},
        "plan": {"needs": "employment"},
    }
    return filled("participant", answers, JUNE)


def find_body(session: Session, item: dict[str, Any]) -> dict[str, Any]:
    query = sa.select(Submission.body).where(Submission.instance_id == item["id"])
    body: dict[str, Any] = json.loads(session.scalars(query).one())
    return body


def list_statements(session: Session, cast: Cast) -> list[str]:
    session.rollback()
    return sorted(word.root_id for word in words.list_words_said(session, cast.centre.id, ONE))


def test_nothing_is_stored_of_a_yes_that_the_centre_does_not_know(session: Session, cast: Cast) -> None:
    item = met(ONE, APRIL, "2", "as_before")
    assert deliver(session, cast, item) == ("rejected", {"consent.nothing_stands"})
    assert ONE not in everything(session)
    assert words.list_tiers(session, cast.centre.id, [ONE]) == {}


def test_nor_where_a_no_stands(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=0, reason="in_person")
    item = met(ONE, MAY, "3", "as_before")
    assert deliver(session, cast, item) == ("rejected", {"consent.stands_at_no"})
    assert "risk_now" not in json.dumps(find_body(session, item))


def test_it_is_no_statement_and_moves_nothing_up_or_down(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "2")
    send(session, cast, first)
    before = told(session)
    less = met(ONE, MAY, "1", "as_before")
    more = met(ONE, JUNE, "3", "as_before")
    same = met(ONE, JULY, "2", "as_before")
    for item in (less, more, same):
        assert deliver(session, cast, item) == ("stored", set())
        assert told(session) == before
        assert list_statements(session, cast) == [first["id"]]
    tiers = [find_body(session, item)["consent"]["tier"] for item in (less, more, same)]
    assert tiers == ["1", "2", "2"]  # its own: what the phone showed, and never more than stands
    records = session.scalars(sa.select(Record).where(Record.person == ONE).order_by(Record.id)).all()
    assert [record.answers["consent"]["tier_said"] for record in records] == ["2", "1", "2", "2"]


def test_what_was_lowered_meanwhile_is_cut_as_it_arrives(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=1, reason="in_person")
    item = review("3")
    assert GENDER in item["body"]
    assert deliver(session, cast, item) == ("stored", set())
    assert GENDER not in everything(session)
    body = find_body(session, item)
    assert body["consent"] == {"known_tier": "1", "said": "as_before", "tier_said": "1", "tier": "1"}
    assert body["about"]["age_band"] == "16-19"
    assert deliver(session, cast, item) == ("duplicate", set())  # sent again it is known
    assert GENDER not in everything(session)


def test_where_two_answers_differ_the_lower_one_is_the_limit(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"), met(ONE, MAY, "1"))
    assert told(session)["doubt"]
    item = met(ONE, JUNE, "3", "as_before")
    assert deliver(session, cast, item) == ("stored", set())
    assert find_body(session, item)["consent"]["tier_said"] == "1"


def test_a_correction_is_cut_as_well_and_asking_in_it_counts(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    item = met(ONE, APRIL, "3", "as_before")
    send(session, cast, item)
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=1, reason="in_person")
    again = corrected(item, APRIL + dt.timedelta(days=1), "3", "as_before")
    assert deliver(session, cast, again) == ("stored", set())
    assert find_body(session, again)["consent"]["tier_said"] == "1"
    asked = corrected(item, APRIL + dt.timedelta(days=2), "0") | {"prev": [again["id"]]}
    assert deliver(session, cast, asked)[0] == "stored"
    assert words.list_tiers(session, cast.centre.id, [ONE])[ONE] <= 1


def test_one_that_breaks_a_rule_lowers_nothing(session: Session, cast: Cast) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    answers = json.loads(met(ONE, MAY, "1", "as_before")["body"])
    answers["talk"]["people_n"] = "900"
    assert deliver(session, cast, envelope(answers, day=MAY))[0] == "rejected"
    assert words.list_tiers(session, cast.centre.id, [ONE]) == {ONE: 3}


def test_one_that_waited_is_cut_when_it_is_accepted(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    phone = Phone(session, cast)
    shut_out(phone, "lock")
    about = review("3")
    sealing = {key: about[key] for key in ("form", "version", "finished_at")}
    assert phone.statuses(phone.seal(json.loads(about["body"]), **sealing)) == ["rejected"]
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=1, reason="in_person")
    session.rollback()
    waiting = session.scalars(sa.select(Submission.id).where(Submission.form == "participant")).one()
    session.rollback()
    let_in(session, cast.rosa, [waiting])
    session.rollback()
    record = session.scalars(sa.select(Record).where(Record.form == "participant")).one()
    assert record.answers["consent"]["tier_said"] == "1"
    assert GENDER not in everything(session)


def test_somebody_without_a_card_is_always_asked(session: Session, cast: Cast) -> None:
    answers = json.loads(met(ONE, APRIL, "2", "as_before")["body"])
    answers["people"] = {"who": "new_person"}
    assert deliver(session, cast, envelope(answers, day=APRIL))[0] == "rejected"


@pytest.mark.usefixtures("one_no")
def test_asked_before_of_an_older_form_means_what_it_meant(session: Session, cast: Cast) -> None:
    other = code(9)
    send(session, cast, met(other, APRIL, "3"))
    send(session, cast, knowing(session, met(other, MAY, "1", "earlier"), other))
    assert words.list_tiers(session, cast.centre.id, [other]) == {other: 1}


# ── what cannot be used is stored as well, so it is cut as well ──


def lower(session: Session, cast: Cast, tier: int) -> None:
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=ONE), tier=tier, reason="in_person")
    session.rollback()


def breaking(tier: str = "3", **more: str) -> dict[str, Any]:
    """Return a talk as before with a note, that breaks a rule of its form."""
    answers = json.loads(met(ONE, MAY, tier, "as_before")["body"])
    answers["talk"]["people_n"] = "900"
    answers["next"]["note"] = NOTE
    answers["consent"] |= more
    return envelope(answers, day=MAY, due=f"{uuid.uuid4()}/2026-05-20", cards=[ONE])


def find_rows(session: Session) -> list[Submission]:
    session.rollback()
    return list(session.scalars(sa.select(Submission).order_by(Submission.id)))


@pytest.mark.parametrize("stands", [None, 0])
def test_a_broken_rule_stores_no_more_than_a_kept_one(session: Session, cast: Cast, stands: int | None) -> None:
    code = "consent.nothing_stands"
    if stands is not None:
        send(session, cast, met(ONE, APRIL, "3"))
        lower(session, cast, stands)
        code = "consent.stands_at_no"
    item = breaking()
    assert deliver(session, cast, item) == ("rejected", {code})
    assert deliver(session, cast, item)[0] == "duplicate"
    row = find_rows(session)[-1]
    assert row.body == '{"what":{"contact_type":"check_in"},"people":{"who":"enrolled"},"consent":{}}'
    assert (row.due, row.cards, row.state) == ("", [], "rejected")
    assert NOTE not in everything(session)


@pytest.mark.parametrize("stands", [None, 0])
@pytest.mark.parametrize("is_right", [True, False])
def test_the_worker_is_told_why_and_the_correction_asks(
    session: Session, cast: Cast, stands: int | None, is_right: bool
) -> None:
    code = "consent.nothing_stands"
    if stands is not None:
        send(session, cast, met(ONE, APRIL, "3"))
        lower(session, cast, stands)
        code = "consent.stands_at_no"
    item = met(ONE, MAY, "3", "as_before") if is_right else breaking()
    deliver(session, cast, item)
    message = knows(session, cast.amina)[f"rec/{item['id']}"]
    session.rollback()
    assert message["problems"] == [{"code": code, "path": ""}]
    assert message["answers"]["consent"] == {}  # no level, and no “as before”: somebody has to be asked
    assert message["answers"]["what"] == {"contact_type": "check_in"}
    yes = met(ONE, MAY, "2", root=item["id"], prev=[item["id"]])
    assert deliver(session, cast, knowing(session, yes, ONE) if stands is not None else yes) == ("stored", set())
    assert words.list_tiers(session, cast.centre.id, [ONE]) == {ONE: 2}
    session.rollback()
    assert f"rec/{item['id']}" not in knows(session, cast.amina)


@pytest.mark.parametrize("tier", ["9.5", "all", "-5", ""])
def test_nor_does_a_level_that_is_none(session: Session, cast: Cast, tier: str) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast, 0)
    assert deliver(session, cast, breaking("3", tier_said=tier))[0] == "rejected"
    assert NOTE not in everything(session)


def test_a_broken_rule_is_stored_as_far_as_what_stands(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast, 1)
    item = review("3")
    answers = json.loads(item["body"])
    answers["plan"]["needs"] = "nonsense"
    item = filled("participant", answers, JUNE)
    status, problems = deliver(session, cast, item)
    assert status == "rejected"
    assert problems == {"answers.type"}
    assert GENDER not in everything(session)
    assert find_body(session, item)["about"]["age_band"] == "16-19"


@pytest.mark.parametrize("stands", [0, 1])
def test_what_a_shut_out_phone_says_is_cut_as_it_arrives(session: Session, cast: Cast, stands: int) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    phone = Phone(session, cast)
    shut_out(phone, "lock")
    lower(session, cast, stands)
    about = review("3")
    sealing = {key: about[key] for key in ("form", "version", "finished_at")}
    sealed = phone.seal(json.loads(about["body"]), **sealing)
    [answer] = phone.send(sealed)["items"]
    assert not [problem for problem in answer["problems"] if problem["code"].startswith("consent.")]  # not for a thief
    assert GENDER not in everything(session)
    row = find_rows(session)[-1]
    assert row.state == "aside"
    assert ("age_band" in row.body) == bool(stands)
    waiting = row.id
    session.rollback()
    let_in(session, cast.rosa, [waiting])
    row = find_rows(session)[-1]
    assert [problem["code"] for problem in row.problems] == ([] if stands else ["consent.stands_at_no"])
    assert row.state == ("stored" if stands else "rejected")


@pytest.mark.parametrize("stands", [0, 1])
@pytest.mark.parametrize("how", ["slow", "failing"])
def test_what_could_not_be_judged_is_cut_all_the_same(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, stands: int, how: str
) -> None:
    publish_others(session, cast)
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast, stands)

    def stop(definition: Any, *args: Any) -> Any:
        if len(definition.elements) < FEW:  # the questions about consent alone
            return validate(definition, *args)
        raise TooSlow if how == "slow" else ZeroDivisionError

    monkeypatch.setattr(intake, "validate", stop)
    monkeypatch.setattr(unasked, "validate", stop)
    item = review("3")
    assert deliver(session, cast, item)[0] == "rejected"
    row = find_rows(session)[-1]
    assert row.state == "aside"
    assert GENDER not in everything(session)
    assert ("age_band" in row.body) == bool(stands)


def test_what_cannot_be_stored_is_cut_too(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    send(session, cast, met(ONE, APRIL, "3"))
    lower(session, cast, 0)

    find_overruled = refusals.find_overruled
    failures = [ZeroDivisionError(), ZeroDivisionError()]  # of the message, then of the record alone

    def fail(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return find_overruled(*args)

    monkeypatch.setattr(refusals, "find_overruled", fail)
    assert deliver(session, cast, breaking())[0] == "rejected"
    assert NOTE not in everything(session)
