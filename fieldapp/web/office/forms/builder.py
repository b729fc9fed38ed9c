"""The form builder's pages: questions, lists of choices, settings."""

from collections.abc import Callable
from typing import Any

from flask import abort, redirect, render_template, request, url_for

from fieldapp.services.forms import drafts, library
from fieldapp.services.forms.drafts import DraftDetails
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.forms import question_form
from fieldapp.web.office.forms.inputs import read_number, read_revision
from fieldapp.web.sessions import actor, session
from forms import support
from forms.privacy_classes import PrivacyClass
from forms.question_type import WORKS


@office.get("/forms/drafts/<int:draft_id>/questions")
def draft_questions(draft_id: int) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    return render_template(
        "forms/draft_questions.html",
        draft=opened.draft,
        opened=opened,
        lines=question_form.outline(opened),
        lists=opened.book.lists(),
        library=library.load_library(),
        settings=question_form.shown_settings(opened.book),
        types=question_form.OFFERED_TYPES,
        form_languages=opened.book.languages,
    )


@office.post("/forms/drafts/<int:draft_id>/questions")
def draft_arrange(draft_id: int) -> Any:
    """Add, move or remove a row."""
    done = request.form.get("do", "")
    number = read_number("row")
    goal = url_for("office.draft_questions", draft_id=draft_id)

    def change(opened: DraftDetails) -> str:
        book = opened.book
        if done == "add":
            kind = request.form.get("type", "")
            last = max((line.number for line in book.lines()), default=1)
            after = number or (book.block(last).stop - 1 if last > 1 else len(book.sheets.sheet("survey")))
            row = book.add(after, {"type": question_form.begin(book, kind), "name": question_form.free_name(book)})
            return url_for("office.draft_question", draft_id=draft_id, row=row)
        if done == "library":
            end = len(book.sheets.sheet("survey"))
            row_ = library.insert_question(book, request.form.get("entry", ""), number or end)
            return goal if row_ is None else f"{goal}#row-{row_}"
        if number and (line := book.line(number)) and done in ("up", "down"):
            moved = book.move(line.number, -1 if done == "up" else 1)
            return f"{goal}#row-{moved}"
        if number and book.line(number) and done == "remove":
            book.remove(number)
        return goal

    return _apply_edit(draft_id, change)


@office.get("/forms/drafts/<int:draft_id>/questions/<int:row>")
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


@office.post("/forms/drafts/<int:draft_id>/questions/<int:row>")
def draft_question_save(draft_id: int, row: int) -> Any:
    def change(opened: DraftDetails) -> str:
        line = opened.book.line(row)
        if line is None:
            abort(404)
        question_form.save(opened, line, request.form)
        return f"{url_for('office.draft_questions', draft_id=draft_id)}#row-{row}"

    return _apply_edit(draft_id, change)


@office.get("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list(draft_id: int, name: str) -> Any:
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    first = request.args.get("from", "1")
    edited = question_form.shown_list(opened.book, name, int(first) if first.isdecimal() and len(first) < 9 else 1)
    return render_template("forms/draft_list.html", draft=opened.draft, edited=edited)


@office.post("/forms/drafts/<int:draft_id>/lists/<name>")
def draft_list_save(draft_id: int, name: str) -> Any:
    def change(opened: DraftDetails) -> str:
        question_form.save_list(opened.book, name, request.form)
        return url_for("office.draft_questions", draft_id=draft_id)

    return _apply_edit(draft_id, change)


@office.post("/forms/drafts/<int:draft_id>/settings")
def draft_settings(draft_id: int) -> Any:
    def change(opened: DraftDetails) -> str:
        question_form.save_settings(opened.book, request.form)
        return url_for("office.draft_questions", draft_id=draft_id)

    return _apply_edit(draft_id, change)


def _apply_edit(draft_id: int, change: Callable[[DraftDetails], str]) -> Any:
    """Make a change to a draft's workbook, compile it anew and keep it; then go where the change says."""
    opened = drafts.open_draft(session(), actor(), draft_id=draft_id)
    goal = change(opened)
    checked = drafts.compile_draft(opened.book.sheets, opened.files)
    drafts.change_draft(session(), actor(), draft_id=draft_id, revision=read_revision(), compiled_draft=checked)
    return redirect(goal)
