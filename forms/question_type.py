"""What a type of question must state before any form may use it.

Each type is one module of forms/types.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from forms.expressions.values import Value, to_string
from forms.privacy_classes import NEVER_LEAVES, PrivacyClass, is_at_least
from forms.problems import N_

# Verdicts on a type, an appearance or a parameter; any other text is the reason for which it is refused.
WORKS = "works"  # does what the XLSForm standard says
LOOK = "look"  # accepted; it only changes how other apps draw the question

# Topics of the refuse-to-collect list that follow from a type alone.
EXACT_PLACE = N_("exact place")
CAPTURE = N_("pictures, voices or papers of people")


class AnswerKind(StrEnum):
    """What an answer holds.

    It decides how rules read it, and how lists, codebooks and exports show it.
    """

    CHOICE = "choice"  # the name of one choice
    CHOICES = "choices"  # names of choices, with spaces between them
    ORDER = "order"  # the names of all choices, in an order
    NUMBER = "number"
    DATE = "date"  # a day, with or without a time
    TIME = "time"  # of day
    TEXT = "text"  # whatever people write
    CODE = "code"  # typed or scanned; points to one card or thing
    COORDINATES = "coordinates"  # a point, a line or an outline on the earth
    MEDIA = "media"  # a data: URL, or the name of an attachment
    TICK = "tick"
    COMPUTED = "computed"  # nobody is asked: the form or the phone fills it in
    NOTHING = "nothing"  # words without an answer


SELECTS = frozenset({AnswerKind.CHOICE, AnswerKind.CHOICES, AnswerKind.ORDER})
SEVERAL_NAMES = frozenset({AnswerKind.CHOICES, AnswerKind.ORDER})
# What an answer can give away follows from what it holds, so no type may state a lower class than this.
LEAST_BY_ANSWER = {
    AnswerKind.TEXT: PrivacyClass.FREE_TEXT,
    AnswerKind.CODE: PrivacyClass.IDENTIFIER,
    AnswerKind.COORDINATES: PrivacyClass.IDENTIFIER,
    AnswerKind.MEDIA: PrivacyClass.IDENTIFIER,
}
NEEDS_APPROVAL = frozenset({AnswerKind.COORDINATES, AnswerKind.MEDIA})


class Question(Protocol):
    """The question of an answer that is checked.

    Its parameters, and the choices that it offers now.
    """

    @property
    def parameters(self) -> Mapping[str, str]: ...
    def offers(self, names: Sequence[str]) -> bool: ...
    def count_choices(self) -> int: ...


class IncompleteType(TypeError):
    """A question type lacks a part, or has one that would not protect its answers."""


@dataclass(frozen=True)
class ProposedClass:
    """The privacy class that fits most questions of a type, with the reason for authors."""

    privacy: PrivacyClass
    reason: str


@dataclass(frozen=True, kw_only=True)
class QuestionType:
    """Everything that the server knows of one type of question.

    Parts without a default cannot be left out.

    `least_class`: no question of the type may have a class below this one. None only where there is no answer.
    `check`: returns why an answer is not of the type, as a sentence to translate; "" when it is.
    `read`: returns the value that expressions see of an answer that is not blank.
    Raises IncompleteType when the parts do not protect what the answers hold.
    """

    name: str  # as form definitions and phones call it
    xlsform_names: tuple[str, ...]  # how the type column of a workbook names it
    answer: AnswerKind
    least_class: PrivacyClass | None
    proposal: ProposedClass | None  # None: the words of the question decide
    is_on_screen: bool  # False: people never see it
    words: str  # what form authors call it
    builder_position: int | None  # where the form builder offers it; None: not offered
    seconds: float  # to answer, once read: what practised workers need on a phone
    check: Callable[[str, Question], str]
    read: Callable[[str], Value]
    aliases: Mapping[str, str] = field(default_factory=dict)  # other spelling in a workbook → one of `xlsform_names`
    appearances: Mapping[str, str] = field(default_factory=dict)  # → WORKS, LOOK, or why it is refused
    parameters: Mapping[str, str] = field(default_factory=dict)  # → the same
    stricter_names: Mapping[str, PrivacyClass] = field(default_factory=dict)  # one of `xlsform_names` → its own least class
    closed_appearances: frozenset[str] = frozenset()  # under these nobody can write freely, so any class will do
    refused_topic: str = ""  # of the refuse-to-collect list: asked only with a written approval
    is_class_implied: bool = False  # a question without a class gets the least one
    from_value: Callable[[Value], str] = to_string  # writes a computed value as an answer of the type

    def __post_init__(self) -> None:
        # Checked when the program starts, not when a form uses it: a type that does not protect
        # must not exist.
        problems = list(self._find_problems())
        if problems:
            raise IncompleteType(f"The question type {self.name!r} cannot be used: {' '.join(problems)}")

    def _find_problems(self) -> list[str]:
        if self.least_class is None:
            is_silent = self.answer == AnswerKind.NOTHING
            if is_silent:
                return []
            return ["It states no least privacy class."]
        problems = []
        needed = LEAST_BY_ANSWER.get(self.answer, PrivacyClass.OPERATIONAL)
        if not is_at_least(self.least_class, needed):
            problems.append(f"Its answers hold {self.answer}, so its least class must be {needed}.")
        if self.answer in NEEDS_APPROVAL and not self.refused_topic:
            problems.append(f"Its answers hold {self.answer}, so it must name a refused_topic.")
        # A least class is not a proposal: authors need to be told which one fits most questions.
        if self.least_class != PrivacyClass.OPERATIONAL and not self.is_class_implied and self.proposal is None:
            problems.append("It has a least class, so it must also propose one.")
        if self.proposal and not is_at_least(self.proposal.privacy, self.least_class):
            problems.append("It proposes a class below its least one.")
        return problems

    @property
    def is_select(self) -> bool:
        return self.answer in SELECTS

    @property
    def has_several_names(self) -> bool:
        """Say whether an answer is a list of choices.

        A space in the name of a choice would split it.
        """
        return self.answer in SEVERAL_NAMES

    def least_class_of(self, xlsform_name: str, appearance: str = "") -> PrivacyClass | None:
        """Return the least class of a row of a workbook; None where there is no answer.

        `appearance` is the cell of the workbook: words with spaces between them.
        """
        if self.closed_appearances.intersection(appearance.split()):
            return PrivacyClass.OPERATIONAL
        return self.stricter_names.get(xlsform_name, self.least_class)

    def may_be_raised_to(self, privacy: PrivacyClass) -> bool:
        """Return whether words of a question may raise the class that its type proposes.

        Only where people write freely: a text that is called “card code” holds one.
        """
        if self.proposal is None:
            return False
        return self.proposal.privacy == PrivacyClass.FREE_TEXT and privacy in NEVER_LEAVES


def accept_any(answer: str, question: Question) -> str:
    """Accept every answer: for types whose answers have no form of their own."""
    return ""


def keep_text(answer: str) -> Value:
    """Return an answer as the text that it is."""
    return answer
