"""Forms being made, in the office: take in, put right, classify, build, try, compare, publish."""

import io
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from fieldapp.services.acts import utcnow
from fieldapp.services.forms import drafts, library, published
from fieldapp.services.forms.drafts import Opened
from fieldapp.web.office.blueprint import admin
from fieldapp.web.office.forms import question_form
from fieldapp.web.office.inputs import NewFormInput, UploadInput
from fieldapp.web.sessions import actor, session
from forms import support
from forms.builder import WorkbookEditor, make_workbook, slug
from forms.form_tests import count_tests
from forms.isolation import read_isolated
from forms.privacy_classes import PrivacyClass
from forms.problems import FormProblem, FormRefused
from forms.question_type import WORKS
from forms.reading import estimate
from forms.sheets import read_sheets

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin.get("/forms")
def form_list() -> Any:
    return _forms_page([], 200)


@admin.post("/forms")
def form_upload() -> Any:
    """Take a workbook in as a draft, with the CSV lists that belong to it; refuse only what cannot be read at all."""
    who = actor()
    published.list_forms(session(), who)  # who may not see forms may not make the server compile one
    file = request.files.get("workbook")
    name = PurePath(file.filename or "").name if file else ""
    try:
        sheets = read_isolated(file.read() if file else b"", PurePath(name).suffix.lower() or ".xlsx")
    except FormRefused as refused:
        return _forms_page(refused.problems, 422)
    lists = [one for one in request.files.getlist("lists") if one.filename][: drafts.MAX_FILES]
    files = {PurePath(one.filename or "").name: one.read() for one in lists}
    stem = PurePath(name).stem
    filled = WorkbookEditor(sheets).fill_in(slug(stem or "form"), utcnow().strftime("%Y%m%d%H"), stem or "Form")
    draft = drafts.begin_draft(session(), who, checked=drafts.check(sheets, files))
    if filled:
        flash(gettext("We filled in what the settings sheet did not say: {what}.").format(what=", ".join(filled)), "wait")
    return redirect(url_for("admin.draft", draft_id=draft.id))


@admin.post("/forms/new")
def form_new() -> Any:
    published.list_forms(session(), actor())  # who may not see forms may not make the server compile one
    entered = NewFormInput()
    if not entered.validate_on_submit():
        return _forms_page([], 422, entered)
    title = entered.title.data or ""
    book = make_workbook(title, slug(title), utcnow().strftime("%Y%m%d%H"))
    draft = drafts.begin_draft(session(), actor(), checked=drafts.check(book.sheets, {}))
    return redirect(url_for("admin.draft_questions", draft_id=draft.id))


@admin.post("/forms/<int:version_id>/change")
def form_change(version_id: int) -> Any:
    """Begin the next version of a published form."""
    version, _ = published.open_form(session(), actor(), version_id=version_id)
    book = WorkbookEditor(read_sheets(version.workbook, ".xlsx"))
    book.set_setting("version", _next(version.version))
    checked = drafts.check(book.sheets, drafts.unzip(version.files))
    draft = drafts.begin_draft(session(), actor(), checked=checked)
    return redirect(url_for("admin.draft", draft_id=draft.id))


def _next(version: str) -> str:
    today = utcnow().strftime("%Y%m%d%H")
    if version.isdecimal():
        return str(max(int(version) + 1, int(today))) if len(version) == len(today) else str(int(version) + 1)
    return today


def _forms_page(problems: list[FormProblem], status: int, entered: NewFormInput | None = None) -> Any:
    found = published.list_forms(session(), actor())
    waiting = drafts.list_drafts(session(), actor())
    entered = entered or NewFormInput(formdata=None)
    page = render_template(
        "forms/forms.html",
        versions=found,
        drafts=waiting,
        problems=problems,
        upload=UploadInput(formdata=None),
        entered=entered,
    )
    return page, status


@admin.get("/forms/drafts/<int:draft_id>")
def draft(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    unclassified = [one for one in opened.errors if one.code in ("form.unclassified", "form.privacy_class")]
    return render_template(
        "forms/draft.html",
        opened=opened,
        draft=opened.draft,
        unclassified=len(unclassified),
        estimate=estimate(opened.definition) if opened.definition else None,
        tests=count_tests(opened.book.sheets.sheets.get("tests", [])),
    )


@admin.get("/forms/drafts/<int:draft_id>/workbook")
def draft_workbook(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    name = f"{opened.draft.form or 'form'}.xlsx"
    return send_file(io.BytesIO(opened.draft.workbook), mimetype=XLSX, as_attachment=True, download_name=name)


@admin.post("/forms/drafts/<int:draft_id>/workbook")
def draft_replace(draft_id: int) -> Any:
    """Replace a draft's workbook by one that was changed in Excel; lists that are not sent again stay."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    file = request.files.get("workbook")
    files = dict(opened.files)
    files |= {PurePath(one.filename or "").name: one.read() for one in request.files.getlist("lists") if one.filename}
    try:
        sheets = opened.book.sheets
        if file and file.filename:
            sheets = read_isolated(file.read(), PurePath(file.filename).suffix.lower())
    except FormRefused as refused:
        for problem in refused.problems:
            flash(gettext(problem.text).format(**problem.details), "danger")
        return redirect(url_for("admin.draft", draft_id=draft_id))
    checked = drafts.check(sheets, dict(list(files.items())[: drafts.MAX_FILES]))
    drafts.change_draft(session(), actor(), draft_id=draft_id, revision=_revision(), checked=checked)
    return redirect(url_for("admin.draft", draft_id=draft_id))


@admin.post("/forms/drafts/<int:draft_id>/publish")
def draft_publish(draft_id: int) -> Any:
    version = drafts.publish_draft(session(), actor(), draft_id=draft_id, revision=_revision())
    flash(gettext("Published. Phones get it the next time they have signal."), "safe")
    return redirect(url_for("admin.form", version_id=version.id))


@admin.post("/forms/drafts/<int:draft_id>/discard")
def draft_discard(draft_id: int) -> Any:
    drafts.discard_draft(session(), actor(), draft_id=draft_id, revision=_revision())
    flash(gettext("Thrown away. Published forms are as they were."), "wait")
    return redirect(url_for("admin.form_list"))


# ── classify ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@admin.get("/forms/drafts/<int:draft_id>/classify")
def draft_classify(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    proposals = drafts.propose_classes(session(), actor(), draft_id=draft_id)
    return render_template("forms/draft_classify.html", draft=opened.draft, proposals=proposals, classes=list(PrivacyClass))


@admin.post("/forms/drafts/<int:draft_id>/classify")
def draft_classified(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    chosen: dict[str, str] = {}
    for line in opened.book.lines():
        given = request.form.get(f"class-{line.number}", "")
        if given in list(PrivacyClass):
            opened.book.set(line.number, {"privacy::class": given})
            chosen[line.row.name] = given
    checked = drafts.check(opened.book.sheets, opened.files)
    drafts.classify_draft(session(), actor(), draft_id=draft_id, revision=_revision(), checked=checked, classes=chosen)
    flash(gettext("Classified. The classes are remembered for your next form."), "safe")
    return redirect(url_for("admin.draft", draft_id=draft_id))


# ── try ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@admin.get("/forms/drafts/<int:draft_id>/try")
def draft_try(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    return render_template("forms/draft_try.html", draft=opened.draft, is_ready=opened.definition is not None)


@admin.get("/forms/drafts/<int:draft_id>/try/phone")
def draft_phone(draft_id: int) -> Any:
    """The phone's own pages for the frame of the page above; the only page that may be framed, and only by us."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    if opened.definition is None:
        abort(404)
    return render_template("forms/draft_phone.html", draft=opened.draft)


@admin.get("/forms/drafts/<int:draft_id>/definition.json")
def draft_definition(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    if opened.definition is None:
        abort(404)
    return opened.definition.to_json(), 200, {"Content-Type": "application/json"}


# ── build ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@admin.get("/forms/drafts/<int:draft_id>/questions")
def draft_questions(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    return render_template(
        "forms/draft_questions.html",
        draft=opened.draft,
        opened=opened,
        lines=question_form.outline(opened),
        lists=opened.book.lists(),
        library=library.library(),
        settings=question_form.shown_settings(opened.book),
        types=question_form.OFFERED_TYPES,
        form_languages=opened.book.languages,
    )


@admin.post("/forms/drafts/<int:draft_id>/questions")
def draft_arrange(draft_id: int) -> Any:
    """Add, move or remove a row."""
    done = request.form.get("do", "")
    number = _number("row")
    goal = url_for("admin.draft_questions", draft_id=draft_id)

    def change(opened: Opened) -> str:
        book = opened.book
        if done == "add":
            kind = request.form.get("type", "")
            last = max((line.number for line in book.lines()), default=1)
            after = number or (book.block(last).stop - 1 if last > 1 else len(book.sheets.sheet("survey")))
            row = book.add(after, {"type": question_form.begin(book, kind), "name": question_form.free_name(book)})
            return url_for("admin.draft_question", draft_id=draft_id, row=row)
        if done == "library":
            end = len(book.sheets.sheet("survey"))
            row_ = library.put_in(book, request.form.get("entry", ""), number or end)
            return goal if row_ is None else f"{goal}#row-{row_}"
        if number and (line := book.line(number)) and done in ("up", "down"):
            moved = book.move(line.number, -1 if done == "up" else 1)
            return f"{goal}#row-{moved}"
        if number and book.line(number) and done == "remove":
            book.remove(number)
        return goal

    return _changed(draft_id, change)


@admin.get("/forms/drafts/<int:draft_id>/questions/<int:row>")
def draft_question(draft_id: int, row: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    line = opened.book.line(row)
    if line is None:
        abort(404)
    return render_template(
        "forms/draft_question.html",
        draft=opened.draft,
        edited=question_form.shown(opened, line),
        types=question_form.OFFERED_TYPES,
        classes=list(PrivacyClass),
        appearances=sorted(name for name, (_, verdict) in support.APPEARANCES.items() if verdict == WORKS),
    )


@admin.post("/forms/drafts/<int:draft_id>/questions/<int:row>")
def draft_question_save(draft_id: int, row: int) -> Any:
    def change(opened: Opened) -> str:
        line = opened.book.line(row)
        if line is None:
            abort(404)
        question_form.save(opened, line, request.form)
        return f"{url_for('admin.draft_questions', draft_id=draft_id)}#row-{row}"

    return _changed(draft_id, change)


@admin.get("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list(draft_id: int, name: str) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    first = request.args.get("from", "1")
    edited = question_form.shown_list(opened.book, name, int(first) if first.isdecimal() and len(first) < 9 else 1)
    return render_template("forms/draft_list.html", draft=opened.draft, edited=edited)


@admin.post("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list_save(draft_id: int, name: str) -> Any:
    def change(opened: Opened) -> str:
        question_form.save_list(opened.book, name, request.form)
        return url_for("admin.draft_questions", draft_id=draft_id)

    return _changed(draft_id, change)


@admin.post("/forms/drafts/<int:draft_id>/settings")
def draft_settings(draft_id: int) -> Any:
    def change(opened: Opened) -> str:
        question_form.save_settings(opened.book, request.form)
        return url_for("admin.draft_questions", draft_id=draft_id)

    return _changed(draft_id, change)


def _changed(draft_id: int, change: Callable[[Opened], str]) -> Any:
    """Make a change to a draft's workbook, compile it anew and keep it; then go where the change says."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    goal = change(opened)
    checked = drafts.check(opened.book.sheets, opened.files)
    drafts.change_draft(session(), actor(), draft_id=draft_id, revision=_revision(), checked=checked)
    return redirect(goal)


def _revision() -> int:
    return _number("revision") or 0


def _number(key: str) -> int | None:
    text = request.form.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 9 else None
