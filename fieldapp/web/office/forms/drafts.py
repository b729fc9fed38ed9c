"""Draft forms in the office: upload, correct, classify, test and publish them."""

import io
from pathlib import PurePath

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.acts import utcnow
from fieldapp.services.forms import drafts, published
from fieldapp.store.forms.list_files import unzip_lists
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.forms import question_form
from fieldapp.web.office.forms.inputs import NewFormInput, UploadInput, read_revision
from fieldapp.web.sessions import actor, session
from forms.builder import WorkbookEditor, make_workbook, slug
from forms.form_tests import count_tests
from forms.isolation import read_isolated
from forms.keep import KEEP_COLUMN, read_keep
from forms.privacy_classes import PrivacyClass
from forms.problems import FormProblem, FormRefused
from forms.reading import estimate
from forms.roles import ROLE_COLUMN, QuestionRole
from forms.sheets import read_sheets

UNCLASSIFIED = ("form.unclassified", "form.privacy_class")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@office.get("/forms")
def form_list() -> ResponseReturnValue:
    return _render_forms_page([], 200)


@office.post("/forms")
def form_upload() -> ResponseReturnValue:
    """Begin a draft from a workbook and its CSV lists; refuse only what cannot be read at all."""
    # Who may not see forms may not make the server compile one.
    published.list_forms(session(), actor())
    file = request.files.get("workbook")
    name = PurePath(file.filename or "").name if file else ""
    try:
        # In a process of its own: a workbook from outside can be made to use up memory or time.
        sheets = read_isolated(file.read() if file else b"", PurePath(name).suffix.lower() or ".xlsx")
    except FormRefused as refused:
        return _render_forms_page(refused.problems, 422)
    stem = PurePath(name).stem
    # An XLSForm from elsewhere often lacks these; asking for them first would only send its author
    # away.
    filled = WorkbookEditor(sheets).fill_in(slug(stem or "form"), _make_dated_version(), stem or "Form")
    draft = drafts.begin_draft(session(), actor(), compiled_draft=drafts.compile_draft(sheets, _read_lists()))
    if filled:
        flash(gettext("We filled in what the settings sheet did not say: {what}.").format(what=", ".join(filled)), "wait")
    return redirect(url_for("office.draft", draft_id=draft.id))


def _read_lists() -> dict[str, bytes]:
    """Return the CSV lists that were uploaded, by file name."""
    files = [file for file in request.files.getlist("lists") if file.filename]
    # The name only: browsers may send a path.
    return {PurePath(file.filename or "").name: file.read() for file in files[: drafts.MAX_FILES]}


@office.post("/forms/new")
def form_new() -> ResponseReturnValue:
    # Who may not see forms may not make the server compile one.
    published.list_forms(session(), actor())
    entered = NewFormInput()
    if not entered.validate_on_submit():
        return _render_forms_page([], 422, entered)
    title = entered.title.data or ""
    book = make_workbook(title, slug(title), _make_dated_version())
    draft = drafts.begin_draft(session(), actor(), compiled_draft=drafts.compile_draft(book.sheets, {}))
    return redirect(url_for("office.draft_questions", draft_id=draft.id))


@office.post("/forms/<int:version_id>/change")
def form_change(version_id: int) -> ResponseReturnValue:
    """Begin the next version of a published form."""
    version, _ = published.open_form(session(), actor(), version_id=version_id)
    try:
        book = WorkbookEditor(read_sheets(version.workbook, ".xlsx"))
    except FormRefused as refused:  # published by an older version, which read such cells as blank
        return _render_forms_page(refused.problems, 422)
    # A published version never changes, so its workbook begins the next one.
    book.set_setting("version", _make_next_version(version.version))
    checked = drafts.compile_draft(book.sheets, unzip_lists(version.files))
    draft = drafts.begin_draft(session(), actor(), compiled_draft=checked)
    return redirect(url_for("office.draft", draft_id=draft.id))


def _make_dated_version() -> str:
    return utcnow().strftime("%Y%m%d%H")


def _make_next_version(version: str) -> str:
    """Return a version after `version`: the date and hour, or the next number of a count."""
    dated = _make_dated_version()
    # An author's own way of counting, such as "b2", cannot be continued by adding one.
    if not version.isdecimal():
        return dated
    following = str(int(version) + 1)
    if len(version) != len(dated):
        return following
    # A second version within the hour.
    return max(following, dated, key=int)


def _render_forms_page(problems: list[FormProblem], status: int, entered: NewFormInput | None = None) -> ResponseReturnValue:
    page = render_template(
        "forms/forms.html",
        versions=published.list_forms(session(), actor()),
        drafts=drafts.list_drafts(session(), actor()),
        problems=problems,
        upload=UploadInput(formdata=None),
        entered=entered or NewFormInput(formdata=None),
    )
    return page, status


@office.get("/forms/drafts/<int:draft_id>")
def draft(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    unclassified = [problem for problem in opened.errors if problem.code in UNCLASSIFIED]
    return render_template(
        "forms/draft.html",
        opened=opened,
        draft=opened.draft,
        unclassified=len(unclassified),
        estimate=estimate(opened.definition) if opened.definition else None,
        tests=count_tests(opened.book.sheets.sheets.get("tests", [])),
    )


@office.get("/forms/drafts/<int:draft_id>/workbook")
def draft_workbook(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    name = f"{opened.draft.form or 'form'}.xlsx"
    return send_file(io.BytesIO(opened.draft.workbook), mimetype=XLSX, as_attachment=True, download_name=name)


@office.post("/forms/drafts/<int:draft_id>/workbook")
def draft_replace(draft_id: int) -> ResponseReturnValue:
    """Replace a draft's workbook by one changed in Excel; lists that are not sent again stay."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    file = request.files.get("workbook")
    sheets = opened.book.sheets
    try:
        if file and file.filename:
            sheets = read_isolated(file.read(), PurePath(file.filename).suffix.lower())
    except FormRefused as refused:
        for problem in refused.problems:
            flash(gettext(problem.text).format(**problem.details), "danger")
        return redirect(url_for("office.draft", draft_id=draft_id))
    # Lists of the draft stay unless one of the same name is sent: people change the workbook far
    # more often.
    files = list({**opened.files, **_read_lists()}.items())
    checked = drafts.compile_draft(sheets, dict(files[: drafts.MAX_FILES]))
    drafts.change_draft(session(), actor(), draft_id=draft_id, revision=read_revision(), compiled_draft=checked)
    return redirect(url_for("office.draft", draft_id=draft_id))


@office.post("/forms/drafts/<int:draft_id>/publish")
def draft_publish(draft_id: int) -> ResponseReturnValue:
    version = drafts.publish_draft(session(), actor(), draft_id=draft_id, revision=read_revision())
    flash(gettext("Published. Phones get it the next time they have signal."), "safe")
    return redirect(url_for("office.form", version_id=version.id))


@office.post("/forms/drafts/<int:draft_id>/discard")
def draft_discard(draft_id: int) -> ResponseReturnValue:
    drafts.discard_draft(session(), actor(), draft_id=draft_id, revision=read_revision())
    flash(gettext("Draft deleted. Published forms are as they were."), "wait")
    return redirect(url_for("office.form_list"))


@office.get("/forms/drafts/<int:draft_id>/classify")
def draft_classify(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    proposals = drafts.propose_classes(session(), actor(), draft_id=draft_id)
    return render_template(
        "forms/draft_classify.html",
        draft=opened.draft,
        proposals=proposals,
        asks_nobody=not any(line.row.cells.get(ROLE_COLUMN) == QuestionRole.TIER for line in opened.book.lines()),
        classes=list(PrivacyClass),
        keeps=question_form.KEEP_WORDS,
    )


@office.post("/forms/drafts/<int:draft_id>/classify")
def draft_classified(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    chosen: dict[str, str] = {}
    for line in opened.book.lines():
        privacy_class = request.form.get(f"class-{line.number}", "")
        if privacy_class in list(PrivacyClass):
            # Only known classes are written: anything else on the page is no choice.
            opened.book.set(line.number, {"privacy::class": privacy_class})
            chosen[line.row.name] = privacy_class
        if request.form.get("card") == str(line.number):
            opened.book.set(line.number, {ROLE_COLUMN: QuestionRole.PERSON, "privacy::class": PrivacyClass.IDENTIFIER})
            chosen[line.row.name] = PrivacyClass.IDENTIFIER
        keep = request.form.get(f"keep-{line.number}", "")
        # Only where it was changed: the cell may spell the same thing in another way.
        if keep in question_form.KEEP_WORDS and keep != read_keep(line.row.cells):
            opened.book.set(line.number, {KEEP_COLUMN: keep})
    checked = drafts.compile_draft(opened.book.sheets, opened.files)
    drafts.classify_draft(
        session(), actor(), draft_id=draft_id, revision=read_revision(), compiled_draft=checked, classes=chosen
    )
    flash(gettext("Classified. The classes are remembered for your next form."), "safe")
    return redirect(url_for("office.draft", draft_id=draft_id))


@office.get("/forms/drafts/<int:draft_id>/try")
def draft_try(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    return render_template("forms/draft_try.html", draft=opened.draft, is_ready=opened.definition is not None)


@office.get("/forms/drafts/<int:draft_id>/try/phone")
def draft_phone(draft_id: int) -> ResponseReturnValue:
    """Show the phone's own pages, for the frame of the page above."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    # A form with errors has nothing that a phone could run.
    if opened.definition is None:
        abort(404)
    return render_template("forms/draft_phone.html", draft=opened.draft)


@office.get("/forms/drafts/<int:draft_id>/definition.json")
def draft_definition(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    if opened.definition is None:
        abort(404)
    return opened.definition.to_json(), 200, {"Content-Type": "application/json"}
