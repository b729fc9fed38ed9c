"""Forms in the office: brought from Excel or built, put right, classified, tried, compared, published."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask.testing import FlaskClient

from forms.sheets import read_sheets
from tests.programme import workbook_of
from tests.web.conftest import csrf_of
from tests.web.office.forms.uploads import upload

XLSFORM = """| survey | | | | |
| | type | name | label | relevant |
| | text | site | Which site? | |
| | select_one yn | seen | Was anybody seen? | |
| | integer | people | How many people? | ${seen} = 'y' |
| | select_one_from_file towns.csv | town | Which town? | |
| choices | | | |
| | list_name | name | label |
| | yn | y | Yes |
| | yn | n | No |
"""
TOWNS = b"name,label\na,Alpha\nb,Beta\n"


@pytest.fixture
def rosa(client_of: Callable[[str], FlaskClient]) -> FlaskClient:
    return client_of("rosa")


def xlsx(markdown: str) -> bytes:
    return read_sheets(markdown.encode(), ".md").to_xlsx()


def act(client: FlaskClient, url: str, to: str, **fields: str) -> Any:
    """Post to a page of a draft with the token and revision that its page holds."""
    page = client.get(url).text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision
    return client.post(to, data={"csrf_token": csrf_of(page), "revision": revision[1], **fields})


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100], ids=["empty", "text", "damaged"])
def test_a_broken_upload_is_refused_in_plain_words(rosa: FlaskClient, data: bytes) -> None:
    answer = upload(rosa, data)
    assert answer.status_code == 422
    assert "could not be imported" in answer.text


def test_an_enormous_upload_is_413(rosa: FlaskClient) -> None:
    answer = upload(rosa, b"x" * 9_000_000)
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_a_form_with_problems_shows_them_by_sheet_and_row(rosa: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "bad.xlsx"
    book = xlsxwriter.Workbook(str(path))
    survey = book.add_worksheet("survey")
    for number, row in enumerate(
        [("type", "name", "label", "relevant"), ("integer", "a", "<b>A</b>", "(1 +"), ("text", "phone", "Phone", "")]
    ):
        survey.write_row(number, 0, row)
    book.close()
    answer = upload(rosa, path.read_bytes())
    assert answer.status_code == 302
    page = rosa.get(answer.location).text
    for words in ("survey", "relevant", "does not collect", "have no privacy class yet", "Something is missing at the end"):
        assert words in page
    assert "<b>A</b>" not in page
    assert "/publish" not in page
    assert act(rosa, answer.location, f"{answer.location}/publish").status_code == 409


def test_a_good_form_is_published_withdrawn_and_comes_back(rosa: FlaskClient, post: Callable[..., Any]) -> None:
    draft = upload(rosa, workbook_of("event")).location
    assert "This is a new form" in rosa.get(draft).text
    url = act(rosa, draft, f"{draft}/publish").location
    assert "on phones" in rosa.get("/office/forms").text
    assert "Community event" in rosa.get(url).text
    assert read_sheets(rosa.get(f"{url}/workbook").data, ".xlsx") == read_sheets(workbook_of("event"), ".xlsx")
    assert rosa.get(draft).status_code == 404  # a draft that is published is gone
    post(rosa, f"{url}/withdraw", page=url)
    assert "withdrawn" in rosa.get(url).text
    draft = upload(rosa, workbook_of("event")).location
    assert "Nothing differs" in rosa.get(draft).text
    assert act(rosa, draft, f"{draft}/publish").location == url


def test_a_form_made_for_another_system_is_classified_tried_and_published(rosa: FlaskClient) -> None:
    draft = upload(rosa, xlsx(XLSFORM), "site visit.xlsx").location
    page = rosa.get(draft).text
    assert "towns.csv" in page
    assert "Add the file" in page
    lists = {"towns.csv": TOWNS}
    draft = upload(rosa, xlsx(XLSFORM), "site visit.xlsx", lists).location
    page = rosa.get(draft).text
    assert "4 questions have no privacy class yet" in page
    assert "Add the file" not in page
    proposed = rosa.get(f"{draft}/classify").text
    chosen = dict(re.findall(r'name="(class-\d+)">(?:<option>[^<]*</option>)*<option selected>([^<]*)<', proposed))
    assert list(chosen.values()) == ["free-text", "sensitive", "operational", "quasi-identifier"]
    act(rosa, f"{draft}/classify", f"{draft}/classify", **(chosen | {"class-3": "operational"}))
    page = rosa.get(draft).text
    assert "ready" in page.lower()
    definition = json.loads(rosa.get(f"{draft}/definition.json").data)
    assert definition["tables"]["towns"]["rows"][1] == ["b", "Beta"]
    assert "data-definition" in rosa.get(f"{draft}/try/phone").text
    # It may be about people and asks nobody, though nothing in it points to one: somebody has to say why.
    assert "every answer is stored, whatever the person says" in proposed
    assert "the form cannot be published before" in page
    refused = act(rosa, draft, f"{draft}/publish")
    assert (refused.status_code, "asks nobody for consent" in refused.text) == (409, True)
    act(rosa, f"{draft}/questions", f"{draft}/settings", consent_why="Board, 1 Nov 2026")
    assert "the form cannot be published before" not in rosa.get(draft).text
    assert act(rosa, draft, f"{draft}/publish").status_code == 302
    again = upload(rosa, xlsx(XLSFORM.replace("site |", "spot |")), "other.xlsx", lists).location
    remembered = rosa.get(f"{again}/classify").text
    assert "You chose this for a question of the same name before." in remembered


def test_only_the_trial_may_be_framed_and_only_by_us(rosa: FlaskClient) -> None:
    draft = upload(rosa, workbook_of("event")).location
    assert "frame-ancestors 'self'" in rosa.get(f"{draft}/try/phone").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in rosa.get(f"{draft}/try").headers["Content-Security-Policy"]


def test_what_a_new_version_changes_is_shown_before_it_is_published(rosa: FlaskClient) -> None:
    version = rosa.get("/office/forms").text
    url = re.search(r'href="(/office/forms/\d+)">Encounter', version)
    assert url
    answer = rosa.post(f"{url[1]}/change", data={"csrf_token": csrf_of(rosa.get(url[1]).text)})
    draft = answer.location
    page = rosa.get(f"{draft}/questions").text
    row = re.search(r'id="row-(\d+)"[^>]*>\s*<div class="what">\s*<a [^>]*>Right now, risk of violence', page)
    assert row
    act(rosa, f"{draft}/questions", f"{draft}/questions", do="remove", row=row[1])
    page = rosa.get(draft).text
    assert "There is no question “risk_now” to refer to" in re.sub(r"\s+", " ", page)
    row = re.search(r'id="row-(\d+)"[^>]*>\s*<div class="what">\s*<a [^>]*>Time spent', rosa.get(f"{draft}/questions").text)
    assert row
    for name in ("Safety plan made?", "Told your supervisor?"):
        page = rosa.get(f"{draft}/questions").text
        found = re.search(rf'id="row-(\d+)"[^>]*>\s*<div class="what">\s*<a [^>]*>{re.escape(name)}', page)
        assert found
        act(rosa, f"{draft}/questions", f"{draft}/questions", do="remove", row=found[1])
    page = rosa.get(draft).text
    assert "Gone: “Right now, risk of violence”" in page
    assert "encounters" in page
    assert "finish as begun" in page


def test_two_people_do_not_undo_each_others_changes(rosa: FlaskClient) -> None:
    draft = upload(rosa, workbook_of("event")).location
    page = rosa.get(f"{draft}/questions").text
    stale = re.search(r'name="revision" value="(\d+)"', page)
    assert stale
    act(rosa, f"{draft}/questions", f"{draft}/settings", form_title="Hers")
    answer = rosa.post(f"{draft}/settings", data={"csrf_token": csrf_of(page), "revision": stale[1], "form_title": "His"})
    assert answer.status_code == 409
    assert "Hers" in rosa.get(draft).text


def test_a_form_is_built_without_excel_and_round_trips(rosa: FlaskClient, post: Callable[..., Any]) -> None:
    draft = post(rosa, "/office/forms/new", title="Night walk").location.removesuffix("/questions")
    questions = f"{draft}/questions"
    first = act(rosa, questions, questions, do="add", type="select_one").location
    fields = {"type": "select_one", "list": "yes_no", "name": "met", "required": "yes", "privacy::class": "operational"}
    labels = {"label-0": "Did you meet anybody?", "label-1": "Avez-vous rencontré quelqu'un?"}
    act(rosa, first, first, **fields, **labels, when_question="always")
    second = act(rosa, questions, questions, do="add", type="integer").location
    fields = {"type": "integer", "name": "n", "privacy::class": "operational", "least": "1", "most": "50", "constraint": ""}
    picked = {"when_question": "met", "when_how": "is", "when_value": "yes"}
    labels = {"label-0": "How many?", "label-1": "Combien?"}
    act(rosa, second, second, **fields, **picked, **labels)
    act(rosa, questions, questions, do="library", entry="hope")  # there is no such question
    act(rosa, questions, questions, do="library", entry="topics")
    page = rosa.get(questions).text
    assert "Talked about" in page
    assert "ready to publish" in page
    form = json.loads(rosa.get(f"{draft}/definition.json").data)
    assert [element["name"] for element in form["elements"]] == ["met", "n", "topics"]
    assert form["elements"][1]["relevant"] == ["op", "=", ["path", "/", [["child", "data"], ["child", "met"]]], ["s", "yes"]]
    edited = rosa.get(second).text
    assert 'name="most" inputmode="decimal" pattern="-?[0-9]+([.][0-9]+)?" value="50"' in edited
    sheets = read_sheets(rosa.get(f"{draft}/workbook").data, ".xlsx")
    assert read_sheets(sheets.to_xlsx(), ".xlsx") == sheets
    act(rosa, second, second, **{**fields, "name": "count"}, **picked, **labels)
    act(
        rosa,
        f"{draft}/lists/yes_no",
        f"{draft}/lists/yes_no",
        **{"name-0": "yes", "label-0-0": "Yes, I did", "label-0-1": "Oui"},
        **{"name-1": "no", "label-1-0": "", "label-1-1": ""},
    )
    form = json.loads(rosa.get(f"{draft}/definition.json").data)
    assert form["elements"][1]["name"] == "count"
    assert [choice["label"]["en"] for choice in form["choices"]["yes_no"]] == ["Yes, I did"]


def elements_of(client: FlaskClient, draft: str) -> dict[str, dict[str, Any]]:
    form = json.loads(client.get(f"{draft}/definition.json").data)
    return {element["name"]: element for element in form["elements"]}


WITH_CARD = """| survey | | | | |
| | type | name | label::English (en) | label::Arabic (ar) |
| | begin_group | first | First | |
| | select_one yes_no | tier | May we? | |
| | text | card_code | Card code | |
| | end_group | | | |
| choices | | | |
| | list_name | name | label::English (en) |
| | yes_no | y | Yes |
| | yes_no | n | No |
"""


def test_a_form_that_points_to_a_person_is_offered_the_consent_questions_and_publishes(rosa: FlaskClient) -> None:
    draft = upload(rosa, xlsx(WITH_CARD), "visit.xlsx").location
    proposed = rosa.get(f"{draft}/classify").text
    assert re.findall(r'name="keep-\d+".*?<option value="([^"]*)" selected>', proposed) == ["", ""]
    act(rosa, f"{draft}/classify", f"{draft}/classify", **{"class-3": "sensitive", "class-4": "identifier"})
    page = rosa.get(draft).text
    assert "“card_code” points to a person, and the form does not ask for consent." in page
    assert f"{draft}/publish" not in page
    act(rosa, draft, f"{draft}/questions", do="consent")
    page = rosa.get(draft).text
    assert "The consent questions are in." in page
    assert "Add the consent questions" not in page
    elements = elements_of(rosa, draft)
    assert list(elements)[:2] == ["consent", "script"]  # before the group of the form's first question
    assert elements["script"]["label"]["ar"].startswith("أنا أعمل")
    assert elements["tier"]["choices"] == "yes_no"  # what the form had keeps its name and its list
    assert elements["understood"]["choices"] == "yes_no_2"
    assert elements["first"]["relevant"]  # not asked after a no
    assert act(rosa, draft, f"{draft}/publish").status_code == 302
    draft = upload(rosa, xlsx(WITH_CARD.replace("card_code", "card_id")), "other.xlsx").location
    act(rosa, f"{draft}/classify", f"{draft}/classify", **{"class-3": "sensitive", "class-4": "identifier"})
    act(rosa, f"{draft}/questions", f"{draft}/settings", consent_why="Board, 1 Nov 2026")
    assert "Add the consent questions" not in rosa.get(draft).text
    assert elements_of(rosa, draft).keys() == {"first", "tier", "card_id"}


def test_the_question_with_the_card_s_code_is_proposed_and_gets_its_role(rosa: FlaskClient) -> None:
    text = WITH_CARD.replace("card_code", "client_code")
    draft = upload(rosa, xlsx(text), "visit.xlsx").location
    classes = {"class-3": "sensitive", "class-4": "identifier"}
    offered = rosa.get(f"{draft}/classify").text
    assert re.search(r'<select id="card".*?<option value="4" selected>', offered, re.DOTALL)
    act(rosa, f"{draft}/classify", f"{draft}/classify", card="", **classes)
    act(rosa, draft, f"{draft}/questions", do="consent")
    assert "If it is the code of their card, give it the role “person”" in re.sub(r"\s+", " ", rosa.get(draft).text)
    draft = upload(rosa, xlsx(text), "visit.xlsx").location
    act(rosa, f"{draft}/classify", f"{draft}/classify", card="4", **classes)
    act(rosa, draft, f"{draft}/questions", do="consent")
    form = json.loads(rosa.get(f"{draft}/definition.json").data)
    assert form["summary"]["person"].endswith("/client_code")
    assert "give it the role “person”" not in rosa.get(draft).text


def test_questions_of_the_library_bring_their_role_and_how_far_consent_must_reach(
    rosa: FlaskClient, post: Callable[..., Any]
) -> None:
    draft = post(rosa, "/office/forms/new", title="Night talk").location.removesuffix("/questions")
    questions = f"{draft}/questions"
    for entry in ("day", "day", "gender"):
        act(rosa, questions, questions, do="library", entry=entry)
    assert "Nobody is asked for consent yet" in rosa.get(draft).text
    act(rosa, draft, questions, do="consent")
    elements = elements_of(rosa, draft)
    assert elements["gender"]["keep"] == "2"
    form = json.loads(rosa.get(f"{draft}/definition.json").data)
    assert form["summary"]["day"] == "/data/day"  # of two the first


def test_a_draft_of_another_centre_is_not_there(rosa: FlaskClient, client_of: Callable[[str], FlaskClient]) -> None:
    draft = upload(rosa, workbook_of("event")).location
    olaf = client_of("olaf")
    for url in (draft, f"{draft}/classify", f"{draft}/questions", f"{draft}/definition.json", f"{draft}/workbook"):
        assert olaf.get(url).status_code == 404
