"""What XLSForms can say, and what comes of it when the form is filled in. Forms are Markdown tables."""

import io
import json
import subprocess
import sys
import time
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.builder import WorkbookEditor, make_workbook
from forms.changes import compare_versions
from forms.definition import FormDefinition
from forms.expressions import DateValue, ExpressionError, parse
from forms.expressions.patterns import parse_portable_pattern
from forms.picks import OPERATORS, AnswerLimits, SimpleCondition, read_condition, read_limits
from forms.privacy import find_refused_topic, propose_class
from forms.privacy_classes import PrivacyClass
from forms.problems import FormProblem, FormRefused
from forms.reading import estimate, grade_text
from forms.sheets import read_sheets
from forms.validation import validate
from forms.xlsform import compile_workbook
from tests.forms.small_forms import NOW, form_of, text_of

assert NOW


def refusals(*rows: dict[str, str], files: dict[str, bytes] | None = None, extra: str = "") -> list[FormProblem]:
    with pytest.raises(FormRefused) as caught:
        form_of(*rows, files=files, extra=extra)
    return [one for one in caught.value.problems if one.severity == "error"]


def filled(form: FormDefinition, answers: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    checked = validate(form, answers, DateValue(NOW.days, "dateTime"))
    return checked.answers, [f"{one.path} {one.code.removeprefix('answers.')}" for one in checked.problems]


TOWN = [
    {"type": "select_one region", "name": "r"},
    {"type": "select_one town", "name": "t", "choice_filter": "region = ${r}"},
]


def test_a_choice_that_the_filter_does_not_offer_is_refused() -> None:
    form = form_of(*TOWN)
    assert filled(form, {"r": "n", "t": "b"})[1] == ["t type"]
    assert filled(form, {"r": "n", "t": "a"}) == ({"r": "n", "t": "a"}, [])


def test_a_list_from_a_csv_file_is_offered_filtered_and_looked_up() -> None:
    rows = [
        {"type": "select_one region", "name": "r"},
        {
            "type": "select_one_from_file towns.csv",
            "name": "t",
            "choice_filter": "reg = ${r}",
            "parameters": "value=code label=nm",
        },
        {"type": "calculate", "name": "pop", "calculation": "pulldata('towns', 'pop', 'code', ${t})"},
    ]
    assert [one.code for one in refusals(*rows)] == ["form.file_missing"]
    form = form_of(*rows, files={"towns.csv": b"code,nm,reg,pop\n1,Ayr,n,10\n2,Bala,s,20\n"})
    assert filled(form, {"r": "s", "t": "1", "pop": "10"})[1] == ["t type"]
    assert filled(form, {"r": "s", "t": "2", "pop": "20"}) == ({"r": "s", "t": "2", "pop": "20"}, [])
    assert form.choice_label(form.by_path["/data/t"], "2", "en") == "Bala"


@pytest.mark.parametrize("data", [b"a,b\n", b"a,a\n1,2\n", b"a\n\xff\xfe\n", b"a,b\n1,2,3\n"])
def test_a_bad_csv_file_is_refused_by_its_name(data: bytes) -> None:
    found = refusals({"type": "select_one_from_file x.csv", "name": "x"}, files={"x.csv": data})
    assert "x.csv" in {one.sheet for one in found}


def test_a_counted_repeat_has_as_many_instances_as_it_counts() -> None:
    rows = [
        {"type": "integer", "name": "n"},
        {"type": "begin_repeat", "name": "p", "repeat_count": "${n}"},
        {"type": "integer", "name": "age"},
        {"type": "end_repeat"},
        {"type": "calculate", "name": "sum", "calculation": "sum(${age})"},
    ]
    form = form_of(*rows)
    answers, problems = filled(form, {"n": "2", "p": [{"age": "1"}, {"age": "2"}, {"age": "9"}], "sum": "3"})
    assert (answers["p"], answers["sum"]) == ([{"age": "1"}, {"age": "2"}], "3")
    assert problems == ["p[3].age irrelevant"]
    assert filled(form, {"n": "2", "p": [], "sum": "0"})[0]["p"] == [{}, {}]


def test_a_running_total_reads_the_instance_before() -> None:
    rows = [
        {"type": "begin_repeat", "name": "day"},
        {"type": "integer", "name": "n"},
        {
            "type": "calculate",
            "name": "total",
            "calculation": "${n} + coalesce(indexed-repeat(${total}, ${day}, position(..) - 1), 0)",
        },
        {"type": "end_repeat"},
    ]
    answers, _ = filled(form_of(*rows), {"day": [{"n": "1"}, {"n": "2"}, {"n": "3"}]})
    assert [day["total"] for day in answers["day"]] == ["1", "3", "6"]


def test_what_a_trigger_set_is_taken_as_given() -> None:
    form = form_of(
        {"type": "text", "name": "a", "privacy": "free-text"},
        {"type": "calculate", "name": "at", "calculation": "now()", "trigger": "${a}", "privacy": "operational"},
    )
    assert filled(form, {"a": "x", "at": "2026-06-15T11:00"}) == ({"a": "x", "at": "2026-06-15T11:00"}, [])


def test_the_label_of_a_choice_is_found_from_within_a_repeat() -> None:
    form = form_of(
        {"type": "begin_repeat", "name": "r"},
        {"type": "select_one town", "name": "t"},
        {"type": "calculate", "name": "said", "calculation": "jr:choice-name(${t}, '${t}')"},
        {"type": "end_repeat"},
    )
    assert filled(form, {"r": [{"t": "b", "said": "Beta"}]})[1] == []


def test_a_definition_of_the_first_schema_still_runs() -> None:
    form = form_of(
        {"type": "integer", "name": "a", "read_only": "yes"}, {"type": "calculate", "name": "b", "calculation": "${a} + 1"}
    )
    body = json.loads(form.to_json())
    body |= {"schema": 1, "reads": {"/data/a": [], "/data/b": ["/data/a"]}}
    body["elements"][0]["readonly"] = True
    assert filled(FormDefinition.from_json(json.dumps(body)), {"a": "1", "b": "2"}) == ({"a": "1", "b": "2"}, [])


def test_dice_are_rolled_on_the_phone_only() -> None:
    form = form_of({"type": "calculate", "name": "id", "calculation": "uuid()"})
    assert filled(form, {"id": "anything"}) == ({"id": "anything"}, [])


def test_or_other_brings_a_text_question_that_never_leaves() -> None:
    form = form_of({"type": "select_one town or_other", "name": "t"})
    other = form.by_path["/data/t_other"]
    assert (other.type, other.privacy, other.export) == ("text", PrivacyClass.FREE_TEXT, "drop")
    assert filled(form, {"t": "other", "t_other": "Hamlet"})[1] == []
    assert filled(form, {"t": "a", "t_other": "Hamlet"})[1] == ["t_other irrelevant"]


@pytest.mark.parametrize(
    ("row", "good", "bad"),
    [
        ({"type": "time"}, "22:15", "25:00"),
        ({"type": "range", "parameters": "start=0 end=1 step=0.25"}, "0.75", "0.6"),
        ({"type": "rank town"}, "b a", "a"),
        ({"type": "acknowledge"}, "OK", "yes"),
        ({"type": "barcode", "privacy": "identifier"}, "K7QM", "x" * 4001),
        ({"type": "image", "privacy": "identifier"}, "data:image/jpeg;base64,AAAA", "data:text/html;base64,AAAA"),
        ({"type": "audio", "privacy": "identifier"}, "data:audio/mpeg;base64,AAA=", "javascript:alert(1)"),
        ({"type": "geopoint", "privacy": "identifier"}, "43.7 -79.4 0 5", "somewhere"),
        ({"type": "select_multiple town"}, "a b", "a a"),
        ({"type": "dateTime"}, "2026-06-15T11:00", "2026-06-15"),
        ({"type": "integer", "constraint": ". mod 2 = 0"}, "4", "5"),
    ],
)
def test_each_type_takes_good_answers_and_refuses_others(row: dict[str, str], good: str, bad: str) -> None:
    form = form_of({"name": "q", "privacy::approval": "Council, 2 Nov", **row})
    assert filled(form, {"q": good}) == ({"q": good}, [])
    assert len(filled(form, {"q": bad})[1]) == 1


def test_metadata_has_a_class_of_its_own_and_a_preload() -> None:
    form = form_of(
        {"type": "start", "name": "start", "privacy": "", "label": ""},
        {"type": "username", "name": "who", "privacy": "", "label": ""},
    )
    assert [(one.preload, one.privacy) for one in form.elements] == [("start", "operational"), ("username", "identifier")]


def test_a_question_with_a_calculation_is_cast_to_its_type() -> None:
    form = form_of({"type": "date", "name": "d"}, {"type": "date", "name": "due", "calculation": "${d} + 7"})
    assert filled(form, {"d": "2026-06-01", "due": "2026-06-08"})[1] == []
    assert filled(form, {"due": ""})[0] == {}


def test_a_calculation_may_not_carry_out_what_never_leaves() -> None:
    card = {"type": "text", "name": "card", "privacy": "identifier"}
    copy = {"type": "calculate", "name": "copy", "calculation": "concat('x', ${card})"}
    assert [one.code for one in refusals(card, copy)] == ["form.derived"]
    assert form_of(card, copy | {"privacy": "identifier"})
    assert form_of(card, copy | {"calculation": "if(${card} != '', 'yes', 'no')"})


def test_free_text_stays_short_unless_somebody_agreed() -> None:
    note = {"type": "text", "name": "note", "privacy": "free-text"}
    assert filled(form_of(note), {"note": "x" * 281})[1] == ["note constraint"]
    assert filled(form_of(note), {"note": "x" * 280})[1] == []
    assert filled(form_of(note | {"constraint": "string-length(.) <= 20"}), {"note": "x" * 21})[1] == ["note constraint"]
    assert [one.code for one in refusals(note | {"constraint": "string-length(.) <= 900"})] == ["form.long_text"]
    agreed = note | {"privacy::approval": "Council, 2 Nov"}
    assert filled(form_of(agreed), {"note": "x" * 900})[1] == []


def test_an_approval_lets_a_name_be_asked_and_never_lets_it_leave() -> None:
    phone = {"type": "integer", "name": "phone", "privacy::approval": "Council, 2 Nov"}
    assert [one.code for one in refusals(phone)] == ["form.identifier"]
    assert form_of(phone | {"privacy": "identifier"})


def test_more_than_six_quasi_identifiers_may_not_leave_together() -> None:
    rows = [{"type": "integer", "name": f"q{one}", "privacy": "quasi-identifier"} for one in range(7)]
    assert [one.code for one in refusals(*rows)] == ["form.quasi_identifiers"]
    assert form_of(*rows[:6])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first_name", True),
        ("Téléphone", True),
        ("licence_plate", True),
        ("site_name", False),
        ("ref_made", False),
        ("nom", True),
    ],
)
def test_the_refuse_to_collect_list_knows_names_in_two_languages(name: str, expected: bool) -> None:
    assert bool(find_refused_topic(name)) is expected


@pytest.mark.parametrize(
    ("type_", "name", "label", "expected"),
    [
        ("text", "comments", "Comments", PrivacyClass.FREE_TEXT),
        ("text", "card_code", "Card code", PrivacyClass.IDENTIFIER),
        ("date", "visit", "Visit", PrivacyClass.QUASI_IDENTIFIER),
        ("integer", "phone_number", "Phone", PrivacyClass.IDENTIFIER),
        ("select_one", "x", "Quel quartier?", PrivacyClass.QUASI_IDENTIFIER),
        ("select_one", "risk", "Risk", PrivacyClass.SENSITIVE),
        ("integer", "minutes", "Minutes", PrivacyClass.OPERATIONAL),
        ("select_one", "zz", "Zz", PrivacyClass.SENSITIVE),
    ],
)
def test_a_class_is_proposed_and_the_unknown_counts_as_sensitive(type_: str, name: str, label: str, expected: str) -> None:
    assert propose_class(type_, name, [label])[0] == expected


TESTS = """| tests | | | | |
| | test | question | answer | expect |
| | North | r | n | |
| | North | t | a | ok |
| | North | t | b | {expect} |
"""


def test_tests_in_the_workbook_run_when_it_is_compiled() -> None:
    assert form_of(*TOWN, extra=TESTS.format(expect="type"))
    wrong = refusals(*TOWN, extra=TESTS.format(expect="ok"))
    assert [(one.code, one.sheet, one.row, one.details["found"]) for one in wrong] == [("form.test", "tests", 4, "type")]


def warnings_of(*rows: dict[str, str]) -> list[str]:
    return [one.code for one in compile_workbook(text_of(*rows).encode(), ".md").warnings]


def test_an_author_is_told_where_other_engines_differ() -> None:
    assert "form.engines" in warnings_of({"type": "date", "name": "d", "constraint": ". > '2026-01-01'"})
    assert "form.engines" in warnings_of({"type": "integer", "name": "d", "constraint": "floor(.) = ."})
    assert "form.engines" not in warnings_of({"type": "integer", "name": "d", "constraint": "int(.) = ."})


def test_reading_into_a_repeat_from_outside_is_refused_with_what_to_do() -> None:
    rows = [{"type": "begin_repeat", "name": "r"}, {"type": "integer", "name": "x"}, {"type": "end_repeat"}]
    wrong = refusals(*rows, {"type": "calculate", "name": "y", "calculation": "${x} + 1"})
    assert [one.code for one in wrong] == ["form.repeat_reference"]


def test_a_circle_is_named_with_its_rows() -> None:
    wrong = refusals(
        {"type": "calculate", "name": "a", "calculation": "${b} + 1"},
        {"type": "calculate", "name": "b", "calculation": "${a}"},
    )
    assert "a (2) → b (3) → a (2)" in wrong[0].details["names"]


def test_changes_say_what_drafts_and_exports_feel() -> None:
    before = form_of(*TOWN, {"type": "integer", "name": "n"})
    after = form_of(
        {"type": "select_one region", "name": "r"},
        {"type": "text", "name": "n", "privacy": "free-text"},
        {"type": "integer", "name": "fresh"},
    )
    changes = {(one.kind, one.name): one for one in compare_versions(before, after, {"n": ["evaluator-quarterly"]})}
    assert changes["removed", "t"].blocks_drafts
    assert changes["type", "n"].affects == ("evaluator-quarterly",)
    assert not changes["added", "fresh"].blocks_drafts
    assert compare_versions(before, before, {}) == []


@pytest.mark.slow
@settings(deadline=None)
@given(st.sampled_from(OPERATORS), st.from_regex(r"[a-z0-9 ]{0,8}", fullmatch=True))
def test_a_picked_condition_reads_back_as_it_was(how: str, value: str) -> None:
    if how in ("more", "less") and not value.isdecimal():
        value = "7"
    picked = SimpleCondition("q", how, "" if how in ("answered", "blank") else value)
    if how in ("is", "is_not") and not value:
        return  # that is said as answered and blank
    assert read_condition(picked.expression()) == picked
    parse(picked.expression().replace("${q}", "q"))


@pytest.mark.slow
@settings(deadline=None)
@given(*[st.from_regex(r"[0-9]{0,3}", fullmatch=True)] * 4, st.booleans())
def test_picked_limits_read_back_as_they_were(least: str, most: str, length: str, back: str, not_future: bool) -> None:
    limits = AnswerLimits(least, most, length, back, not_future)
    assert read_limits(limits.expression()) == limits


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "up", "down", "rename"]), st.integers(0, 9)), max_size=12))
def test_a_builder_never_loses_a_cell_that_it_does_not_know(steps: list[tuple[str, int]]) -> None:
    book = make_workbook("T", "t", "1")
    for one in range(5):
        number = book.add(
            99, {"type": "integer", "name": f"q{one}", "label::English (en)": "L", "privacy::class": "operational"}
        )
        book.sheets.sheet("survey")[number - 1] += [""] * 30 + [f"secret {one}"]
    group = book.add(99, {"type": "begin_group", "name": "g", "label::English (en)": "G"})
    book.add(group, {"type": "text", "name": "inside"})
    for step, place in steps:
        lines = book.lines()
        number = lines[place % len(lines)].number if lines else 0
        if step == "add" or not number:
            book.add(number or 1, {"type": "text", "name": f"n{len(lines)}"})
        elif step == "remove":
            book.remove(number)
        elif step == "rename":
            book.rename(number, f"r{place}{number}")
        else:
            book.move(number, -1 if step == "up" else 1)
    kept = {cell for row in book.sheets.sheet("survey") for cell in row if cell.startswith("secret")}
    named = [line for line in book.lines() if line.row.type == "integer"]
    assert len(kept) == len(named)
    types = [row[0] for row in book.sheets.sheet("survey")[1:] if row]
    assert types.count("begin_group") == types.count("end_group")
    assert read_sheets(book.sheets.to_xlsx(), ".xlsx").sheets["survey"] == [
        row[: max((at for at, cell in enumerate(row, 1) if cell), default=0)] for row in book.sheets.sheet("survey")
    ]


def test_renaming_a_question_renames_it_everywhere() -> None:
    book = WorkbookEditor(read_sheets(text_of(*TOWN).encode(), ".md"))
    book.rename(2, "area")
    assert book.cells(3)["choice_filter"] == "region = ${area}"


@pytest.mark.parametrize(
    "pattern", [r"[0-9]{3}-?[A-Z]+", r"^a.b$", r"(?:x|yz)+", r"[^\s,]+", r"\d{1,3}(\.\d+)?", r"[\w.-]+@x"]
)
def test_ordinary_patterns_pass(pattern: str) -> None:
    parse_portable_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(a+)+", r"(a|a)*", r"(.*)*b", r"(\d+)*x", r"(a?b*)+", r"\bx\Z", r"a{1,99999}", "(" * 30]
)
def test_patterns_that_never_end_or_differ_are_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        parse_portable_pattern(pattern)


@pytest.mark.parametrize(
    "bomb", ["(" * 5000 + "1" + ")" * 5000, "not(" * 400 + "1" + ")" * 400, "1+" * 20_000 + "1", "-" * 500 + "1"]
)
def test_a_formula_bomb_is_refused_at_once(bomb: str) -> None:
    start = time.process_time()
    wrong = refusals({"type": "calculate", "name": "b", "calculation": bomb})
    assert {"expression.too_deep", "form.too_long"} & {one.code for one in wrong}
    assert time.process_time() - start < 5


def test_a_workbook_of_a_million_blank_columns_is_refused_or_read_quickly() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<c/>" * 20_000_000)
    with pytest.raises(FormRefused) as caught:
        read_sheets(buffer.getvalue(), ".xlsx")
    assert caught.value.problems[0].code == "form.too_large"


def test_the_estimate_and_the_reading_grade_are_what_people_would_say() -> None:
    form = form_of(*[{"type": "integer", "name": f"q{one}"} for one in range(12)])
    assert 0.5 < estimate(form).minutes < 2
    easy = "The dog ran to the park. It was a hot day. We sat in the shade and ate. Then we went home to bed. " * 2
    hard = (
        "Institutional accountability mechanisms necessitate comprehensive documentation of organizational responsibilities. "
        * 6
    )
    assert (grade_text(easy, "en") or 0) < 4 < 12 < (grade_text(hard, "en") or 0)
    assert grade_text("short", "en") is None


@pytest.mark.slow
def test_the_command_takes_lists_along(tmp_path: Any) -> None:
    (tmp_path / "f.md").write_text(text_of({"type": "select_one_from_file towns.csv", "name": "t"}))
    (tmp_path / "towns.csv").write_text("name,label\na,Alpha\n")
    command = [sys.executable, "-m", "forms", "compile", str(tmp_path / "f.md")]
    assert subprocess.run(command, capture_output=True).returncode == 1
    assert subprocess.run([*command, "--with", str(tmp_path / "towns.csv")], capture_output=True).returncode == 0
