"""A correction comes when its record is gone: what its person says about consent counts, and nothing else is stored."""

import datetime as dt
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import utcnow
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.consent.slip_acts import SlipView, lower_by_slip, read_slip
from fieldapp.services.consent.withdrawals import advance_withdrawals
from fieldapp.services.phones.devices import revoke_device
from fieldapp.services.phones.pull import note_pulled, pull_changes
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.slips import find_slip
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_item
from sync.intake import FAILED
from sync.notes import SETTLE
from tests.cast import Cast, another_worker, encounter, envelope
from tests.in_clear import everything
from tests.services.consent.calendar import Calendar
from tests.services.consent.consents import MAY, consent, filled, knowing
from tests.services.consent.endings import CARD, NOTE, OTHER, end, send, talked
from tests.services.consent.holds import preserve

LATER = MAY + dt.timedelta(days=9)


@pytest.fixture(autouse=True)
def settings_with_list(session: Session, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))


def no_more(card: str = CARD, **more: Any) -> dict[str, Any]:
    """Return an encounter as a phone sends it after a “no more”."""
    answers = json.loads(talked(card)["body"]) | {"consent": {**consent("-1"), "no_more_sure": "yes"}}
    return filled("encounter", answers, MAY) | more


def of(item: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a submission a correction of another."""
    return {"root": item["id"], "prev": [item["id"]]}


def erase(session: Session, cast: Cast, item: dict[str, Any]) -> None:
    erase_record(session, cast.rosa, instance_id=item["id"], reason="by_mistake")


def gone(session: Session, cast: Cast) -> str:
    """Return all that the database holds once the phone has heard what to forget."""
    session.rollback()
    answer = json.loads(pull_changes(session, cast.amina, cursor="0"))
    note_pulled(session, cast.amina, cursor=str(answer["cursor"]))
    advance_withdrawals(session, None)
    return everything(session)


def tiers(session: Session, cast: Cast) -> dict[str, int]:
    session.rollback()
    return words.list_tiers(session, cast.centre.id)


def late_words(session: Session) -> list[ConsentWord]:
    session.rollback()
    return list(session.scalars(sa.select(ConsentWord).where(ConsentWord.how == words.LATE)))


@pytest.mark.parametrize("named", ["refused_by", "in the answers"])
def test_no_more_in_a_correction_of_an_erased_record_ends_the_card(session: Session, cast: Cast, named: str) -> None:
    item, other = talked(), talked(day=LATER)
    send(session, cast.amina, item, other)
    erase(session, cast, item)
    correction = no_more(**of(item))
    if named == "in the answers":
        answers = json.loads(correction["body"]) | {"people": {"who": "enrolled", "code": CARD}}
        correction = envelope(answers, day=MAY, **of(item))
    (answer,) = send(session, cast.amina, correction)
    assert [problem["code"] for problem in answer["problems"]] == ["record.erased"]
    assert tiers(session, cast) == {}
    assert [withdrawal.how for withdrawal in session.scalars(sa.select(Withdrawal).order_by(Withdrawal.how))] == [
        "form",
        "record",
    ]
    left = gone(session, cast)
    assert [word for word in (NOTE, item["id"], other["id"], correction["id"]) if word in left] == []


def test_less_in_a_correction_of_an_erased_record_lowers_the_card_and_never_raises_it(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    erase(session, cast, item)
    stood = []
    for tier in ("3", "2", "1", "2", "3"):
        send(session, cast.amina, talked(tier=tier, day=LATER, **of(item)))
        stood.append(tiers(session, cast)[CARD])
    assert stood == [3, 2, 1, 1, 1]
    assert NOTE not in everything(session)
    numbers = {word.root_id for word in late_words(session)}
    seen = [
        row for row in everything(session, "consent_word", "standing").splitlines() if any(map(row.__contains__, numbers))
    ]
    assert [row for row in seen if "card/" not in row] == []  # the phones are told of them with the card, and nothing else
    assert all(item["id"] not in word.knew for word in late_words(session))


def test_after_it_the_person_is_asked_and_can_allow_more_again(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    erase(session, cast, item)
    send(session, cast.amina, talked(tier="1", **of(item)))
    send(session, cast.amina, talked(day=LATER))  # its phone had not heard of it
    assert tiers(session, cast) == {CARD: 1}
    send(session, cast.amina, knowing(session, talked(day=LATER), CARD))
    assert tiers(session, cast) == {CARD: 3}


@pytest.mark.parametrize("says", ["no more", "1"])
def test_so_it_is_with_another_card_than_the_ended_one(session: Session, cast: Cast, says: str) -> None:
    wrong = talked()  # it was somebody else
    send(session, cast.amina, talked(OTHER), wrong)
    end(session, cast)
    correction = no_more(OTHER, **of(wrong)) if says == "no more" else talked(OTHER, tier=says, **of(wrong))
    (answer,) = send(session, cast.amina, correction)
    assert [problem["code"] for problem in answer["problems"]] == ["consent.ended"]
    assert tiers(session, cast) == ({} if says == "no more" else {OTHER: 1})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_arrival_changes_nothing(session: Session, cast: Cast, order: tuple[int, ...]) -> None:
    wrong = talked()
    send(session, cast.amina, wrong)
    end(session, cast)
    items = [talked(OTHER, tier="1", **of(wrong)), talked(OTHER, tier="2", **of(wrong)), talked(OTHER, day=LATER)]
    for number in order:
        send(session, cast.amina, items[number])
        # A yes of which nothing is stored is none.
        has_said = order.index(2) <= order.index(number)
        assert (OTHER in tiers(session, cast)) == has_said
    assert tiers(session, cast) == {OTHER: 1}


def test_of_the_ended_card_itself_nothing_is_noted(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    end(session, cast)
    send(session, cast.amina, talked(tier="1", **of(item)), no_more(**of(item)), talked(tier="1", day=LATER))
    assert tiers(session, cast) == {}
    assert late_words(session) == []
    assert CARD not in gone(session, cast)


def test_what_breaks_its_forms_rules_or_has_no_form_holds_the_card_back_and_does_not_end_it(
    session: Session, cast: Cast
) -> None:
    item, other = talked(), talked(OTHER)
    send(session, cast.amina, item, other)
    erase(session, cast, item)
    erase(session, cast, other)
    broken = encounter(MAY, people={"who": "enrolled"}, consent={**consent("-1"), "no_more_sure": ""})
    unknown = no_more(OTHER, **of(other)) | {"version": "2099010101"}
    send(session, cast.amina, envelope(broken, day=MAY, refused_by=CARD, **of(item)), unknown)
    stands = tiers(session, cast)
    assert stands[CARD] <= 0 and stands[OTHER] == 0
    assert "form" not in session.scalars(sa.select(Withdrawal.how)).all()


def test_the_word_of_a_phone_that_was_shut_out_lowers_nothing(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    erase(session, cast, item)
    colleague = another_worker(session, cast)
    assert colleague.device_id is not None
    revoke_device(session, cast.rosa, device_id=colleague.device_id)
    send(session, colleague, no_more(**of(item)))
    assert tiers(session, cast) == {CARD: 3}


# What phones are told of a record that is gone.


def test_after_a_hold_a_phone_is_told_as_during_it_that_the_record_was_erased(
    monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast
) -> None:
    calendar = Calendar(monkeypatch, session, cast)
    item, of_ended = talked(), talked(OTHER)
    send(session, cast.amina, item, of_ended)
    for preserved in (item, of_ended):
        preserve(session, cast, preserved["id"], calendar.now.date() + dt.timedelta(days=60))
    erase(session, cast, item)
    end(session, cast, OTHER)

    def told() -> list[str]:
        answers = send(session, cast.amina, item, of_ended, status="duplicate")
        return [problem["code"] for answer in answers for problem in answer["problems"]]

    assert told() == ["record.erased", "consent.ended"]
    calendar.go_on(61)
    advance_withdrawals(session, None)
    assert NOTE not in everything(session)
    assert told() == ["record.erased", "consent.ended"]


@pytest.mark.parametrize("is_late", [False, True])
def test_a_note_about_an_erased_record_does_not_say_that_the_person_took_everything_back(
    session: Session, cast: Cast, is_late: bool
) -> None:
    item = talked()
    note = envelope({"due": f"{item['id']}/{MAY + dt.timedelta(days=30)}"}, form=SETTLE, version="1")
    send(session, cast.amina, item)
    if not is_late:
        send(session, cast.amina, note)
    erase(session, cast, item)
    (answer,) = send(session, cast.amina, note, status="stored" if is_late else "duplicate")
    assert [problem["code"] for problem in answer["problems"]] == ["record.erased"]
    assert session.scalars(sa.select(Submission).where(Submission.form == SETTLE)).all() == []


def give_slip(session: Session, cast: Cast, item: dict[str, Any], tag: str, *, aside: tuple[str, str] | None = None) -> str:
    """Send a record with a slip; return which card the slip shows, "" for none."""
    parsed = parse_item(item)
    assert parsed
    receive_batch(session, cast.amina, [IncomingSubmission(parsed, slip_tag=tag, quarantine_reason=aside)])
    slip = find_slip(session, tag)
    return slip.person if slip else ""


def test_a_slip_that_came_with_a_correction_of_an_erased_record_shows_the_card(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    erase(session, cast, item)
    no = json.loads(talked()["body"]) | {"consent": {**consent("0")}}
    assert give_slip(session, cast, talked(tier="1", **of(item)), "aside", aside=FAILED) == ""
    assert give_slip(session, cast, envelope(no, day=MAY, **of(item)), "no") == ""
    assert give_slip(session, cast, talked(tier="2", day=LATER, **of(item)), "less") == CARD
    assert give_slip(session, cast, talked(tier="3", day=LATER, **of(item)), "more") == CARD
    view = read_slip(session, "less", utcnow())
    assert isinstance(view, SlipView) and view.tier == tiers(session, cast)[CARD]
    lower_by_slip(session, "less", 1)
    assert tiers(session, cast) == {CARD: 1}
