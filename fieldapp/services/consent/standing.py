"""What people say about consent, written down as it arrives, so that their standing consent can be read."""

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

LOWEST, HIGHEST = 0, 3
TRIES = 3  # how often something is made anew at once because consent fell


@dataclass(frozen=True)
class ConsentStatement:
    """What one submission of a record says about a person's consent."""

    root_id: str
    person: str  # card code without dashes; "" when it names none
    tier: int
    asked: bool
    finished_at: dt.datetime
    position: int
    waits: bool = False  # until it is let in
    is_fall: bool = False  # the right of some record to leave fell: it names neither record nor person
    is_of_all: bool = False  # by all versions of a record, so it replaces what the record said before


def make_fall(finished_at: dt.datetime, position: int) -> ConsentStatement:
    """Return the note that some record may leave less than before."""
    return ConsentStatement(str(uuid.uuid4()), "", LOWEST, False, finished_at, position, is_fall=True)


def read_consent(definition: FormDefinition, answers: Mapping[str, Any]) -> tuple[int, bool] | None:
    """Return the tier that answers give, and whether the person was asked and understood; None when they say nothing of it.

    Whoever was not asked, or did not understand, has not said yes to anything: that is tier 0.
    """
    question = _find_tier_question(definition)
    if question is None:
        return None
    tier = _find_answer(answers, question.path)
    how = definition.read_role(answers, QuestionRole.CONSENT_ASKED)
    understood = definition.read_role(answers, QuestionRole.CONSENT_UNDERSTOOD)
    if not (tier or how or understood):
        return None
    is_conversation = definition.is_chosen(answers, QuestionRole.CONSENT_ASKED, ChoiceRole.CONVERSATION)
    is_understood = definition.is_chosen(answers, QuestionRole.CONSENT_UNDERSTOOD, ChoiceRole.YES)
    if is_conversation and not is_understood and QuestionRole.CONSENT_UNDERSTOOD in definition.summary:
        return LOWEST, False
    number = int(tier) if tier.isdecimal() else LOWEST
    return min(number, HIGHEST), is_conversation and is_understood


def _find_tier_question(definition: FormDefinition) -> Element | None:
    """Return the question with the role; else the one with the list of tiers."""
    named = definition.find_with_role(QuestionRole.TIER)
    return named or next((one for one in definition.elements if _offers_tiers(definition, one)), None)


def _offers_tiers(definition: FormDefinition, question: Element) -> bool:
    choices = definition.choices.get(question.choices, ())
    return any(ChoiceRole.CONSENT_TIER in choice.roles for choice in choices)


def _find_answer(answers: Mapping[str, Any], path: str) -> str:
    value: Any = answers
    for name in path.split("/")[2:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def save_statement(
    session: Session,
    centre_id: int,
    root_id: str,
    person: str,
    tier: int,
    asked: bool,
    finished_at: dt.datetime,
    position: int,
    at: dt.datetime,
) -> None:
    """Write down what one submission says, in the transaction that stores it.

    `position` is its place in the centre's log, `at` the moment by the centre's clock.
    """
    save_statements(session, centre_id, [ConsentStatement(root_id, person, tier, asked, finished_at, position)], at)


def save_statements(session: Session, centre_id: int, said: Sequence[ConsentStatement], at: dt.datetime) -> None:
    """Write down what submissions say, in the order in which they arrived."""
    if not said:
        return
    kept = {word.root_id: word for word in standing.words(session, centre_id, {one.root_id for one in said})}
    persons = {one.person for one in said} | {word.person for word in kept.values()}
    before = standing.of(session, centre_id, persons - {""})
    left: set[str] = set()
    for one in sorted(said, key=lambda one: one.position):
        word = kept.get(one.root_id)
        if word is not None:
            named = word.person
            _correct_word(word, one)
            left |= {named} - {word.person, ""}
        elif one.person or one.is_fall:
            word = kept[one.root_id] = _create_word(session, centre_id, one)
        if word is not None and not word.waits and word.tier < before.get(word.person, LOWEST):
            word.lowered_at = at
            before[word.person] = word.tier
    session.flush()
    _save_falls(session, centre_id, {person: before[person] for person in left if person in before}, at)


def _save_falls(session: Session, centre_id: int, before: Mapping[str, int], at: dt.datetime) -> None:
    """Note the fall of people of whom a higher word is about somebody else by now."""
    now = standing.of(session, centre_id, before)
    fallen = {person for person, tier in before.items() if now.get(person, LOWEST) < tier}
    for word in standing.of_people(session, centre_id, fallen):
        word.lowered_at = at


def _create_word(session: Session, centre_id: int, one: ConsentStatement) -> ConsentWord:
    word = ConsentWord(
        centre_id=centre_id,
        root_id=one.root_id,
        person=one.person,
        tier=one.tier,
        asked=one.asked,
        finished_at=one.finished_at,
        position=one.position,
        waits=one.waits,
    )
    session.add(word)
    return word


def _correct_word(word: ConsentWord, one: ConsentStatement) -> None:
    """Let a correction replace what its record said before, without making an old word younger than it is.

    One that lowers counts from when it came, and settles nothing that others said. One that raises must be asked and
    understood, and later both by clock and by arrival; it counts from when the record was made.
    """
    if one.is_of_all:
        word.person = one.person or word.person
        word.tier = one.tier
        word.asked = one.asked
        word.position = one.position
        word.finished_at = one.finished_at
        return
    is_other_person = bool(one.person) and one.person != word.person
    is_later = one.position > word.position and one.finished_at > word.finished_at
    if is_other_person:
        word.person, word.tier, word.asked = one.person, one.tier, one.asked
    elif one.tier < word.tier:
        word.tier, word.asked = one.tier, False
        word.position = max(word.position, one.position)
        word.finished_at = max(word.finished_at, one.finished_at)
    elif one.tier > word.tier and is_later and one.asked:
        word.tier, word.asked = one.tier, True
    elif not one.asked:
        word.asked = False


def find_person(session: Session, centre_id: int, root_id: str) -> str:
    """Return the card code that the word of a record is about; "" for none."""
    return next((word.person for word in standing.words(session, centre_id, [root_id])), "")


def delete_answered_refusals(
    session: Session, centre_id: int, root_id: str, person: str, positions: Collection[int]
) -> None:
    """Delete a person's noes at these places in the log, since they were answered.

    The answer is a version of the same record. They have numbers of their own, so that no page leads from the person to
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
    """What was made counts somebody who has taken back their consent in the meantime; it must be made anew."""


class Standings:
    """People's standing consent at one moment, and who was looked up.

    It must still hold when something is published. So must the right of each record to leave by itself: whom it names,
    what it says, that nobody has to choose.
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
        return LOWEST if is_refused else standing_tier

    def check(self, session: Session) -> None:
        """Raise ConsentFell when somebody who was looked up, or any record by itself, allows less than then.

        Called in the transaction that publishes; until it ends, nobody at the centre can take back more.
        """
        centres.lock(session, self.centre_id)
        now = standing.of(session, self.centre_id)
        has_fallen = any(now.get(person, LOWEST) < self.tiers.get(person, LOWEST) for person in self.seen)
        falls = standing.list_falls(session, self.centre_id)
        since = {person for fall, person in falls.items() if fall not in self.falls}
        # A word can rise and fall in between: who reads everybody's consent later than here may have seen it risen.
        if has_fallen or "" in since or (self.is_of_all and since):
            raise ConsentFell(
                "consent.fell", N_("Somebody withdrew consent while this was being built, so it is built again.")
            )
