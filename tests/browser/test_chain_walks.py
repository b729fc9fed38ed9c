"""Each chain in one walk: logged on a phone without signal, sent, taken over by a colleague, done weeks later, counted.

What is looked at is what is stored at the centre, and what the dashboard counts of it before it is rounded.
"""

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.numbers import count_exactly, subtract
from tests.browser.records import INCIDENT, INTAKE, MEDIATION, REFERRAL, STILL_CALM, YES
from tests.browser.steps import rows
from tests.browser.worker import Team, Worker, make_team  # noqa: F401  a fixture

MakeTeam = Callable[[int], Team]
OpenPage = Callable[..., Page]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chains")]
LONG_AGO = 100  # days since the first of the walk


def list_chain(team: Team, root: str) -> list[tuple[str, str, int, int]]:
    """Return what is stored of a chain: form, who, on which day of the walk, in how many versions."""
    query = (
        "SELECT r.form, u.username, r.occurred_on, (SELECT count(*) FROM submission s WHERE s.root_id = r.instance_id)"
        " FROM record r JOIN user u ON u.id = r.author_id WHERE ? IN (r.instance_id, r.follows) ORDER BY r.id"
    )
    return [
        (form, name, (dt.date.fromisoformat(day) - team.amina.monday).days, versions)
        for form, name, day, versions in rows(team.data, query, root)
    ]


def give_records_away(giver: Worker, taker: Worker, words: str) -> None:
    giver.today()
    giver.page.locator("summary", has_text="Hand over mediations").click()
    giver.page.locator("label.choice", has_text=words).click()
    giver.hand_over(taker)


def nothing_is_due(worker: Worker) -> None:
    worker.today()
    expect(worker.page.locator("#due")).to_have_count(0)


def test_a_mediation_from_its_log_over_a_colleague_to_the_number(make_team: MakeTeam) -> None:
    team = make_team(LONG_AGO)
    amina, benoit = team.amina, team.benoit
    names = ["mediations_visited", "mediations_again"]
    before = count_exactly(team.data, "rexdale", names)
    amina.be_at(0, 20)
    amina.lose_signal()
    amina.log("mediation", *MEDIATION[:-1], {**MEDIATION[-1], "result.fu_plan": "d3 d90"})
    amina.find_signal()
    root = team.newest(amina, "mediation")
    amina.be_at(3, 20)
    amina.lose_signal()
    amina.follow_up(root, STILL_CALM)
    give_records_away(amina, benoit, "Money")
    nothing_is_due(amina)
    amina.find_signal()
    benoit.be_at(4, 10)
    benoit.sync()
    benoit.lose_signal()
    benoit.be_at(90, 10)
    benoit.follow_up(root, STILL_CALM)
    nothing_is_due(benoit)
    benoit.find_signal()
    assert list_chain(team, root) == [
        ("mediation", amina.name, 0, 1),
        ("mediation_follow_up", amina.name, 3, 1),
        ("mediation_follow_up", benoit.name, 90, 1),
    ]
    assert rows(team.data, "SELECT is_settled FROM follow_up WHERE root_id = ?", root) == [(1,), (1,)]
    added = subtract(count_exactly(team.data, "rexdale", names), before)
    assert added == {
        "mediations_visited": {("total",): 1, ("0-11519",): 1},
        "mediations_again": {("total",): 1, ("no",): 1},
    }


def test_an_incident_from_its_alert_over_a_colleague_to_the_numbers(make_team: MakeTeam, open_page: OpenPage) -> None:
    team = make_team(LONG_AGO)
    amina, benoit = team.amina, team.benoit
    names = ["response_times", "incidents_retaliation"]
    before = count_exactly(team.data, "rexdale", names)
    amina.be_at(0, 15)
    amina.lose_signal()
    amina.log("incident", *INCIDENT)
    amina.find_signal()
    root = team.newest(amina, "incident")
    amina.be_at(1, 11)
    amina.lose_signal()
    first = {"since_then.first_since": f"{amina.when(0, 15):%Y-%m-%dT%H:40}"}
    response = {"since_then.acts_since": "scene_presence", "since_then.debrief_now": "yes", "since_then.status_now": "open"}
    amina.follow_up(root, response, first)
    give_records_away(amina, benoit, "Stabbing")
    amina.find_signal()
    benoit.be_at(2, 10)
    benoit.sync()
    benoit.lose_signal()
    benoit.be_at(30, 10)
    closed = {"since_then.acts_since": "family_support", "since_then.debrief_now": "yes", "since_then.status_now": "closed"}
    benoit.follow_up(root, closed, {"since_then.retal_since": "no"})
    nothing_is_due(benoit)
    expect(benoit.page.locator("#open-incidents")).to_have_count(0)
    benoit.find_signal()
    assert list_chain(team, root) == [
        ("incident", amina.name, 0, 1),
        ("incident_follow_up", amina.name, 1, 1),
        ("incident_follow_up", benoit.name, 30, 1),
    ]
    board = open_page()
    sign_in(board, "rexdale.crisis")
    board.goto("/office/board")
    expect(board.locator("#board-incidents")).to_be_visible()
    expect(board.locator(f"#incident-{root}")).to_have_count(0)
    assert subtract(count_exactly(team.data, "rexdale", names), before) == {
        "response_times": {("total",): 1, ("15-59",): 1},
        "incidents_retaliation": {("total",): 1, ("no",): 1},
    }


def test_a_referral_from_its_log_to_the_number(make_team: MakeTeam) -> None:
    """Without a card, who made it follows it up, in every state one record."""
    team = make_team(LONG_AGO)
    amina = team.amina
    before = count_exactly(team.data, "rexdale", ["referrals_by_step", "referral_flow"])
    amina.be_at(0, 15)
    amina.lose_signal()
    amina.log("referral", *REFERRAL)
    amina.find_signal()
    root = team.newest(amina, "referral")
    for day, status in ((9, "connected"), (40, "completed")):
        amina.be_at(day, 11)
        amina.lose_signal()
        amina.update_referral(status)
        amina.find_signal()
    amina.today()
    expect(amina.page.locator("#referrals")).to_have_count(0)
    assert list_chain(team, root) == [("referral", amina.name, 0, 3)]
    assert subtract(count_exactly(team.data, "rexdale", ["referrals_by_step", "referral_flow"]), before) == {
        "referrals_by_step": {("total",): 1, ("reached",): 1},
        "referral_flow": {("total",): 1, ("housing", "completed"): 1},
    }


def test_a_referral_goes_with_the_card_of_its_person(make_team: MakeTeam) -> None:
    team = make_team(LONG_AGO)
    amina, benoit = team.amina, team.benoit
    before = count_exactly(team.data, "rexdale", ["referrals_by_step", "referral_flow"])
    amina.be_at(0, 15)
    amina.lose_signal()
    card = amina.make_card()
    amina.log("referral", {**REFERRAL[0], "need.has_card": "yes", "need.code": card}, *REFERRAL[1:])
    amina.find_signal()
    root = team.newest(amina, "referral")
    amina.be_at(2, 11)
    amina.lose_signal()
    amina.hand_card_over(card, benoit)
    amina.today()
    expect(amina.page.locator("#referrals")).to_have_count(0)
    amina.find_signal()
    benoit.be_at(3, 10)
    benoit.sync()
    benoit.lose_signal()
    benoit.be_at(40, 11)
    benoit.update_referral("completed")
    benoit.today()
    expect(benoit.page.locator("#referrals")).to_have_count(0)
    benoit.find_signal()
    amina.sync()
    amina.today()
    expect(amina.page.locator("#referrals")).to_have_count(0)
    # One record, of who made it, in two versions by two people.
    assert list_chain(team, root) == [("referral", amina.name, 0, 2)]
    stored = rows(team.data, "SELECT author_id, state FROM submission WHERE root_id = ? ORDER BY id", root)
    assert len({author for author, _ in stored}) == 2
    assert {state for _, state in stored} == {"stored"}
    assert subtract(count_exactly(team.data, "rexdale", ["referrals_by_step", "referral_flow"]), before) == {
        "referrals_by_step": {("total",): 1, ("reached",): 1},
        "referral_flow": {("total",): 1, ("housing", "completed"): 1},
    }


def test_a_participant_from_the_intake_over_a_colleague_to_the_numbers(make_team: MakeTeam) -> None:
    team = make_team(LONG_AGO)
    amina, benoit = team.amina, team.benoit
    before = count_exactly(team.data, "rexdale", ["intakes_by_risk", "reviews_by_risk"])
    agreed = {**YES, "consent.tier_said": "3"}
    amina.be_at(0, 15)
    amina.lose_signal()
    card = amina.make_card()
    amina.log("participant", {"start.offered_resp": "accepted", "start.code": card}, agreed, *INTAKE)
    amina.find_signal()
    amina.be_at(20, 11)
    amina.lose_signal()
    amina.hand_card_over(card, benoit)
    nothing_is_due(amina)
    amina.find_signal()
    benoit.be_at(21, 10)
    benoit.sync()
    benoit.lose_signal()
    benoit.be_at(90, 10)
    due = benoit.page.locator("section:has(#due) > .item", has_text=card[4:])
    expect(due).to_contain_text("Bilan")
    due.get_by_role("link").click()  # what is sure is answered, consent among it
    benoit.fill_in(INTAKE[1], {"risks.risk_level": "moderate"}, *INTAKE[3:])
    benoit.finish()
    benoit.find_signal()
    stored = rows(team.data, "SELECT kind, occurred_on FROM record WHERE person = ? ORDER BY id", card)
    assert [kind for kind, _ in stored] == ["intake", "review"]
    assert subtract(count_exactly(team.data, "rexdale", ["intakes_by_risk", "reviews_by_risk"]), before) == {
        "intakes_by_risk": {("total",): 1, ("higher_risk",): 1},
        "reviews_by_risk": {("total",): 1, ("lower_risk",): 1},
    }


def test_a_shift_from_its_start_over_a_dead_phone_to_the_number(make_team: MakeTeam) -> None:
    team = make_team(LONG_AGO)
    benoit = team.benoit
    before = count_exactly(team.data, "rexdale", ["shifts_by_length"])
    benoit.be_at(0, 9)
    benoit.lose_signal()
    benoit.start_shift()
    benoit.kept.kill()
    benoit.moment = benoit.when(0, 17)
    benoit.open()
    benoit.page.goto("/app/")
    benoit.unlock()
    benoit.stop_shift()
    benoit.find_signal()
    root = team.newest(benoit, "shift")
    assert list_chain(team, root) == [("shift", benoit.name, 0, 1)]
    assert subtract(count_exactly(team.data, "rexdale", ["shifts_by_length"]), before) == {
        "shifts_by_length": {("total",): 1, ("8+",): 1}
    }
