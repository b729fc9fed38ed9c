"""A mediation and its follow-ups are one chain: what is due, what opens, and what is counted agree."""

import datetime as dt
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import ActContext, Actor, utcnow
from fieldapp.services.consent import ending
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.record_erasure import erase_one, erase_record
from fieldapp.services.forms.published import publish_form
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.products.editions import build_due
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.database import WriteTransaction
from fieldapp.store.records import records
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.validation import validate
from sync.envelope import parse_batch
from sync.intake import local_time
from tests.cast import Cast, another_worker, batch, encounter, envelope, publish_others
from tests.programme import compiled_of, definition_of, workbook_of
from tests.services.caseload.mediations import FOLLOW_UP, FORM, mediated, visited
from tests.services.caseload.meetings import ONE, knows, met, note
from tests.services.products.figures import body_of, number, switched_on

TODAY = dt.date.today()
NOBODY = "5c0ffee5-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def _with_follow_ups(session: Session, cast: Cast) -> None:
    publish_form(session, cast.system, compiled=compiled_of(FOLLOW_UP), workbook=workbook_of(FOLLOW_UP))


def send(session: Session, actor: Actor, *items: dict[str, Any]) -> None:
    answers = receive_batch(session, actor, parse_batch(batch(*items)))
    assert {answer["status"] for answer in answers} == {"stored"}


def days_due(session: Session, actor: Actor, root: str) -> list[int]:
    """Return in how many days something is due of a record, by this worker's phone."""
    days = [key.rsplit("/", 1)[1] for key in knows(session, actor) if key.startswith(f"due/{root}/")]
    return sorted((dt.date.fromisoformat(day) - TODAY).days for day in days)


def test_a_follow_up_of_what_is_no_mediation_changes_nothing(session: Session, cast: Cast) -> None:
    meeting = envelope(encounter(TODAY), day=TODAY)
    asks = mediated(plan="d1 d7")
    send(session, cast.amina, meeting, asks)
    for wrong in (meeting["id"], NOBODY, asks["id"].upper(), "x' or 1=1", ""):
        send(session, cast.amina, visited(wrong, TODAY, then="none"))
    assert days_due(session, cast.amina, asks["id"]) == [1, 7]
    assert set(session.scalars(sa.select(Record.follows))) == {"", meeting["id"], NOBODY}


def test_what_is_due_says_what_the_conflict_was_about_and_where(session: Session, cast: Cast) -> None:
    asks = mediated(plan="d3")
    send(session, cast.amina, asks)
    due = (TODAY + dt.timedelta(days=3)).isoformat()
    assert knows(session, cast.amina)[f"due/{asks['id']}/{due}"] == {
        "on": due, "code": "", "form": FORM, "from": TODAY.isoformat(), "kind": "money_debt", "area": "002",
    }  # fmt: skip


def test_a_follow_up_does_what_was_due_until_its_day_and_may_ask_for_more(session: Session, cast: Cast) -> None:
    asks, other = mediated(TODAY - dt.timedelta(days=4), "d1 d3 d7 d14"), mediated(plan="d1")
    send(session, cast.amina, asks, other)
    send(session, cast.amina, visited(asks["id"], then="d1"))
    assert days_due(session, cast.amina, asks["id"]) == [1, 3, 10]
    assert days_due(session, cast.amina, other["id"]) == [1]
    send(session, cast.amina, visited(asks["id"], then="none"))
    assert days_due(session, cast.amina, asks["id"]) == []


def test_a_colleague_can_do_it_and_the_owner_is_told(session: Session, cast: Cast) -> None:
    asks = mediated(plan="d1 d7")
    send(session, cast.amina, asks)
    before = json.loads(pull_changes(session, cast.amina, cursor=0))["cursor"]
    done = visited(asks["id"], due=f"{asks['id']}/{TODAY + dt.timedelta(days=1)}")
    send(session, another_worker(session, cast), done)
    news = dict(json.loads(pull_changes(session, cast.amina, cursor=before))["items"])
    assert news[f"due/{asks['id']}/{TODAY + dt.timedelta(days=1)}"] is None
    assert days_due(session, cast.amina, asks["id"]) == [7]


def test_the_order_of_arrival_changes_nothing(session: Session, cast: Cast) -> None:
    began = TODAY - dt.timedelta(days=10)
    found = []
    for order in itertools.permutations(range(3)):
        asks = mediated(began, "d1 d3 d14 d30")
        parts = [
            asks,
            visited(asks["id"], began + dt.timedelta(days=3)),
            visited(asks["id"], TODAY, then="d7"),
        ]
        for place in order:
            send(session, cast.amina, parts[place])
        found.append(days_due(session, cast.amina, asks["id"]))
    assert found == [[4, 7, 20]] * 6


def test_a_follow_up_that_ended_it_by_mistake_can_be_corrected(session: Session, cast: Cast) -> None:
    asks = mediated(plan="d7 d30")
    mistake = visited(asks["id"], then="none")
    send(session, cast.amina, asks, mistake)
    assert days_due(session, cast.amina, asks["id"]) == []
    send(session, cast.amina, visited(asks["id"], root=mistake["id"], prev=[mistake["id"]]))
    assert days_due(session, cast.amina, asks["id"]) == [7, 30]


@pytest.mark.slow  # a quarter of mediations
def test_who_does_what_is_due_is_counted_on_the_dashboard(session: Session, cast: Cast) -> None:
    """From the first log on a phone to the number: 80 mediations, 60 of them followed up within a week."""
    publish_others(session, cast)
    chance = random.Random(3)
    now = dt.datetime(2026, 7, 11, 12, tzinfo=dt.UTC)
    asked = []
    for place in range(80):
        # From the first day on: a quarter that had begun before there were records is not told.
        day = dt.date(2026, 4, 1) + dt.timedelta(days=chance.randrange(60) if place else 0)
        asked.append((mediated(day, "d3 d30"), day))
    send(session, cast.amina, *(item for item, _ in asked))
    colleague = another_worker(session, cast)
    for place, (item, day) in enumerate(asked):
        late = dt.timedelta(days=3 if place < 60 else 30)
        send(
            session,
            cast.amina if place % 2 else colleague,
            visited(item["id"], day + late, "violent" if place < 8 else "cool", due=f"{item['id']}/{day + late}"),
        )
    _arrive_on(session, now - dt.timedelta(days=3))
    switched_on(session, cast, "dashboard")
    build_due(session, now)
    shown = number(body_of(session, cast, "dashboard", "2026-06"), "mediations_visited", "2026-Q2")
    assert shown["state"] == "value" and abs(shown["value"] - 75) <= 5
    stored = session.scalars(sa.select(Record.follows).where(Record.form == FOLLOW_UP)).all()
    assert sorted(stored) == sorted(item["id"] for item, _ in asked)


@pytest.mark.slow  # two editions
def test_follow_ups_that_come_late_revise_the_number(session: Session, cast: Cast) -> None:
    publish_others(session, cast)
    now = dt.datetime(2026, 7, 10, 12, tzinfo=dt.UTC)
    asked = [mediated(dt.date(2026, 4, 1 + place % 28), "d3") for place in range(80)]
    send(session, cast.amina, *asked)
    _arrive_on(session, now - dt.timedelta(days=3))
    switched_on(session, cast, "dashboard")
    build_due(session, now)
    before = number(body_of(session, cast, "dashboard", "2026-06"), "mediations_visited", "2026-Q2")
    for place, item in enumerate(asked):
        send(session, cast.amina, visited(item["id"], dt.date(2026, 4, 3 + place % 28)))
    later = now + dt.timedelta(days=1)
    with WriteTransaction(session):
        arrived = later - dt.timedelta(hours=2)
        follow_ups = sa.update(Record).where(Record.form == FOLLOW_UP)
        session.execute(follow_ups.values(received_at=arrived, changed_at=arrived))
    build_due(session, later)
    after = number(body_of(session, cast, "dashboard", "2026-06"), "mediations_visited", "2026-Q2")
    assert before["state"] != "value" and after["value"] >= 90


def test_a_follow_up_that_names_a_person_is_not_read_with_the_mediation(session: Session, cast: Cast) -> None:
    """Such a form would need that person's consent; the mediation needs none."""
    asks = mediated()
    done = visited(asks["id"])
    send(session, cast.amina, asks, done)
    days = TODAY, TODAY

    def read() -> list[int]:
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        found = records.iterate_for_release(session, cast.centre.id, FORM, *days, later, FOLLOW_UP)
        return [len(record.follow_ups) for record in found]

    assert read() == [1]
    with WriteTransaction(session):
        session.execute(sa.update(Record).where(Record.form == FOLLOW_UP).values(person=ONE))
    assert read() == [0]


def _arrive_on(session: Session, moment: dt.datetime) -> None:
    with WriteTransaction(session):
        session.execute(sa.update(Record).values(received_at=moment, changed_at=moment))


@pytest.mark.parametrize("whose", ["own", "handed over", "a colleague's record"])
def test_what_is_not_needed_leaves_the_list_of_whoever_has_it(session: Session, cast: Cast, whose: str) -> None:
    """A note that a follow-up is not needed names a record and no card, so the owner has to be looked up."""
    colleague = another_worker(session, cast)
    first = met(ONE, due=3)
    send(session, cast.amina, first)
    due = f"{first['id']}/{TODAY + dt.timedelta(days=3)}"
    owner = cast.amina
    if whose == "handed over":
        send(session, cast.amina, note("handover", {"code": ONE, "to": colleague.user_id}))
        owner = colleague
    if whose == "a colleague's record":
        second = met(ONE, due=5)
        send(session, colleague, second)
        due = f"{second['id']}/{TODAY + dt.timedelta(days=5)}"
    assert f"due/{due}" in knows(session, owner)
    send(session, owner, note("settle", {"due": due}, minute=5))
    assert f"due/{due}" not in knows(session, owner)


def test_a_follow_up_that_is_corrected_to_another_mediation_leaves_the_first_as_it_was(session: Session, cast: Cast) -> None:
    first, second = mediated(plan="d7 d30"), mediated(plan="d7 d30")
    mistake = visited(first["id"], then="none")
    send(session, cast.amina, first, second, mistake)
    send(session, cast.amina, visited(second["id"], then="none", root=mistake["id"], prev=[mistake["id"]]))
    assert days_due(session, cast.amina, first["id"]) == [7, 30]
    assert days_due(session, cast.amina, second["id"]) == []


class TestErased:
    """What an administrator erases by mistake leaves nothing that it did."""

    @pytest.fixture(autouse=True)
    def _with_list(self, session: Session, tmp_path: Path) -> None:
        attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))

    @pytest.mark.parametrize(("then", "before"), [("none", []), ("d3", [3, 6]), ("planned", [6])])
    def test_a_follow_up(self, session: Session, cast: Cast, then: str, before: list[int]) -> None:
        asks = mediated(TODAY - dt.timedelta(days=1), plan="d1 d7")
        done = visited(asks["id"], then=then)
        send(session, cast.amina, asks, done)
        assert days_due(session, cast.amina, asks["id"]) == before
        erase_record(session, cast.rosa, instance_id=done["id"], reason="by_mistake")
        assert days_due(session, cast.amina, asks["id"]) == [0, 6]

    def test_a_follow_up_beside_another_that_stays(self, session: Session, cast: Cast) -> None:
        asks = mediated(TODAY - dt.timedelta(days=3), plan="d1 d3 d7")
        stays = visited(asks["id"], TODAY - dt.timedelta(days=2))
        mistake = visited(asks["id"], due=f"{asks['id']}/{TODAY}")
        send(session, cast.amina, asks, stays, mistake)
        assert days_due(session, cast.amina, asks["id"]) == [4]
        erase_record(session, cast.rosa, instance_id=mistake["id"], reason="by_mistake")
        assert days_due(session, cast.amina, asks["id"]) == [0, 4]

    def test_what_was_refused_had_completed_nothing(self, session: Session, cast: Cast) -> None:
        asks = mediated(TODAY - dt.timedelta(days=1), plan="d1 d7")
        mistake = visited(asks["id"])
        refused = visited(asks["id"], calm="no such answer", due=f"{asks['id']}/{TODAY}")
        send(session, cast.amina, asks, mistake)
        receive_batch(session, cast.amina, parse_batch(batch(refused)))
        erase_record(session, cast.rosa, instance_id=mistake["id"], reason="by_mistake")
        assert days_due(session, cast.amina, asks["id"]) == [0, 6]

    def test_after_a_restore_the_server_does_it_and_a_note_still_counts(self, session: Session, cast: Cast) -> None:
        """The list of what was erased is worked off by the server itself, which is no worker."""
        asks = mediated(TODAY - dt.timedelta(days=1), plan="d1 d7")
        mistake = visited(asks["id"], then="none")
        send(session, cast.amina, asks, mistake, note("settle", {"due": f"{asks['id']}/{TODAY}"}))
        with WriteTransaction(session):
            ctx = ActContext(session, cast.system, utcnow())
            erase_one(ctx, mistake["id"], ending.save_withdrawal(ctx, "tag", "record", "asked"))
        assert days_due(session, cast.amina, asks["id"]) == [6]

    def test_a_mediation_whose_follow_ups_stay_and_no_longer_say_of_which(self, session: Session, cast: Cast) -> None:
        asks = mediated()
        done = visited(asks["id"])
        send(session, cast.amina, asks, done)
        erase_record(session, cast.rosa, instance_id=asks["id"], reason="too_much")
        stays = session.scalars(sa.select(Record).where(Record.instance_id == done["id"])).one()
        assert (stays.follows, stays.kind) == ("", "cool")
        bodies = session.scalars(sa.select(Submission.body)).all()
        assert asks["id"] not in str([stays.answers, *bodies])

    def test_a_mediation_that_no_follow_up_names_which_comes_later_or_was_refused(
        self, session: Session, cast: Cast
    ) -> None:
        asks = mediated()
        refused, later = visited(asks["id"], calm="no such answer"), visited(asks["id"])
        send(session, cast.amina, asks)
        receive_batch(session, cast.amina, parse_batch(batch(refused)))
        erase_record(session, cast.rosa, instance_id=asks["id"], reason="too_much")
        send(session, cast.amina, later)
        receive_batch(session, cast.amina, parse_batch(batch(visited(asks["id"], calm="no such answer"))))
        stored = session.scalars(sa.select(Record).where(Record.form == FOLLOW_UP)).one()
        assert (stored.follows, stored.kind) == ("", "cool")
        bodies = session.scalars(sa.select(Submission.body)).all()
        assert asks["id"] not in str([stored.answers, *bodies])

    def test_a_contact_that_had_settled_what_was_due(self, session: Session, cast: Cast) -> None:
        earlier = met(ONE, TODAY - dt.timedelta(days=2), due=0)
        answers = json.loads(earlier["body"])
        answers["next"]["next_due"] = TODAY.isoformat()
        earlier = envelope(answers, day=TODAY - dt.timedelta(days=2))
        mistake = met(ONE)
        send(session, cast.amina, earlier, mistake)
        assert days_due(session, cast.amina, earlier["id"]) == []
        erase_record(session, cast.rosa, instance_id=mistake["id"], reason="by_mistake")
        assert days_due(session, cast.amina, earlier["id"]) == [0]
        assert knows(session, cast.amina)[f"card/{ONE}"]["seen"] == (TODAY - dt.timedelta(days=2)).isoformat()

    def test_an_exit(self, session: Session, cast: Cast) -> None:
        publish_others(session, cast)
        form = definition_of("participant")
        exit_now = {
            "start": {"kind": "exit", "code": ONE}, "arrival": {"month_in": f"{TODAY}"}, "leaving": {"exit_reason": "moved"},
        }  # fmt: skip
        answers = validate(form, exit_now, local_time(dt.datetime.now(dt.UTC))).answers
        left = envelope(answers, form="participant", version=form.version)
        send(session, cast.amina, met(ONE, TODAY - dt.timedelta(days=1)))
        send(session, cast.amina, left)
        assert f"card/{ONE}" not in knows(session, cast.amina)
        erase_record(session, cast.rosa, instance_id=left["id"], reason="by_mistake")
        assert f"card/{ONE}" in knows(session, cast.amina)
