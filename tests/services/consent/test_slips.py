"""Slips: what a phone sends beside a record lets a person see their consent and lower it, and nothing more."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services import keys
from fieldapp.services.acts import utcnow
from fieldapp.services.consent import slip_acts, slips
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.consent.slip_tickets import VALID, SlipAct, Ticket, issue_ticket, read_ticket
from fieldapp.services.phones import devices
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.quarantine import let_in_all
from fieldapp.settings import Settings
from fieldapp.store.consent import standing
from fieldapp.store.consent.slips import Slip
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones import devices as phones
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.releases.releases import Release, ReleaseRun, ReleaseSeries
from sync.slips import tag_slip
from tests.cast import Cast, a_series, encounter
from tests.in_clear import everything
from tests.services.caseload.meetings import code
from tests.services.consent.consents import consent
from tests.services.consent.endings import end
from tests.services.records.phone import SECRET, Phone

ONE, TWO = code(1), code(2)
SLIP, OTHER = "K7QM3RXDQ2FA", "0000ZZZZ1111"
TAG = tag_slip(SLIP, keys.derive_slip_key(SECRET))
KEY = b"k" * 32


@pytest.fixture
def phone(session: Session, cast: Cast) -> Phone:
    return Phone(session, cast)


def met(card: str = ONE, tier: str = "2", **more: Any) -> dict[str, Any]:
    """Return the answers of an encounter with somebody who was asked."""
    people = {"who": "enrolled", "code": card}
    return encounter(people=people, consent=consent(tier), talk={"risk_now": "low"}, **more)


def stands(session: Session, cast: Cast, person: str = ONE) -> int | None:
    session.rollback()
    return standing.list_tiers(session, cast.centre.id, [person]).get(person)


def tier_on_the_phone(session: Session, person: str = ONE) -> str:
    session.rollback()
    (item,) = session.scalars(sa.select(PullItem).where(PullItem.key == f"card/{person}"))
    return str(json.loads(item.body)["tier"])


def see(session: Session, tag: str = TAG) -> slip_acts.SlipView | None:
    session.rollback()
    return slip_acts.read_slip(session, tag, utcnow())


def test_the_slip_itself_is_nowhere_in_the_database(phone: Phone) -> None:
    assert phone.statuses(phone.seal(met(), slip=SLIP)) == ["stored"]
    stored = everything(phone.session)
    assert TAG in stored
    assert SLIP not in stored
    assert keys.derive_slip_key(SECRET).hex() not in stored


def test_a_slip_shows_the_consent_of_its_person(phone: Phone) -> None:
    phone.send(phone.seal(met(tier="3"), slip=SLIP))
    view = see(phone.session)
    assert view and (view.tier, view.choices, list(view.months)) == (3, [2, 1], [])
    assert see(phone.session, tag_slip(SLIP, keys.derive_slip_key("another secret"))) is None


def test_one_that_was_sent_twice_is_there_once(phone: Phone) -> None:
    item = phone.seal(met(), slip=SLIP, seq=1)
    assert phone.statuses(item) == ["stored"]
    assert phone.statuses(item) == ["duplicate"]
    assert phone.statuses(phone.seal(met(), slip=SLIP, seq=2)) == ["stored"]
    assert phone.session.scalar(sa.select(sa.func.count()).select_from(Slip)) == 1


def test_one_that_is_somebody_elses_stays_theirs(phone: Phone) -> None:
    phone.send(phone.seal(met(ONE), slip=SLIP, seq=1))
    phone.send(phone.seal(met(TWO), slip=SLIP, seq=2))
    assert phone.session.scalars(sa.select(Slip.person)).all() == [ONE]
    lines = phone.session.scalars(sa.select(AuditEvent.details)).all()
    assert [line["slips_ignored"] for line in lines if "slips_ignored" in line] == [1]
    assert SLIP not in str(lines) and TAG not in str(lines)


def test_only_a_yes_of_somebody_with_a_card_has_one(phone: Phone) -> None:
    assert phone.statuses(
        phone.seal(met(tier="0"), slip=SLIP, refused_by=ONE, seq=1),
        phone.seal(encounter(), slip=SLIP, seq=2),
        phone.seal("{", slip=SLIP, seq=3),
    ) == ["stored", "stored", "rejected"]
    assert see(phone.session) is None


@pytest.mark.parametrize("is_ended", [False, True], ids=["lives", "ended meanwhile"])
def test_a_slip_of_a_record_that_is_kept_aside_works_once_the_record_is_let_in(
    phone: Phone, cast: Cast, tmp_path: Path, is_ended: bool
) -> None:
    attach(phone.session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    phone.send(phone.seal(met(tier="3"), seq=1))
    device = phones.by_uids(phone.session, [phone.key.device])[phone.key.device]
    devices.revoke_device(phone.session, cast.rosa, device_id=device.id)
    phone.send(phone.seal(met(tier="2"), slip=SLIP, seq=2))
    assert see(phone.session) is None
    for act in (slip_acts.end_by_slip, lambda session, tag: slip_acts.lower_by_slip(session, tag, 1)):
        with pytest.raises(ActProblem) as unknown:  # a stolen phone gives nobody power over a card
            act(phone.session, TAG)
        assert unknown.value.code == "slip.unknown"
    assert stands(phone.session, cast) == 3
    if is_ended:
        end(phone.session, cast, ONE)
    let_in_all(phone.session, cast.rosa, device.id)
    view = see(phone.session)
    if is_ended:
        assert view is None and stands(phone.session, cast) is None
        return
    assert isinstance(view, slip_acts.SlipView) and view.tier == 2
    slip_acts.end_by_slip(phone.session, TAG)
    assert isinstance(see(phone.session), slip_acts.EndedSlip) and stands(phone.session, cast) is None


def test_a_slip_lowers_what_stands_and_the_phone_learns_it(phone: Phone, cast: Cast) -> None:
    phone.send(phone.seal(met(tier="3"), slip=SLIP))
    slip_acts.lower_by_slip(phone.session, TAG, 1)
    assert stands(phone.session, cast) == 1
    assert tier_on_the_phone(phone.session) == "1"
    (line,) = phone.session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "slip.lower"))
    assert (line.target, line.details, line.actor_id) == (f"slip/{TAG}", {"tier": 1}, None)
    view = see(phone.session)
    assert view and view.choices == []


@pytest.mark.parametrize("tier", [-1, 0, 2, 3, 4])
def test_a_slip_never_raises_and_never_ends(phone: Phone, cast: Cast, tier: int) -> None:
    phone.send(phone.seal(met(tier="2"), slip=SLIP))
    with pytest.raises(ActProblem) as refused:
        slip_acts.lower_by_slip(phone.session, TAG, tier)
    assert refused.value.code == "slip.not_lower"
    assert stands(phone.session, cast) == 2


def test_in_doubt_the_smaller_answer_counts_and_a_slip_settles_it(phone: Phone, cast: Cast) -> None:
    knows_nothing = {"knew": [], "asked": True}
    for seq, tier in enumerate(("3", "2"), 1):
        phone.send(phone.seal(met(tier=tier), slip=SLIP, seq=seq, consent=knows_nothing))
    view = see(phone.session)
    assert view and (view.tier, view.is_in_doubt, view.choices) == (2, True, [2, 1])
    assert view.since == utcnow().date().replace(day=1)
    slip_acts.lower_by_slip(phone.session, TAG, 2)
    view = see(phone.session)
    assert view and (view.tier, view.is_in_doubt, view.choices) == (2, False, [1])


def test_an_older_yes_that_comes_later_does_not_raise_it_again(phone: Phone, cast: Cast) -> None:
    phone.send(phone.seal(met(tier="3"), slip=SLIP, seq=1))
    slip_acts.lower_by_slip(phone.session, TAG, 1)
    yesterday = (utcnow() - dt.timedelta(days=1)).isoformat()
    phone.send(phone.seal(met(tier="3"), finished_at=yesterday, seq=2))
    assert stands(phone.session, cast) == 1


def test_a_slip_that_is_none_lowers_nothing(session: Session, cast: Cast) -> None:
    with pytest.raises(ActProblem) as refused:
        slip_acts.lower_by_slip(session, TAG, 1)
    assert refused.value.code == "slip.unknown"


def _publish(session: Session, series: ReleaseSeries) -> None:
    """Write down a release of this month as the builder does."""
    moment = utcnow()
    run = ReleaseRun(
        series_id=series.id, period="2026-Q2", state="done", token="", lease_until=moment, started_at=moment, ended_at=moment,
    )  # fmt: skip
    session.add(run)
    session.flush()
    session.add(
        Release(
            run_id=run.id,
            series_id=series.id,
            centre_id=series.centre_id,
            period="2026-Q2",
            filename="x",
            sha256="0" * 64,
            size=1,
            manifest={},
            created_at=moment,
            expires_at=None,
            revoked_at=None,
            attested_at=None,
        )
    )
    session.commit()


def test_months_are_shown_only_to_whom_something_left_of(phone: Phone, cast: Cast) -> None:
    _publish(phone.session, a_series(phone.session, cast))
    phone.send(phone.seal(met(ONE, "2"), slip=SLIP, seq=1), phone.seal(met(TWO, "1"), slip=OTHER, seq=2))
    before = see(phone.session)
    assert before and list(before.months) == []  # it was built before anything of the person had come
    phone.session.execute(sa.update(Release).values(created_at=utcnow()))
    phone.session.commit()
    view, other = see(phone.session), see(phone.session, tag_slip(OTHER, keys.derive_slip_key(SECRET)))
    assert view and list(view.months) == [utcnow().date().replace(day=1)]
    assert other and list(other.months) == []
    slip_acts.lower_by_slip(phone.session, TAG, 1)
    lowered = see(phone.session)
    assert lowered and list(lowered.months) == list(view.months)  # what has left stays out


def test_slips_of_a_card_that_ends_lead_to_no_card(phone: Phone, cast: Cast) -> None:
    phone.send(phone.seal(met(), slip=SLIP))
    with WriteTransaction(phone.session):
        slips.move_slips(phone.session, cast.centre.id, ONE, "f" * 32)
    slip = phone.session.get_one(Slip, TAG, populate_existing=True)
    assert (slip.person, slip.withdrawal_id) == ("", "f" * 32)
    with pytest.raises(ActProblem):
        slip_acts.lower_by_slip(phone.session, TAG, 1)


def test_a_slip_that_came_with_a_mistyped_code_follows_its_record(phone: Phone, cast: Cast) -> None:
    mistyped = phone.seal(met(TWO, tier="3"), slip=SLIP)
    phone.send(phone.seal(met(TWO, tier="3")), mistyped)
    phone.send(phone.seal(met(tier="2"), root=mistyped["id"], prev=[mistyped["id"]]))
    slip = phone.session.get_one(Slip, TAG, populate_existing=True)
    assert slip.person == ONE
    slip_acts.lower_by_slip(phone.session, TAG, 1)
    assert (stands(phone.session, cast), stands(phone.session, cast, TWO)) == (1, 3)


def test_a_slip_whose_record_names_no_card_any_more_shows_nothing(phone: Phone) -> None:
    first = phone.seal(met(), slip=SLIP)
    phone.send(first)
    nameless = encounter(people={"who": "new_person"}, consent=consent("2"), talk={"risk_now": "low"})
    phone.send(phone.seal(nameless, root=first["id"], prev=[first["id"]]))
    assert see(phone.session) is None


def test_a_slip_keeps_its_power_when_its_record_becomes_a_no(phone: Phone, cast: Cast, tmp_path: Path) -> None:
    attach(phone.session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    first = phone.seal(met(tier="3"), slip=SLIP)
    phone.send(first)
    phone.send(phone.seal(met(tier="0"), root=first["id"], prev=[first["id"]]))  # nothing today
    assert stands(phone.session, cast) == 3
    view = see(phone.session)
    assert isinstance(view, slip_acts.SlipView) and view.tier == 3
    slip_acts.lower_by_slip(phone.session, TAG, 1)
    assert stands(phone.session, cast) == 1
    slip_acts.end_by_slip(phone.session, TAG)
    assert isinstance(see(phone.session), slip_acts.EndedSlip) and stands(phone.session, cast) is None


def test_a_slip_goes_along_when_a_no_turns_out_to_be_somebody_else(phone: Phone) -> None:
    first = phone.seal(met(tier="3"), slip=SLIP)
    phone.send(first)
    nothing = phone.seal(met(tier="0"), root=first["id"], prev=[first["id"]])
    phone.send(nothing)
    phone.send(phone.seal(met(TWO, tier="2"), root=first["id"], prev=[nothing["id"]]))
    assert phone.session.get_one(Slip, TAG, populate_existing=True).person == TWO
    assert see(phone.session) is not None


def test_a_ticket_allows_one_act_with_one_slip_for_some_minutes(now: dt.datetime) -> None:
    ticket = Ticket(TAG, SlipAct.TO_1)
    text = issue_ticket(ticket, KEY, now)
    assert SLIP not in text
    assert read_ticket(text, KEY, now + VALID - dt.timedelta(seconds=2)) == ticket
    assert read_ticket(text, KEY, now + VALID) is None
    assert read_ticket(text, b"o" * 32, now) is None
    assert read_ticket(text.replace(TAG, "0" * 32), KEY, now) is None
    assert read_ticket(text.replace("lower-1", "lower-2"), KEY, now) is None


@pytest.mark.parametrize("text", ["", ".", "...", "a.b.c.d", "é.é.é.é", "\x00", "." * 9000])
def test_what_is_no_ticket_allows_nothing(text: str, now: dt.datetime) -> None:
    assert read_ticket(text, KEY, now) is None
