"""After a no, only the kind of contact and the answer itself are kept: the rule in the form, on the phone and at the centre."""

import datetime as dt
import json
import time
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from fieldapp.web.public.slip_words import list_languages
from forms import consent
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.lists import in_language
from forms.problems import FormRefused
from forms.validation import validate
from forms.xlsform import compile_workbook
from sync import intake
from sync.envelope import Envelope, parse_item
from sync.intake import local_time, validate_submission
from tests.cast import envelope
from tests.conformance.filling import filled
from tests.programme import definition_of

NOW = local_time(dt.datetime(2026, 3, 8, 22))
CARD = "K7QM3RXDQ"
YES = {"said": "read_out", "understood": "yes", "tier_said": "1", "plus4": "yes", "lang_used": "so"}
NO = [
    pytest.param({**YES, "tier_said": "0"}, id="said no"),
    pytest.param({"said": "read_out", "understood": "no"}, id="did not understand"),
    pytest.param({"said": "not_asked"}, id="not asked"),
    pytest.param({"said": "seen_in_crisis_ask_later"}, id="ask later"),
    pytest.param({**YES, "tier_said": "-1", "no_more_sure": "yes"}, id="no more"),
]


def code_of(said: dict[str, str]) -> str:
    """Return the card code that travels with a no: only “no more” is about more than its record."""
    return CARD if said.get("tier_said") == "-1" else ""


ABOUT_THEM = {
    "encounter": {
        "what": {"contact_type": "check_in"},
        "people": {"who": "enrolled", "code": CARD},
        "when_where": {"enc_date": "2026-03-08", "enc_hour": "21", "nbhd": "002", "setting": "home"},
        "talk": {
            "mode": "in_person", "people_n": "1", "risk_now": "high", "safety_plan": "yes", "minutes": "5_15",
            "topics": "conflict", "support": "listened",
        },
        "next": {"ref_made": "no", "next_due": "2026-03-12", "note": "CANARY"},
    },
    "participant": {
        "start": {"kind": "review", "code": CARD},
        "arrival": {"month_in": "2026-03-01"},
        "about": {"age_band": "16-19", "school_work": "school", "housing": "stable"},
        "risks": {"risk_level": "high", "feel_safe": "mostly"},
        "plan": {"needs": "housing"},
        "words": {"note": "CANARY"},
    },
    "referral": {
        "need": {"has_card": "yes", "code": CARD, "need": "housing"},
        "service": {"ref_date": "2026-03-08", "service_type": "housing", "urgency": "week"},
        "sharing": {"consent_share": "yes_this_time", "what_shared": "need_only", "warm": "called_together"},
        "progress": {"status": "sent", "note": "CANARY"},
    },
}  # fmt: skip
KEPT = {
    "encounter": {"what": {"contact_type": "check_in"}, "people": {"who": "enrolled"}},
    "participant": {"start": {"kind": "review"}},
    "referral": {"need": {"has_card": "yes", "need": "housing"}},
}


def without_consent(answers: dict[str, Any]) -> dict[str, Any]:
    return {group: values for group, values in answers.items() if group != "consent"}


@pytest.mark.parametrize("said", NO)
@pytest.mark.parametrize("form", ABOUT_THEM)
def test_after_a_no_the_kind_of_contact_stays_and_nothing_about_them(form: str, said: dict[str, str]) -> None:
    given = {**ABOUT_THEM[form], "consent": said}
    found = validate(definition_of(form), given, NOW)
    assert without_consent(found.answers) == KEPT[form]
    assert set(found.answers["consent"]) <= {"said", "understood", "tier_said", "tier", "no_more_sure"}
    assert found.refused_by == code_of(said)
    assert validate(definition_of(form), found.answers, NOW).problems == []  # what is left can be sent


@pytest.mark.parametrize("said", NO[:-1])
def test_in_a_form_with_one_no_each_no_names_the_card(one_no: None, said: dict[str, str]) -> None:
    found = validate(definition_of("encounter"), {**ABOUT_THEM["encounter"], "consent": said}, NOW)
    assert (without_consent(found.answers), found.refused_by) == (KEPT["encounter"], CARD)


def test_no_more_needs_a_second_answer_a_card_and_somebody_who_understood() -> None:
    no_more = {**YES, "tier_said": "-1", "no_more_sure": "yes"}
    enrolled = {"who": "enrolled", "code": CARD}
    for said, who, path in (
        ({**YES, "tier_said": "-1"}, enrolled, "consent.no_more_sure"),
        (no_more, {"who": "new_person"}, "consent.tier_said"),
        ({**no_more, "said": "as_before", "known_tier": "2", "understood": ""}, enrolled, "consent.tier_said"),
    ):
        answers = {"what": {"contact_type": "check_in"}, "people": who, "consent": said}
        found = validate(definition_of("encounter"), answers, NOW)
        assert path in {problem.path for problem in found.problems}


AS_BEFORE = {"said": "as_before", "tier_said": "2"}


@pytest.mark.parametrize("form", ["encounter", "referral"])
@pytest.mark.parametrize("known", [{}, {"known_tier": "1"}], ids=["a client that knows nothing", "another level"])
def test_nobody_goes_on_with_what_the_phone_did_not_know(form: str, known: dict[str, str]) -> None:
    """As ODK Collect, a browser or an older app, which leave the hidden question blank."""
    found = validate(definition_of(form), {**ABOUT_THEM[form], "consent": {**AS_BEFORE, **known}}, NOW)
    assert {"consent.said", "consent.tier_said"} & {problem.path for problem in found.problems}


@pytest.mark.parametrize("form", ["encounter", "referral"])
def test_what_stands_is_of_a_card_and_lets_everything_be_asked(form: str) -> None:
    known = {**AS_BEFORE, "known_tier": "2"}
    given = {**ABOUT_THEM[form], "consent": known}
    finished = validate(definition_of(form), given, NOW).answers
    assert validate(definition_of(form), finished, NOW).problems == []
    assert finished["consent"] == {**known, "tier": "2"}
    assert "CANARY" in json.dumps(finished)
    nobody = {"encounter": {"people": {"who": "new_person"}}, "referral": {"need": {"has_card": "no", "need": "housing"}}}
    found = validate(definition_of(form), {**given, **nobody[form]}, NOW)
    assert "consent.said" in {problem.path for problem in found.problems}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["encounter", "referral"])
def test_phone_and_centre_agree_on_a_record_that_goes_on_as_before(form: str) -> None:
    given = {**ABOUT_THEM[form], "consent": {**AS_BEFORE, "known_tier": "2"}}
    [phone] = filled([definition_of(form)], [{"definition": 0, "answers": given, "now": "2026-03-08T22:00:00"}])
    assert phone["answers"] == validate(definition_of(form), given, NOW).answers


@pytest.mark.parametrize("form", ABOUT_THEM)
def test_after_a_yes_all_of_it_stays(form: str) -> None:
    given = {**ABOUT_THEM[form], "consent": YES}
    found = validate(definition_of(form), validate(definition_of(form), given, NOW).answers, NOW)
    assert found.problems == []
    assert not found.is_refusal
    assert "CANARY" in json.dumps(found.answers)
    assert CARD in json.dumps(found.answers)


@pytest.mark.slow
@pytest.mark.parametrize("said", NO)
@pytest.mark.parametrize("form", ABOUT_THEM)
def test_the_phone_keeps_the_same(form: str, said: dict[str, str]) -> None:
    given = {**ABOUT_THEM[form], "consent": said}
    [phone] = filled([definition_of(form)], [{"definition": 0, "answers": given, "now": "2026-03-08T22:00:00"}])
    assert phone["answers"] == validate(definition_of(form), given, NOW).answers


def test_who_need_not_be_asked_is_written_about_as_before() -> None:
    given = {**ABOUT_THEM["encounter"], "people": {"who": "group"}}
    given["next"] = {"ref_made": "no", "note": "CANARY"}
    found = validate(definition_of("encounter"), validate(definition_of("encounter"), given, NOW).answers, NOW)
    assert (found.problems, found.is_refusal) == ([], False)
    assert found.answers["next"]["note"] == "CANARY"


def old_version() -> FormDefinition:
    """Return a form as it was published before the rule: the consent page is the last one, and nothing depends on it."""
    new = definition_of("encounter")
    text = json.loads(new.to_json())
    del text["kept_after_no"]
    for element in text["elements"]:
        if "tier_said" in json.dumps(element.get("relevant", "")) and not element["path"].startswith("/data/consent"):
            relevant = element["relevant"]
            element.pop("relevant")
            if relevant[1] == "and":
                element["relevant"] = relevant[2]
    return FormDefinition.from_json(json.dumps(text))


@pytest.mark.parametrize("said", NO)
def test_the_centre_cuts_what_phones_with_an_older_form_still_send(said: dict[str, str]) -> None:
    allowed = {"said", "understood", "tier_said", "no_more_sure"}
    given = {**ABOUT_THEM["encounter"], "consent": {key: value for key, value in said.items() if key in allowed}}
    definition = old_version()
    sent = validate(definition, given, NOW).answers
    assert "CANARY" in json.dumps(sent)
    item = envelope(sent)

    arrived = parse_item(item)
    assert arrived
    decision = validate_submission(arrived, definition)
    assert decision.is_refusal
    assert without_consent(decision.answers) == KEPT["encounter"]


SHEETS = """
| survey |
| | type | name | label::English (en) | relevant | required | privacy::class |
{rows}
| settings |
| | form_id | version | form_title | summary_tier | summary_person |
| | x | 1 | X | tier | code |
| choices |
| | list_name | name | label::English (en) |
| | tier | 0 | No |
| | tier | 1 | Yes |
"""


def compiled(*rows: str) -> FormDefinition:
    text = SHEETS.format(rows="\n".join(f"| | {row} |" for row in rows))
    return compile_workbook(text.encode(), ".md").definition


CODE = "text | code | Code | {} | {} | identifier"


def test_a_form_from_elsewhere_that_asks_for_a_tier_obeys_it_too() -> None:
    definition = compiled(
        CODE.format("", "yes"),
        "select_one tier | tier | May we? | | yes | sensitive",
        "text | story | Story | | yes | free-text",
        "begin_repeat | visits | Visits | | | ",
        "text | place | Where | | | free-text",
        "end_repeat | | | | | ",
    )
    given = {"code": CARD, "tier": "0", "story": "CANARY", "visits": [{"place": "CANARY"}]}
    found = validate(definition, given, NOW)
    assert (found.answers, found.refused_by) == ({"tier": "0"}, CARD)
    assert validate(definition, found.answers, NOW).problems == []
    arrived = parse_item(envelope({"code": CARD, "story": "CANARY"}))
    assert arrived
    assert (validate_submission(arrived, definition).answers, validate_submission(arrived, definition).is_refusal) == (
        {},
        True,
    )  # not asked is no yes
    assert validate(definition, {"tier": "1"}, NOW).problems != []  # with a yes the code is needed again


@pytest.mark.parametrize(("who", "is_refusal"), [("0", False), ("1", True)])
def test_where_nobody_was_to_be_asked_nothing_is_cut(who: str, is_refusal: bool) -> None:
    definition = compiled(
        CODE.format("", ""),
        "integer | who | How many? | | yes | operational",
        "begin_group | g | Consent | | | ",
        "select_one tier | tier | May we? | ${who} > 0 | yes | sensitive",
        "end_group | | | | | ",
        "text | story | Story | | | free-text",
    )
    answers = {"who": who, "story": "CANARY"}
    arrived = parse_item(envelope(answers))
    assert arrived
    judgement = validate_submission(arrived, definition)
    assert (judgement.is_refusal, judgement.answers == answers) == (is_refusal, not is_refusal)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (
            [CODE.format("", ""), "begin_group | g | G | ${code} != '' | | ", "select_one tier | tier | May we? | | | sensitive",
             "end_group | | | | | "],
            "consent.code",
        ),
        (
            [CODE.format("", ""), "begin_repeat | g | G | | | ", "select_one tier | tier | May we? | | | sensitive",
             "end_repeat | | | | | "],
            "consent.repeat",
        ),
        ([CODE.format("", ""), "select_one tier | tier | May we? | | | sensitive"], "consent.required"),
        ([CODE.format("", ""), "integer | who | How many? | | yes | operational", "select_one tier | tier | May we? | ${who} > 0 | yes | sensitive"],
         "consent.group"),
    ],
)  # fmt: skip
def test_a_form_in_which_the_rule_cannot_hold_is_refused(rows: list[str], code: str) -> None:
    with pytest.raises(FormRefused) as refused:
        compiled(*rows)
    assert code in {problem.code for problem in refused.value.problems}


def test_only_the_kind_the_tier_and_what_leads_to_it_are_kept() -> None:
    assert {path.rsplit("/", 1)[1] for path in consent.kept_after_no(definition_of("encounter"))} == {
        "contact_type", "who", "said", "understood", "tier_said", "tier", "no_more_sure",
    }  # fmt: skip
    assert consent.kept_after_no(definition_of("mediation")) == frozenset()


def test_forms_that_ask_in_the_same_words_have_the_same_hash_of_them() -> None:
    hashes = {definition_of(form).consent_wording for form in ABOUT_THEM}
    assert len(hashes) == 1 and len(hashes.pop()) == 16
    assert definition_of("mediation").consent_wording == ""


@pytest.mark.parametrize("place", ["text", "choice", "condition"])
def test_other_words_have_another_hash_and_another_condition_has_not(place: str) -> None:
    rows = ["select_one tier | tier | {} | {} | yes | sensitive", CODE.format("", "")]
    words = {"text": ("May we write?", ""), "choice": ("May we?", ""), "condition": ("May we?", "1 = 1")}[place]
    group = ["begin_group | g | G | | | ", rows[0], "end_group | | | | | ", rows[1]]
    first, other = (
        compiled(*(row.format(*cells) if row == rows[0] else row for row in group)) for cells in (("May we?", ""), words)
    )
    if place == "choice":
        choices = {name: (*all_of[:-1], replace(all_of[-1], label={"en": "Yes!"})) for name, all_of in other.choices.items()}
        other = consent.guard(replace(other, choices=choices))[0]
    assert (first.consent_wording == other.consent_wording) == (place == "condition")


def test_what_the_phone_fills_in_is_not_among_the_words_that_people_hear() -> None:
    asking = definition_of("encounter")
    choices = {**asking.choices, "said": tuple(one for one in asking.choices["said"] if one.name != "as_before")}
    elements = tuple(element for element in asking.elements if element.type != "hidden")
    without = replace(asking, elements=elements, choices=choices)
    tier = asking.by_path[asking.summary["tier"]]
    assert consent.hash_wording(without, tier) == consent.hash_wording(asking, tier) == asking.consent_wording


SLIPS = {"en": "slip", "fr": "billet", "ar": "قسيمة", "so": "warqad", "es": "papel", "ta": "சீட்டைப்", "pt": "papel"}


def test_what_is_said_of_the_slip_is_said_in_each_language_of_its_page_and_nothing_more() -> None:
    """What it can do is tested where its page is: docs/promises.md names those tests."""
    assert set(SLIPS) == set(list_languages())
    for form in ABOUT_THEM:
        definition = definition_of(form)
        script = next(element for element in definition.elements if element.name == "script")
        for language, slip in SLIPS.items():
            last = in_language({"x": script.label[language]}, "x").split(".")[-4:]
            assert slip in " ".join(last), (form, language)
        words = definition.to_json().lower()
        for promise in ("any time", "nothing is kept"):
            assert promise not in words, (form, promise)


class NoTime(Budget):
    def look(self) -> None:
        raise TooSlow

    def spend(self, steps: int = 1) -> None:
        raise TooSlow


def arrived_with(said: dict[str, str], **more: Any) -> Envelope:
    arrived = parse_item(envelope({**ABOUT_THEM["encounter"], "consent": said}, **more))
    assert arrived
    return arrived


@pytest.mark.parametrize("said", NO)
def test_a_no_is_never_too_slow_since_the_questions_about_consent_tell_it(said: dict[str, str]) -> None:
    arrived = arrived_with(said)
    judgement = validate_submission(arrived, definition_of("encounter"), NoTime())
    assert judgement == validate_submission(arrived, definition_of("encounter"))
    assert judgement.is_refusal
    assert judgement.refused_by == code_of(said)


@pytest.fixture
def no_time_at_all(monkeypatch: pytest.MonkeyPatch) -> Budget:
    """Let not even the questions about consent be run."""
    monkeypatch.setattr(intake, "CONSENT", -1.0)
    return Budget(-1.0, time.monotonic)


LEFT_OVER = {**YES, "understood": "no", "tier": "1"}


@pytest.mark.parametrize(
    "said", [*NO, pytest.param(LEFT_OVER, id="a tier that is left over"), pytest.param({}, id="nothing")]
)
def test_what_is_no_clear_yes_is_cut_where_no_rule_could_be_run(said: dict[str, str], no_time_at_all: Budget) -> None:
    judgement = validate_submission(arrived_with(said), definition_of("encounter"), no_time_at_all)
    assert judgement.is_quarantined
    assert (judgement.is_refusal, judgement.refused_by) == (True, code_of(said))
    assert without_consent(judgement.answers) == KEPT["encounter"]


def test_a_yes_that_could_not_be_judged_in_time_is_kept_as_it_came(no_time_at_all: Budget) -> None:
    for budget in (NoTime(), no_time_at_all):
        judgement = validate_submission(arrived_with({**YES, "tier": "1"}), definition_of("encounter"), budget)
        assert (judgement.is_quarantined, judgement.is_refusal) == (True, False)


KEEP_SHEETS = """
| survey |
| | type | name | consent::keep | consent::why | relevant | required | app_role | label::English (en) | privacy::class | privacy::export |
{rows}
| settings |
| | form_id | version | form_title |{settings}
| | x | 1 | X |{values}
| choices |
| | list_name | name | label::English (en) |
| | tier | 0 | No |
| | tier | 1 | Yes |
| | yes_no | yes | Yes |
"""
TIER = "select_one tier | tier | | | | yes | tier | May we? | sensitive |"
NAMED = "text | code | | | | | person | Code | identifier |"


DEADLOCK = KEEP_SHEETS.replace("| relevant |", "| constraint | relevant |", 1)


@pytest.mark.parametrize(
    ("rule", "keep", "is_found"),
    [
        ("${a} = 'yes'", "2", True),
        ("${a} = 'yes'", "3", True),
        ("selected(${a}, 'yes') and . != ''", "+4", True),
        ("${a} > 3 or ${a} = 'yes'", "2", True),
        ("not(${a} = '')", "2", True),
        ("${a} = 'yes' or ${a} = ''", "2", False),
        ("${a} != 'yes'", "2", False),
        (". = 'yes' or ${a} = 'yes'", "2", False),  # it depends on the answer
        ("${a} = 'yes'", "", False),  # who says yes to anything is asked
    ],
)
def test_a_rule_that_makes_a_lower_level_impossible_is_named(rule: str, keep: str, is_found: bool) -> None:
    rows = "\n".join(
        f"| | {row} |"
        for row in (
            "select_one tier | tier | | | | | yes | tier | May we? | sensitive |",
            "select_one yes_no | wish | | | | | | consent_contact | Call? | sensitive | drop",
            f"select_one yes_no | a | {keep} | | | | | | A | sensitive | drop",
            f"select_one yes_no | b | | | {rule} | | yes | | B | sensitive | drop",
        )
    )
    text = DEADLOCK.format(rows=rows, settings="", values="").replace(
        "| yes_no | yes | Yes |", "| yes_no | yes | Yes | yes |"
    )
    text = text.replace(
        "| list_name | name | label::English (en) |", "| list_name | name | label::English (en) | app_role |"
    )
    try:
        problems = compile_workbook(text.encode(), ".md").warnings
    except FormRefused as refused:
        problems = refused.problems
    assert [problem.row for problem in problems if problem.code == "consent.deadlock"] == ([5] if is_found else [])
    assert is_found or not [problem for problem in problems if problem.severity == "error"]


def problems_of(*rows: str, setting: str = "") -> set[tuple[str, int | None]]:
    """Return the code and row of each problem about consent."""
    lines = "\n".join(f"| | {row} |" for row in rows)
    column, value = (" consent_why |", f" {setting} |") if setting else ("", "")
    text = KEEP_SHEETS.format(rows=lines, settings=column, values=value)
    try:
        problems = compile_workbook(text.encode(), ".md").warnings
    except FormRefused as refused:
        problems = refused.problems
    return {(problem.code, problem.row) for problem in problems if problem.code.startswith("consent")}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([NAMED, TIER, "text | a | 7 | | | | | A | free-text |"], ("consent.keep", 4)),
        ([TIER.replace("tier | |", "tier | 2 |", 1)], ("consent.keep", 2)),
        ([NAMED.replace("code | |", "code | 2 |"), TIER], ("consent.keep", 2)),
        ([TIER, "text | a | +4 | | | | | A | free-text |"], ("consent.question", 3)),
        ([TIER, "select_one yes_no | a | 0 | | | | | A | operational |"], ("consent.why", 3)),
        ([TIER, "text | a | 0 | why | | | | A | free-text |"], ("consent.zero", 3)),
        ([TIER, "integer | a | 0 | why | | | | A | operational |"], ("consent.zero", 3)),
        (
            [TIER, "begin_repeat | r | | | | | | R | |", "select_one yes_no | a | 0 | why | | | | A | operational |",
             "end_repeat | | | | | | | | |"],
            ("consent.zero", 4),
        ),
        ([TIER, *(f"select_one yes_no | a{n} | 0 | why | | | | A | operational |" for n in range(4))], ("consent.zero", 6)),
        (
            [TIER, "text | b | | | | | | B | free-text |", "select_one yes_no | a | 0 | why | ${b} = 'x' | | | A | operational |"],
            ("consent.zero_hangs", 4),
        ),
        (["select_one yes_no | k | 2 | | | | kind | K | operational |", TIER], ("consent.drops_summary", 2)),
        (
            ["text | b | | | | | | B | free-text |", "begin_group | g | | | ${b} = 'x' | | | G | |", TIER,
             "end_group | | | | | | | | |"],
            ("consent.reads", 2),
        ),
        ([TIER, "select_one yes_no | a | +5 | | | | | A | operational | keep"], ("consent.export", 3)),
        (["text | a | | | | | | A | free-text |", TIER], ("consent.order", 2)),
        ([NAMED], ("consent.missing", 2)),
        (["text | code | | | | | | Code | identifier |"], ("consent.missing", 2)),
        (["text | a | 2 | | | | | A | free-text |"], ("consent.missing", 2)),
    ],
)  # fmt: skip
def test_what_is_wrong_with_how_far_consent_must_reach_is_named_with_its_row(
    rows: list[str], problem: tuple[str, int]
) -> None:
    assert problem in problems_of(*rows)


def test_a_form_that_points_to_a_person_may_say_why_nobody_is_asked() -> None:
    assert problems_of(NAMED, setting="Board, 1 Nov 2026") == set()
    assert problems_of("text | a | | | | | | A | free-text |") == set()  # it points to nobody


TWO_ANSWERS = """
| survey |
| | type | name | required | app_role | label | privacy::class | choice_filter |
| | select_one tier | tier | yes | tier | May we? | sensitive | {filter} |
| choices |
| | list_name | name | label | app_role |
| | tier | {today} | Nothing today | {roles} |
| | tier | {ends} | No more | no_more |
| | tier | 1 | Yes | |
| settings |
| | form_id | version | form_title |
| | x | 1 | X |
"""
OFFERED = "name != '-1' or 1 = 1"


@pytest.mark.parametrize(
    ("today", "roles", "ends", "condition", "words"),
    [
        ("0", "nothing_today", "-1", OFFERED, ""),
        ("0", "", "-1", OFFERED, "may also want nothing stored today"),
        ("no", "nothing_today", "-1", OFFERED, "Name the choice"),
        ("0", "nothing_today", "end", OFFERED, "Name the choice"),
        ("0", "nothing_today", "-1", "", "has nothing to take back"),
    ],
    ids=["right", "only no more", "no number for today", "no number for no more", "offered to everybody"],
)
def test_the_two_noes_of_a_form_go_together(today: str, roles: str, ends: str, condition: str, words: str) -> None:
    text = TWO_ANSWERS.format(today=today, roles=roles, ends=ends, filter=condition)
    if not words:
        compile_workbook(text.encode(), ".md")
        return
    with pytest.raises(FormRefused) as refused:
        compile_workbook(text.encode(), ".md")
    (problem,) = [problem for problem in refused.value.problems if problem.severity == "error"]
    assert (problem.code, words in problem.text) == ("consent.two_answers", True)


def test_a_number_is_what_a_spreadsheet_makes_of_a_plus_and_a_number() -> None:
    assert problems_of(TIER, "text | a | 4 | | | | | A | free-text |") == {("consent.question", 3)}


def test_odk_collect_asks_for_nothing_that_needs_more_than_was_said() -> None:
    rows = [
        "select_one yes_no | who | | | | yes | | Who? | operational |", "begin_group | g | | | ${who} = 'yes' | | | G | |", TIER,
        "end_group | | | | | | | | |", "text | a | 2 | | ${who} != '' | | | A | free-text |",
        "begin_group | h | 3 | | | | | H | |", "text | b | | | | | | B | free-text |", "end_group | | | | | | | | |",
        "text | c | | | | | | C | free-text |",
    ]  # fmt: skip
    lines = "\n".join(f"| | {row} |" for row in rows)
    text = compile_workbook(KEEP_SHEETS.format(rows=lines, settings="", values="").encode(), ".md").xform
    binds = {
        bind.get("nodeset"): bind.get("relevant") for bind in ElementTree.fromstring(text).iter() if bind.get("nodeset")
    }
    nobody = "not(/data/who  = 'yes')"
    assert binds["/data/a"] == f"( /data/who  != '') and ({nobody} or (/data/g/tier >= 2))"
    assert binds["/data/h"] == f"{nobody} or (/data/g/tier >= 3)"
    assert (binds["/data/c"], binds["/data/h/b"]) == (None, None)


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        ("encounter", {"people": {"who": "known_not_enrolled"}}),
        ("encounter", {"people": {"who": "family"}}),
        ("encounter", {"people": {"who": "new_person"}}),
        ("encounter", {"people": {"who": "enrolled", "code": CARD}}),
        ("referral", {"need": {"has_card": "no", "need": "housing"}}),
    ],
)
def test_whoever_one_person_is_nothing_about_them_is_kept_before_they_were_asked(form: str, answers: dict[str, Any]) -> None:
    told = {**ABOUT_THEM[form], **answers}
    assert "consent.said" in {problem.path for problem in validate(definition_of(form), told, NOW).problems}
    found = validate(definition_of(form), {**told, "consent": {"said": "not_asked"}}, NOW)
    assert found.is_refusal
    assert "CANARY" not in json.dumps(found.answers)
    assert not {"talk", "service", "sharing", "when_where"} & set(found.answers)


@pytest.mark.parametrize("month", ["2026-03-08", "2026-03-01"])
def test_after_a_no_to_the_offer_the_month_is_kept_and_no_day(month: str) -> None:
    given = {"start": {"kind": "intake", "offered_resp": "declined"}, "arrival": {"month_in": month, "came_by": "outreach"}}
    found = validate(definition_of("participant"), given, NOW)
    assert found.problems == []
    assert found.answers == {**given, "arrival": {"month_in": "2026-03-01", "came_by": "outreach"}}
