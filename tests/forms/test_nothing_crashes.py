"""Whatever stands in a workbook, compiling gives a form or a list of problems, never a crash."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.builder import WorkbookEditor
from forms.expressions import ExpressionError, parse
from forms.problems import FormRefused
from forms.sheets import Sheets, read_sheets
from forms.support import APPEARANCES, COLUMNS, PARAMETERS, TYPE_VERDICTS
from forms.xlsform import compile_workbook
from tests.conformance.random_forms import Maker

CELLS = [
    *(
        "",
        "yes",
        "no",
        "a",
        "b",
        "${a}",
        "${b} = 1",
        "${zz}",
        "1",
        "today()",
        "sum(${a})",
        "(1 +",
        "'",
        "“x”",
        ".",
        "..",
        "[",
        "x y",
    ),
    *(
        "${a}${b}",
        "instance('l')/root/item[name=${a}]/label",
        "position(..)",
        "regex(., '[')",
        "once(uuid())",
        "\u202e",
        "😀",
        "é",
    ),
    *(
        "indexed-repeat(${a}, ${r}, 1)",
        "last-saved",
        "${last-saved#a}",
        "=1+1",
        "<b>x</b>",
        "&amp;",
        "]]>",
        "${",
        "$",
        "{}",
        "{0}",
        "%s",
    ),
    *(
        "identifier",
        "operational",
        "free-text",
        "start=1 end=3",
        "value=x label=y randomize=true seed=${a}",
        "max-pixels=abc",
    ),
]
KINDS = [
    *TYPE_VERDICTS, "begin_group", "end_group", "begin_repeat", "end_repeat", "select_one l", "select_multiple l", "rank l", "select_one ${a}",
    "select_one l or_other", "select_one_from_file x.csv", "begin loop over l", "nonsense", "",
]  # fmt: skip
HEADER = [
    *COLUMNS,
    "label::French (fr)",
    "label::en",
    "media::image::fr",
    "bind::foo",
    "hint::",
    "::",
    "required_message::fr",
]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_random_cells(seed: int) -> None:
    chance = random.Random(seed)
    header = chance.sample(HEADER, chance.randrange(2, 14))
    header = list(dict.fromkeys(["type", "name", "label", *header]))
    rows = []
    for number in range(chance.randrange(1, 9)):
        row = [chance.choice(KINDS), chance.choice(["a", "b", "r", f"q{number}", "a b", "", "name", "é"]), "L"]
        for column in header[3:]:
            pool = list(APPEARANCES) if column == "appearance" else CELLS
            row.append(chance.choice(pool) if chance.random() < 0.4 else "")
        rows.append(row)
    choices = [["list_name", "name", "label", chance.choice(["state", "media::image", "a b", "x"])]]
    choices += [
        [chance.choice(["l", "", "m"]), chance.choice(["x", "y", "x y", ""]), chance.choice(["X", "${a}", ""]), "1"]
        for _ in range(4)
    ]
    book = Sheets(
        {
            "survey": [header, *rows],
            "choices": choices,
            "settings": [["form_id", "version"], ["t", chance.choice(["1", ""])]],
        }
    )
    if chance.random() < 0.3:
        book.sheets["tests"] = [
            ["test", "question", "answer", "expect"],
            ["t", chance.choice(CELLS), chance.choice(CELLS), "ok"],
        ]
    files = {"x.csv": chance.choice([b"x,y\n1,2\n", b"", b"\xff", b'"'])} if chance.random() < 0.5 else {}
    try:
        compile_workbook(book.to_xlsx(), ".xlsx", files)
    except FormRefused as refused:
        assert refused.problems
        for problem in refused.problems:
            str(problem)
    for line in WorkbookEditor(book).lines():
        assert line.number >= 2


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_good_form_with_one_bad_cell(seed: int) -> None:
    chance = random.Random(seed)
    sheets = read_sheets(Maker(chance).form().encode(), ".md")
    rows = sheets.sheet(chance.choice(["survey", "survey", "choices", "settings"]))
    row = chance.choice(rows)
    if row:
        row[chance.randrange(len(row))] = chance.choice([*CELLS, *KINDS, *PARAMETERS])
    try:
        compile_workbook(sheets.to_xlsx())
    except FormRefused as refused:
        assert refused.problems


@settings(deadline=None)
@given(st.text(alphabet="()[]'\"$./,+-*=<>|@:ab1 \u00e9😀{}", max_size=40))
def test_random_expressions(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert error.code.startswith("expression.")


@pytest.mark.parametrize(
    "text", ["|survey|\n", "| survey | |\n| | type |\n", "no table at all", "| survey |\n| | type | name |\n| | | |"]
)
def test_hardly_a_workbook(text: str) -> None:
    with pytest.raises(FormRefused):
        compile_workbook(text.encode(), ".md")
