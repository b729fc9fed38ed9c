"""Forms being made: take a workbook in, change it, classify its questions, see what would change, publish it."""

import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act, read_act
from fieldapp.services.definitions import definition_of
from fieldapp.services.forms.published import publish
from fieldapp.services.forms.question_uses import uses_of
from fieldapp.services.forms.roles import find_role_problems
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.revisions import Overtaken, last_change
from fieldapp.store.forms import drafts, versions
from fieldapp.store.forms.drafts import FormDraft, QuestionClass
from fieldapp.store.forms.versions import FormVersion
from forms import privacy
from forms.builder import WorkbookEditor
from forms.changes import FormChange, compare_versions
from forms.definition import Compiled, FormDefinition
from forms.isolation import compile_isolated
from forms.privacy_classes import PrivacyClass, is_at_least
from forms.problems import FormProblem, FormRefused
from forms.sheets import Sheets, read_sheets, too_long

MAX_FILES = 20
CHANGES = ("draft.begin", "draft.change", "draft.classify")


@dataclass(frozen=True)
class Checked:
    """A workbook as it stands: as it would be stored, with what compiling it gave."""

    workbook: bytes
    files: dict[str, bytes]
    title: str
    form: str
    compiled: Compiled | None
    problems: list[FormProblem]


@dataclass(frozen=True)
class Proposal:
    """A question without a class, and the class that fits."""

    number: int
    name: str
    label: str
    type: str
    privacy: str
    reason: str


@dataclass(frozen=True)
class Opened:
    """A draft with everything that its pages show."""

    draft: FormDraft
    book: WorkbookEditor
    files: dict[str, bytes]
    problems: list[FormProblem]
    definition: FormDefinition | None
    published: FormVersion | None
    changes: list[FormChange]

    @property
    def errors(self) -> list[FormProblem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def check(sheets: Sheets, files: dict[str, bytes]) -> Checked:
    """Compile a workbook in a process of its own, before any transaction is opened."""
    for problem in too_long(sheets.sheets):
        raise ActProblem("draft.too_long", problem.text)
    book, workbook = WorkbookEditor(sheets), sheets.to_xlsx()
    compiled, problems = None, list[FormProblem]()
    try:
        compiled = compile_isolated(workbook, ".xlsx", files)
        problems = compiled.warnings
    except FormRefused as refused:
        problems = refused.problems
    title = book.setting("form_title") or book.setting("form_id") or "–"
    return Checked(workbook, files, title[:200], book.setting("form_id")[:64], compiled, problems)


@read_act("drafts.list")
def list_drafts(ctx: ActContext) -> Sequence[FormDraft]:
    return drafts.drafts_of(ctx.session, ctx.centre_id)


@act("draft.begin")
def begin_draft(ctx: ActContext, checked: Checked) -> FormDraft:
    """Keep a new draft."""
    assert ctx.actor.user_id is not None
    draft = FormDraft(centre_id=ctx.centre_id, author_id=ctx.actor.user_id, revision=0, created_at=ctx.now)
    _write(draft, checked, ctx.now)
    ctx.session.add(draft)
    ctx.session.flush()
    ctx.describe(f"draft/{draft.id}", form=checked.form)
    return draft


@act("draft.change")
def change_draft(ctx: ActContext, draft_id: int, revision: int, checked: Checked) -> FormDraft:
    """Keep a changed draft, unless somebody else changed it meanwhile."""
    draft = _fresh(ctx, draft_id, revision)
    _write(draft, checked, ctx.now)
    ctx.describe(f"draft/{draft.id}", revision=draft.revision)
    return draft


@act("draft.classify")
def classify_draft(ctx: ActContext, draft_id: int, revision: int, checked: Checked, classes: dict[str, str]) -> FormDraft:
    """Keep a draft whose questions were given classes, and remember the classes for the next form."""
    draft = _fresh(ctx, draft_id, revision)
    held = drafts.classes_of(ctx.session, ctx.centre_id)
    for question, chosen in classes.items():
        if question in held:
            held[question].privacy = chosen
        else:
            ctx.session.add(QuestionClass(centre_id=ctx.centre_id, question=question[:200], privacy=chosen))
    _write(draft, checked, ctx.now)
    ctx.describe(f"draft/{draft.id}", classified=len(classes))
    return draft


@read_act("draft.see")
def open_draft(ctx: ActContext, draft_id: int) -> Opened:
    """Return a draft with its problems and what it would change."""
    draft = _of_centre(ctx, draft_id)
    definition = FormDefinition.from_json(draft.definition) if draft.definition else None
    published = versions.latest(ctx.session, ctx.centre_id, draft.form) if draft.form else None
    changes: list[FormChange] = []
    if definition and published:
        before = definition_of(published)
        changes = compare_versions(before, definition, uses_of(before))
    problems = [FormProblem(**problem) for problem in draft.problems]
    if definition:
        problems += find_role_problems(ctx.session, ctx.centre_id, definition)
    book = WorkbookEditor(read_sheets(draft.workbook, ".xlsx"))
    return Opened(draft, book, unzip(draft.files), problems, definition, published, changes)


@read_act("classes.list")
def propose_classes(ctx: ActContext, draft_id: int) -> list[Proposal]:
    """Return every question without a class, with the class that the centre chose before or that fits best."""
    draft = _of_centre(ctx, draft_id)
    remembered = drafts.classes_of(ctx.session, ctx.centre_id)
    proposals = []
    for line in WorkbookEditor(read_sheets(draft.workbook, ".xlsx")).lines():
        row = line.row
        question_type = row.question_type
        if question_type is None or question_type.least_class is None or question_type.is_class_implied:
            continue
        if privacy.read_written_class(row) in list(PrivacyClass):
            continue
        labels = [text for column, text in row.cells.items() if column.split("::")[0] == "label" and text]
        found, reason = privacy.propose_class(row.kind, row.name, labels)
        held = remembered.get(row.name)
        least = question_type.least_class_of(row.standard_type, row.cells.get("appearance", ""))
        if held and least and is_at_least(held.privacy, least):
            found, reason = PrivacyClass(held.privacy), N_("You chose this for a question of the same name before.")
        label = labels[0] if labels else ""
        proposals.append(Proposal(line.number, row.name, label, row.kind, found, reason))
    return proposals


@act("draft.publish")
def publish_draft(ctx: ActContext, draft_id: int, revision: int) -> FormVersion:
    """Publish a draft that has no problems; the draft is then gone, and the version can never change."""
    draft = _fresh(ctx, draft_id, revision)
    if draft.definition is None or draft.xform is None:
        raise ActProblem("draft.unready", N_("Some items must be corrected before this form can be published."))
    compiled = Compiled(FormDefinition.from_json(draft.definition), draft.xform, [])
    version = publish(ctx, compiled, draft.workbook, draft.files)
    ctx.session.delete(draft)
    return version


@act("draft.discard")
def discard_draft(ctx: ActContext, draft_id: int, revision: int) -> None:
    """Throw a draft away, unless somebody else changed it meanwhile."""
    draft = _fresh(ctx, draft_id, revision)
    ctx.describe(f"draft/{draft.id}", form=draft.form)
    ctx.session.delete(draft)


def _fresh(ctx: ActContext, draft_id: int, revision: int) -> FormDraft:
    """Return a draft as it was seen; refuse when somebody else changed it since."""
    draft = _of_centre(ctx, draft_id)
    ctx.session.refresh(draft, with_for_update=True)
    if draft.revision != revision:
        text = N_(
            "Somebody else changed this form meanwhile. Nothing of theirs is lost; see their changes, then make yours again."
        )
        raise Overtaken(last_change(ctx, f"draft/{draft.id}", CHANGES), "draft.stale", text)
    return draft


def _write(draft: FormDraft, checked: Checked, now: dt.datetime) -> None:
    draft.workbook, draft.files = checked.workbook, zipped(checked.files)
    draft.title, draft.form = checked.title, checked.form
    draft.definition = checked.compiled.definition.to_json() if checked.compiled else None
    draft.xform = checked.compiled.xform if checked.compiled else None
    draft.problems = [dataclasses.asdict(problem) for problem in checked.problems]
    draft.revision = (draft.revision or 0) + 1
    draft.changed_at = now


def zipped(files: dict[str, bytes]) -> bytes | None:
    """Return the lists of a form as one ZIP; None when there are none."""
    if not files:
        return None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unzip(data: bytes | None) -> dict[str, bytes]:
    if not data:
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _of_centre(ctx: ActContext, draft_id: int) -> FormDraft:
    draft = ctx.session.get(FormDraft, draft_id)
    if draft is None or draft.centre_id != ctx.centre_id:
        raise make_not_found()
    return draft
