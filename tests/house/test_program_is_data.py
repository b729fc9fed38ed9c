"""No code names a question, list or form of the program: forms say by roles what code reads."""

import pytest

from tests.house.program_names import find_mentions, list_names

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
    "more": "an operator of simple conditions; the rest of a list",
    "need": "what a request on the board asks for",
    "needs": "the list of what can be asked for on the board; the phone's list of what to put right",
    "next": "where to go after signing in",
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
    "warm": "a spot of the map that is neither hot nor cold",
    "weapon": "a word that makes a question sensitive, in whatever form",
    "what": "a heading of reports",
    "who": "a heading of reports; a field of the sign-in",
    "words": "hierarchies' words; what a screen is given to say",
    "work": "a folder; what is done in a transaction",
    "yes_no": "the list that the builder makes for a new question with choices",
}


def test_no_code_names_a_question_a_list_or_a_form_of_the_program() -> None:
    names = list_names() - ORDINARY.keys()
    mentions = [f"{mention.file}:{mention.line}: {mention.name}" for mention in find_mentions(names)]
    assert mentions == [], "give the question, the choice or the form a role (forms/roles.py), and read that"


def test_every_ordinary_word_is_a_name_of_a_form_that_code_says() -> None:
    names = list_names()
    said = {mention.name for mention in find_mentions(names)}
    assert ORDINARY.keys() - said == set()
