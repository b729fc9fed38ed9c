"""After any erasures what is left folds to the same records, and what comes again brings nothing back."""

import random
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.retention_rules import cut_texts
from fieldapp.services.definitions import load_definitions
from fieldapp.services.phones.missing import find_missing
from fieldapp.services.records import folding
from fieldapp.store.phones.devices import Device
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast, encounter, envelope
from tests.services.consent.calendar import Calendar
from tests.services.consent.consents import ONE, consent
from tests.services.consent.refusals import SAID_NO, with_everything

RISKS = ("low", "none", "raised")


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch, session: Session, cast: Cast) -> Calendar:
    return Calendar(monkeypatch, session, cast)


class Story:
    """Records and corrections, good and refused, as one worker may send them."""

    def __init__(self, seed: int):
        self.chance = random.Random(seed)
        self.items: list[dict[str, Any]] = []

    def add_record(self) -> None:
        first = envelope(self.answers(), id=self.number())
        self.items.append(first)
        known = [first["id"]]
        for _ in range(self.chance.randrange(5)):
            prev = self.chance.sample(known, k=self.chance.randint(1, min(2, len(known))))
            item = envelope(self.answers(), id=self.number(), root=first["id"], prev=prev)
            self.items.append(item)
            known.append(item["id"])

    def number(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def answers(self) -> dict[str, Any]:
        kind = self.chance.choice(["good"] * 4 + ["refused", "person", "no", "broken no"])
        note = f"CANARY {self.chance.randrange(5)}"
        if kind == "no":
            return with_everything(SAID_NO)
        if kind == "broken no":
            return {**with_everything(SAID_NO), "what": {}}
        if kind == "person":
            people = {"who": "enrolled", "code": ONE}
            tier = self.chance.choice("123")
            return encounter(people=people, consent=consent(tier), next={"ref_made": "no", "note": note})
        answers = encounter(talk={"risk_now": self.chance.choice(RISKS)}, next={"ref_made": "no", "note": note})
        return {**answers, "what": {}} if kind == "refused" else answers


def read_states(session: Session) -> dict[str, Any]:
    """Return what each record is, without its free texts."""
    session.rollback()
    session.expire_all()
    states: dict[str, Any] = {}
    for record in session.scalars(sa.select(Record)):
        key = record.form, record.version
        definition = load_definitions(session, record.centre_id, {key})[key]
        contested = [conflict["path"] for conflict in record.contested if conflict["path"] != "next.note"]
        answers = cut_texts(definition, record.answers)
        columns = (record.heads, record.person, record.kind, record.area, record.author_id, record.is_refused)
        states[record.instance_id] = ({name: group for name, group in answers.items() if group}, contested, *columns)
    return states


def read_bodies(session: Session) -> dict[int, str]:
    session.rollback()
    return {row[0]: row[1] for row in session.execute(sa.select(Submission.id, Submission.body))}


def refold_all(session: Session, cast: Cast, calendar: Calendar, roots: list[str]) -> None:
    for root_id in roots:
        folding.refold(ActContext(session, cast.system, calendar.now), root_id)
    session.commit()


@pytest.mark.parametrize("seed", range(6))
def test_records_are_the_same_after_erasures_and_nothing_comes_back(
    session: Session, cast: Cast, calendar: Calendar, seed: int
) -> None:
    story = Story(seed)
    for _ in range(5):
        story.add_record()
    story.chance.shuffle(story.items)
    calendar.send(*story.items)
    before = read_states(session)
    roots = sorted(before)
    places = session.scalars(sa.select(Submission.id).order_by(Submission.id)).all()
    phones = session.scalars(sa.select(Device)).all()
    missing = {number: found.count for number, found in find_missing(session, phones).items()}
    calendar.go_on(366)
    calendar.settle_in()
    assert calendar.live(8) > 0
    kept = [root for root in roots if before[root][1] == []]  # of the others somebody has to choose first
    after = {root: state for root, state in read_states(session).items() if root in before}
    assert after == before
    refold_all(session, cast, calendar, roots)
    after = {root: state for root, state in read_states(session).items() if root in before}
    assert {root: after[root] for root in kept} == {root: before[root] for root in kept}
    bodies = read_bodies(session)
    answers = calendar.send(*story.items)
    assert {answer["status"] for answer in answers} == {"duplicate"}
    assert read_bodies(session) == bodies
    assert set(places) <= set(bodies)
    assert {number: found.count for number, found in find_missing(session, phones).items()} == missing


def test_after_the_run_the_bytes_are_in_none_of_the_database_s_files(
    session: Session, cast: Cast, calendar: Calendar
) -> None:
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL's files are its own: its vacuum frees what is dead")
    path = Path(str(session.get_bind().engine.url.database))
    broken = [{**encounter(next={"ref_made": "no", "note": f"CANARY{n:04}X"}), "what": {}} for n in range(40)]
    calendar.send(*[envelope(answers) for answers in broken])
    good = [encounter(next={"ref_made": "no", "note": f"CANARY{n:04}X"}) for n in range(40, 80)]
    calendar.send(*[envelope(answers) for answers in good])
    session.rollback()
    # As they are stored, sealed: the text itself is in no file at any time.
    stored = [body[17:41] for body in session.scalars(sa.select(Submission.sealed_body))]
    session.rollback()
    assert _count_pieces(path, stored) > 0
    calendar.go_on(366)
    calendar.settle_in()
    calendar.live(8)
    session.rollback()
    assert _count_pieces(path, stored) == 0


def _count_pieces(path: Path, pieces: list[bytes]) -> int:
    files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    held = b"".join(file.read_bytes() for file in files if file.exists())
    return sum(piece in held for piece in pieces)
