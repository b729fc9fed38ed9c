"""No code names a question, list or form of the program: forms say by roles what code reads."""

from pathlib import Path

import pytest

from tests.house.program_names import Mention, find_mentions, find_reads, iterate_python_reads, iterate_reads, list_names

pytestmark = pytest.mark.slow  # each reads every file of the code

ROLE = "a role of questions (forms/roles.py), which the program's forms use as a name, too"
MARKUP = "a word of HTML, CSS or HTTP"
# Words of the program's forms that are ordinary words elsewhere. Each says what else it means in code; a word that
# only a form could mean has no place here.
ORDINARY = {
    "in_person": "a reason in the office; a choice of the program bears the same name",
    "service": "OData's word for what a feed is",
    "about": "a heading of the heat map; what the first screen of a phone says of itself",
    "action": "a button of an office form",
    "after": "where the next page of a list begins",
    "alert": f"{MARKUP}; a state of the review queue",
    "areas": "outlines that the centre gives phones, and the key for them in the protocol",
    "audience": "for whom a recipe or an indicator is",
    "cell": "a style of tables; a square of a map",
    "code": "the code of a problem, a card or a program",
    "conflict": "the answer to two submissions with one id",
    "consent": "the subject of consent: a package, problem codes, a widget",
    "danger": "a style of a message",
    "debrief": "a role; something that can be asked for on the board",
    "doors": "the key of what a phone keeps about its accounts",
    "encounter": "the office's page of a record; the role of the form, on the overview",
    "end": "where something ends: a token, a group of a form, an act, text that is anchored",
    "event": "an attribute of XForms",
    "harm": "a word that makes a question sensitive, in whatever form",
    "hour": "a way to derive a column of a dataset",
    "hours": "a unit of indicators; the span of a report",
    "housing": "a word that makes a question sensitive, in whatever form",
    "incident": "the role of the form, on the overview",
    "kind": ROLE,
    "lang": MARKUP,
    "level": "a level of a hierarchy",
    "mediation": "something that can be asked for on the board; the role of the form, on the overview",
    "message": "a browser event; a part of a problem",
    "minutes": ROLE,
    "mode": "a mode of suppression, or of a file",
    "more": "an operator of simple conditions; the rest of a list; how a number compares with one before",
    "need": "what a request on the board asks for",
    "needs": "the list of what can be asked for on the board; the phone's list of what to put right",
    "next": "where to go after signing in",
    "not_asked": "a problem with a legal hold",
    "not_yet": "a state of a number, and of a comparison, that there is no year for yet",
    "note": "a type of question; a note of a report",
    "online": "whether there is a connection",
    "outcome": "what became of an item of a plan to erase",
    "partner": "an organization whose totals are shown: acts and problem codes",
    "partners": "the same, of all organizations",
    "people": "accounts; a family of datasets",
    "plan": ROLE,
    "response": "a role",
    "said": "a key of the board's words",
    "safeto": "a part of the city's plan, which indicators name",
    "script": "a directive of the content security policy",
    "setting": "a problem with a setting of a workbook",
    "shift": "the file name of a shift report",
    "social_media": "a word of the refuse-to-collect list",
    "start": "where something starts: a record on the phone, a question of type range, an act",
    "status": f"{ROLE}; the state of a delivery; {MARKUP}",
    "tier": ROLE,
    "topic": "a word that makes a question sensitive, in whatever form",
    "weapon": "a word that makes a question sensitive, in whatever form",
    "what": "a heading of reports",
    "who": "a heading of reports; a field of the sign-in",
    "words": "hierarchies' words; what a screen is given to say",
    "work": "a folder; what is done in a transaction",
    "yes_no": "the list that the builder makes for a new question with choices",
}
# Where a word of those above that code says in a few folders only may be said. In another folder it may well mean the
# question. Words that are not here are said all over the code; what reads an answer is found all the same, see below.
ONLY_IN = {
    "in_person": ("fieldapp/services/consent", "fieldapp/web/office/caseload"),
    "service": ("fieldapp/web/office/products",),
    "about": ("client/src/screens/gate", "evaluator_export/formats", "fieldapp/web/office/operations"),
    "action": ("fieldapp/web", "fieldapp/web/office/releases"),
    "debrief": ("client/src/screens/crisis_team", "fieldapp/services/board", "fieldapp/web/office/board", "sync"),
    "doors": ("client/src/storage",),
    "encounter": ("fieldapp/web/office/operations", "fieldapp/web/office/records"),
    "event": ("forms",),
    "harm": ("forms",),
    "hour": ("client/src/board", "client/src/screens/crisis_team", "evaluator_export/datasets", "fieldapp/services/board"),
    "housing": ("forms",),
    "incident": ("fieldapp/web/office/operations",),
    "mediation": ("client/src/screens/crisis_team", "fieldapp/services/board", "fieldapp/web/office/operations", "sync"),
    "mode": ("evaluator_export", "evaluator_export/policy", "fieldapp/store"),
    "more": (
        "client/src/map",
        "client/src/widgets/select",
        "evaluator_export/products",
        "fieldapp/web/office/forms",
        "fieldapp/web/office/products",
        "forms",
    ),
    "need": ("client/src/screens/crisis_team", "fieldapp/services/board", "fieldapp/web/office/board", "sync"),
    "needs": ("client/src/screens/to_correct", "fieldapp/services/forms", "fieldapp/web/office/board"),
    "next": ("fieldapp/web/public",),
    "not_asked": ("fieldapp/services/consent",),
    "not_yet": ("evaluator_export/products",),
    "outcome": ("fieldapp/store/consent",),
    "response": ("fieldapp/web/office/board",),
    "said": ("client/src/board",),
    "script": ("fieldapp/web",),
    "setting": ("forms",),
    "shift": ("fieldapp/services/board",),
    "social_media": ("forms",),
    "topic": ("forms",),
    "weapon": ("forms",),
    "work": ("client/src/storage", "fieldapp/services/records", "fieldapp/services/releases"),
    "yes_no": ("fieldapp/web/office/forms",),
}
# Questions of the app's own notes, which no form has: a card that is handed over or gets another code, what is asked of the team.
NOTES = {
    ("fieldapp/services/board/phones.py", "need"),
    ("fieldapp/services/caseload/update.py", "code"),
    ("fieldapp/services/records/holders.py", "code"),
    ("fieldapp/services/records/intake.py", "code"),
    ("fieldapp/services/records/new_codes.py", "code"),
}


def test_no_code_names_a_question_a_list_or_a_form_of_the_program() -> None:
    names = list_names() - ORDINARY.keys()
    mentions = [f"{mention.file}:{mention.line}: {mention.name}" for mention in find_mentions(names)]
    assert mentions == [], "give the question, the choice or the form a role (forms/roles.py), and read that"


def test_every_ordinary_word_is_a_name_of_a_form_that_code_says() -> None:
    names = list_names()
    said = {mention.name for mention in find_mentions(names)}
    assert ORDINARY.keys() - said == set()


def test_an_ordinary_word_stays_in_the_folders_in_which_it_means_something_else() -> None:
    mentions = [mention for mention in find_mentions(set(ONLY_IN)) if folder_of(mention) not in ONLY_IN[mention.name]]
    words = [f"{mention.file}:{mention.line}: {mention.name}" for mention in mentions]
    assert words == [], "read the question by its role; if the word means something else there, add the folder to ONLY_IN"


def test_every_folder_of_an_ordinary_word_says_it() -> None:
    said = {(mention.name, folder_of(mention)) for mention in find_mentions(set(ONLY_IN))}
    allowed = {(word, folder) for word, folders in ONLY_IN.items() for folder in folders}
    assert allowed - said == set(), "these folders do not say the word any more: take them out of ONLY_IN"
    assert ONLY_IN.keys() - ORDINARY.keys() == set()


def test_no_answer_is_read_by_the_name_of_its_question() -> None:
    """Also not where the name is an ordinary word: there, the other tests would not see it."""
    reads = [read for read in find_reads(list_names()) if (read.file, read.name) not in NOTES]
    words = [f"{read.file}:{read.line}: {read.name}" for read in reads]
    assert words == [], "give the question a role (forms/roles.py), and read that"


@pytest.mark.parametrize(
    "planted",
    [
        'answers["status"]', 'record.answers["what"]["status"]', 'answers.get("status")', 'one.answers.get("status", "")',
        'read("what/status")',
    ],
)  # fmt: skip
def test_a_planted_read_of_an_ordinary_word_is_found(planted: str) -> None:
    found = [name for _, name in iterate_python_reads(planted, {"what", "status"})]
    assert "status" in found


@pytest.mark.parametrize("planted", ["answers.status", "record.answers?.status", 'answers["status"]', 'answers?.["status"]'])
def test_a_planted_read_in_a_template_or_on_the_phone_is_found(planted: str) -> None:
    assert [name for _, name in iterate_reads(planted)] == ["status"]


def folder_of(mention: Mention) -> str:
    return str(Path(mention.file).parent)
