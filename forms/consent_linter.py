"""What is wrong with what a form says of consent: what may be kept, and why.

The rule itself is in forms/consent.py; what makes it impossible is named there.
"""

from collections.abc import Iterator

from forms import consent, dependencies
from forms.deadlocks import find_deadlocks
from forms.definition import Element, FormDefinition
from forms.keep import AFTER_NO, ASKED_BY, KEEP_COLUMN, KEEPS, WHY_COLUMN
from forms.privacy_classes import NEVER_LEAVES, PrivacyClass
from forms.problems import N_, FormProblem
from forms.question_type import AnswerKind
from forms.roles import ROLE_COLUMN, ChoiceRole, QuestionRole
from forms.workbook import Row, Workbook, row_advice, row_problem

WHY_SETTING = "consent_why"
MAX_CHOICES = 15  # of a question that stays after a no: more of them can point to somebody
MAX_KEPT = 3  # questions outside the consent questions that may stay after a no
WRITTEN_FREELY = (AnswerKind.TEXT, AnswerKind.CODE, AnswerKind.COORDINATES, AnswerKind.MEDIA)


def lint_consent(workbook: Workbook, definition: FormDefinition) -> list[FormProblem]:
    """Return everything wrong with consent in a form that has no other errors.

    `definition`: before the rule about a no is in its conditions.
    """
    return [*_ConsentLinter(workbook, definition).list_problems()]


class _ConsentLinter:
    def __init__(self, workbook: Workbook, definition: FormDefinition):
        self.workbook = workbook
        self.definition = definition
        self.tier = definition.find_with_role(QuestionRole.TIER)
        self.kept = consent.kept_after_no(definition)
        self.person = definition.summary.get(QuestionRole.PERSON, "")

    def list_problems(self) -> Iterator[FormProblem]:
        yield from self.advise_person()
        if self.tier is None:
            yield from self.find_missing()
            return
        for element in self.definition.elements:
            row = self.workbook.by_path.get(element.path)
            if row is None or row.path != element.path:  # the text that or_other brings
                continue
            yield from self.check_value(element, row)
            if element.keep == AFTER_NO:
                yield from self.check_zero(element, row)
            elif element.path in self.kept and row.cells.get(KEEP_COLUMN):
                yield from self.check_decides(element, row)
            if element.keep in ASKED_BY and element.export not in ("", "drop"):
                text = N_(
                    "“{name}” is stored for one purpose only, so it never leaves the centre. Set its export rule to “drop”."
                )
                yield row_problem("consent.export", text, row, "privacy::export", name=element.name)
            if element.path in self.kept and element.path != self.person and self.is_written_freely(element):
                text = N_(
                    "“{name}” decides if consent is asked, so it stays after a no, and people can write anything into it. "
                    "Let a question with choices decide."
                )
                yield row_problem("consent.reads", text, row, "type", name=element.name)
        yield from self.count_zeros()
        yield from self.check_order()
        yield from self.check_deadlocks()
        yield from self.check_two_answers()

    def find_missing(self) -> Iterator[FormProblem]:
        """Name what shows that a form is about a person who is not asked."""
        for row in self.workbook.survey:
            if row.cells.get(KEEP_COLUMN):
                text = N_(
                    "The form does not ask for consent, so nothing can depend on it. Add the consent questions, or empty "
                    "this cell."
                )
                yield row_problem("consent.missing", text, row, KEEP_COLUMN)
        if self.workbook.settings.get(WHY_SETTING):
            return
        for element in self.definition.elements:
            asking_row = self.workbook.by_path.get(element.path)
            if asking_row is None or not self.points_to_person(element, asking_row):
                continue
            text = N_(
                "“{name}” points to a person, and the form does not ask for consent. Add the consent questions from the "
                "library, or write in the setting consent_why on whose decision nobody is asked."
            )
            yield row_problem("consent.missing", text, asking_row, "privacy::class", name=element.name)
            return

    def advise_person(self) -> Iterator[FormProblem]:
        """Name a question that may hold card codes, where none has the role of the person's card."""
        is_free_to_ask = self.tier is not None or self.workbook.settings.get(WHY_SETTING)
        if self.person or not is_free_to_ask:
            return
        for element in self.definition.elements:
            row = self.workbook.by_path.get(element.path)
            can_have_code = element.answer_kind in (AnswerKind.TEXT, AnswerKind.CODE)
            if row is not None and can_have_code and self.points_to_person(element, row):
                text = N_(
                    "“{name}” points to a person. If it is the code of their card, give it the role “person”: only then "
                    "does what the person said elsewhere count here, and what they take back goes from here too."
                )
                yield row_advice("consent.person", text, row, ROLE_COLUMN, name=element.name)
                return

    def points_to_person(self, element: Element, row: Row) -> bool:
        """Say whether a question asks for what points to a person, without an approval."""
        if "card-code" in element.appearance.split() or element.path == self.person:
            return True
        is_approved = bool(row.cells.get("privacy::approval"))
        return element.privacy == PrivacyClass.IDENTIFIER and element.is_on_screen and not is_approved

    def check_value(self, element: Element, row: Row) -> Iterator[FormProblem]:
        written = row.cells.get(KEEP_COLUMN, "")
        if written and element.keep and element.keep not in KEEPS:
            text = N_("“{written}” is none of 0, 1, 2, 3, +4 and +5: how far consent must reach.")
            yield row_problem("consent.keep", text, row, KEEP_COLUMN, written=written)
            return
        if element.keep and element.path in (self.person, getattr(self.tier, "path", "")):
            text = N_("Leave this cell empty: the card code and the answer about consent follow a rule of their own.")
            yield row_problem("consent.keep", text, row, KEEP_COLUMN)
        role = ASKED_BY.get(element.keep)
        if role is not None and not self.definition.list_choices_with_role(role, ChoiceRole.YES):
            text = N_("“{keep}” needs a yes of its own. Give a question with choices the role “{role}”, and its yes “yes”.")
            yield row_problem("consent.question", text, row, KEEP_COLUMN, keep=element.keep, role=role)

    def check_decides(self, element: Element, row: Row) -> Iterator[FormProblem]:
        """Name a question that stays after a no whatever its row says."""
        if element.path == self.definition.summary.get(QuestionRole.KIND):
            text = N_(
                "The kind of contact is counted after a no, too, and stays. Leave this cell empty, or give the role “kind” "
                "to another question."
            )
            yield row_problem("consent.drops_summary", text, row, KEEP_COLUMN)
        elif element.path != getattr(self.tier, "path", ""):
            text = N_(
                "“{name}” decides if consent is asked, so it stays after a no. Leave this cell empty, or let another "
                "question decide."
            )
            yield row_problem("consent.reads", text, row, KEEP_COLUMN, name=element.name)

    def check_zero(self, element: Element, row: Row) -> Iterator[FormProblem]:
        """Name why an answer may not stay after a no."""
        if not self.is_in_block(element) and not row.cells.get(WHY_COLUMN):
            text = N_("“{name}” stays after a no. Write in the column consent::why what it is needed for.")
            yield row_problem("consent.why", text, row, WHY_COLUMN, name=element.name)
        if self.find_repeat(element):
            text = N_("Nothing in a repeat stays after a no. Leave this cell empty.")
            yield row_problem("consent.zero", text, row, KEEP_COLUMN)
            return
        is_short = len(self.definition.choices.get(element.choices, ())) <= MAX_CHOICES and element.items is None
        is_harmless = element.type == "select_one" and element.privacy not in {str(name) for name in NEVER_LEAVES}
        if not (is_harmless and is_short):
            text = N_("Only a question with one answer of at most {most} choices may stay after a no.")
            yield row_problem("consent.zero", text, row, KEEP_COLUMN, most=str(MAX_CHOICES))
            return
        above = self.find_read_above(element)
        if above is not None:
            text = N_(
                "“{name}” stays after a no, but is asked only because of “{other}”, which goes. Let what stays decide."
            )
            other = above.rsplit("/", 1)[-1]
            yield row_problem("consent.zero_hangs", text, row, "relevant", name=element.name, other=other)

    def count_zeros(self) -> Iterator[FormProblem]:
        """Name the questions that stay after a no beside the most that may."""
        zeros = []
        for element in self.definition.elements:
            if element.keep == AFTER_NO and not self.is_in_block(element) and element.path in self.workbook.by_path:
                zeros.append(self.workbook.by_path[element.path])
        for row in zeros[MAX_KEPT:]:
            text = N_("At most {most} questions beside those about consent may stay after a no.")
            yield row_problem("consent.zero", text, row, KEEP_COLUMN, most=str(MAX_KEPT))

    def check_order(self) -> Iterator[FormProblem]:
        """Name what is asked before consent, and needs it."""
        for element in self.definition.elements:
            if element == self.tier:
                return
            row = self.workbook.by_path.get(element.path)
            needs_consent = element.is_answered and element.is_on_screen and element.path not in self.kept
            if needs_consent and element.path != self.person and row is not None and not self.is_in_block(element):
                text = N_("“{name}” is asked before consent is. Ask for consent first.")
                yield row_problem("consent.order", text, row, "name", name=element.name)

    def check_deadlocks(self) -> Iterator[FormProblem]:
        """Name required questions that nobody could answer who agreed to less."""
        for element, read in find_deadlocks(self.definition):
            row = self.workbook.by_path.get(element.path)
            if row is not None:
                text = N_(
                    "Who agrees to less is not asked “{other}”, and then “{name}” must be answered and no answer fits. Let "
                    "its rule also accept that “{other}” is empty."
                )
                other = read.rsplit("/", 1)[-1]
                yield row_problem("consent.deadlock", text, row, "constraint", name=element.name, other=other)

    def check_two_answers(self) -> Iterator[FormProblem]:
        """Name what is wrong with “nothing today” and “no more”."""
        today = self.definition.list_choices_with_role(QuestionRole.TIER, ChoiceRole.NOTHING_TODAY)
        ends = self.definition.list_choices_with_role(QuestionRole.TIER, ChoiceRole.NO_MORE)
        row = self.workbook.by_path.get(getattr(self.tier, "path", ""))
        if row is None or not (today or ends):
            return
        if any(choice.name != "0" for choice in today) or any(choice.name != "-1" for choice in ends):
            text = N_("Name the choice with the role “nothing_today” 0, and the one with “no_more” -1.")
            yield row_problem("consent.two_answers", text, row, "type")
        if ends and not today:
            text = N_("Who may take everything back may also want nothing stored today. Add a choice with “nothing_today”.")
            yield row_problem("consent.two_answers", text, row, "type")
        if ends and getattr(self.tier, "items", None) is None:
            text = N_(
                "A new person has nothing to take back. Offer the choice with “no_more” under a condition, in choice_filter."
            )
            yield row_problem("consent.two_answers", text, row, "choice_filter")

    def is_in_block(self, element: Element) -> bool:
        """Say whether an element is one of the questions about consent."""
        if self.tier is None or self.tier.parent not in self.definition.by_path:
            return element == self.tier
        return element.path.startswith(f"{self.tier.parent}/")

    def is_written_freely(self, element: Element) -> bool:
        return element.answer_kind in WRITTEN_FREELY or element.privacy in {str(name) for name in NEVER_LEAVES}

    def find_repeat(self, element: Element) -> Element | None:
        """Return the repeat that an element is in; None where it is in none."""
        parent = self.definition.by_path.get(element.parent)
        while parent is not None and parent.kind != "repeat":
            parent = self.definition.by_path.get(parent.parent)
        return parent

    def find_read_above(self, element: Element) -> str | None:
        """Return an answer that goes after a no, on which it depends whether an element is asked."""
        while element.path in self.definition.by_path:
            if element.relevant is not None:
                for path, _ in dependencies.find_references(element.relevant, element.path, self.definition.children):
                    source = self.definition.by_path.get(path)
                    if source is not None and source.kind == "question" and path not in self.kept:
                        return path
            parent = self.definition.by_path.get(element.parent)
            if parent is None:
                return None
            element = parent
        return None
