"""What the builder does not change stays: a page that is opened and kept leaves the workbook cell for cell as it was."""

import io
import random
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import render_template
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from fieldapp.services.forms.drafts import DraftDetails
from fieldapp.store.forms.drafts import FormDraft
from fieldapp.web.office.forms import list_form, question_form, settings_form
from forms.builder import WorkbookEditor
from forms.privacy_classes import PrivacyClass
from forms.sheets import Sheets, read_sheets
from forms.support import TYPE_VERDICTS
from tests.programme import FORMS, workbook_of
from tests.web.office.forms.uploads import upload
from tests.web.pages import form_with

HEADINGS = [
    *(
        "hint:English",
        "Hint::French",
        "bind:relevant",
        "bind::constraint",
        "relevance",
        "bind:required",
        "Required",
        "readonly",
    ),
    *("caption", "Label : French", "label::English (en)", "label", "calculate", "choice filter", "my notes", "", "default"),
    *(
        "constraint_message",
        "privacy",
        "privacy::export",
        "privacy::approval",
        "appearance",
        "count",
        "trigger",
        "parameters",
    ),
]
CELLS = [
    *("yes", "No", "TRUE", "false()", "${a} = 'x'", "${a}='x'", '${a}="x"', "${zz} = 1", "selected(${a},'x')", "${a} > 05"),
    *(". > 3", ".>=3 and .<=9", ". >= 3  and . <= 9", "today()", "two\nlines", "\u00a0x", "Drop", "free text", "Identifier"),
    *("nonsense", "a  b", "<b>&amp;</b>", '"', "x" * 21_000, "'", "w1  no-calendar", "${a} != ''", "string-length(.)<=5"),
]
KINDS = [
    *(
        "text",
        "Select One l",
        "select_one l or_other",
        "select_multiple l",
        "select_one",
        "rank m",
        "begin group",
        "end group",
    ),
    *("Begin_Repeat", "end_repeat", "hidden", "start", "note", "nonsense", "select_one_from_file x.csv", "", *TYPE_VERDICTS),
]


def odd_workbook(seed: int) -> Sheets:
    """Return a workbook as people make them: odd headings, gaps, columns of one's own, choices that share a name."""
    chance = random.Random(seed)
    header = ["type", "name", *chance.sample(HEADINGS, chance.randrange(1, 10))]
    survey = [header]
    for number in range(chance.randrange(1, 8)):
        survey += [[]] * chance.choice([0, 0, 0, 1, 70])
        row = [chance.choice(KINDS), chance.choice(["a", "b", f"q{number}", f"q{number}", ""])]
        survey.append(row + [chance.choice(CELLS) if chance.random() < 0.6 else "" for _ in header[2:]])
    choices = [["List Name", "value", chance.choice(["label", "caption", "label:French"]), "", "grp", "name 2"]]
    for _ in range(chance.randrange(0, 9)):
        choices += [[]] * chance.choice([0, 0, 0, 1, 70])
        choices.append(
            [chance.choice(pool) for pool in (["l", "l", "m", ""], ["x", "x", "y", ""], ["X", "", *CELLS], *[CELLS] * 3)]
        )
    settings_ = [["Form ID", "version", "style", "summary_day", "title", "my own"]]
    settings_ += [[]] * chance.choice([0, 0, 2])
    settings_ += [["f", "1", chance.choice(["", "pages", "theme-grid pages", "theme-grid"]), "nobody", "T" * 300, "mine"]]
    return Sheets({"survey": survey, "choices": choices, "settings": settings_, "notes": [["", "kept"]]})


def cells_of(sheets: Sheets) -> dict[tuple[str, int, int], str]:
    """Return every cell that says something."""
    return {
        (name, number, at): text
        for name, rows in sheets.sheets.items()
        for number, row in enumerate(rows, 1)
        for at, text in enumerate(row)
        if text
    }


def opened_of(sheets: Sheets) -> DraftDetails:
    return DraftDetails(FormDraft(id=1, revision=1, title="T"), WorkbookEditor(sheets), {}, [], None, None, [])


def keep_everything(app_page: Callable[..., str], sheets: Sheets) -> None:
    """Open each page of the builder and keep it as a browser sends it back."""
    opened = opened_of(sheets)
    for line in opened.book.lines():
        page = app_page("forms/draft_question.html", edited=question_form.make_question_form(opened, line))
        question_form.save_question(opened, line, MultiDict(form_with(page, "label-0")))
    for name in opened.book.lists():
        first: int | None = 1
        while first:
            shown = list_form.make_list_form(opened.book, name, first)
            page = app_page("forms/draft_list.html", edited=shown)
            list_form.save_list(opened.book, name, MultiDict(form_with(page, "name-0")))
            first = shown.next
    page = app_page(
        "forms/draft_questions.html",
        opened=opened,
        lines=question_form.list_outline_rows(opened),
        lists=opened.book.lists(),
        library=(),
        settings=settings_form.read_settings(opened.book),
        form_languages=opened.book.languages,
    )
    settings_form.save_settings(opened.book, MultiDict(form_with(page, "form_title")))


@pytest.fixture
def app_page(rosa: FlaskClient) -> Callable[..., str]:
    """Return a function that draws a page of the builder."""

    def draw(template: str, **values: object) -> str:
        with rosa.application.test_request_context("/office/forms/drafts/1/questions"):
            draft = FormDraft(id=1, revision=1, title="T")
            return render_template(
                template,
                draft=draft,
                types=question_form.OFFERED_TYPES,
                classes=list(PrivacyClass),
                appearances=[],
                **values,
            )

    return draw


@pytest.fixture
def rosa(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("rosa")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_opening_and_keeping_every_page_changes_no_cell_of_any_workbook(app_page: Callable[..., str], seed: int) -> None:
    sheets = read_sheets(odd_workbook(seed).to_xlsx(), ".xlsx")
    before = cells_of(sheets)
    keep_everything(app_page, sheets)
    assert cells_of(sheets) == before
    assert cells_of(read_sheets(sheets.to_xlsx(), ".xlsx")) == before


@pytest.mark.parametrize("form", FORMS)
def test_opening_and_keeping_every_page_changes_no_cell_of_the_programmes_forms(
    app_page: Callable[..., str], form: str
) -> None:
    sheets = read_sheets(workbook_of(form), ".xlsx")
    before = cells_of(sheets)
    keep_everything(app_page, sheets)
    assert cells_of(sheets) == before


def workbook_in(client: FlaskClient, draft: str) -> Sheets:
    return read_sheets(client.get(f"{draft}/workbook").data, ".xlsx")


def test_a_long_list_and_a_cascade_are_kept_whole_through_the_web_form(rosa: FlaskClient) -> None:
    survey = [["type", "name", "label", "privacy::class"], ["select_one many", "a", "A", "operational"]]
    many = [["many", f"c{number}", f"Choix numéro {number} été", "", "x"] for number in range(900)]
    grouped = [["k", "other", "A", "a"], ["k", "one", "One", "a"], ["k", "other", "B", "b"], ["k", "two", "Two", "b"]]
    choices = [["list_name", "name", "label", "grp", "mine"], *grouped, *many]
    settings_ = [["form_id", "version", "form_title", "allow_choice_duplicates"], ["f", "1", "F", "yes"]]
    made = Sheets({"survey": survey, "choices": choices, "settings": settings_}).to_xlsx()
    draft = upload(rosa, made).location
    before = cells_of(workbook_in(rosa, draft))
    for name in ("many", "k"):
        url, pages = f"{draft}/lists/{name}", 0
        while url:
            page = rosa.get(url).text
            answer = rosa.post(url, data=form_with(page, "name-0"))
            assert answer.status_code == 302
            following = re.search(r'href="([^"]+)">Those after', page)
            url = following[1].replace("&amp;", "&") if following else ""
            pages += 1
        assert pages == (5 if name == "many" else 1)
    assert cells_of(workbook_in(rosa, draft)) == before


def test_changes_to_a_list_go_to_the_row_that_was_changed(rosa: FlaskClient) -> None:
    survey = [["type", "name", "label", "privacy::class"], ["select_one k", "a", "A", "operational"]]
    rows = [["k", "other", "A", "a"], ["other list", "z", "Z"], ["k", "other", "B", "b"], ["k", "two", "Two", "b"]]
    settings_ = [["form_id", "version", "form_title", "allow_choice_duplicates"], ["f", "1", "F", "yes"]]
    sheets = Sheets({"survey": survey, "choices": [["list_name", "name", "label", "grp"], *rows], "settings": settings_})
    draft = upload(rosa, sheets.to_xlsx()).location
    fields = form_with(rosa.get(f"{draft}/lists/k").text, "name-0")
    fields |= {"label-1-0": "Bee", "label-2-0": "", "label-3-0": "New one"}
    assert rosa.post(f"{draft}/lists/k", data=fields).status_code == 302
    held = workbook_in(rosa, draft).sheets["choices"][1:]
    assert held == [
        ["k", "other", "A", "a"],
        ["other list", "z", "Z"],
        ["k", "other", "Bee", "b"],
        ["k", "new_one", "New one"],
    ]


def test_a_list_with_very_long_words_comes_in_pages_that_can_be_sent(rosa: FlaskClient) -> None:
    survey = [["type", "name", "label", "privacy::class"], ["select_one k", "a", "A", "operational"]]
    rows = [["k", f"c{number}", "語" * 20_000] for number in range(6)]
    settings_ = [["form_id", "version", "form_title"], ["f", "1", "F"]]
    sheets = Sheets({"survey": survey, "choices": [["list_name", "name", "label"], *rows], "settings": settings_})
    draft = upload(rosa, sheets.to_xlsx()).location
    before = cells_of(workbook_in(rosa, draft))
    for first in (1, 3, 5):
        page = rosa.get(f"{draft}/lists/k?from={first}").text
        fields = form_with(page, "name-0")
        assert [fields["name-0"], fields["name-1"], fields["name-2"]] == [f"c{first - 1}", f"c{first}", ""]
        assert rosa.post(f"{draft}/lists/k", data=fields).status_code == 302
    assert cells_of(workbook_in(rosa, draft)) == before


def test_a_page_that_was_sent_for_rows_that_are_no_longer_there_changes_nothing() -> None:
    sheets = Sheets({"survey": [["type"]], "choices": [["list_name", "name", "label"], ["k", "a", "A"], ["m", "b", "B"]]})
    before = cells_of(sheets)
    for row in ("3", "99", "0", "x"):
        label = "" if row in ("0", "x") else "Changed"
        list_form.save_list(WorkbookEditor(sheets), "k", MultiDict({"name-0": "a", "label-0-0": label, "row-0": row}))
    assert cells_of(sheets) == before


def test_a_formula_that_is_typed_is_kept_also_when_a_condition_could_be_picked(rosa: FlaskClient) -> None:
    survey = [
        ["type", "name", "label", "privacy::class", "relevant", "required"],
        ["integer", "a", "A", "operational"],
        ["integer", "b", "B", "operational", "${a} = 1", "${a} > 0"],
        ["select_one_from_file x.csv", "c", "C", "operational", "", "no"],
    ]
    settings_ = [["form_id", "version", "form_title"], ["f", "1", "F"]]
    draft = upload(rosa, Sheets({"survey": survey, "settings": settings_}).to_xlsx()).location
    url = f"{draft}/questions/3"
    fields = form_with(rosa.get(url).text, "label-0")
    assert rosa.post(url, data=fields | {"relevant": "${a} = 1 or ${a} = 2"}).status_code == 302
    row = workbook_in(rosa, draft).sheets["survey"][2]
    assert row[4:] == ["${a} = 1 or ${a} = 2", "${a} > 0"]
    fields = form_with(rosa.get(url).text, "label-0")
    assert rosa.post(url, data=fields | {"when_question": "always"}).status_code == 302
    assert workbook_in(rosa, draft).sheets["survey"][2][4] == ""


def test_a_cell_that_excel_could_not_hold_is_refused_and_the_draft_stays(rosa: FlaskClient) -> None:
    survey = [["type", "name", "label", "privacy::class"], ["integer", "a", "A", "operational"]]
    draft = upload(rosa, Sheets({"survey": survey}).to_xlsx()).location
    before = cells_of(workbook_in(rosa, draft))
    fields = form_with(rosa.get(f"{draft}/questions/2").text, "label-0")
    answer = rosa.post(f"{draft}/questions/2", data=fields | {"label-0": "x" * 40_000})
    assert answer.status_code == 422 and "32,767" in answer.text
    assert cells_of(workbook_in(rosa, draft)) == before
    wide = f"| survey | | |\n| | type | name | label |\n| | text | a | {'x' * 40_000} |\n"
    answer = upload(rosa, wide.encode(), "f.md")
    assert answer.status_code == 422 and "32,767" in answer.text


def test_a_list_whose_name_needs_quoting_can_be_opened(rosa: FlaskClient) -> None:
    sheets = Sheets({"survey": [["type", "name"]], "choices": [["list_name", "name", "label"], ["a list & more", "x", "X"]]})
    draft = upload(rosa, sheets.to_xlsx()).location
    assert rosa.get(f"{draft}/lists/{quote('a list & more')}").status_code == 200
    assert io.BytesIO(rosa.get(f"{draft}/workbook").data).read(2) == b"PK"
