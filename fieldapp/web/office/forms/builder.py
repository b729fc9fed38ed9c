"""The form builder's pages: questions, lists of choices, settings."""

from collections.abc import Callable

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.forms import consent_block, drafts, library
from fieldapp.services.forms.drafts import DraftDetails
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.forms import list_form, question_form, settings_form
from fieldapp.web.office.forms.inputs import read_revision
from fieldapp.web.parsing import parse_number
from fieldapp.web.sessions import actor, session
from forms import support
from forms.builder import WorkbookEditor
from forms.privacy_classes import PrivacyClass
from forms.question_type import WORKS


@office.get("/forms/drafts/<int:draft_id>/questions")
def draft_questions(draft_id: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    return render_template(
        "forms/draft_questions.html",
        draft=opened.draft,
        opened=opened,
        lines=question_form.list_outline_rows(opened),
        lists=opened.book.lists(),
        library=library.load_library(),
        settings=settings_form.read_settings(opened.book),
        types=question_form.OFFERED_TYPES,
        form_languages=opened.book.languages,
    )


@office.post("/forms/drafts/<int:draft_id>/questions")
def draft_arrange(draft_id: int) -> ResponseReturnValue:
    """Add, move or remove a row, or add the consent questions."""
    action = request.form.get("do", "")
    number = parse_number(request.form.get("row", ""))

    def change(opened: DraftDetails) -> str:
        if action == "add":
            added = _add_row(opened.book, request.form.get("type", ""), number)
            return url_for("office.draft_question", draft_id=draft_id, row=added)
        if action == "consent":
            consent_block.insert_consent(opened.book)
            flash(gettext("The consent questions are in. Read them, and see that they come before what you ask."), "safe")
            return url_for("office.draft", draft_id=draft_id)
        row = _arrange_row(opened.book, action, number)
        anchor = f"row-{row}" if row else None
        return url_for("office.draft_questions", draft_id=draft_id, _anchor=anchor)

    return _apply_edit(draft_id, change)


def _add_row(book: WorkbookEditor, kind: str, after: int) -> int:
    """Add a question or group after a row (0: at the end); return the new row's number."""
    row_type = question_form.choose_row_type(book, kind)
    name = question_form.find_free_name(book)
    return book.add(after or _find_end(book), {"type": row_type, "name": name})


def _find_end(book: WorkbookEditor) -> int:
    """Return the row after which a new one is the last of the form, outside of every group."""
    last = max((line.number for line in book.lines()), default=1)
    if last == 1:
        # An empty form has its header only.
        return len(book.sheets.sheet("survey"))
    # Behind the whole group, if the last question is in one.
    return book.block(last).stop - 1


def _arrange_row(book: WorkbookEditor, action: str, number: int) -> int | None:
    """Add a library question, move or remove a row; return the row to scroll to, if any."""
    if action == "library":
        end = len(book.sheets.sheet("survey"))
        return library.insert_question(book, request.form.get("entry", ""), number or end)
    # Somebody else may have removed the row since the page was loaded.
    if not number or book.line(number) is None:
        return None
    if action == "up":
        return book.move(number, -1)
    if action == "down":
        return book.move(number, 1)
    if action == "remove":
        book.remove(number)
    return None


@office.get("/forms/drafts/<int:draft_id>/questions/<int:row>")
def draft_question(draft_id: int, row: int) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    line = opened.book.line(row)
    if line is None:
        abort(404)
    return render_template(
        "forms/draft_question.html",
        draft=opened.draft,
        edited=question_form.make_question_form(opened, line),
        types=question_form.OFFERED_TYPES,
        classes=list(PrivacyClass),
        # Only those that change something: others are kept in a workbook, but nobody should choose
        # them.
        appearances=sorted(name for name, (_, verdict) in support.APPEARANCES.items() if verdict == WORKS),
    )


@office.post("/forms/drafts/<int:draft_id>/questions/<int:row>")
def draft_question_save(draft_id: int, row: int) -> ResponseReturnValue:
    def change(opened: DraftDetails) -> str:
        line = opened.book.line(row)
        if line is None:
            abort(404)
        question_form.save_question(opened, line, request.form)
        return f"{url_for('office.draft_questions', draft_id=draft_id)}#row-{row}"

    return _apply_edit(draft_id, change)


@office.get("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list(draft_id: int, name: str) -> ResponseReturnValue:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    edited = list_form.make_list_form(opened.book, name, parse_number(request.args.get("from", "1")) or 1)
    return render_template("forms/draft_list.html", draft=opened.draft, edited=edited)


@office.post("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list_save(draft_id: int, name: str) -> ResponseReturnValue:
    def change(opened: DraftDetails) -> str:
        list_form.save_list(opened.book, name, request.form)
        return url_for("office.draft_questions", draft_id=draft_id)

    return _apply_edit(draft_id, change)


@office.post("/forms/drafts/<int:draft_id>/settings")
def draft_settings(draft_id: int) -> ResponseReturnValue:
    def change(opened: DraftDetails) -> str:
        settings_form.save_settings(opened.book, request.form)
        return url_for("office.draft_questions", draft_id=draft_id)

    return _apply_edit(draft_id, change)


def _apply_edit(draft_id: int, change: Callable[[DraftDetails], str]) -> ResponseReturnValue:
    """Change, compile and save a draft's workbook; redirect to the address from `change`."""
    # Opened, changed and compiled before the write: compiling takes seconds, and nobody should wait
    # for it. The revision finds out whether somebody was faster.
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    address = change(opened)
    checked = drafts.compile_draft(opened.book.sheets, opened.files)
    drafts.change_draft(session(), actor(), draft_id=draft_id, revision=read_revision(), compiled_draft=checked)
    return redirect(address)
