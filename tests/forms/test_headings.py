"""Nothing of a workbook vanishes: headings in every spelling are read the same, and what could get lost is named."""

import dataclasses
import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.builder import WorkbookEditor
from forms.completeness import find_missing
from forms.definition import FormDefinition
from forms.headings import choice_heading, setting_heading, survey_heading
from forms.problems import FormProblem, FormRefused
from forms.sheets import Sheets, read_sheets
from forms.workbook import Workbook
from forms.xlsform import compile_workbook
from tests.programme import FORMS, definition_of, workbook_of

SPELLINGS = {
    "relevant": [
        "relevant",
        "Relevant ",
        "bind:relevant",
        "bind::relevant",
        "Bind : Relevant",
        "relevance",
        "BIND::RELEVANT",
    ],
    "constraint": ["constraint", "bind:constraint", "bind :: constraint", "Constraint"],
    "required": ["required", "bind:required", "Required", "bind::required"],
    "read_only": ["read_only", "readonly", "Read Only", "bind:readonly", "bind::readOnly"],
    "calculation": ["calculation", "calculate", "bind:calculate", "bind::calculate", "Calculation"],
    "label": ["label", "Label", "label::English (en)", "label:English (en)", "Label : English (en)", "caption:English (en)"],
    "hint": ["hint", "Hint ", "hint:English (en)", "hint::English (en)", "HINT :: English  (en)"],
    "guidance_hint": ["guidance_hint", "Guidance Hint", "guidance_hint:English (en)", "guidance hint::English (en)"],
    "constraint_message": [
        *("constraint_message", "Constraint Message", "constraint message::English (en)", "constraining_message"),
        *("bind:jr:constraintMsg:English (en)", "bind::jr:constraintMsg::English (en)", "bind::jr:constraintMsg"),
    ],
    "required_message": [
        "required_message",
        "requiredMsg",
        "required_message:English (en)",
        "bind:jr:requiredMsg:English (en)",
    ],
    "appearance": ["appearance", "control:appearance", "body::appearance", "Appearance"],
    "default": ["default", "Default"],
    "privacy": ["privacy", "privacy::class", "privacy:class", "Privacy :: Class"],
}
CELLS = {
    "a": {"label": "A", "hint": "Hi", "required": "yes", "privacy": "operational", "default": "1", "guidance_hint": "G"},
    "b": {
        **{
            "label": "B",
            "relevant": "${a} = 1",
            "constraint": ". < 5",
            "constraint_message": "Less",
            "privacy": "operational",
        },
        **{"read_only": "${a} = 2", "required": "${a} = 3", "required_message": "Need", "appearance": "counter"},
    },
    "c": {"label": "C", "calculation": "${a} + 1", "privacy": "operational"},
}
SETTINGS = [["form_id", "version", "default_language"], ["t", "1", "English (en)"]]


def sheets_of(heads: dict[str, str], order: list[str]) -> Sheets:
    rows = [["integer", name, *[cells.get(column, "") for column in order]] for name, cells in CELLS.items()]
    return Sheets({"survey": [["Type", "tag", *[heads[column] for column in order]], *rows], "settings": SETTINGS})


def problems_of(sheets: Sheets) -> list[FormProblem]:
    try:
        return compile_workbook(sheets.to_xlsx()).warnings
    except FormRefused as refused:
        return refused.problems


def elements_of(form: FormDefinition) -> list[dict[str, object]]:
    return [dataclasses.asdict(element) for element in form.elements]


STANDARD = {column: column for column in CELLS["a"] | CELLS["b"] | CELLS["c"]}


@pytest.mark.slow
@pytest.mark.parametrize(("column", "spelling"), [(c, one) for c, some in SPELLINGS.items() for one in some])
@pytest.mark.parametrize("mixed", [False, True], ids=["alone", "beside ::"])
def test_every_spelling_of_a_heading_is_read_the_same(column: str, spelling: str, mixed: bool) -> None:
    expected = compile_workbook(sheets_of(STANDARD, list(STANDARD)).to_xlsx()).definition
    heads = STANDARD | {column: spelling} | ({"privacy": "privacy::class"} if mixed and column != "privacy" else {})
    found = compile_workbook(sheets_of(heads, list(STANDARD)).to_xlsx()).definition
    assert elements_of(found) == elements_of(expected)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_mixture_of_spellings_gives_the_same_form_and_classifying_changes_nothing(chance: random.Random) -> None:
    expected = compile_workbook(sheets_of(STANDARD, list(STANDARD)).to_xlsx()).definition
    heads = {column: chance.choice(SPELLINGS[column]) for column in STANDARD}
    order = chance.sample(list(STANDARD), len(STANDARD))
    sheets = sheets_of(heads, order)
    assert elements_of(compile_workbook(sheets.to_xlsx()).definition) == elements_of(expected)
    at = 2 + order.index("privacy")
    for row in sheets.sheets["survey"]:
        del row[at]
    book = WorkbookEditor(read_sheets(sheets.to_xlsx(), ".xlsx"))
    for line in book.lines():
        book.set(line.number, {"privacy::class": "operational"})
    assert elements_of(compile_workbook(book.sheets.to_xlsx()).definition) == elements_of(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            ("media:image:English", "media::image::English"),
            ("Image::fr", "media::image::fr"),
            ("hint::", "hint"),
            ("::", "::"),
        ),
        *(("my notes", "my notes"), ("jr:count", "repeat_count"), ("control:jr:count", "repeat_count"), ("command", "type")),
        *(
            ("bind::odk:length", "bind::odk:length"),
            ("bind:type", "bind::type"),
            ("label::English: UK", "label::English:UK"),
        ),
    ],
)
def test_odd_headings_have_one_meaning(text: str, expected: str) -> None:
    assert survey_heading(text) == expected
    assert survey_heading(expected) == expected


def test_headings_of_choices_and_settings() -> None:
    assert [choice_heading(one) for one in ("List Name", "Value", "caption : French", "Ward No", "Image")] == [
        *("list_name", "name", "label::French", "Ward No", "media::image"),
    ]
    assert [setting_heading(one) for one in ("Form ID", "id_string", "Title", "form_title::fr")] == [
        *("form_id", "form_id", "form_title", "form_title::fr"),
    ]


@pytest.mark.parametrize("gap", [1, 59, 60, 61, 300])
def test_rows_and_choices_after_a_gap_are_in_the_form_and_keep_their_numbers(gap: int) -> None:
    blank: list[list[str]] = [[] for _ in range(gap)]
    wide = [""] * 30
    survey = [["type", "name", "label", "privacy", *wide, "relevant"], ["select_one l", "a", "A", "operational"], *blank]
    survey += [["integer", "b", "B", "operational", *wide, "${a} = 'y'"]]
    choices = [["list_name", "name", *wide, "label"], ["l", "x", *wide, "X"], *blank, ["l", "y", *wide, "Y"]]
    book = Sheets({"survey": survey, "choices": choices, "settings": [["form_id", "version"], *blank, ["t", "1"]]})
    form = compile_workbook(book.to_xlsx()).definition
    assert [(one.name, one.relevant is not None) for one in form.elements] == [("a", False), ("b", True)]
    assert [(one.name, one.label) for one in form.choices["l"]] == [("x", {"en": "X"}), ("y", {"en": "Y"})]
    survey[-1][-1] = "${zz} = 1"
    choices[-1][0] = ""
    found = {(one.sheet, one.row) for one in problems_of(book) if one.severity == "error"}
    assert {("survey", gap + 3), ("choices", gap + 3)} <= found


@pytest.mark.slow
def test_one_formatted_cell_far_below_does_not_make_a_workbook_too_large() -> None:
    survey: list[list[str]] = [["type", "name", "label", "privacy"], ["integer", "a", "A", "operational"]]
    survey += [[] for _ in range(300_000)] + [["integer", "b", "B", "operational"]]
    form = compile_workbook(Sheets({"survey": survey, "settings": SETTINGS}).to_xlsx()).definition
    assert [one.name for one in form.elements] == ["a", "b"]


def test_words_without_a_language_are_not_lost_beside_words_with_one() -> None:
    survey = [
        ["type", "name", "label", "label::French (fr)", "privacy"],
        ["integer", "a", "Hello", "Bonjour", "operational"],
    ]
    form = compile_workbook(
        Sheets({"survey": survey, "settings": [["form_id", "version"], ["t", "1"]]}).to_xlsx()
    ).definition
    assert form.elements[0].label == {"en": "Hello", "fr": "Bonjour"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(
            ("label", "Label"),
            ("relevant", "bind:relevance"),
            ("label", "label::English (en)"),
            ("label::English", "label:English (en)"),
        ),
        *(("hint::fr", "hint::French (fr)"), ("relevant", "relevant"), ("bind::jr:constraintMsg", "constraint_message")),
    ],
)
def test_two_columns_that_mean_the_same_are_named(one: str, other: str) -> None:
    survey = [
        ["type", "name", "caption::Somali (so)", "privacy", one, other],
        ["integer", "a", "A", "operational", "1", "2"],
    ]
    found = [(p.code, p.sheet, p.row, p.column) for p in problems_of(Sheets({"survey": survey, "settings": SETTINGS}))]
    assert ("form.column_twice", "survey", 1, other) in found


def test_a_note_without_a_name_and_a_root_of_another_name_lose_no_rule() -> None:
    survey = [
        ["type", "name", "label", "privacy", "relevant"],
        ["integer", "a", "A", "operational"],
        ["note", "", "N", "", "${a} = 1"],
    ]
    book = Sheets({"survey": survey, "settings": [["form_id", "version", "name"], ["t", "1", "root"]]})
    form = compile_workbook(book.to_xlsx()).definition
    assert [(one.type, one.relevant is not None, one.label) for one in form.elements][1] == ("note", True, {"en": "N"})


@pytest.mark.parametrize(
    ("row", "column"),
    [
        *(
            (["calculate", "k", "Seen by nobody", "operational", "1"], "label"),
            (["end_group", "", "", "", "1 = 1"], "relevant"),
        ),
        *(
            (["integer", "k", "K", "operational", "", "x = 1"], "choice_filter"),
            (["integer", "k", "K", "operational"] + [""] * 2 + ["2"], "count"),
        ),
    ],
)
def test_a_cell_that_does_nothing_is_named(row: list[str], column: str) -> None:
    third = "relevant" if row[0] == "end_group" else "calculation"
    survey = [["type", "name", "label", "privacy", third, "choice_filter", "count"], ["integer", "a", "A", "operational"]]
    survey += (
        [["begin_group", "g", "G"], ["integer", "b", "B", "operational"], ["end_group"]] if row[0] != "end_group" else []
    )
    survey += [["begin_group", "g", "G"], ["integer", "b", "B", "operational"]] if row[0] == "end_group" else []
    survey.append(row)
    found = [(one.sheet, one.row, one.column) for one in problems_of(Sheets({"survey": survey, "settings": SETTINGS}))]
    assert ("survey", len(survey), column) in found


def test_cells_without_a_heading_and_more_rows_of_settings_are_named() -> None:
    survey = [["type", "name", "label", "privacy"], ["integer", "a", "A", "operational", "", "left over"]]
    choices = [["list_name", "name", "label"], ["l", "x", "X"]]
    book = Sheets({"survey": survey, "choices": choices, "settings": [*SETTINGS, ["u", "2"]]})
    found = {(one.code, one.sheet, one.row) for one in problems_of(book)}
    assert {("form.no_heading", "survey", 2), ("form.settings_row", "settings", 3)} <= found


def test_a_list_that_a_file_of_the_same_name_would_replace_is_named() -> None:
    survey = [["type", "name", "label", "privacy"], ["select_one l", "a", "A", "operational"]]
    choices = [["list_name", "name", "label"], ["l", "x", "X"]]
    book = Sheets({"survey": survey, "choices": choices, "settings": SETTINGS})
    with pytest.raises(FormRefused) as caught:
        compile_workbook(book.to_xlsx(), ".xlsx", {"l.csv": b"name,label\nother,Other\n"})
    assert ("form.lost", "choices", 2) in {(one.code, one.sheet, one.row) for one in caught.value.problems}


@pytest.mark.parametrize("column", ["itextId", "__row"])
def test_a_column_of_choices_that_pyxform_keeps_for_itself_is_named(column: str) -> None:
    survey = [["type", "name", "label", "privacy"], ["select_one l", "a", "A", "operational"]]
    choices = [["list_name", "name", "label", column], ["l", "x", "X", "1"]]
    found = problems_of(Sheets({"survey": survey, "choices": choices, "settings": SETTINGS}))
    assert ("form.lost", "choices", 2, column) in {(one.code, one.sheet, one.row, one.column) for one in found}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_taken_out_of_a_definition_is_missed_by_sheet_and_row(form: str) -> None:
    """The check does not know how a cell could get lost, so every loss is tried."""
    definition = definition_of(form)
    workbook = Workbook(read_sheets(workbook_of(form), ".xlsx").sheets)
    assert list(find_missing(workbook, definition)) == []
    columns = {
        "relevant": "relevant",
        "constraint": "constraint",
        "required": "required",
        "calculate": "calculation",
        "items": "choice_filter",
    }
    columns |= {"label": "label", "hint": "hint", "constraint_message": "constraint_message", "count": "repeat_count"}
    blank = dataclasses.replace(definition.elements[0], **dict.fromkeys(columns))
    for at, element in enumerate(definition.elements):
        row = workbook.by_path.get(element.path)
        if row is None or row.path != element.path:
            continue
        without = (*definition.elements[:at], *definition.elements[at + 1 :])
        lost = list(find_missing(workbook, dataclasses.replace(definition, elements=without)))
        assert (row.number, "form.lost") in {(one.row, one.code) for one in lost}
        # With a trigger, what is computed is set once, not always.
        computed = {"calculate": "triggers"} if element.triggers else {}
        for cell_field, column in columns.items():
            field = computed.get(cell_field, cell_field)
            if not any(cell and name.split("::")[0] == column for name, cell in row.cells.items()):
                continue
            nothing = {} if isinstance(getattr(element, field), dict) else getattr(blank, field)
            bare = dataclasses.replace(element, **{field: nothing})
            kept = (*definition.elements[:at], bare, *definition.elements[at + 1 :])
            lost = list(find_missing(workbook, dataclasses.replace(definition, elements=kept)))
            assert row.number in {one.row for one in lost}, (element.path, field)
    for name, choices in itertools.islice(definition.choices.items(), 5):
        shorter = definition.choices | {name: choices[1:]}
        lost = list(find_missing(workbook, dataclasses.replace(definition, choices=shorter)))
        assert "choices" in {one.sheet for one in lost}
