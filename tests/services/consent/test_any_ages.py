"""Records of any ages, rules in any order, killed anywhere: what should be gone is gone, and the rest stays."""

import contextlib
import dataclasses
import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent import retention, retention_steps
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.retention_rules import load_rules
from fieldapp.services.consent.withdrawals import advance_withdrawals
from fieldapp.services.phones.missing import find_missing
from fieldapp.services.records import deliveries
from fieldapp.settings import Settings
from fieldapp.store import tables
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope
from tests.in_clear import iterate_rows
from tests.services.caseload.meetings import code
from tests.services.consent.calendar import Calendar
from tests.services.consent.consents import consent
from tests.services.consent.endings import end
from tests.services.consent.holds import preserve
from tests.services.consent.timed_forms import publish_timed, timed

MONTH = 30.5  # days
NEAR = 20  # days around a limit on which either may be right
NEVER = 10_000
OWN_TABLES = ("retention_", "audit_event", "feed_item", "feed_head")  # that say when the job ran, or when phones did


@dataclass
class Written:
    """Something that was sent: its words, each with the days after which it has to be gone."""

    id: str
    day: dt.date
    words: dict[str, float]
    card: str = ""
    is_preserved: bool = False


@dataclass
class Past:
    """Three years of a centre, at random."""

    chance: random.Random
    written: list[Written] = field(default_factory=list)
    last_met: dict[str, dt.date] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def send_one(self, calendar: Calendar) -> None:
        number = 100_000 + len(self.written)
        day = calendar.now.date()
        kind = self.chance.choice(["timed", "talk", "talk", "refused", "noted"])
        card = self.chance.choice(["", code(50), code(51), code(52), code(53)]) if kind in ("timed", "talk") else ""
        if card in self.ended:
            return
        word = f"CANARY text {number}"
        if kind == "timed":
            item = timed(day, code=card, number=number)
            words = {f'"{number}"': 6 * MONTH, f"CANARY how {number}": 365.0, f"CANARY long {number}": 24 * MONTH}
        elif kind == "talk" and card:
            people = {"who": "enrolled", "code": f"{card[:4]}-{card[4:]}"}
            talk = {"risk_now": "raised"}
            answers = encounter(day, people=people, consent=consent("3"), talk=talk, next={"ref_made": "no", "note": word})
            item, words = envelope(answers, day=day), {word: 365.0}
        elif kind == "refused":
            item, words = (
                envelope({**encounter(day, next={"ref_made": "no", "note": word}), "what": {}}, day=day),
                {word: 365.0},
            )
        else:
            item, words = envelope(encounter(day, next={"ref_made": "no", "note": word}), day=day), {word: 365.0}
        answers_sent = deliveries.receive_batch(calendar.session, calendar.cast.amina, parse_batch(batch(item)))
        assert answers_sent[0]["status"] == ("rejected" if kind == "refused" else "stored"), answers_sent
        self.written.append(Written(item["id"], day, words, card))
        if card:
            self.last_met[card] = day

    def live_through(self, calendar: Calendar, session: Session, cast: Cast) -> None:
        for _ in range(30):
            self.send_one(calendar)
            if self.chance.random() < 0.06 and self.last_met:
                self.end_somebody(session, cast)
            calendar.go_on(self.chance.randrange(10, 60))
        for written in self.written:
            if self.chance.random() < 0.15 and written.card not in self.ended:
                preserve(session, cast, written.id, calendar.now.date() + dt.timedelta(days=300))
                written.is_preserved = True

    def end_somebody(self, session: Session, cast: Cast) -> None:
        card = self.chance.choice(sorted(self.last_met.keys() - self.ended) or [""])
        if card:
            end(session, cast, card)
            self.ended.add(card)

    def find_wrong(self, today: dt.date, text: str) -> list[str]:
        """Return what is there and should not be, or the other way round."""
        wrong = []
        for written in self.written:
            age = (today - written.day).days
            for word, days in written.words.items():
                limit = NEVER if written.is_preserved else days
                if written.card in self.ended:
                    limit = -NEVER
                if abs(age - limit) > NEAR and (word in text) != (age < limit):
                    wrong.append(f"{word}: {age} days, limit {limit}")
        return wrong + self.find_wrong_cards(today, text)

    def find_wrong_cards(self, today: dt.date, text: str) -> list[str]:
        wrong = []
        for card, day in self.last_met.items():
            age = (today - day).days
            is_there = card in text or f"{card[:4]}-{card[4:]}" in text
            is_preserved = any(written.is_preserved and written.card == card for written in self.written)
            limit = NEVER if is_preserved else 731
            if card in self.ended:
                limit = -NEVER
            if abs(age - limit) > NEAR and is_there != (age < limit):
                wrong.append(f"{card}: {age} days, limit {limit}")
        return wrong


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast, tmp_path: Path) -> Calendar:
    (tmp_path / "elsewhere").mkdir()
    settings = Settings(data=str(tmp_path), secret_key="k" * 64, forgotten_copy=str(tmp_path / "elsewhere"))
    attach(session.get_bind().engine, settings)
    return Calendar(monkeypatch, session, cast)


class Killed(Exception):
    pass


def kill_sometimes(chance: random.Random, share: float, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does its work, and is killed before the commit now and then."""

    def run(*arguments: Any) -> Any:
        result = function(*arguments)
        if chance.random() < share:
            raise Killed
        return result

    return run


def read_all(session: Session) -> dict[str, list[str]]:
    """Return what the tables have, but for those that say when the job ran, and form files."""
    session.rollback()
    rows: dict[str, list[str]] = {}
    for table in tables.metadata.sorted_tables:
        if not table.name.startswith((*OWN_TABLES, "form", "legal")):
            rows[table.name] = sorted(repr(tuple(row.values())) for row in iterate_rows(session, table))
    session.rollback()
    return rows


def count_contacts(session: Session) -> Counter[tuple[str, str, str, int]]:
    """Return the numbers that tables of work are made of: form, kind, month and worker."""
    session.rollback()
    counts: Counter[tuple[str, str, str, int]] = Counter()
    for record in session.scalars(sa.select(Record)):
        counts[record.form, record.kind, f"{record.occurred_on:%Y-%m}", record.author_id] += 1
    return counts


def read_positions(session: Session) -> list[tuple[int, int | None, int]]:
    session.rollback()
    query = sa.select(Submission.id, Submission.device_id, Submission.seq).order_by(Submission.id)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def without(counts: Counter[Any], more: Counter[Any]) -> Counter[Any]:
    return Counter({key: number - more[key] for key, number in counts.items() if number != more[key]})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_what_is_over_is_gone_and_the_rest_and_all_numbers_stay(
    session: Session, cast: Cast, calendar: Calendar, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    publish_timed(session, cast)
    past = Past(chance)
    past.live_through(calendar, session, cast)
    session.execute(sa.update(Device).values(pulled=10**9))  # phones have asked since
    session.commit()
    advance_withdrawals(session, None)
    counts, positions = count_contacts(session), read_positions(session)
    phones = session.scalars(sa.select(Device)).all()
    missing = {number: gaps.count for number, gaps in find_missing(session, phones).items()}

    rules = list(load_rules().rules)
    monkeypatch.setattr(retention, "load_rules", lambda: dataclasses.replace(load_rules(), rules=tuple(rules), step=2))
    for key, eraser in list(retention_steps.ERASERS.items()):
        monkeypatch.setitem(retention_steps.ERASERS, key, kill_sometimes(chance, 0.3, eraser))
    monkeypatch.setattr(retention, "find_due", kill_sometimes(chance, 0.1, retention_steps.find_due))
    with contextlib.suppress(Killed):
        calendar.settle_in()
    for _ in range(10):
        calendar.go_on(1)
        chance.shuffle(rules)
        calendar.hear_phone()
        for _ in range(40):
            try:
                calendar.run()
            except Killed:
                continue
            break
    monkeypatch.undo()
    monkeypatch.setattr("fieldapp.services.acts.utcnow", lambda: calendar.now)
    session.execute(sa.update(Device).values(pulled=10**9))
    session.commit()
    calendar.run()

    rows = read_all(session)
    text = "\n".join(row for table in rows.values() for row in table)
    assert past.find_wrong(calendar.now.date(), text) == []
    heard = [row for row in session.scalars(sa.select(Record)) if row.occurred_on >= calendar.now.date() - dt.timedelta(11)]
    today = Counter((row.form, row.kind, f"{row.occurred_on:%Y-%m}", row.author_id) for row in heard)
    assert without(count_contacts(session), today) == without(counts, Counter())
    assert read_positions(session)[: len(positions)] == positions
    assert {number: gaps.count for number, gaps in find_missing(session, phones).items()} == missing
    assert not re.search(r"CANARY text \d+", "\n".join(rows["review"]))

    calendar.go_on(0.01)
    assert calendar.run() == 0
    assert read_all(session) == rows
