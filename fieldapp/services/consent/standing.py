"""Store what people say about consent as it arrives, and read their standing consent."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.problems import N_, ActProblem
from fieldapp.store.consent import standing
from fieldapp.store.consent.standing import ConsentWord, StandingUpdate
from fieldapp.store.operations import centres
from fieldapp.store.session import Session
from forms.definition import Element, FormDefinition
from forms.roles import ChoiceRole, QuestionRole
from sync import consent
from sync.envelope import SpokenConsent

# How far consent reaches (tier).
END = consent.END
LOWEST = consent.LOWEST
HIGHEST = consent.HIGHEST
FORM = "form"
BY_HAND = ("slip", "office")  # how a person may say less without a record
TRIES = 3  # how often something is built again at once because consent fell


@dataclass(frozen=True)
class ConsentStatement:
    """What one submission of a record says about a person's consent."""

    root_id: str
    person: str  # card code without dashes; "" when it names none
    tier: int
    asked: bool  # the person was asked then, and understood
    finished_at: dt.datetime
    position: int  # the id of its submission: the order of arrival
    waits: bool = False  # until it is accepted
    is_fall: bool = False  # the right of some record to leave fell: it names neither record nor person
    is_of_all: bool = False  # by all versions of a record, so it replaces what the record said before
    statement_id: str = ""  # what others name when they know of it; "" for the id of the record
    spoken: SpokenConsent | None = None  # how it was said; None for what is known of it already, or nothing
    how: str = FORM


def make_refusal(
    person: str,
    finished_at: dt.datetime,
    position: int,
    waits: bool = False,
    tier: int = LOWEST,
) -> ConsentStatement:
    """Return that a person said no.

    It has a random id, so that nothing leads from the person to the record.
    """
    return ConsentStatement(str(uuid.uuid4()), person, tier, False, finished_at, position, waits)


def make_statement_id(submission_ids: Iterable[str]) -> str:
    """Return the id of what a record says since these submissions lowered it.

    It is always the same for the same submissions, and leads to none of them.
    """
    text = "\n".join(["fieldapp statement", *sorted(submission_ids)])
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


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
    return _read_tier(tier), is_conversation and is_understood


def _read_tier(answer: str) -> int:
    if answer == str(END):
        return END
    if answer.isdecimal():
        return min(int(answer), HIGHEST)
    return LOWEST


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


def save_statements(
    session: Session, centre_id: int, statements: Sequence[ConsentStatement], at: dt.datetime
) -> StandingUpdate:
    """Save what submissions say, in the order in which they arrived; return what stands now.

    The time `at` is written on the words of each person whose standing consent falls.
    """
    if not statements:
        return StandingUpdate({}, {})
    centres.lock_words(session, centre_id)
    root_ids = {statement.root_id for statement in statements}
    words_by_record = {word.root_id: word for word in standing.list_words(session, centre_id, root_ids)}
    persons = {statement.person for statement in statements} | {word.person for word in words_by_record.values()}
    new_words: list[ConsentWord] = []
    for statement in sorted(statements, key=lambda statement: statement.position):
        word = words_by_record.get(statement.root_id)
        if word is not None:
            _correct_word(word, statement)
        elif statement.person or statement.is_fall:
            words_by_record[statement.root_id] = _create_word(centre_id, statement)
            words_by_record[statement.root_id].lowered_at = at if statement.is_fall else None
            new_words.append(words_by_record[statement.root_id])
    standing.add_words(session, new_words)
    return update_standings(session, centre_id, persons, at, words_by_record.values(), _find_highest(statements))


def _find_highest(statements: Iterable[ConsentStatement]) -> dict[str, int]:
    """Return the highest tier that arrived for each person."""
    highest: dict[str, int] = {}
    for statement in statements:
        if not statement.waits:
            highest[statement.person] = max(statement.tier, highest.get(statement.person, END))
    return highest


def update_standings(
    session: Session,
    centre_id: int,
    persons: Collection[str],
    at: dt.datetime,
    touched: Iterable[ConsentWord] = (),
    arrived: Mapping[str, int] = standing.NOTHING_SAID,
) -> StandingUpdate:
    """Bring what stands up to date after these people's words changed; return it.

    The time `at` is written on the `touched` words of each person whose standing consent fell; where none of them is
    theirs any more, on all words of the person. `arrived`: the highest tier that came just now, by person.
    """
    update = standing.update_standings(session, centre_id, persons, at, arrived)
    fallen = {person for person, change in update.changes.items() if change.is_fall}
    if fallen:
        lowering = [word for word in touched if word.person in fallen and not word.waits]
        unmarked = fallen - {word.person for word in lowering}
        lowering += standing.list_words_of_people(session, centre_id, unmarked)
        standing.mark_lowered(session, centre_id, {word.root_id for word in lowering}, at)
    return update


def _create_word(centre_id: int, statement: ConsentStatement) -> ConsentWord:
    word = ConsentWord(
        centre_id=centre_id,
        root_id=statement.root_id,
        person=statement.person,
        tier=statement.tier,
        asked=statement.asked,
        finished_at=statement.finished_at,
        position=statement.position,
        lowered_at=None,
        waits=statement.waits,
        statement_id=statement.statement_id or statement.root_id,
        knew=[],
        wording="",
        language="",
        how=statement.how,
    )
    _write_how_it_was_said(word, statement.spoken)
    return word


def _write_how_it_was_said(word: ConsentWord, spoken: SpokenConsent | None) -> None:
    if spoken is not None:
        word.knew = sorted(set(spoken.knew))
        word.wording = spoken.wording
        word.language = spoken.language


def _correct_word(word: ConsentWord, statement: ConsentStatement) -> None:
    """Let a correction replace what its record said.

    What its first submission knew of stays: a correction says again what was said then. Where it lowers, the
    statement has another id, since nobody who spoke before can have known of that. An end stays.
    """
    if word.tier == END:
        return
    _write_how_it_was_said(word, statement.spoken)
    if statement.is_of_all:
        word.person = statement.person or word.person
        word.tier = statement.tier
        word.asked = statement.asked
        word.position = statement.position
        word.finished_at = statement.finished_at
        word.statement_id = statement.statement_id or word.root_id
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
        word.statement_id = statement.statement_id or word.statement_id
    elif statement.tier > word.tier and is_later and statement.asked:
        word.tier = statement.tier
        word.asked = True
    elif not statement.asked:
        word.asked = False


def make_lowering(ctx: ActContext, person: str, tier: int, how: str) -> ConsentStatement:
    """Return what a person says by their slip, or at the office.

    It is said in the knowledge of all that stands. Raises ActProblem when it would allow more than stands.
    """
    row = standing.find_standing(ctx.session, ctx.centre_id, person)
    if row is None or tier > row.tier:
        raise ActProblem("consent.raises", N_("This can only allow less than before. To allow more, talk with your worker."))
    spoken = SpokenConsent(tuple(row.heads), row.wording)
    return ConsentStatement(str(uuid.uuid4()), person, tier, False, ctx.now, 0, spoken=spoken, how=how)


def list_lowering(session: Session, centre_id: int, since: dt.datetime) -> list[tuple[dt.datetime, ConsentStatement]]:
    """Return what lowered a person's consent since a time, and when.

    As statements that can only lower: nobody is asked in them.
    """
    lowering = []
    for word in standing.list_lowering_words(session, centre_id, since):
        statement = ConsentStatement(
            word.root_id,
            word.person,
            word.tier,
            False,
            word.finished_at,
            0,
            statement_id=word.statement_id,
            spoken=SpokenConsent(tuple(word.knew), word.wording, word.language),
            how=word.how,
        )
        lowering.append((word.lowered_at or since, statement))
    return lowering


def find_person(session: Session, centre_id: int, root_id: str) -> str:
    """Return the card code that the word of a record is about; "" for none."""
    return next((word.person for word in standing.list_words(session, centre_id, [root_id])), "")


def delete_answered_refusals(ctx: ActContext, root_id: str, person: str, positions: Collection[int]) -> None:
    """Delete a person's refusals at these places in the log, since they were answered.

    The answer is a version of the same record. The refusals have random ids, so that nothing leads from the person to
    the record.
    """
    if not person or not positions:
        return
    is_any = False
    for word in standing.list_words_of_people(ctx.session, ctx.centre_id, [person]):
        is_answered = word.position in positions and word.tier == LOWEST and not word.asked
        if is_answered and word.root_id != root_id:
            ctx.session.delete(word)
            is_any = True
    if is_any:
        update_standings(ctx.session, ctx.centre_id, [person], ctx.now)


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
        self.tiers = standing.list_tiers(session, centre_id)
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
        tiers = standing.list_tiers(session, self.centre_id)
        has_fallen = any(tiers.get(person, LOWEST) < self.tiers.get(person, LOWEST) for person in self.seen)
        falls = standing.list_falls(session, self.centre_id)
        since = {person for fall, person in falls.items() if fall not in self.falls}
        # A word can rise and fall in between: who reads everybody's consent later than here may have seen it risen.
        if has_fallen or "" in since or (self.is_of_all and since):
            raise ConsentFell(
                "consent.fell", N_("Somebody withdrew consent while this was being built, so it is built again.")
            )
