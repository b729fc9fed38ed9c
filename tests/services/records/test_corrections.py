"""Corrections, reviews, two answers side by side: at the centre, over both databases."""

import datetime as dt
import itertools
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.forms.published import publish_form
from fieldapp.services.phones.pull import fetch_record_for_correction, pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import listing, reviews
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.validation import recalculate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, another_worker, batch, encounter, envelope
from tests.programme import compiled_of, definition_of, workbook_of


def send(session: Session, actor: Actor, *items: dict[str, Any]) -> list[str]:
    return [answer["status"] for answer in receive_batch(session, actor, parse_batch(batch(*items)))]


def correction(of: dict[str, Any], *prev: dict[str, Any], **groups: dict[str, str]) -> dict[str, Any]:
    ids = [one["id"] for one in prev or (of,)]
    return envelope(encounter(**groups), root=of["id"], prev=ids)


def only_record(session: Session) -> Record:
    session.rollback()
    return session.scalars(sa.select(Record)).one()


def feed(session: Session, actor: Actor, cursor: int = 0) -> dict[str, Any]:
    return dict(json.loads(pull_changes(session, actor, cursor=cursor))["items"])


FIRST = encounter()


def test_a_worker_corrects_what_was_sent(session: Session, cast: Cast) -> None:
    first = envelope(FIRST)
    fixed = correction(first, talk={"risk_now": "high", "safety_plan": "no"})
    assert send(session, cast.amina, first) == ["stored"]
    assert send(
        session,
        cast.amina,
        fixed,
    ) == ["stored"]
    record = only_record(session)
    assert record.answers["talk"]["risk_now"] == "high"
    assert (record.heads, record.review) == ([fixed["id"]], "")
    opened = listing.open_record(session, cast.rosa, instance_id=first["id"])
    assert opened.steps[1].changes == [("talk.risk_now", "low", "high"), ("talk.safety_plan", "", "no")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_chain_of_corrections_arrives_in_any_order(session: Session, cast: Cast, order: tuple[int, ...]) -> None:
    first = envelope(FIRST)
    second = correction(first, talk={"people_n": "2"})
    third = correction(first, second, talk={"people_n": "3"})
    for place in order:
        assert send(session, cast.amina, (first, second, third)[place]) == ["stored"]
    record = only_record(session)
    assert (record.instance_id, record.answers["talk"]["people_n"], record.heads) == (first["id"], "3", [third["id"]])


def test_nobody_corrects_a_colleagues_record(session: Session, cast: Cast) -> None:
    first = envelope(FIRST)
    forged = correction(first, talk={"people_n": "99"})
    colleague = another_worker(session, cast)
    send(session, cast.amina, first)
    assert send(session, colleague, forged) == ["rejected"]
    assert only_record(session).answers["talk"]["people_n"] == "1"
    kept = session.scalars(sa.select(Submission).where(Submission.instance_id == forged["id"])).one()
    assert [problem["code"] for problem in kept.problems] == ["sync.not_yours"]


def test_it_is_found_out_also_when_the_forged_one_comes_first(session: Session, cast: Cast) -> None:
    first = envelope(FIRST)
    forged = correction(first, talk={"people_n": "99"})
    send(session, another_worker(session, cast), forged)
    assert send(session, cast.amina, first) == ["stored"]
    record = only_record(session)
    assert (record.author_id, record.answers["talk"]["people_n"]) == (cast.amina.user_id, "1")


def two_answers(session: Session, cast: Cast) -> tuple[str, dict[str, str]]:
    first = envelope(FIRST)
    one, two = (correction(first, talk={"people_n": number}) for number in ("2", "3"))
    send(session, cast.amina, first)
    send(session, cast.amina, one)
    send(session, cast.amina, two)
    return first["id"], {"2": one["sha256"], "3": two["sha256"]}


def test_two_corrections_that_knew_nothing_of_each_other_wait_for_a_choice(session: Session, cast: Cast) -> None:
    root, by_answer = two_answers(session, cast)
    record = only_record(session)
    assert record.review == "contested"
    for attempt in (
        lambda: fetch_record_for_correction(session, cast.amina, instance_id=root),
        lambda: reviews.review_record(session, cast.rosa, instance_id=root, state="returned", comment="Which?"),
    ):
        with pytest.raises(ActProblem) as refused:
            attempt()
        assert refused.value.code in ("record.contested", "review.contested")
    assert [one["path"] for one in record.contested] == ["talk.people_n"]
    waiting = listing.list_review_queue(session, cast.rosa)
    assert [one.instance_id for one in waiting.records] == [root]
    with pytest.raises(ActProblem) as refused:
        reviews.resolve_conflict(session, cast.rosa, instance_id=root, chosen={"talk.people_n": "f" * 64})
    assert refused.value.code == "review.choice"
    reviews.resolve_conflict(session, cast.rosa, instance_id=root, chosen={"talk.people_n": by_answer["2"]})
    record = only_record(session)
    assert (record.answers["talk"]["people_n"], record.contested, record.review) == ("2", [], "approved")
    assert len(listing.open_record(session, cast.rosa, instance_id=root).steps) == 4


def test_a_choice_that_breaks_the_forms_rules_is_refused(session: Session, cast: Cast) -> None:
    first = envelope(encounter(talk={"risk_now": "high", "safety_plan": "no"}))
    one = correction(first, talk={"risk_now": "high", "safety_plan": "yes"})
    two = correction(first, talk={"risk_now": "low"})
    send(session, cast.amina, first, one, two)
    record = only_record(session)
    assert {found["path"] for found in record.contested} == {"talk.risk_now", "talk.safety_plan"}
    mixed = {"talk.risk_now": two["sha256"], "talk.safety_plan": one["sha256"]}
    with pytest.raises(ActProblem) as refused:
        reviews.resolve_conflict(session, cast.rosa, instance_id=first["id"], chosen=mixed)
    assert refused.value.code == "review.mismatch"


def test_a_record_is_sent_back_corrected_and_seen_again(session: Session, cast: Cast) -> None:
    first = envelope(FIRST)
    send(session, cast.amina, first)
    with pytest.raises(ActProblem):
        reviews.review_record(session, cast.rosa, instance_id=first["id"], state="returned", comment=" ")
    reviews.review_record(session, cast.rosa, instance_id=first["id"], state="returned", comment="Which hour?")
    told = feed(session, cast.amina)[f"rec/{first['id']}"]
    assert (told["state"], told["comment"], told["heads"]) == ("returned", "Which hour?", [first["id"]])
    send(session, cast.amina, correction(first, when_where={"enc_hour": "20"}))
    assert feed(session, cast.amina)[f"rec/{first['id']}"] is None
    assert only_record(session).review == "corrected"
    reviews.review_record(session, cast.rosa, instance_id=first["id"], state="approved", comment="")
    assert only_record(session).review == "approved"


def test_what_was_refused_can_be_corrected(session: Session, cast: Cast) -> None:
    poisoned = envelope(encounter(talk={"people_n": "900"}))
    assert send(session, cast.amina, poisoned) == ["rejected"]
    told = feed(session, cast.amina)[f"rec/{poisoned['id']}"]
    assert told["answers"]["talk"]["people_n"] == "900"
    assert told["problems"] == [{"code": "answers.constraint", "path": "talk.people_n"}]
    assert send(session, cast.amina, correction(poisoned, talk={"people_n": "9"})) == ["stored"]
    assert only_record(session).instance_id == poisoned["id"]
    assert feed(session, cast.amina)[f"rec/{poisoned['id']}"] is None
    assert listing.list_review_queue(session, cast.rosa).submissions == []


def test_a_call_for_help_stays_when_its_shift_is_corrected(session: Session, cast: Cast) -> None:
    publish_form(session, cast.system, compiled=compiled_of("shift"), workbook=workbook_of("shift"))
    definition = definition_of("shift")

    def shift(team: str, felt: str, **more: Any) -> dict[str, Any]:
        day = dt.date.today()
        given = {
            "shift": {
                "start": f"{day}T18:00:00.000",
                "end": f"{day}T21:00:00.000",
                "areas": "002",
                "team_n": team,
                "felt": felt,
            },
        }
        moment = local_time(dt.datetime.combine(day, dt.time(22)))
        answers = recalculate(definition, given, moment).answers
        return envelope(answers, form="shift", **{"version": definition.version, **more})

    first = shift("1", "need_debrief")
    assert send(session, cast.amina, first) == ["stored"]
    assert only_record(session).review == "alert"
    assert send(session, cast.amina, shift("2", "need_debrief", root=first["id"], prev=[first["id"]])) == ["stored"]
    assert only_record(session).review == "alert"


def test_a_duplicate_is_told_what_became_of_the_first(session: Session, cast: Cast) -> None:
    poisoned = envelope(encounter(talk={"people_n": "900"}))
    first = receive_batch(session, cast.amina, parse_batch(batch(poisoned)))
    again = receive_batch(session, cast.amina, parse_batch(batch(poisoned)))
    assert (again[0]["status"], again[0]["was"], again[0]["problems"]) == ("duplicate", "rejected", first[0]["problems"])


def test_only_the_author_gets_a_record_back(session: Session, cast: Cast) -> None:
    first = envelope(FIRST)
    send(session, cast.amina, first)
    assert fetch_record_for_correction(session, cast.amina, instance_id=first["id"])["heads"] == [first["id"]]
    for actor in (another_worker(session, cast), Actor(cast.other_centre.id, "worker", cast.amina.user_id)):
        with pytest.raises(ActProblem) as refused:
            fetch_record_for_correction(session, actor, instance_id=first["id"])
        assert refused.value.code == "access.not_found"


def test_another_centres_admin_sees_and_changes_nothing(session: Session, cast: Cast) -> None:
    root, _ = two_answers(session, cast)
    for act, given in (
        (reviews.review_record, {"state": "approved", "comment": ""}),
        (reviews.resolve_conflict, {"chosen": {}}),
        (listing.open_record, {}),
    ):
        with pytest.raises(ActProblem) as refused:
            act(session, cast.olaf, instance_id=root, **given)  # type: ignore[operator]
        assert refused.value.code == "access.not_found"


TODAY = dt.date.today()


def clock_of(item: dict[str, Any]) -> str:
    return dt.datetime.fromisoformat(item["finished_at"]).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("clock", [None, 7, "", "yesterday", "2026-11-23T10:00:00", "2099-01-01T10:00:00.000+00:00"])
def test_without_a_clock_of_its_own_a_correction_is_judged_by_when_it_was_finished(
    session: Session, cast: Cast, clock: Any
) -> None:
    day = TODAY - dt.timedelta(days=20)
    first = envelope(encounter(day), day=day)
    fixed = envelope(encounter(day, talk={"people_n": "3"}), root=first["id"], prev=[first["id"]], clock=clock)
    assert [*send(session, cast.amina, first), *send(session, cast.amina, fixed)] == ["stored", "rejected"]
    assert [problem["path"] for problem in feed(session, cast.amina)[f"rec/{first['id']}"]["problems"]] == [
        "when_where.enc_date"
    ]


def test_what_is_sent_back_weeks_later_is_judged_by_its_own_clock(session: Session, cast: Cast) -> None:
    """The form takes days of the past two weeks: the true one is as good as it was, today is not."""
    day = TODAY - dt.timedelta(days=20)
    first = envelope(encounter(day), day=day)
    send(session, cast.amina, first)
    reviews.review_record(session, cast.rosa, instance_id=first["id"], state="returned", comment="Were you three?")
    told = feed(session, cast.amina)[f"rec/{first['id']}"]
    assert told["clock"] == clock_of(first) == fetch_record_for_correction(session, cast.amina, first["id"])["clock"]
    links = {"root": first["id"], "prev": [first["id"]], "clock": told["clock"]}
    false_day = envelope(encounter(TODAY, talk={"people_n": "3"}), **links)
    fixed = envelope(encounter(day, talk={"people_n": "3"}), **links)
    assert send(session, cast.amina, false_day, fixed) == ["rejected", "stored"]
    # What builds on it goes by the same clock, and what is folded again too.
    links["prev"] = [fixed["id"]]
    again = envelope(encounter(day, talk={"people_n": "4"}), **links)
    assert fetch_record_for_correction(session, cast.amina, first["id"])["clock"] == told["clock"]
    assert send(session, cast.amina, again) == ["stored"]
    record = only_record(session)
    assert (record.answers["talk"]["people_n"], record.occurred_on, record.review) == ("4", day, "corrected")
    stored = session.scalars(sa.select(Submission).where(Submission.instance_id == again["id"])).one()
    assert (stored.clock, stored.finished_local.date()) == (told["clock"], TODAY)


def test_the_office_chooses_between_answers_by_that_clock_too(session: Session, cast: Cast) -> None:
    day = TODAY - dt.timedelta(days=20)
    first = envelope(encounter(day), day=day)
    links = {"root": first["id"], "prev": [first["id"]], "clock": clock_of(first)}
    both = [envelope(encounter(day, talk={"people_n": number}), **links) for number in ("3", "4")]
    send(session, cast.amina, first, *both)
    (contested,) = only_record(session).contested
    chosen = {contested["path"]: both[1]["sha256"]}
    reviews.resolve_conflict(session, cast.rosa, instance_id=first["id"], chosen=chosen)
    assert only_record(session).answers["talk"]["people_n"] == "4"
