"""Draft forms: upload a workbook, change it, classify its questions, compare, publish."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.definitions import load_definition
from fieldapp.services.forms.consent_reasons import ASKS_NOBODY, ASKS_NOBODY_TEXT, needs_reason
from fieldapp.services.forms.published import publish_in_act
from fieldapp.services.forms.question_uses import find_question_uses
from fieldapp.services.forms.roles import find_role_problems
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import Overtaken, last_change
from fieldapp.store.forms import drafts, versions
from fieldapp.store.forms.drafts import FormDraft, QuestionClass
from fieldapp.store.forms.list_files import unzip_lists, zip_lists
from fieldapp.store.forms.versions import FormVersion
from forms import privacy
from forms.builder import SurveyRow, WorkbookEditor
from forms.changes import FormChange, compare_versions
from forms.definition import Compiled, FormDefinition
from forms.isolation import compile_isolated
from forms.keep import read_keep
from forms.privacy_classes import PrivacyClass, is_at_least
from forms.problems import FormProblem, FormRefused
from forms.roles import ROLE_COLUMN, QuestionRole
from forms.sheets import Sheets, read_sheets, too_long
from forms.wording_check import find_languages_behind
from forms.workbook import Row

# Of CSV lists; each is compiled again at every change of the draft.
MAX_FILES = 20
# Characters that fit into the columns of a draft; publishing checks the real limits.
TITLE_LENGTH = 200
FORM_LENGTH = 64
CARD_TYPES = ("text", "barcode")
CHANGES = ("draft.begin", "draft.change", "draft.classify")


@dataclass(frozen=True)
class CompiledDraft:
    """A workbook as it would be stored, with the result of compiling it.

    `compiled` is None when there are errors; `problems` has errors, or warnings only.
    """

    workbook: bytes
    files: dict[str, bytes]
    title: str
    form: str
    compiled: Compiled | None
    problems: list[FormProblem]


@dataclass(frozen=True)
class ClassProposal:
    """A question without a privacy class, the class that fits, and how far consent must reach.

    `number` is its row in the sheet; `reason` a sentence that can be translated; `keep` as in
    forms/keep.py, "" for any yes. Only one question of a form seems to be the card's code.
    """

    number: int
    name: str
    label: str
    type: str
    privacy: str
    reason: str
    keep: str
    may_be_card: bool = False  # the code of the person's card, which no question of the form is yet
    is_card: bool = False  # it seems to be


@dataclass(frozen=True)
class DraftDetails:
    """A draft with everything that its pages show."""

    draft: FormDraft
    book: WorkbookEditor
    files: dict[str, bytes]
    problems: list[FormProblem]
    definition: FormDefinition | None
    published: FormVersion | None
    changes: list[FormChange]
    lacks_reason: bool = False  # it asks about people without asking them, and nobody wrote why

    @property
    def asks_nobody(self) -> bool:
        """Say whether the form lacks the questions about consent that it needs."""
        return self.lacks_reason or any(problem.code == "consent.missing" for problem in self.problems)

    @property
    def errors(self) -> list[FormProblem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def compile_draft(sheets: Sheets, files: dict[str, bytes]) -> CompiledDraft:
    """Compile a workbook in a process of its own; call this before a transaction is opened.

    `files` are its CSV lists, by name. Raises ActProblem "draft.too_long" for a sheet that is too
    long; every other problem is in the result.
    """
    # No .xlsx file has room for such a cell, so the draft could not be saved.
    for problem in too_long(sheets.sheets):
        raise ActProblem("draft.too_long", problem.text)
    workbook = sheets.to_xlsx()
    compiled = None
    try:
        # In a process of its own: a workbook can be made to use up memory or time.
        compiled = compile_isolated(workbook, ".xlsx", files)
        problems = compiled.warnings
    except FormRefused as refused:
        problems = refused.problems
    book = WorkbookEditor(sheets)
    form = book.setting("form_id")
    # A form without a name still needs something to click on in the list.
    title = book.setting("form_title") or form or "–"
    return CompiledDraft(workbook, files, title[:TITLE_LENGTH], form[:FORM_LENGTH], compiled, problems)


@read_act("drafts.list")
def list_drafts(ctx: ActContext) -> Sequence[FormDraft]:
    return drafts.drafts_of(ctx.session, ctx.centre_id)


@act("draft.begin")
def begin_draft(ctx: ActContext, compiled_draft: CompiledDraft) -> FormDraft:
    """Save a new draft."""
    assert ctx.actor.user_id is not None  # only people upload workbooks
    draft = FormDraft(centre_id=ctx.centre_id, author_id=ctx.actor.user_id, revision=0, created_at=ctx.now)
    _save_draft(draft, compiled_draft, ctx.now)
    ctx.session.add(draft)
    ctx.session.flush()
    ctx.describe(f"draft/{draft.id}", form=compiled_draft.form)
    return draft


@act("draft.change")
def change_draft(ctx: ActContext, draft_id: int, revision: int, compiled_draft: CompiledDraft) -> FormDraft:
    """Save a changed draft.

    `revision` is that of the draft as the page showed it. Raises Overtaken when somebody else
    changed it since.
    """
    draft = _get_unchanged_draft(ctx, draft_id, revision)
    _save_draft(draft, compiled_draft, ctx.now)
    ctx.describe(f"draft/{draft.id}", revision=draft.revision)
    return draft


@act("draft.classify")
def classify_draft(
    ctx: ActContext,
    draft_id: int,
    revision: int,
    compiled_draft: CompiledDraft,
    classes: dict[str, str],
) -> FormDraft:
    """Save a draft whose questions were given privacy classes, by the name of the question.

    The centre's choices are proposed again for questions of these names in the next form. Raises
    Overtaken when somebody else changed the draft since `revision`.
    """
    draft = _get_unchanged_draft(ctx, draft_id, revision)
    remembered = drafts.classes_of(ctx.session, ctx.centre_id)
    for question, privacy_class in classes.items():
        # Of the whole centre: the next form that asks the same is proposed the same.
        if question in remembered:
            remembered[question].privacy = privacy_class
        else:
            ctx.session.add(QuestionClass(centre_id=ctx.centre_id, question=question[:200], privacy=privacy_class))
    _save_draft(draft, compiled_draft, ctx.now)
    ctx.describe(f"draft/{draft.id}", classified=len(classes))
    return draft


@read_act("draft.view")
def open_draft(ctx: ActContext, draft_id: int) -> DraftDetails:
    """Return a draft with its problems, and what it would change in the published form."""
    draft = _get_draft(ctx, draft_id)
    definition = None
    if draft.definition:
        definition = FormDefinition.from_json(draft.definition)
    published = versions.latest(ctx.session, ctx.centre_id, draft.form)
    changes: list[FormChange] = []
    if definition and published:
        before = load_definition(published)
        changes = compare_versions(before, definition, find_question_uses(before))
        changes += find_languages_behind(before, definition)
    problems = [FormProblem(**problem) for problem in draft.problems]
    # At every look and not stored: whether a role is read depends on which products are switched on
    # today.
    if definition:
        problems += find_role_problems(ctx.session, ctx.centre_id, definition)
    book = WorkbookEditor(read_sheets(draft.workbook, ".xlsx"))
    is_without_reason = definition is not None and needs_reason(ctx.session, ctx.centre_id, definition, book)
    return DraftDetails(draft, book, unzip_lists(draft.files), problems, definition, published, changes, is_without_reason)


@read_act("classes.propose")
def propose_classes(ctx: ActContext, draft_id: int) -> list[ClassProposal]:
    """Return every question without a privacy class, with the class that is proposed for it.

    That is the class which the centre chose before for a question of the same name, where the type
    of the question allows it; otherwise the one that fits best.
    """
    draft = _get_draft(ctx, draft_id)
    remembered = drafts.classes_of(ctx.session, ctx.centre_id)
    proposals: list[ClassProposal] = []
    lines = WorkbookEditor(read_sheets(draft.workbook, ".xlsx")).lines()
    has_card = any(line.row.cells.get(ROLE_COLUMN) == QuestionRole.PERSON for line in lines)
    for line in lines:
        if _needs_class(line.row):
            proposal = _propose_class(line, remembered.get(line.row.name))
            if not has_card and line.row.kind in CARD_TYPES:
                is_card = privacy.is_card_code(line.row.name, _list_labels(line.row))
                is_card = is_card and not any(each.is_card for each in proposals)
                proposal = dataclasses.replace(proposal, may_be_card=True, is_card=is_card)
            proposals.append(proposal)
    return proposals


def _list_labels(row: Row) -> list[str]:
    return [text for column, text in row.cells.items() if column.split("::")[0] == "label" and text]


def _needs_class(row: Row) -> bool:
    """Say whether a row is a question whose class somebody has to choose, and nobody has yet."""
    question_type = row.question_type
    if question_type is None or question_type.least_class is None or question_type.is_class_implied:
        return False
    return privacy.read_written_class(row) not in list(PrivacyClass)


def _propose_class(line: SurveyRow, remembered: QuestionClass | None) -> ClassProposal:
    row = line.row
    labels = _list_labels(row)
    privacy_class, reason = privacy.propose_class(row.kind, row.name, labels)
    # Only where the type allows it: remembered for a choice, the class may be too low for a text of
    # that name.
    if remembered and _allows_class(row, remembered.privacy):
        privacy_class = PrivacyClass(remembered.privacy)
        reason = N_("You chose this for a question of the same name before.")
    label = ""
    if labels:
        label = labels[0]
    # Any yes, whatever the class: what needs more, or stays after a no, is for a person to say.
    return ClassProposal(line.number, row.name, label, row.kind, privacy_class, reason, read_keep(row.cells))


def _allows_class(row: Row, privacy_class: str) -> bool:
    """Say whether the type of a question, with its appearance, may have so low a class."""
    if row.question_type is None:
        return False
    appearance = row.cells.get("appearance", "")
    least = row.question_type.least_class_of(row.standard_type, appearance)
    return least is not None and is_at_least(privacy_class, least)


@act("draft.publish")
def publish_draft(ctx: ActContext, draft_id: int, revision: int) -> FormVersion:
    """Publish a draft that has no errors; the draft is deleted, and the version never changes.

    Raises ActProblem "draft.unready" when there are errors, "draft.asks_nobody" when it asks about people without
    asking them, Overtaken when somebody else changed the draft since `revision`.
    """
    draft = _get_unchanged_draft(ctx, draft_id, revision)
    if draft.definition is None or draft.xform is None:
        text = N_("Some items must be corrected before this form can be published.")
        raise ActProblem("draft.unready", text)
    definition = FormDefinition.from_json(draft.definition)
    book = WorkbookEditor(read_sheets(draft.workbook, ".xlsx"))
    if needs_reason(ctx.session, ctx.centre_id, definition, book):
        raise ActProblem(ASKS_NOBODY, ASKS_NOBODY_TEXT)
    # The stored result and not a new compilation: what was looked at is what is published.
    compiled = Compiled(definition, draft.xform, [])
    version = publish_in_act(ctx, compiled, draft.workbook, draft.files)
    ctx.session.delete(draft)  # in the same transaction: there is never both, nor neither
    return version


@act("draft.discard")
def discard_draft(ctx: ActContext, draft_id: int, revision: int) -> None:
    """Delete a draft; raise Overtaken when somebody else changed it since `revision`."""
    draft = _get_unchanged_draft(ctx, draft_id, revision)
    ctx.describe(f"draft/{draft.id}", form=draft.form)
    ctx.session.delete(draft)


def _get_unchanged_draft(ctx: ActContext, draft_id: int, revision: int) -> FormDraft:
    """Return a draft, locked; raise Overtaken when somebody else changed it since `revision`."""
    draft = _get_draft(ctx, draft_id)
    ctx.session.refresh(draft, with_for_update=True)  # it may have been loaded before the lock
    if draft.revision != revision:
        text = N_(
            "Somebody else changed this form meanwhile. Nothing of theirs is lost; see their changes, then make yours again."
        )
        raise Overtaken(last_change(ctx, f"draft/{draft.id}", CHANGES), "draft.stale", text)
    return draft


def _save_draft(draft: FormDraft, compiled_draft: CompiledDraft, now: dt.datetime) -> None:
    compiled = compiled_draft.compiled
    draft.workbook = compiled_draft.workbook
    draft.files = zip_lists(compiled_draft.files)
    draft.title = compiled_draft.title
    draft.form = compiled_draft.form
    draft.definition = compiled.definition.to_json() if compiled else None
    draft.xform = compiled.xform if compiled else None
    draft.problems = [dataclasses.asdict(problem) for problem in compiled_draft.problems]
    draft.revision = (draft.revision or 0) + 1
    draft.changed_at = now


def _get_draft(ctx: ActContext, draft_id: int) -> FormDraft:
    draft = ctx.session.get(FormDraft, draft_id)
    if draft is None or draft.centre_id != ctx.centre_id:
        raise make_not_found()
    return draft
