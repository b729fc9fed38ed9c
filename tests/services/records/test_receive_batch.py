"""Submissions arrive: nothing lost, nothing doubled, whatever the network does."""

import datetime as dt
import random
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.problems import ActProblem
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope


def send(session: Session, cast: Cast, *items: dict[str, Any]) -> list[str]:
    return [answer["status"] for answer in receive_batch(session, cast.amina, parse_batch(batch(*items)))]


def count(session: Session, table: type[Any]) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(table)).one()


@pytest.mark.parametrize("who", ["rosa", "eve", "olaf"])
def test_only_workers_send(session: Session, cast: Cast, who: str) -> None:
    with pytest.raises(ActProblem) as refused:
        receive_batch(session, cast.actor(who), parse_batch(batch(envelope(encounter()))))
    assert refused.value.code == "access.denied"
    assert count(session, Submission) == 0


def test_a_good_encounter_becomes_a_record(session: Session, cast: Cast) -> None:
    assert send(session, cast, envelope(encounter())) == ["stored"]
    record = session.scalars(sa.select(Record)).one()
    assert (record.occurred_on, record.area, record.kind) == (dt.date.today(), "002", "check_in")
    assert (record.centre_id, record.author_id) == (cast.centre.id, cast.amina.user_id)


def test_a_re_sent_batch_makes_no_second_record(session: Session, cast: Cast) -> None:
    items = [envelope(encounter()) for _ in range(3)]
    assert send(session, cast, *items) == ["stored"] * 3
    assert send(session, cast, *items) == ["duplicate"] * 3
    assert (count(session, Submission), count(session, Record)) == (3, 3)


def test_the_same_id_with_other_answers_is_kept_as_a_conflict(session: Session, cast: Cast) -> None:
    first = envelope(encounter())
    second = envelope(encounter(talk={"risk_now": "high", "safety_plan": "no"}), id=first["id"])
    assert send(session, cast, first) == ["stored"]
    assert send(session, cast, second) == ["conflict"]
    assert send(session, cast, second) == ["duplicate"]
    assert (count(session, Submission), count(session, Record)) == (2, 1)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (envelope(encounter(talk={"people_n": "900"})), "answers.constraint"),
        (envelope({}), "answers.required"),
        (envelope("no JSON"), "sync.body"),
        (envelope("[]"), "answers.shape"),
        (envelope("[" * 50_000), "sync.body"),
        (envelope(encounter(), version="1999"), "sync.unknown_form"),
        (envelope(encounter(), form="nothing"), "sync.unknown_form"),
        (envelope({**encounter(), "spy": "x"}), "answers.unknown_question"),
        (envelope({**encounter(), "consent": {"said": "read_out"}}), "answers.irrelevant"),
        (envelope(encounter(next={"safeto_default": "er"}) | {"next": {"ref_made": "no", "safeto_default": "er"}}), "answers.calculation"),
    ],
)  # fmt: skip
def test_what_fails_is_kept_with_its_reasons(session: Session, cast: Cast, item: dict[str, Any], code: str) -> None:
    assert send(session, cast, item) == ["rejected"]
    kept = session.scalars(sa.select(Submission)).one()
    assert kept.body == item["body"]
    assert code in [problem["code"] for problem in kept.problems]
    assert count(session, Record) == 0


def test_a_poisoned_record_does_not_block_the_others(session: Session, cast: Cast) -> None:
    assert send(session, cast, envelope(encounter()), envelope("{"), envelope(encounter())) == [
        "stored",
        "rejected",
        "stored",
    ]


def test_damage_on_the_way_is_sent_again(session: Session, cast: Cast) -> None:
    item = envelope(encounter())
    assert send(session, cast, {**item, "sha256": "0" * 64}) == ["retry"]
    assert count(session, Submission) == 0
    assert send(session, cast, item) == ["stored"]


def test_late_sync_is_judged_by_the_day_it_was_finished(session: Session, cast: Cast) -> None:
    day = dt.date.today() - dt.timedelta(days=100)
    assert send(session, cast, envelope(encounter(day), day=day)) == ["stored"]


def test_another_centre_may_use_the_same_id(session: Session, cast: Cast) -> None:
    """Ids are a centre's own: what one centre holds changes nothing, and tells nothing, at another."""
    item = envelope(encounter())
    send(session, cast, item)
    assert session.scalars(sa.select(Record).where(Record.centre_id == cast.other_centre.id)).all() == []


def test_the_audit_line_counts_and_names_no_answer(session: Session, cast: Cast) -> None:
    send(session, cast, envelope(encounter()), envelope("{"))
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "batch.receive")).one()
    assert line.details == {"stored": 1, "rejected": 1}
    assert session.get_one(Device, cast.amina.device_id).last_seen_at >= line.at


def test_two_phones_sending_the_same_at_once_make_one_record(engine: sa.Engine, session: Session, cast: Cast) -> None:
    """A lost response and an eager retry: the same batch from several threads at the same time."""
    items = [envelope(encounter()) for _ in range(5)]
    parsed, statuses = parse_batch(batch(*items)), list[str]()

    def push() -> None:
        with Session(engine, expire_on_commit=False) as own:
            statuses.extend(answer["status"] for answer in receive_batch(own, cast.amina, parsed))

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 30
    assert statuses.count("stored") == 5
    session.rollback()
    assert (count(session, Submission), count(session, Record)) == (5, 5)


def test_any_order_any_repetition_gives_the_same_records(session: Session, cast: Cast) -> None:
    chance = random.Random(3)
    items = [envelope(encounter()) for _ in range(8)]
    for _ in range(30):
        send(session, cast, *chance.sample(items, chance.randrange(1, 6)))
    send(session, cast, *items)
    assert (count(session, Submission), count(session, Record)) == (8, 8)
