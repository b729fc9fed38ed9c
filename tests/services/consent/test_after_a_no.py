"""After a no the whole record is cut: in whatever order it came, on phones too, and with its pictures."""

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.datasets import eligibility
from evaluator_export.datasets.dataset_spec import ConsentRule
from fieldapp.jobs.timetable import overwrite_what_was_cut
from fieldapp.services.caseload.hand_over import assign_card
from fieldapp.services.consent.standing import ConsentFell, Standings
from fieldapp.services.forms.published import publish_form
from fieldapp.services.products import tables
from fieldapp.services.records import earlier_refusals, folding, listing, quarantine, reviews
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.earlier_refusals import cut_earlier_refusals
from fieldapp.services.records.time_limits import time_for
from fieldapp.settings import Settings
from fieldapp.store.caseload import cards
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.database import sqlite_file
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.records import Record
from fieldapp.store.records.reviews import Review
from fieldapp.store.records.submissions import Submission
from forms.sheets import read_sheets
from forms.validation import validate
from forms.xlsform import compile_workbook
from sync import intake
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, another_worker, batch, encounter, envelope, publish_others
from tests.in_clear import everything, put_told
from tests.programme import definition_of, workbook_of
from tests.services.consent.refusals import (
    CARD,
    NOT_UNDERSTOOD,
    SAID_NO,
    TALK,
    YES,
    met,
    receive,
    with_everything,
)
from tests.services.records.phone import Phone
from tests.services.records.pictures import Sealed
from tests.services.records.shutting_out import shut_out

pytestmark = pytest.mark.usefixtures("one_no")  # with two noes: test_two_answers.py


def at(minutes: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()


def with_note(note: str) -> dict[str, Any]:
    return encounter(people={"who": "enrolled", "code": CARD}, talk=TALK, consent=YES, next={"note": note})


def correction(of: dict[str, Any], answers: dict[str, Any], minutes: int, **more: Any) -> dict[str, Any]:
    return envelope(answers, root=of["id"], prev=[of["id"]], finished_at=at(minutes), **more)


def stored_of_person(session: Session) -> str:
    """Return all that is stored but for the card itself, also as phones are told of it, and what stands for it."""
    session.expire_all()
    lines = everything(session, "card", "consent_word", "standing").split("\n")
    return "\n".join(line for line in lines if f"'card/{CARD}'" not in line)


def assert_nothing_is_left(session: Session) -> None:
    text = stored_of_person(session)
    for told in ("CANARY", CARD, "safety_plan"):
        assert told not in text, told
    record = session.scalars(sa.select(Record)).one()
    assert (record.person, record.contested, record.answers["consent"]["tier"]) == ("", [], "0")


def stands(session: Session, cast: Cast) -> int | None:
    return words.list_tiers(session, cast.centre.id).get(CARD)


def shown(session: Session, cast: Cast) -> str:
    """Return the tier that phones show of the card."""
    session.expire_all()
    return cards.by_codes(session, cast.centre.id, [CARD])[CARD].tier


def told(session: Session) -> dict[str, str]:
    """Return what phones are told, by key."""
    session.expire_all()
    return {item.key: item.body for item in session.scalars(sa.select(PullItem)) if item.body}


# What phones are told


def with_follow_up() -> dict[str, Any]:
    due = (dt.date.today() + dt.timedelta(days=7)).isoformat()
    return encounter(
        people={"who": "enrolled", "code": CARD}, talk=TALK, consent=YES, next={"next_due": due, "ref_made": "no"}
    )


def test_what_is_due_goes_from_every_phone_with_the_record(session: Session, cast: Cast) -> None:
    first = envelope(with_follow_up(), finished_at=at(-60))
    receive(session, cast, first)
    basil = another_worker(session, cast)
    assign_card(session, cast.rosa, code=CARD, user_id=basil.user_id)
    assert [key for key in told(session) if key.startswith("due/")]
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert [key for key in told(session) if key.startswith("due/")] == []
    assert session.scalars(sa.select(FollowUp)).all() == []


FINISHED = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)  # with what phones send an hour ago: not over midnight
REFERRAL = {
    "need": {"has_card": "yes", "code": CARD, "need": "housing"},
    "service": {"ref_date": FINISHED.date().isoformat(), "service_type": "housing", "urgency": "week"},
    "sharing": {"consent_share": "yes_this_time", "what_shared": "need_only", "warm": "called_together"},
    "progress": {"status": "sent", "note": "CANARY"},
}  # fmt: skip


def referral(answers: dict[str, Any]) -> dict[str, Any]:
    """Return a referral as a phone finishes it."""
    return validate(definition_of("referral"), answers, local_time(FINISHED)).answers


def test_a_referral_that_became_a_no_goes_from_the_phone(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    yes, no = ({**REFERRAL, "consent": said} for said in (YES, SAID_NO))
    first = envelope(referral(yes), "referral", finished_at=at(-60))
    assert receive(session, cast, first) == ["stored"]
    assert f"ref/{first['id']}" in told(session)
    assert receive(session, cast, correction(first, referral(no), -10, form="referral")) == ["stored"]
    assert told(session).keys() == {f"card/{CARD}"}
    assert "CANARY" not in stored_of_person(session)
    assert "called_together" not in stored_of_person(session)


def test_a_no_at_a_follow_up_visit_does_not_lead_to_the_card(session: Session, cast: Cast) -> None:
    first = envelope(with_follow_up(), finished_at=at(-60))
    receive(session, cast, first)
    (due,) = session.scalars(sa.select(FollowUp))
    no = envelope(met(SAID_NO), refused_by=CARD, due=due.key, finished_at=at(-10))
    receive(session, cast, no)
    session.expire_all()
    stored = session.scalars(sa.select(Submission).where(Submission.instance_id == no["id"])).one()
    assert (stored.due, due.is_settled) == ("", True)


def test_a_supervisors_words_about_the_record_go_too(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    reviews.review_record(session, cast.rosa, instance_id=first["id"], state="returned", comment="CANARY of Rosa")
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert_nothing_is_left(session)
    assert [one.state for one in session.scalars(sa.select(Review))] == ["returned"]


# Whenever the no comes


@pytest.mark.parametrize("code", ["", CARD])
def test_a_no_that_arrives_before_the_record_that_it_corrects(session: Session, cast: Cast, code: str) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-90)))  # another record of the same person
    session.execute(sa.delete(Record))
    session.execute(sa.delete(Submission))
    session.commit()
    first = envelope(met(YES), finished_at=at(-60))
    no = correction(first, met(SAID_NO), -10, **({"refused_by": code} if code else {}))
    assert receive(session, cast, no) == ["stored"]
    assert receive(session, cast, first) == ["stored"]
    assert_nothing_is_left(session)
    assert (stands(session, cast), shown(session, cast)) == (0, "0")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL has no such file
def test_a_minute_later_no_byte_of_what_a_no_cut_is_in_the_files(session: Session, cast: Cast, tmp_path: Path) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    # As it is stored, encrypted: the words themselves are in no file at any time.
    told = session.scalars(sa.select(Submission.sealed_body)).one()[17:41]
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert_nothing_is_left(session)
    session.rollback()
    path = sqlite_file(str(session.get_bind().engine.url))
    assert path
    log = path.with_name(f"{path.name}-wal")
    assert told in log.read_bytes()
    overwrite_what_was_cut(session, Settings(data=str(tmp_path)))
    assert told not in log.read_bytes() + path.read_bytes()


def test_both_in_one_message(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    assert receive(session, cast, first, correction(first, met(SAID_NO), -10)) == ["stored", "stored"]
    assert_nothing_is_left(session)


@pytest.mark.parametrize("is_good", [True, False], ids=["another answer", "one that is refused"])
def test_a_correction_made_without_knowing_of_the_no(session: Session, cast: Cast, is_good: bool) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    receive(session, cast, correction(first, met(SAID_NO), -10))
    other = with_note("CANARY2")
    if not is_good:
        other["talk"] = {**other["talk"], "people_n": "900"}
    assert receive(session, cast, correction(first, other, -5)) == ["stored" if is_good else "rejected"]
    assert_nothing_is_left(session)
    assert "CANARY2" not in stored_of_person(session)
    assert [key for key in told(session) if key.startswith("rec/")] == []
    assert (stands(session, cast), shown(session, cast)) == (0, "0")


def test_a_no_among_two_versions_needs_no_choice(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    receive(session, cast, correction(first, met({**YES, "tier_said": "1"}), -20))
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert_nothing_is_left(session)


def test_a_no_under_the_number_of_the_record(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    assert receive(session, cast, envelope(met(SAID_NO), id=first["id"], finished_at=at(-10))) == ["conflict"]
    assert_nothing_is_left(session)


def test_a_no_that_the_office_chooses(session: Session, cast: Cast) -> None:
    """Where nothing else tells it apart, the office may find that the person had said no."""
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    (record,) = session.scalars(sa.select(Record))
    record.contested = [{"path": "consent.tier_said", "values": {first["sha256"]: "0"}}]
    record.review = "contested"
    session.commit()
    chosen = {"consent.tier_said": first["sha256"]}
    reviews.resolve_conflict(session, cast.rosa, instance_id=first["id"], chosen=chosen)
    assert_nothing_is_left(session)
    assert (stands(session, cast), shown(session, cast)) == (0, "0")


def test_a_correction_to_a_no_lowers_the_card_though_it_names_none(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    assert shown(session, cast) == "2"
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert (stands(session, cast), shown(session, cast)) == (0, "0")
    assert json.loads(told(session)[f"card/{CARD}"])["tier"] == "0"


def test_whoever_says_yes_after_a_no_is_written_about_again(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    no = correction(first, met(SAID_NO), -30)
    receive(session, cast, first, no)
    refused = envelope({**met(YES), "surprise": "x"}, root=first["id"], prev=[no["id"]], finished_at=at(-20))
    assert receive(session, cast, refused) == ["rejected"]
    yes = envelope(met(YES), root=first["id"], prev=[refused["id"]], finished_at=at(-10))
    assert receive(session, cast, yes) == ["stored"]
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    assert (record.person, record.contested, stands(session, cast)) == (CARD, [], 2)
    assert record.answers["next"]["note"].startswith("CANARY")
    receive(session, cast, correction(first, met({**YES, "tier_said": "1"}), -40))  # late, and knows of neither
    session.expire_all()
    assert session.scalars(sa.select(Record)).one().answers["consent"]["tier"] == "2"
    assert stands(session, cast) == 2


# Colleagues


@pytest.mark.parametrize("is_first", [True, False])
def test_a_colleague_takes_nothing_out_in_whatever_order_it_comes(session: Session, cast: Cast, is_first: bool) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    mine = correction(first, met({**YES, "tier_said": "1"}), -20)
    theirs = correction(first, with_everything(SAID_NO), -10)
    if not is_first:
        receive(session, cast, first, mine)
    receive_batch(session, another_worker(session, cast), parse_batch(batch(theirs)))
    if is_first:
        assert receive(session, cast, mine, first) == ["stored", "stored"]
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    assert record.answers["next"]["note"].startswith("CANARY")
    assert (record.person, record.author_id) == (CARD, cast.amina.user_id)
    bodies = session.scalars(sa.select(Submission.body).where(Submission.author_id == cast.amina.user_id))
    assert all("CANARY" in body for body in bodies)


def test_what_a_colleague_sent_for_a_record_goes_with_it(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    theirs = correction(first, with_note("CANARY2"), -20)
    receive_batch(session, another_worker(session, cast), parse_batch(batch(theirs)))
    assert "CANARY2" in stored_of_person(session)
    receive(session, cast, correction(first, met(SAID_NO), -10))
    assert_nothing_is_left(session)


# Slow forms


Hurry = Callable[[bool], None]


def test_a_no_that_is_too_slow_to_judge_is_stored_and_heard(session: Session, cast: Cast, hurry: Hurry) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-60)))
    hurry(True)
    assert receive(session, cast, envelope(with_everything(SAID_NO), finished_at=at(-10))) == ["stored"]
    assert (stands(session, cast), shown(session, cast)) == (0, "0")


@pytest.mark.parametrize("code", ["", CARD], ids=["in the answers", "beside them"])
def test_where_no_rule_can_be_run_what_is_no_clear_yes_is_cut_and_heard(
    session: Session, cast: Cast, hurry: Hurry, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-60)))
    session.execute(sa.delete(Record))
    session.execute(sa.delete(Submission))
    session.commit()
    hurry(True)
    monkeypatch.setattr(intake, "CONSENT", -1.0)
    sent = with_everything(NOT_UNDERSTOOD) | {
        "consent": {"said": "read_out", "understood": "no", "tier_said": "1", "tier": "1"}
    }
    if code:
        sent["people"] = {"who": "enrolled"}
    more = {"refused_by": code} if code else {}
    assert receive(session, cast, envelope(sent, finished_at=at(-10), **more)) == ["rejected"]
    assert "CANARY" not in stored_of_person(session)
    assert (stands(session, cast), shown(session, cast)) == (0, "0")
    hurry(False)
    # It was judged apart, and is refused as any other that breaks its form's rules.
    queue = listing.list_review_queue(session, cast.rosa)
    assert (len(queue.submissions), queue.aside) == (1, [])


def test_a_correction_to_a_no_under_a_slow_form_is_stored(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    monkeypatch.setattr(folding, "time_for", lambda seconds: time_for(-1.0))  # no time while the database is locked
    other = envelope(encounter())
    assert receive(session, cast, correction(first, met(SAID_NO), -10, refused_by=CARD), other) == ["stored", "stored"]
    session.execute(sa.delete(Record).where(Record.instance_id == other["id"]))
    session.execute(sa.delete(Submission).where(Submission.instance_id == other["id"]))
    session.commit()
    assert_nothing_is_left(session)


def test_two_corrections_for_which_there_is_no_time_are_kept_aside_and_hold_up_nobody(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    monkeypatch.setattr("fieldapp.services.records.versions.fold", too_slow)
    sent = correction(first, met({**YES, "tier_said": "1"}), -10), envelope(encounter())
    assert receive(session, cast, *sent) == ["rejected", "stored"]
    assert [one.instance_id for one in listing.list_review_queue(session, cast.rosa).aside] == [sent[0]["id"]]


def too_slow(*args: Any) -> Any:
    raise intake.TooSlow


# Phones that were shut out, and what is let in


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


def waiting_id(session: Session, cast: Cast) -> int:
    (one,) = listing.list_review_queue(session, cast.rosa).aside
    return one.id


@pytest.mark.parametrize("is_let_in", [True, False])
def test_the_no_of_a_shut_out_phone_counts_once_it_is_let_in(
    session: Session, cast: Cast, phone: Phone, is_let_in: bool
) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-60)))
    shut_out(phone)
    phone.send(phone.seal(met(SAID_NO), refused_by=CARD))
    assert (stands(session, cast), shown(session, cast)) == (2, "2")
    if is_let_in:
        assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(1, 0)
    else:
        reviews.dismiss_submission(session, cast.rosa, submission_id=waiting_id(session, cast))
    assert (stands(session, cast), shown(session, cast)) == ((0, "0") if is_let_in else (2, "2"))
    assert not session.scalars(sa.select(words.ConsentWord).where(words.ConsentWord.waits)).all()


def test_a_shut_out_phone_lowers_nobody_by_naming_them_on_a_record_that_is_a_no(
    session: Session, cast: Cast, phone: Phone
) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-90)))
    no = envelope(encounter(people={"who": "new_person"}, consent=SAID_NO), finished_at=at(-60))
    receive(session, cast, no)
    shut_out(phone)
    phone.send(phone.seal(met(YES), root=no["id"], prev=[str(uuid.uuid4())]))
    assert (stands(session, cast), shown(session, cast)) == (2, "2")


def test_a_no_that_was_kept_aside_can_be_let_in(session: Session, cast: Cast, phone: Phone) -> None:
    shut_out(phone)
    phone.send(phone.seal(with_everything(SAID_NO)))
    assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(1, 0)
    assert_nothing_is_left(session)


def test_what_turns_out_to_be_a_no_when_it_is_let_in_is_cut_and_heard(session: Session, cast: Cast, phone: Phone) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-60)))
    session.execute(sa.delete(Record))
    session.execute(sa.delete(Submission))
    session.commit()
    shut_out(phone)
    phone.send(phone.seal(with_everything(SAID_NO), version="2"))
    assert "CANARY" not in stored_of_person(session)  # nobody knows its version; an earlier one says what a no leaves
    compiled = compile_workbook(workbook_of("encounter"))
    newer = dataclasses.replace(compiled, definition=dataclasses.replace(compiled.definition, version="2"))
    publish_form(session, cast.system, compiled=newer, workbook=b"")
    assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(1, 0)
    assert_nothing_is_left(session)
    assert (stands(session, cast), shown(session, cast)) == (0, "0")


# Pictures


PICTURES = """
| survey |       |      |              |            |          |       |         |
|        | type  | name | label        | privacy    | privacy::approval          | required | relevant |
|        | select_one yn | who | Enrolled? | operational | | yes | |
|        | text | code | Card code | identifier | | | |
|        | begin group | consent | Consent | | | | ${who} = 'y' |
|        | select_one tier | tier | Tier | operational | | yes | |
|        | end group | | | | | | |
|        | image | sign | A sign       | identifier | Privacy board, 1 Nov 2026  | | |
| choices | list_name | name | label |
|         | yn | y | Yes |
|         | yn | n | No |
|         | tier | 0 | No |
|         | tier | 1 | One |
|         | tier | 2 | Two |
| settings | form_id | version | summary_tier | summary_person |
|          | signs   | 1       | tier | code |
"""


@pytest.fixture
def picture(session: Session, cast: Cast, phone: Phone) -> Sealed:
    workbook = read_sheets(PICTURES.encode(), ".md").to_xlsx()
    publish_form(session, cast.system, compiled=compile_workbook(workbook), workbook=workbook)
    sealed = Sealed(phone)
    sealed.send_all()
    return sealed


def shows(picture: Sealed, tier: str, **more: Any) -> dict[str, Any]:
    """Return a record that names a picture."""
    answers = {"who": "y", "consent": {"tier": tier}, "sign": f"attachment:image/jpeg:{picture.hash}"}
    return picture.phone.seal(answers, form="signs", version="1", **more)


def blobs(session: Session) -> int:
    return len(session.scalars(sa.select(Blob)).all())


def test_a_picture_goes_with_the_answers_and_does_not_come_again(session: Session, picture: Sealed) -> None:
    assert picture.phone.statuses(shows(picture, "0")) == ["stored"]
    assert blobs(session) == 0
    assert picture.send(0, 300_000) == len(picture.data)  # the phone need not send it again
    assert blobs(session) == 0


def test_a_picture_of_an_earlier_version_goes_too(session: Session, picture: Sealed) -> None:
    first = shows(picture, "2")
    assert picture.phone.statuses(first) == ["stored"]
    assert blobs(session) == 1
    no = picture.phone.seal(
        {"who": "y", "consent": {"tier": "0"}}, form="signs", version="1", root=first["id"], prev=[first["id"]]
    )
    assert picture.phone.statuses(no) == ["stored"]
    assert blobs(session) == 0
    late = shows(picture, "1", root=first["id"], prev=[first["id"]])  # it names a picture that is not here any more
    assert picture.phone.statuses(late) == ["stored"]
    assert blobs(session) == 0


def test_a_picture_that_another_record_shows_stays(session: Session, picture: Sealed) -> None:
    assert picture.phone.statuses(shows(picture, "2"), shows(picture, "0")) == ["stored", "stored"]
    assert blobs(session) == 1


def test_a_picture_that_went_may_come_again_for_another_record(session: Session, picture: Sealed) -> None:
    assert picture.phone.statuses(shows(picture, "0")) == ["stored"]
    other = shows(picture, "2", id=str(uuid.uuid4()))
    assert picture.phone.statuses(other) == ["retry"]
    picture.send_all()
    assert picture.phone.statuses(other) == ["stored"]
    assert blobs(session) == 1


# What was stored before


def test_what_was_stored_before_there_was_the_rule_is_cut_with_the_upgrade(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    no = correction(first, with_everything(SAID_NO), -10)
    receive(session, cast, first, envelope(met(YES), finished_at=at(-90)))
    other = session.scalars(sa.select(Record).where(Record.instance_id != first["id"])).one()
    before = other.answers
    receive(session, cast, no)
    for item in (first, no):
        sent = session.scalars(sa.select(Submission).where(Submission.instance_id == item["id"])).one()
        sent.body, sent.is_refusal, sent.is_cut = item["body"], False, False
    record = session.scalars(sa.select(Record).where(Record.instance_id == first["id"])).one()
    record.answers, record.person = json.loads(no["body"]), CARD
    session.commit()
    assert cut_earlier_refusals(session, cast.system) == 1
    session.expire_all()
    assert (record.person, record.answers["consent"]["tier"], other.answers) == ("", "0", before)
    bodies = session.scalars(sa.select(Submission.body).where(Submission.root_id == first["id"]))
    assert all("CANARY" not in body and CARD not in body for body in bodies)
    assert cut_earlier_refusals(session, cast.system) == 0


@pytest.mark.parametrize("is_done", [False, True], ids=["first upgrade", "upgraded before"])
def test_what_phones_pull_of_an_earlier_refusal_is_cut_with_the_upgrade(session: Session, cast: Cast, is_done: bool) -> None:
    """A refused no lay whole in what its worker's phones pull to correct it."""
    broken = with_everything(SAID_NO)
    broken["talk"] = {**TALK, "risk_now": "bogus"}
    no = envelope({**with_note("CANARY of a no"), "what": {}})
    good = envelope({**with_note("CANARY of a yes"), "what": {}})
    assert receive(session, cast, no, good) == ["rejected", "rejected"]
    no["body"] = json.dumps(broken)  # as an older version stored it
    sent = session.scalars(sa.select(Submission).where(Submission.instance_id == no["id"])).one()
    sent.body, sent.is_refusal, sent.is_cut = no["body"], False, False
    message = session.scalars(sa.select(PullItem).where(PullItem.key == f"rec/{no['id']}")).one()
    text = json.dumps({**json.loads(message.body), "answers": json.loads(no["body"])})
    put_told(session, cast.centre.id, message.user_id, message.key, text)
    session.refresh(message)
    before = message.seq
    if is_done:
        sent.body, sent.is_refusal, sent.is_cut = "{}", True, True
        session.add(AuditEvent(centre_id=cast.centre.id, at=dt.datetime.now(dt.UTC), act="refusals.cut",
                               target=earlier_refusals.ALL, details={}))  # fmt: skip
    session.commit()
    earlier_refusals.cut_in_every_centre(session)
    session.expire_all()
    bodies = session.scalars(sa.select(PullItem.body)).all()
    assert not any("bogus" in body or (CARD in body and no["id"] in body) for body in bodies)
    assert any("CANARY of a yes" in body for body in bodies)
    assert message.seq > before  # phones fetch it again
    assert json.loads(message.body)["answers"]["consent"]["tier"] == "0"


def test_an_upgrade_that_was_killed_cuts_when_it_is_run_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = envelope(with_everything(SAID_NO))
    receive(session, cast, no)
    sent = session.scalars(sa.select(Submission)).one()
    sent.body, sent.is_refusal, sent.is_cut = no["body"], False, False
    session.commit()

    def die(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(earlier_refusals, "_cut", die)
        with pytest.raises(KeyboardInterrupt):
            earlier_refusals.cut_in_every_centre(session)
    session.rollback()
    assert CARD in session.scalars(sa.select(Submission.body)).one()
    earlier_refusals.cut_in_every_centre(session)
    session.expire_all()
    assert CARD not in session.scalars(sa.select(Submission.body)).one()


@pytest.mark.parametrize("code", ["answers.required", "sync.not_yours"])
def test_a_no_that_was_kept_outside_its_record_is_heard_when_it_is_cut(session: Session, cast: Cast, code: str) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-90)))
    no = envelope(with_everything(SAID_NO), finished_at=at(-10))
    receive(session, cast, no)
    session.execute(sa.delete(ConsentWord).where(ConsentWord.tier == 0))  # as an older version left it
    session.execute(sa.delete(Record).where(Record.instance_id == no["id"]))
    sent = session.scalars(sa.select(Submission).where(Submission.instance_id == no["id"])).one()
    sent.body, sent.is_refusal, sent.is_cut, sent.state = no["body"], False, False, "rejected"
    sent.problems = [{"code": code, "path": ""}]
    session.commit()
    assert cut_earlier_refusals(session, cast.system) == 1
    session.expire_all()
    assert CARD not in sent.body
    words = session.scalars(sa.select(ConsentWord).where(ConsentWord.person == CARD)).all()
    assert min(word.tier for word in words) == 0


def test_a_yes_after_a_no_is_not_cut_when_the_version_between_them_comes_later(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    no = correction(first, met(SAID_NO), -50)
    between = envelope(with_note("CANARY one"), root=first["id"], prev=[no["id"]], finished_at=at(-40))
    last = envelope(with_note("CANARY two"), root=first["id"], prev=[between["id"]], finished_at=at(-30))
    receive(session, cast, first, no, last, between)
    session.expire_all()
    assert session.scalars(sa.select(Record)).one().answers["next"]["note"] == "CANARY two"


def test_a_shut_out_phone_that_knows_two_ids_takes_nothing_out(session: Session, cast: Cast, phone: Phone) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    no = correction(first, met(SAID_NO), -50)
    yes = envelope(with_note("CANARY two"), root=first["id"], prev=[no["id"]], finished_at=at(-30))
    receive(session, cast, first, no, yes)
    shut_out(phone)
    phone.send(phone.seal({}, id=no["id"], root=first["id"], prev=[yes["id"]]))
    session.expire_all()
    body = session.scalars(sa.select(Submission.body).where(Submission.instance_id == yes["id"])).one()
    assert "CANARY two" in body


# A no that cannot be used


ALONE = {"who": "new_person"}


def rows_that_may_leave(session: Session, cast: Cast) -> int:
    """Return how many of the records that releases read allow an evaluator to see them."""
    known = tables.load_catalogue(session, cast.centre.id)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    reader = tables.make_reader(session, cast.centre, known, now)
    rows = [read.row for read in reader.iterate("encounter", dt.date(2026, 1, 1), dt.date.today())]
    spec = ConsentRule("tier", 2)
    return sum(eligibility.has_consent(spec, row) for row in rows)


def about_nobody(consent: dict[str, str], **more: Any) -> dict[str, Any]:
    return {**encounter(people=ALONE, talk=TALK, consent=consent), **more}


TO_LESS = {**YES, "tier_said": "1"}


@pytest.mark.parametrize("less", [SAID_NO, TO_LESS], ids=["no", "yes to less"])
@pytest.mark.parametrize("is_first", [True, False], ids=["before the yes", "after the yes"])
@pytest.mark.parametrize("way", ["refused", "failed", "shut out"])
def test_a_no_without_a_card_lowers_its_record_though_it_cannot_be_used(
    session: Session,
    cast: Cast,
    phone: Phone,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    is_first: bool,
    less: dict[str, str],
) -> None:
    yes = phone.seal(about_nobody(YES), finished_at=at(-60))
    answers = about_nobody(less, **({"what": {"contact_type": "elephant"}} if way == "refused" else {}))
    no = phone.seal(answers, finished_at=at(-10), root=yes["id"], prev=[yes["id"]])

    def send_no() -> None:
        if way == "shut out":
            shut_out(phone)
        with monkeypatch.context() as patched:
            if way == "failed":
                patched.setattr("fieldapp.services.records.decisions.decide", lambda *_: 1 / 0)
            phone.send(no)

    if is_first and way != "shut out":
        send_no()
    phone.send(yes)
    if not is_first or way == "shut out":
        assert rows_that_may_leave(session, cast) == 1
        before = Standings(session, cast.centre.id)
        session.rollback()
        send_no()
        with pytest.raises(ConsentFell):
            before.check(session)
        session.rollback()
    assert len(session.scalars(sa.select(Submission).where(Submission.state != "stored")).all()) == 1
    assert rows_that_may_leave(session, cast) == 0
    talk = session.scalars(sa.select(Record)).one().answers["talk"]
    assert talk.items() >= TALK.items()  # it may be wrong, so nothing is cut


def test_a_no_of_a_shut_out_phone_that_is_taken_off_the_list_counts_for_nothing(
    session: Session, cast: Cast, phone: Phone
) -> None:
    yes = phone.seal(about_nobody(YES), finished_at=at(-60))
    phone.send(yes)
    shut_out(phone)
    phone.send(phone.seal(about_nobody(SAID_NO), finished_at=at(-10), root=yes["id"], prev=[yes["id"]]))
    assert rows_that_may_leave(session, cast) == 0
    reviews.dismiss_submission(session, cast.rosa, submission_id=waiting_id(session, cast))
    assert rows_that_may_leave(session, cast) == 1


def test_a_yes_after_a_no_that_could_not_be_used_counts_again(session: Session, cast: Cast) -> None:
    first = envelope(met(YES), finished_at=at(-60))
    receive(session, cast, first)
    no = correction(first, {**met(SAID_NO), "what": {"contact_type": "elephant"}}, -30)
    assert receive(session, cast, no) == ["rejected"]
    assert (stands(session, cast), shown(session, cast), rows_that_may_leave(session, cast)) == (0, "0", 0)
    late = correction(first, met(YES), -20)  # knows nothing of it
    assert receive(session, cast, late) == ["stored"]
    assert rows_that_may_leave(session, cast) == 0
    yes = envelope(met(YES), root=first["id"], prev=[no["id"], late["id"]], finished_at=at(-10))
    assert receive(session, cast, yes) == ["stored"]
    assert rows_that_may_leave(session, cast) == 1


def test_a_colleagues_unusable_no_lowers_no_record(session: Session, cast: Cast) -> None:
    first = envelope(about_nobody(YES), finished_at=at(-60))
    receive(session, cast, first)
    theirs = correction(first, about_nobody(SAID_NO, what={"contact_type": "elephant"}), -10)
    receive_batch(session, another_worker(session, cast), parse_batch(batch(theirs)))
    assert rows_that_may_leave(session, cast) == 1


def publish_version(session: Session, cast: Cast, version: str) -> None:
    compiled = compile_workbook(workbook_of("encounter"))
    newer = dataclasses.replace(compiled, definition=dataclasses.replace(compiled.definition, version=version))
    publish_form(session, cast.system, compiled=newer, workbook=b"")


@pytest.mark.parametrize("is_clicked", [True, False], ids=["by an admin", "by itself"])
@pytest.mark.parametrize("consent", [SAID_NO, YES], ids=["no", "yes"])
def test_what_came_before_its_form_version_is_taken_in_once_that_is_here(
    session: Session, cast: Cast, consent: dict[str, str], is_clicked: bool
) -> None:
    first = envelope(about_nobody(YES), finished_at=at(-60))
    receive(session, cast, first)
    answers = encounter(people=ALONE, talk=TALK, consent=consent, next={"note": "CANARY2"})
    later = correction(first, answers, -10, version="2")
    assert receive(session, cast, later) == ["rejected"]
    assert rows_that_may_leave(session, cast) == (0 if consent == SAID_NO else 1)
    assert quarantine.let_in_known_forms(session) == 0
    assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(0, 1)
    publish_version(session, cast, "2")
    if is_clicked:
        assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(1, 0)
    else:
        assert quarantine.let_in_known_forms(session) == 1
    assert quarantine.let_in_known_forms(session) == 0
    assert rows_that_may_leave(session, cast) == (0 if consent == SAID_NO else 1)
    session.expire_all()
    record = session.scalars(sa.select(Record)).one()
    assert (record.version, record.is_refused) == ("2", False)
    assert ("CANARY" in everything(session)) == (consent == YES)


def test_what_a_shut_out_phone_sent_for_an_unknown_version_waits_for_an_admin(
    session: Session, cast: Cast, phone: Phone
) -> None:
    shut_out(phone)
    phone.send(phone.seal(met(YES), version="2"))
    publish_version(session, cast, "2")
    assert quarantine.let_in_known_forms(session) == 0
    assert waiting_id(session, cast)


def test_one_that_breaks_its_form_is_not_tried_again_and_again(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(session, cast, envelope(met(YES), finished_at=at(-60), version="2"))
    publish_version(session, cast, "2")
    tries = []
    with monkeypatch.context() as patched:
        patched.setattr(quarantine, "decide", lambda *_: tries.append(1) or 1 / 0)
        assert [quarantine.let_in_known_forms(session) for _ in range(3)] == [0, 0, 0]
    assert len(tries) == 1
    assert quarantine.let_in(session, cast.rosa, [waiting_id(session, cast)]) == quarantine.AcceptedCount(1, 0)
