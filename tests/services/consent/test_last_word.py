"""Nobody is counted or shown against the last thing they said: clocks may be a year off, deliveries in any order."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.orm import Session

from evaluator_export.datasets import eligibility
from evaluator_export.datasets.dataset_spec import ConsentRule
from evaluator_export.datasets.recipe import Audience
from evaluator_export.periods import parse
from evaluator_export.tables.protected_counts import TOTAL
from fieldapp.services.acts import Actor
from fieldapp.services.products import editions, tables
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases.datasets import load_catalogue
from fieldapp.services.releases.gathering import gather
from fieldapp.store.consent import standing as store
from fieldapp.store.database import WriteTransaction
from fieldapp.store.releases import datasets
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, another_worker, batch, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.consents import MAY, consent, met, send, told
from tests.services.products.figures import NOW, body_of, number, switched_on

pytestmark = pytest.mark.usefixtures("one_no")  # with two noes: test_two_answers.py

PEOPLE = [code(seed) for seed in range(300, 305)]
WORDS = [("3", "read_out"), ("2", "read_out"), ("1", "they_read"), ("0", "read_out"), ("3", "earlier"), ("", "not_asked")]
ALWAYS = dt.date(2020, 1, 1), dt.date(2031, 1, 1)


@dataclass
class Spoken:
    """What a person really said, in the order in which all of it was said."""

    person: str
    tier: int
    item: dict[str, Any]
    is_word: bool = True  # a correction that says no less than its record did is none: it says again what was said then
    is_heard: bool = False

    @property
    def record(self) -> str:
        number: str = self.item.get("root", self.item["id"])
        return number


@dataclass
class HeldPhone:
    """A phone with its own idea of the day, and of what people said."""

    actor: Actor
    days_off: int
    known: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[Spoken] = field(default_factory=list)
    sent: list[Spoken] = field(default_factory=list)

    def say(self, chance: random.Random, day: dt.date) -> Spoken:
        """Return what somebody says to this phone's worker, as the phone writes it down."""
        person = chance.choice(PEOPLE)
        tier, how = chance.choice(WORDS)
        day += dt.timedelta(days=self.days_off)
        more: dict[str, Any] = {}
        if chance.random() < 0.7:
            more["consent"] = {"knew": self.known.get(person, [])[:16]}
        own = [spoken for spoken in (*self.waiting, *self.sent) if spoken.person == person]
        is_word = True
        if own and chance.random() < 0.3:
            corrected = chance.choice(own)
            earlier = corrected.item
            more |= {"root": earlier.get("root", earlier["id"]), "prev": [earlier["id"]]}
            is_word = int(tier or "0") < corrected.tier
        item = met(person, day, tier, how, **more)
        if tier == "0" and chance.random() < 0.5:  # as an app of today cuts it
            answers = encounter(day, people={"who": "enrolled"}, consent=consent("0"))
            item = envelope(answers, day=day, refused_by=person, **more)
        spoken = Spoken(person, int(tier or "0"), item, is_word)
        self.waiting.append(spoken)
        return spoken

    def deliver(self, session: Session, chance: random.Random) -> None:
        """Send some of what waits, in any order, with some of what was sent before."""
        going = chance.sample(self.waiting, chance.randrange(len(self.waiting) + 1))
        again = chance.sample(self.sent, min(2, len(self.sent)))
        together = [*going, *again]
        chance.shuffle(together)
        if together:
            envelopes = parse_batch(batch(*(spoken.item for spoken in together)))
            answers = receive_batch(session, self.actor, envelopes)
            assert {answer["status"] for answer in answers} <= {"stored", "duplicate", "rejected"}, answers
            problems = {problem["code"] for answer in answers for problem in answer.get("problems", ())}
            assert problems <= {"consent.stands_at_no"}  # "asked before" is no yes after a no
        for spoken in going:
            spoken.is_heard = True
            self.waiting.remove(spoken)
            self.sent.append(spoken)

    def pull(self, session: Session) -> None:
        self.known = {person: told(session, person).get("heads", []) for person in PEOPLE}


@pytest.mark.parametrize("seed", range(8))
def test_what_stands_is_never_more_than_the_last_word_that_was_heard(session: Session, cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    basil = another_worker(session, cast)
    phones = [HeldPhone(actor, chance.randrange(-400, 400)) for actor in (cast.amina, cast.amina, basil)]
    history: list[Spoken] = []
    for step in range(36):
        phone = chance.choice(phones)
        choice = chance.random()
        if choice < 0.55:
            history.append(phone.say(chance, dt.date(2026, 5, 1) + dt.timedelta(days=step)))
        elif choice < 0.75:
            phone.pull(session)
        else:
            phone.deliver(session, chance)
            assert_nobody_is_counted_against_their_word(session, cast, history)
    for phone in phones:
        while phone.waiting:
            phone.deliver(session, chance)
        assert_nobody_is_counted_against_their_word(session, cast, history)


def find_last_words(history: list[Spoken]) -> dict[str, int]:
    """Return the tier of each person's last word that was heard, as its record was corrected afterwards."""
    last: dict[str, tuple[str, int]] = {}
    for spoken in history:
        if not spoken.is_heard:
            continue
        record, tier = last.get(spoken.person, ("", 0))
        if spoken.is_word:
            last[spoken.person] = spoken.record, spoken.tier
        elif spoken.record == record:
            last[spoken.person] = record, max(tier, spoken.tier)
    return {person: tier for person, (_, tier) in last.items()}


def assert_nobody_is_counted_against_their_word(session: Session, cast: Cast, history: list[Spoken]) -> None:
    last_words = find_last_words(history)
    session.rollback()
    tiers = store.list_tiers(session, cast.centre.id)
    for person, tier in tiers.items():
        assert tier <= last_words.get(person, tier), (person, tier, last_words)
    reader = tables.make_reader(session, cast.centre, load_catalogue(session, cast.centre.id), NOW + dt.timedelta(days=2000))
    for read in reader.iterate("encounter", *ALWAYS):
        person = read.record.person
        for minimum in (1, 2, 3):
            if person and eligibility.has_consent(ConsentRule("tier", minimum), read.row):
                assert last_words.get(person, minimum) >= minimum
    with WriteTransaction(session):
        assert store.update_standings(session, cast.centre.id, PEOPLE, NOW).changes == {}, (
            "the table is not what the words give"
        )


MANY = [code(seed) for seed in range(100, 140)]
JUNE = dt.date(2026, 6, 10)


@pytest.mark.parametrize("is_last_word_first", [False, True], ids=["in order", "the last word arrives first"])
@pytest.mark.parametrize(("last_word", "rows"), [("0", 0), ("1", 0), ("2", 40)])
def test_no_reader_counts_forty_people_against_a_last_word_from_a_phone_whose_clock_is_a_year_behind(
    session: Session, cast: Cast, last_word: str, rows: int, is_last_word_first: bool
) -> None:
    series = a_series(session, cast)
    a_year_behind = MAY - dt.timedelta(days=400)
    yes = [met(person, JUNE, "3") for person in MANY]
    last = [
        met(person, a_year_behind, last_word, consent={"knew": [item["id"]]}) for person, item in zip(MANY, yes, strict=True)
    ]
    for items in (last, yes) if is_last_word_first else (yes, last):
        answers = receive_batch(session, cast.amina, parse_batch(batch(*items)))
        assert {answer["status"] for answer in answers} == {"stored"}
    gathered = gather.gather_release(session, series, parse("2026-Q2"), dt.datetime.now(dt.UTC))
    counts = {part.name: part.records - part.without_consent for part in gathered.datasets}
    assert counts["encounters"] == rows
    switched_on(session, cast, "dashboard")
    editions.build_due(session, NOW)
    assert number(body_of(session, cast, "dashboard", "2026-06"), "participants", "2026-Q2")["text"] in ("", "<25")
    catalogue = load_catalogue(session, cast.centre.id)
    spec = tables.list_table_specs(catalogue, Audience.PUBLIC, ["participants_active"])["participants_active"]
    cells = datasets.table_states(session, cast.centre.id, spec.key)["2026-Q2"]
    assert [count for cell, count, _ in cells if tuple(cell) == TOTAL] in ([], [0])
    reader = tables.make_reader(session, cast.centre, catalogue, NOW)
    [counted] = tables.count_tables(reader, cast.centre, [(parse("2026"), spec)], {})
    assert counted.published[TOTAL][1] in ("", "0", "<25")


def test_who_was_not_asked_again_has_said_nothing(session: Session, cast: Cast) -> None:
    """The phone says so; a client that does not say so is taken to have heard a no."""
    person = PEOPLE[0]
    unasked = encounter(MAY, people={"people_n": "1", "who": "enrolled", "code": person}, consent={})
    for spoken, expected in (({"asked": False}, 3), ({"asked": True}, 0)):
        send(session, cast, met(person, MAY, "3"))
        receive_batch(session, cast.amina, parse_batch(batch(envelope(unasked, day=MAY, consent=spoken))))
        session.rollback()
        assert store.list_tiers(session, cast.centre.id)[person] == expected
