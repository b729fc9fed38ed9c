"""A week of two workers and their supervisor, as it might be: phones in pockets, no signal half of the time, one in French.

Read it from the bottom: the week calls its days, and then looks at what is stored, shown and counted.
"""

import datetime as dt
import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import examine_width
from tests.browser.conftest import sign_in
from tests.browser.numbers import count_exactly, subtract
from tests.browser.pictures import picture
from tests.browser.records import INCIDENT, MEDIATION, REFERRAL, STILL_CALM, STREET, TALK, YES
from tests.browser.steps import rows
from tests.browser.worker import Team, Worker, make_team  # noqa: F401  a fixture

OpenPage = Callable[..., Page]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chains")]
TABLES = [
    "encounters_by_type",
    "mediations_visited",
    "response_times",
    "referrals_by_step",
    "shifts_by_length",
]


def monday(team: Team) -> str:
    """Two first contacts, a card, a conflict and a stabbing; most of it without signal. Return the card."""
    amina, benoit = team.amina, team.benoit
    for worker in (amina, benoit):
        worker.be_at(0, 9)
        worker.start_shift()
    amina.meet("outreach_new", YES, TALK, STREET, {})
    benoit.lose_signal()
    benoit.meet("outreach_new", {"consent.said": "said_no"})

    amina.lose_signal()
    card = amina.make_card()
    amina.page.locator("footer .btn.main").click()
    amina.fill_in(YES, TALK, STREET, {})
    amina.finish()
    amina.be_at(0, 14)
    amina.log("mediation", *MEDIATION)
    benoit.be_at(0, 15)
    benoit.log("incident", *INCIDENT)
    for worker in (amina, benoit):
        worker.be_at(0, 17)
        worker.stop_shift()
        worker.find_signal()
    return card


def tuesday(team: Team) -> None:
    """The first look at the conflict, the first response to the stabbing; the supervisor sends a record back."""
    amina, benoit = team.amina, team.benoit
    team.desk.goto(f"/office/records/{team.newest(amina, 'encounter')}")
    team.desk.fill("#comment", "Were you two?")
    team.desk.get_by_role("button", name="Send back").click()
    expect(team.desk.locator("main")).to_contain_text("Sent back.")
    amina.be_at(1, 11)
    amina.sync()
    amina.lose_signal()
    amina.follow_up(team.newest(team.amina, "mediation"), STILL_CALM)
    benoit.lose_signal()
    benoit.be_at(1, 12)
    benoit.follow_up(
        team.newest(team.benoit, "incident"),
        {"since_then.acts_since": "scene_presence", "since_then.debrief_now": "not_yet", "since_then.status_now": "open"},
        {"since_then.first_since": f"{benoit.when(0, 15):%Y-%m-%dT%H:40}"},
    )


def wednesday(team: Team) -> None:
    """What was sent back is corrected without signal; a referral is made."""
    amina, benoit = team.amina, team.benoit
    amina.be_at(2, 10)
    needs = amina.page.locator("section:has(#needs)")
    expect(needs).to_contain_text("Were you two?")
    needs.get_by_role("button", name="Correct the record").click()
    amina.page.locator('[id="line-talk.people_n"]').click()
    amina.answer({"talk.people_n": "2"})
    amina.be_interrupted()
    amina.finish()
    amina.today()
    expect(needs).to_have_count(0)
    benoit.be_at(2, 13)
    benoit.find_signal()
    benoit.log("referral", *REFERRAL)


def thursday(team: Team, card: str) -> None:
    """The second look; then a card and the conflict go to the colleague; a slip of the finger is undone."""
    amina, benoit = team.amina, team.benoit
    amina.be_at(3, 10)
    amina.follow_up(team.newest(team.amina, "mediation"), STILL_CALM)
    amina.hand_card_over(card, benoit)
    amina.today()
    amina.page.locator("summary", has_text="Hand over mediations").click()
    amina.page.locator("label.choice", has_text="Money").click()
    amina.hand_over(benoit)
    expect(amina.page.locator("#due")).to_have_count(0)
    amina.find_signal()

    benoit.lose_signal()
    benoit.be_at(3, 16)
    benoit.meet("deesc", {"people.who": "group"}, {**TALK, "talk.people_n": "5"}, STREET, {})
    benoit.page.locator(".quick .btn").first.click()  # undo
    benoit.page.locator('[id="line-talk.people_n"]').click()
    benoit.answer({"talk.people_n": "12"})
    benoit.be_interrupted()
    benoit.finish()


def friday(team: Team, card: str) -> None:
    """The colleague meets the person of the card; the referral is reached."""
    benoit = team.benoit
    benoit.be_at(4, 11)
    benoit.find_signal()
    benoit.lose_signal()
    benoit.begin_with_card(card)
    benoit.fill_in({**TALK, "talk.topics": "school"}, STREET, {})
    benoit.finish()
    benoit.update_referral("connected")


def monday_after(team: Team) -> None:
    """The last look at the conflict by who was not there, the debrief, and the end of the referral."""
    benoit = team.benoit
    benoit.be_at(7, 10)
    benoit.follow_up(
        team.newest(team.amina, "mediation"), {**STILL_CALM, "how_now.fu_outcome": "resolved", "how_now.next_look": "none"}
    )
    benoit.follow_up(
        team.newest(team.benoit, "incident"),
        {"since_then.acts_since": "family_support", "since_then.debrief_now": "yes", "since_then.status_now": "open"},
    )
    benoit.update_referral("completed")
    benoit.today()
    benoit.page.locator("section:has(#due) > .item button").click()  # they met on Friday: not needed
    expect(benoit.page.locator("section:has(#due) > .item")).to_have_count(0)
    benoit.find_signal()
    team.amina.be_at(7, 10)
    team.amina.sync()


def test_a_week_of_a_team_is_stored_once_shown_and_counted(make_team: Callable[[int], Team], open_page: OpenPage) -> None:
    team = make_team(8)
    before = count_exactly(team.data, "rexdale", TABLES)
    card = monday(team)
    tuesday(team)
    wednesday(team)
    thursday(team, card)
    friday(team, card)
    monday_after(team)
    for worker in (team.amina, team.benoit):
        assert {"hide", "lock", "kill"} == set(worker.interruptions)
    look_at_what_is_stored(team, card)
    look_at_amina(team.amina)
    look_at_benoit(team.benoit, card)
    look_at_board(team, open_page())
    assert subtract(count_exactly(team.data, "rexdale", TABLES), before) == {
        "encounters_by_type": {("total",): 5, ("outreach_new",): 2, ("check_in",): 2, ("deesc",): 1},
        "mediations_visited": {("total",): 1, ("0-11519",): 1},
        "response_times": {("total",): 1, ("15-59",): 1},
        "referrals_by_step": {("total",): 1, ("reached",): 1},
        "shifts_by_length": {("total",): 2, ("8+",): 2},
    }


def list_records(team: Team, worker: Worker) -> list[tuple[str, str, int, str, int]]:
    """Return what is stored of a worker: form, kind, day of the week, card, and how many versions."""
    query = (
        "SELECT r.form, r.kind, r.occurred_on, r.person,"
        " (SELECT count(*) FROM submission s WHERE s.root_id = r.instance_id) FROM record r"
        " JOIN user u ON u.id = r.author_id WHERE u.username = ? ORDER BY r.id"
    )
    return [
        (form, kind, (dt.date.fromisoformat(day) - worker.monday).days, person, versions)
        for form, kind, day, person, versions in rows(team.data, query, worker.name)
    ]


def look_at_what_is_stored(team: Team, card: str) -> None:
    amina, benoit = team.amina, team.benoit
    assert list_records(team, amina) == [
        ("encounter", "outreach_new", 0, "", 1),
        ("encounter", "check_in", 0, card, 2),  # it was sent back
        ("mediation", "money_debt", 0, "", 1),
        ("shift", "", 0, "", 1),
        ("mediation_follow_up", "cool", 1, "", 1),
        ("mediation_follow_up", "cool", 3, "", 1),
    ]
    assert list_records(team, benoit) == [
        ("encounter", "outreach_new", 0, "", 1),
        ("incident", "stabbing", 0, "", 1),
        ("shift", "", 0, "", 1),
        ("incident_follow_up", "open", 1, "", 1),
        ("referral", "housing", 2, "", 3),  # sent, connected, completed
        ("encounter", "deesc", 3, "", 1),  # undone before it was sent
        ("encounter", "check_in", 4, card, 1),
        ("mediation_follow_up", "cool", 7, "", 1),
        ("incident_follow_up", "open", 7, "", 1),
    ]
    for worker, notes in ((amina, 2), (benoit, 1)):  # a card and a mediation were handed over; one visit was not needed
        query = "SELECT s.seq FROM submission s JOIN user u ON u.id = s.author_id WHERE u.username = ? ORDER BY s.seq"
        numbers = [number for (number,) in rows(team.data, query, worker.name)]
        made = sum(versions for *_, versions in list_records(team, worker)) + notes
        assert numbers == list(range(1, made + 1))  # every number once
        assert worker.read_ledger() == [made, made, 0, 0, 0]
    follows = "SELECT count(DISTINCT due) FROM submission WHERE due LIKE ? || '/%'"
    assert rows(team.data, follows, team.newest(amina, "mediation")) == [(3,)]
    assert rows(team.data, follows, team.newest(benoit, "incident")) == [(2,)]
    ((said_no,),) = rows(team.data, "SELECT body FROM submission WHERE author_id = (SELECT author_id FROM record"
        " WHERE instance_id = ?) AND seq = 1", team.newest(benoit, "incident"))  # fmt: skip
    assert json.loads(said_no)["consent"] == {"said": "said_no", "tier": "0"}
    people = {
        form: json.loads(answers)["talk"]["people_n"]
        for form, answers in rows(
            team.data, "SELECT kind, answers FROM record WHERE form = 'encounter' AND kind IN ('check_in', 'deesc') AND"
            " author_id IN (SELECT id FROM user WHERE username IN (?, ?)) ORDER BY id DESC", amina.name, benoit.name,
        )
    }  # fmt: skip
    assert people == {"deesc": "12", "check_in": "2"}  # after Undo, and as it was corrected


def look_at_amina(amina: Worker) -> None:
    """Nothing is left to do on her phone, and her week has what she did since Tuesday."""
    amina.today()
    for part in ("#due", "#needs", "#drafts", "#referrals", "#open-incidents"):
        expect(amina.page.locator(part)).to_have_count(0)
    expect(amina.page.locator("section:has(#week)")).to_contain_text("2 records")
    amina.page.goto("/app/#/people")
    expect(amina.page.get_by_text("No card yet.")).to_be_visible()


def look_at_benoit(benoit: Worker, card: str) -> None:
    """His phone has the card and the incident that is still open; what was due is done."""
    benoit.today()
    for part in ("#needs", "#drafts", "#referrals"):
        expect(benoit.page.locator(part)).to_have_count(0)
    expect(benoit.page.locator("section:has(#due) > .item")).to_have_count(0)
    expect(benoit.page.locator("section:has(#open-incidents) > .item")).to_have_count(1)
    expect(benoit.page.locator("section:has(#week)")).to_contain_text("6 fiches")
    assert not examine_width(benoit.page, "today after a week")
    picture(benoit.page, "week-today")
    benoit.page.goto("/app/#/people")
    expect(benoit.page.locator("main")).to_contain_text(f"{card[:4]}-{card[4:]}")


def look_at_board(team: Team, board: Page) -> None:
    sign_in(board, "rexdale.crisis")
    board.goto("/office/board")
    incident = board.locator(f"#incident-{team.newest(team.benoit, 'incident')} dl")
    expect(incident).to_contain_text("Present at the scene; Family support")
    expect(incident).to_contain_text(re.compile("after (39|40) min"))
