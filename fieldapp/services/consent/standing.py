"""Store what people say about consent as it arrives, and read their standing consent."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.consent import standing
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.operations import centres
from fieldapp.store.session import Session
from forms.definition import Element, FormDefinition
from forms.roles import ChoiceRole, QuestionRole

# How far consent reaches (tier).
END = -1  # no more: everything is taken back, for good
LOWEST = 0
HIGHEST = 3
TRIES = 3  # how often something is built again at once because consent fell


@dataclass(frozen=True)
class ConsentStatement:
    """What one submission of a record says about a person's consent."""

    root_id: str
    person: str  # card code without dashes; "" when it names none
    tier: int
    asked: bool  # the person was asked then, and understood
    finished_at: dt.datetime
    position: int  # of the submission in the centre's log
    waits: bool = False  # until it is accepted
    is_fall: bool = False  # the right of some record to leave fell: it names neither record nor person
    is_of_all: bool = False  # by all versions of a record, so it replaces what the record said before


def make_refusal(
    person: str, finished_at: dt.datetime, position: int, waits: bool = False, tier: int = LOWEST
) -> ConsentStatement:
    """Return that a person said no.

    It has a random id, so that nothing leads from the person to the record.
    """
    return ConsentStatement(str(uuid.uuid4()), person, tier, False, finished_at, position, waits)


def make_fall(finished_at: dt.datetime, position: int) -> ConsentStatement:
    """Return the statement that some record may leave less than before."""
    return ConsentStatement(str(uuid.uuid4()), "", LOWEST, False, finished_at, position, is_fall=True)


def read_consent(definition: FormDefinition, answers: Mapping[str, Any]) -> tuple[int, bool] | None:
    """Return the tier that answers give, and whether the person was asked and understood.

    None when they say nothing about consent. A person who was not asked, or did not understand, has not said yes to
    anything: that is tier 0.
    """
    question = _find_tier_question(definition)
    if question is None:
        return None
    tier = _find_answer(answers, question.path)
    asked = definition.read_role(answers, QuestionRole.CONSENT_ASKED)
    understood = definition.read_role(answers, QuestionRole.CONSENT_UNDERSTOOD)
    if not (tier or asked or understood):
        return None
    is_conversation = definition.is_chosen(answers, QuestionRole.CONSENT_ASKED, ChoiceRole.CONVERSATION)
    is_understood = definition.is_chosen(answers, QuestionRole.CONSENT_UNDERSTOOD, ChoiceRole.YES)
    if is_conversation and not is_understood and QuestionRole.CONSENT_UNDERSTOOD in definition.summary:
        return LOWEST, False
    number = int(tier) if tier.isdecimal() else LOWEST
    if tier == str(END):
        number = END
    return min(number, HIGHEST), is_conversation and is_understood


def _find_tier_question(definition: FormDefinition) -> Element | None:
    """Return the question with the role; else the first that offers the list of tiers."""
    with_role = definition.find_with_role(QuestionRole.TIER)
    if with_role:
        return with_role
    for element in definition.elements:
        choices = definition.choices.get(element.choices, ())
        if any(ChoiceRole.CONSENT_TIER in choice.roles for choice in choices):
            return element
    return None


def _find_answer(answers: Mapping[str, Any], path: str) -> str:
    value: Any = answers
    for name in path.split("/")[2:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return value
    return ""


def save_statements(session: Session, centre_id: int, statements: Sequence[ConsentStatement], at: dt.datetime) -> None:
    """Save what submissions say, in the order in which they arrived.

    The time `at` is written on each word that lowers its person's standing consent.
    """
    if not statements:
        return
    root_ids = {statement.root_id for statement in statements}
    words_by_record = {word.root_id: word for word in standing.words(session, centre_id, root_ids)}
    persons = {statement.person for statement in statements} | {word.person for word in words_by_record.values()}
    before = standing.of(session, centre_id, persons - {""})
    left: set[str] = set()  # people of whom a word is about somebody else by now
    for statement in sorted(statements, key=lambda statement: statement.position):
        word = words_by_record.get(statement.root_id)
        if word is not None:
            person = word.person
            _correct_word(word, statement)
            left |= {person} - {word.person, ""}
        elif statement.person or statement.is_fall:
            word = _create_word(session, centre_id, statement)
            words_by_record[statement.root_id] = word
        if word is not None and not word.waits and word.tier < before.get(word.person, LOWEST):
            word.lowered_at = at
            before[word.person] = word.tier
    session.flush()
    _save_falls(session, centre_id, {person: before[person] for person in left if person in before}, at)


def _save_falls(session: Session, centre_id: int, before: Mapping[str, int], at: dt.datetime) -> None:
    """Save the fall of people of whom a higher word is about somebody else by now."""
    tiers = standing.of(session, centre_id, before)
    fallen = {person for person, tier in before.items() if tiers.get(person, LOWEST) < tier}
    for word in standing.of_people(session, centre_id, fallen):
        word.lowered_at = at


def _create_word(session: Session, centre_id: int, statement: ConsentStatement) -> ConsentWord:
    word = ConsentWord(
        centre_id=centre_id,
        root_id=statement.root_id,
        person=statement.person,
        tier=statement.tier,
        asked=statement.asked,
        finished_at=statement.finished_at,
        position=statement.position,
        waits=statement.waits,
    )
    session.add(word)
    return word


def _correct_word(word: ConsentWord, statement: ConsentStatement) -> None:
    """Let a correction replace what its record said, without making an old word younger.

    A correction that lowers counts from when it came, and settles nothing that others said. One that raises must be
    asked and understood, and later both by clock and by arrival; it counts from when the record was made.
    """
    if statement.is_of_all:
        word.person = statement.person or word.person
        word.tier = statement.tier
        word.asked = statement.asked
        word.position = statement.position
        word.finished_at = statement.finished_at
        return
    is_other_person = bool(statement.person) and statement.person != word.person
    is_later = statement.position > word.position and statement.finished_at > word.finished_at
    if is_other_person:
        word.person = statement.person
        word.tier = statement.tier
        word.asked = statement.asked
    elif statement.tier < word.tier:
        word.tier = statement.tier
        word.asked = False
        word.position = max(word.position, statement.position)
        word.finished_at = max(word.finished_at, statement.finished_at)
    elif statement.tier > word.tier and is_later and statement.asked:
        word.tier = statement.tier
        word.asked = True
    elif not statement.asked:
        word.asked = False


def find_person(session: Session, centre_id: int, root_id: str) -> str:
    """Return the card code that the word of a record is about; "" for none."""
    return next((word.person for word in standing.words(session, centre_id, [root_id])), "")


def delete_answered_refusals(
    session: Session, centre_id: int, root_id: str, person: str, positions: Collection[int]
) -> None:
    """Delete a person's refusals at these places in the log, since they were answered.

    The answer is a version of the same record. The refusals have random ids, so that nothing leads from the person to
    the record.
    """
    if not person or not positions:
        return
    for word in standing.of_people(session, centre_id, [person]):
        is_answered = word.position in positions and word.tier == LOWEST and not word.asked
        if is_answered and word.root_id != root_id:
            session.delete(word)
    session.flush()


class ConsentFell(ActProblem):
    """What was built counts somebody who withdrew consent meanwhile: build it again."""


class Standings:
    """People's standing consent at one moment, and who was looked up.

    It must still be the same when something is published. So must the right of each record to leave by itself: its
    person, its own consent, and that nobody has to choose between two answers.

    Example:
        standings = Standings(session, centre_id)
        tier = standings.of_record(record.person, record.is_refused)
        ...
        standings.check(session)  # in the transaction that publishes
    """

    def __init__(self, session: Session, centre_id: int, is_of_all: bool = False):
        self.centre_id = centre_id
        self.falls = standing.list_falls(session, centre_id)  # before the tiers: what falls between the two is seen
        self.tiers = standing.of(session, centre_id)
        self.seen: set[str] = set(self.tiers) if is_of_all else set()
        self.is_of_all = is_of_all

    @classmethod
    def of_all(cls, session: Session, centre_id: int) -> "Standings":
        """Return the standing consent of everybody, as if all had been looked up."""
        return cls(session, centre_id, is_of_all=True)

    def of(self, person: str) -> int | None:
        """Return the standing tier of the person with a card; None without a card."""
        if not person:
            return None
        self.seen.add(person)
        return self.tiers.get(person, LOWEST)

    def of_record(self, person: str, is_refused: bool) -> int | None:
        """Return how far a record may go: not at all where an unusable no speaks against it."""
        standing_tier = self.of(person)
        if is_refused:
            return LOWEST
        return standing_tier

    def check(self, session: Session) -> None:
        """Raise ConsentFell when a person who was looked up, or any record, allows less now.

        Called in the transaction that publishes; until it ends, nobody at the centre can take back more.
        """
        centres.lock(session, self.centre_id)
        tiers = standing.of(session, self.centre_id)
        has_fallen = any(tiers.get(person, LOWEST) < self.tiers.get(person, LOWEST) for person in self.seen)
        falls = standing.list_falls(session, self.centre_id)
        since = {person for fall, person in falls.items() if fall not in self.falls}
        # A word can rise and fall in between: who reads everybody's consent later than here may have seen it risen.
        if has_fallen or "" in since or (self.is_of_all and since):
            raise ConsentFell(
                "consent.fell", N_("Somebody withdrew consent while this was being built, so it is built again.")
            )
