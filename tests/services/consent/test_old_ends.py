"""What is left of ends goes as well: whose rows were on lists, how far each end has come, notes of follow-ups."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.withdrawals import advance_withdrawals, end_listed
from fieldapp.services.phones.missing import find_missing
from fieldapp.services.releases.withdrawals_page import view_withdrawals
from fieldapp.settings import Settings
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.consent.slips import Slip
from fieldapp.store.consent.withdrawals import Withdrawal, WithdrawalCount
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.submissions import Submission
from fieldapp.store.releases import datasets, withdrawals
from fieldapp.store.releases.datasets import Dataset, PublishedRow
from fieldapp.store.releases.withdrawals import WithdrawalInRound, WithdrawalRound, WithdrawalRow, find_list_states
from sync.notes import SETTLE
from tests.cast import Cast, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.calendar import Calendar
from tests.services.consent.endings import CARD, end, send, talked
from tests.services.consent.holds import preserve


@pytest.fixture(autouse=True)
def settings_with_list(session: Session, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    settings = Settings(data=str(tmp_path), secret_key="k" * 64, forgotten_copy=str(tmp_path / "elsewhere"))
    attach(session.get_bind().engine, settings)


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


def pass_days(session: Session, calendar: Calendar, days: int) -> None:
    calendar.go_on(days)
    advance_withdrawals(session, None)
    calendar.settle_in()
    calendar.live(8)
    session.rollback()
    session.expire_all()


def count_rows(session: Session, table: Any) -> int:
    session.rollback()
    return session.scalars(sa.select(sa.func.count()).select_from(table)).one()


def end_finally(session: Session, cast: Cast, calendar: Calendar, card: str = CARD) -> str:
    """Let somebody take everything back, and no phone know of it."""
    send(session, cast.amina, talked(card))
    withdrawal_id = end(session, cast, card)
    session.execute(sa.update(Device).values(pulled=10**9))
    session.commit()
    return withdrawal_id


def test_of_an_end_the_number_of_its_quarter_stays(session: Session, cast: Cast, calendar: Calendar) -> None:
    cards = [code(seed) for seed in range(40, 46)]
    ids = [end_finally(session, cast, calendar, card) for card in cards]
    session.add(Slip(tag="t" * 32, centre_id=cast.centre.id, person="", withdrawal_id=ids[0], made_month="2026-11"))
    session.commit()
    pass_days(session, calendar, 720)
    assert count_rows(session, Withdrawal) == 6
    before = view_withdrawals(session, cast.rosa).quarters
    pass_days(session, calendar, 12)
    assert (count_rows(session, Withdrawal), count_rows(session, Slip)) == (0, 0)
    (count,) = session.scalars(sa.select(WithdrawalCount)).all()
    assert count.people == 6
    after = view_withdrawals(session, cast.rosa).quarters
    assert [(line.name, line.people, line.is_over) for line in after] == [(before[0].name, before[0].people, True)]
    assert end_listed(session) == 0  # the list outside the database still has them, and nothing is done again
    send(session, cast.amina, talked(cards[0]))
    session.rollback()
    assert not [body for body in session.scalars(sa.select(Submission.body)) if "CANARY of a quiet evening" in body]
    pass_days(session, calendar, 30)
    assert [count.people for count in session.scalars(sa.select(WithdrawalCount))] == [6]


def test_what_is_not_done_yet_stays_however_old_it_is(session: Session, cast: Cast, calendar: Calendar) -> None:
    end_finally(session, cast, calendar)
    waiting = end_finally(session, cast, calendar, code(41))
    session.execute(sa.update(Device).values(pulled=0))  # no phone has asked since
    session.commit()
    add_round(session, cast, waiting, None)
    pass_days(session, calendar, 760)
    assert count_rows(session, Withdrawal) == 2


def add_round(session: Session, cast: Cast, withdrawal_id: str, attested_at: dt.datetime | None) -> WithdrawalRound:
    """Put a row of a withdrawal on a list, as a package does."""
    now = session.get_one(Withdrawal, withdrawal_id).effective_at
    centre_id = cast.centre.id
    dataset = datasets.of_centre(session, centre_id)
    if not dataset:
        session.add(Dataset(centre_id=centre_id, name="d", text="", secret="5e" * 32, head="", created_at=now))
        session.flush()
    (first, *_) = datasets.of_centre(session, centre_id)
    tag = withdrawal_id[:16].encode()
    session.add(PublishedRow(dataset_id=first.id, tag=tag, number=1, place=0))
    this_round = WithdrawalRound(centre_id=centre_id, drawn_at=now, listed_at=attested_at, attested_at=attested_at)
    session.add(this_round)
    session.flush()
    row = {"dataset_id": first.id, "tag": tag, "centre_id": centre_id, "number": 1, "place": 0}
    session.add(WithdrawalRow(**row, withdrawal_id="", round_id=this_round.id))
    withdrawals.put_in_round(session, this_round.id, [withdrawal_id])
    withdrawals.copy_states(session, centre_id)
    session.commit()
    return this_round


def test_ninety_days_after_recipients_deleted_the_rows_nothing_says_whose_they_were(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    done, waiting = end_finally(session, cast, calendar), end_finally(session, cast, calendar, code(41))
    finished = add_round(session, cast, done, calendar.now + dt.timedelta(days=3))
    add_round(session, cast, waiting, None)
    states = find_list_states(session, cast.centre.id, done)
    pass_days(session, calendar, 80)
    assert count_rows(session, WithdrawalInRound) == 2
    pass_days(session, calendar, 12)
    assert session.scalars(sa.select(WithdrawalInRound.withdrawal_id)).all() == [waiting]
    assert count_rows(session, WithdrawalRow) == 2  # they leave no more
    moments = (finished.drawn_at, finished.listed_at, finished.attested_at)
    assert {(moment.day, moment.hour) for moment in moments if moment} == {(1, 0)}
    assert find_list_states(session, cast.centre.id, done) == states
    pass_days(session, calendar, 640)
    assert session.scalars(sa.select(Withdrawal.id)).all() == [waiting]


def settle(item: dict[str, Any], day: dt.date) -> dict[str, Any]:
    due = json.loads(item["body"])["next"]["next_due"]
    return envelope({"due": f"{item['id']}/{due}"}, form=SETTLE, day=day, version="1")


def test_notes_of_follow_ups_go_after_a_year_and_the_follow_up_stays_settled(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    day = calendar.now.date()
    item, preserved = talked(day=day), talked(code(41), day=day)
    send(session, cast.amina, item, preserved)
    notes = [settle(item, day), settle(preserved, day)]
    send(session, cast.amina, *notes)
    calendar.go_on(300)
    preserve(session, cast, preserved["id"], calendar.now.date() + dt.timedelta(days=200))
    phones = session.scalars(sa.select(Device)).all()
    missing = {number: found.count for number, found in find_missing(session, phones).items()}
    pass_days(session, calendar, 66)
    bodies = session.scalars(sa.select(Submission.body).where(Submission.form == SETTLE)).all()
    assert bodies == [notes[1]["body"]]
    settled = session.scalars(sa.select(FollowUp.is_settled).where(FollowUp.root_id == item["id"])).all()
    assert settled == [True]
    send(session, cast.amina, notes[0], status="duplicate")
    assert {number: found.count for number, found in find_missing(session, phones).items()} == missing
