"""The end of a card: nothing of what its person told is left, whatever comes later, and whatever is restored."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.caseload.hand_over import assign_card, list_caseload
from fieldapp.services.caseload.labels import keep_labels
from fieldapp.services.consent import ending
from fieldapp.services.consent.card_consent import end_card, find_card, lower_card, take_record, view_card
from fieldapp.services.consent.forgotten import attach, find_list
from fieldapp.services.consent.lowered_list import list_lowered_in_talks
from fieldapp.services.consent.record_erasure import erase_record
from fieldapp.services.consent.retention import make_hold
from fieldapp.services.consent.standing import ConsentFell, Standings
from fieldapp.services.consent.withdrawals import advance_withdrawals, end_listed, view_withdrawal
from fieldapp.services.operations.backup.old_backups import find_oldest_in
from fieldapp.services.phones.devices import revoke_device
from fieldapp.services.phones.pull import note_pulled, pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.services.records import listing
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.quarantine import let_in_all
from fieldapp.services.records.reviews import review_record
from fieldapp.settings import Settings
from fieldapp.store.consent import standing as words
from fieldapp.store.consent.retention import LegalHold
from fieldapp.store.consent.slips import Slip
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.database import sqlite_file
from fieldapp.store.operations.audit import AuditEvent
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records import submissions
from fieldapp.store.records.records import Record, RecordFilter
from fieldapp.store.records.submissions import Submission
from sync.envelope import parse_batch
from sync.notes import HANDOVER
from tests.cast import Cast, another_worker, batch, encounter, envelope
from tests.in_clear import everything
from tests.services.caseload.meetings import code
from tests.services.consent.calendar import Calendar
from tests.services.consent.consents import MAY, consent
from tests.services.consent.endings import CARD, NOTE, OTHER, end, send, talked
from tests.services.consent.holds import find_hold, preserve
from tests.services.records.phone import Phone


@pytest.fixture(autouse=True)
def settings_with_lists(session: Session, tmp_path: Path) -> Settings:
    """Attach a list of ended cards, and a second one in a folder of its own."""
    (tmp_path / "elsewhere").mkdir()
    settings = Settings(data=str(tmp_path), secret_key="k" * 64, forgotten_copy=str(tmp_path / "elsewhere"))
    attach(session.get_bind().engine, settings)
    return settings


def in_files(session: Session) -> bytes:
    """Return what lies in the files of a SQLite database; nothing for PostgreSQL."""
    path = sqlite_file(str(session.get_bind().engine.url))
    if path is None:
        return b""
    return b"".join(
        path.with_name(path.name + end).read_bytes() for end in ("", "-wal") if path.with_name(path.name + end).exists()
    )


def canaries(*items: dict[str, Any]) -> list[str]:
    ids = [item["id"] for item in items]
    return [CARD, f"{CARD[:4]}-{CARD[4:]}", "CANARY", *ids]


def left(session: Session, words_sought: list[str]) -> list[str]:
    """Return which of these words the database still has, in its tables or in its files."""
    session.rollback()
    tables = everything(session)
    session.rollback()
    files = in_files(session)
    return [word for word in words_sought if word in tables or word.encode() in files]


def pulls(session: Session, actor: Actor) -> None:
    """Let a phone pull what is new, and ask again from there, as it does the next time."""
    answer = json.loads(pull_changes(session, actor, cursor="0"))
    note_pulled(session, actor, cursor=str(answer["cursor"]))


def test_nothing_of_a_card_is_left_after_its_end(session: Session, cast: Cast) -> None:
    first, second, other = talked(), talked(day=MAY + dt.timedelta(days=9)), talked(OTHER)
    send(session, cast.amina, first, second, other)
    correction = talked(root=first["id"], prev=[first["id"]])
    send(session, cast.amina, correction)
    wrong = talked(days_ahead=300)
    send(session, cast.amina, wrong, status="rejected")
    listing.open_record(session, cast.rosa, instance_id=first["id"])
    review_record(session, cast.rosa, instance_id=second["id"], state="returned", comment="CANARY too short")
    colleague = another_worker(session, cast)
    assert colleague.user_id is not None
    assign_card(session, cast.rosa, code=CARD, user_id=colleague.user_id)
    sought = canaries(first, second, correction, wrong)
    assert set(left(session, sought)) == set(sought)

    end(session, cast)
    pulls(session, cast.amina)
    pulls(session, colleague)
    advance_withdrawals(session, None)
    assert left(session, [word for word in sought if word != "CANARY"]) == []
    assert everything(session).count("CANARY") == 2  # of the other card: record and submission
    assert words.list_tiers(session, cast.centre.id) == {OTHER: 3}


def tallies(session: Session) -> list[Record]:
    """Return what is left of ended cards' records."""
    session.rollback()
    return [record for record in session.scalars(sa.select(Record).order_by(Record.id)) if not record.heads]


def test_of_each_record_a_tally_stays_that_nothing_can_be_built_on(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    end(session, cast)
    (tally,) = tallies(session)
    assert tally.instance_id != item["id"]
    assert (tally.person, tally.area, tally.occurred_on, tally.is_refused) == ("", "", MAY.replace(day=1), True)
    assert tally.answers == {"what": {"contact_type": "check_in"}, "consent": {"tier_said": "0"}}
    page = listing.list_records(session, cast.rosa, record_filter=RecordFilter("encounter"))
    assert [record.instance_id for record in page.page.records] == [tally.instance_id]
    assert listing.open_record(session, cast.rosa, instance_id=tally.instance_id).steps == []
    with pytest.raises(ActProblem):
        review_record(session, cast.rosa, instance_id=tally.instance_id, state="returned", comment="Who was it?")


def test_no_list_of_the_office_has_anything_of_the_card(session: Session, cast: Cast) -> None:
    item = talked()
    send(session, cast.amina, item)
    send(session, cast.amina, talked(days_ahead=300), status="rejected")
    assert len(list_caseload(session, cast.rosa).cards) == 1
    end(session, cast)
    caseload = list_caseload(session, cast.rosa)
    assert (list(caseload.cards), list(caseload.late)) == ([], [])
    queue = listing.list_review_queue(session, cast.rosa)
    assert (list(queue.records), list(queue.submissions), list(queue.aside)) == ([], [], [])
    with pytest.raises(ActProblem):
        listing.open_record(session, cast.rosa, instance_id=item["id"])
    with pytest.raises(ActProblem):
        find_card(session, cast.rosa, code=CARD)


def test_a_phone_that_sends_again_gets_the_same_receipt_and_is_told(session: Session, cast: Cast) -> None:
    phone = Phone(session, cast)
    sealed = phone.seal(json.loads(talked(day=dt.date.today())["body"]), seq=1)
    (before,) = phone.send(sealed, made=1)["items"]
    end(session, cast)
    (after,) = phone.send(sealed, made=1)["items"]
    assert (after["status"], after["was"]) == ("duplicate", "settled")
    assert [problem["code"] for problem in after["problems"]] == ["consent.ended"]
    assert receipt_of(after) == receipt_of(before)
    assert len(tallies(session)) == 1


def receipt_of(answer: dict[str, Any]) -> Any:
    """Return what a receipt signs, but for when it came: of an erased record that is cut to the month."""
    content = answer["receipt"]
    return {name: content[name] for name in content if name not in ("at", "signature", "proof")}


LATE = {
    "a record of an old phone": lambda first: talked(),
    "a version of an ended record": lambda first: talked(root=first["id"], prev=[first["id"]]),
    "a version that names another card": lambda first: talked(OTHER, root=first["id"], prev=[first["id"]]),
    "another record under the same number": lambda first: talked(id=first["id"], days_ahead=31),
    "a no": lambda first: {**talked(tier="0"), "refused_by": CARD},
    "a no that only the envelope says whose it is": lambda first: said_no(),
    "no more, once more": lambda first: no_more(),
    "no more, once more, with the code in small letters": lambda first: no_more(f"{CARD[:4]}-{CARD[4:]}".lower()),
    "no more, in a correction": lambda first: no_more(root=first["id"], prev=[first["id"]]),
    "what the form refuses": lambda first: talked(days_ahead=300),
    "a form that the centre does not know": lambda first: talked(version="2019010101"),
    "a hand-over": lambda first: envelope(json.dumps({"code": CARD, "to": 1}), form=HANDOVER),
    "a hand-over of its follow-ups": lambda first: envelope(json.dumps({"record": first["id"], "to": 1}), form=HANDOVER),
    "that a follow-up is not needed": lambda first: envelope(
        json.dumps({"due": f"{first['id']}/{(MAY + dt.timedelta(days=30)).isoformat()}"}), form="fieldapp.settle"
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_what_comes_after_the_end_brings_nothing_back(session: Session, cast: Cast, what: str) -> None:
    first = talked()
    send(session, cast.amina, first)
    end(session, cast)
    pulls(session, cast.amina)
    advance_withdrawals(session, None)
    late = LATE[what](first)
    for status in ("stored", "duplicate"):
        (answer,) = send(session, cast.amina, late, status=status)
        assert [problem["code"] for problem in answer["problems"]] == ["consent.ended"]
    # A bare no names nobody in its answers: it stays as a tally, as any no does, and lowers nobody.
    sought = {*canaries(first), "CANARY", OTHER, OTHER[:4] + "-" + OTHER[4:]}
    assert left_in_tables(session, *sought, late["id"]) == []
    assert words.list_tiers(session, cast.centre.id) == {}


def left_in_tables(session: Session, *sought: str) -> list[str]:
    session.rollback()
    tables = everything(session)
    session.rollback()
    return [word for word in sought if word in tables]


def told(session: Session, actor: Actor) -> dict[str, Any]:
    """Return all that a worker's phones pull, by key; None for what they forget."""
    session.rollback()
    return dict(json.loads(pull_changes(session, actor, cursor="0"))["items"])


def test_phones_tell_a_card_that_ended_from_one_that_went_to_a_colleague(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    colleague = another_worker(session, cast)
    assert colleague.user_id is not None
    assign_card(session, cast.rosa, code=CARD, user_id=colleague.user_id)
    went = told(session, cast.amina)
    assert (went[f"card/{CARD}"], f"ended/{CARD}" in went) == (None, False)

    end(session, cast)
    for actor in (cast.amina, colleague):  # both may have begun to write about them
        items = told(session, actor)
        assert (items[f"card/{CARD}"], items[f"ended/{CARD}"]) == (None, True)
    told_of_it = set(session.scalars(sa.select(PullItem.user_id).where(PullItem.key == f"ended/{CARD}")))
    assert told_of_it == {cast.amina.user_id, colleague.user_id}


def test_slips_of_an_ended_card_show_what_became_of_it_also_one_that_comes_later(session: Session, cast: Cast) -> None:
    def arrives(tag: str) -> None:
        (parsed,) = parse_batch(batch(talked()))
        receive_batch(session, cast.amina, [IncomingSubmission(parsed, slip_tag=tag)])

    arrives("a" * 32)
    withdrawal_id = end(session, cast)
    arrives("b" * 32)
    session.rollback()
    shown = [(slip.person, slip.withdrawal_id) for slip in session.scalars(sa.select(Slip).order_by(Slip.tag))]
    assert shown == [("", withdrawal_id)] * 2


def test_a_person_who_comes_back_gets_a_new_card(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    end(session, cast)
    send(session, cast.amina, talked(OTHER, tier="2", cards=[OTHER]))
    assert words.list_tiers(session, cast.centre.id) == {OTHER: 2}
    assert [card.code for card in list_caseload(session, cast.rosa).cards] == [OTHER]


def test_a_record_about_somebody_else_stays_without_the_ended_card(session: Session, cast: Cast) -> None:
    """Her code was typed first by mistake; a correction says whose record it is."""
    wrong = talked()
    right = talked(OTHER, root=wrong["id"], prev=[wrong["id"]])
    send(session, cast.amina, wrong)
    send(session, cast.amina, right)
    send(session, cast.amina, talked(day=MAY + dt.timedelta(days=2)))
    end(session, cast)
    advance_withdrawals(session, None)
    record = listing.open_record(session, cast.rosa, instance_id=wrong["id"]).record
    assert (record.person, record.answers["next"]["note"]) == (OTHER, NOTE)
    pulls(session, cast.amina)
    advance_withdrawals(session, None)
    assert left(session, [CARD, f"{CARD[:4]}-{CARD[4:]}"]) == []


def test_while_nobody_has_chosen_a_record_is_of_each_card_that_it_names(session: Session, cast: Cast) -> None:
    """Two phones corrected one record at the same time: to hers, and to somebody else's."""
    first = talked(OTHER)
    send(session, cast.amina, first, talked(code(10)))
    send(session, cast.amina, talked(root=first["id"], prev=[first["id"]]))
    send(session, cast.amina, talked(code(9), root=first["id"], prev=[first["id"]]))
    (record,) = listing.list_review_queue(session, cast.rosa).records
    assert record.review == "contested"
    before = words.list_tiers(session, cast.centre.id)
    end(session, cast)
    assert list(listing.list_review_queue(session, cast.rosa).records) == []
    assert len(tallies(session)) == 1
    after = words.list_tiers(session, cast.centre.id)
    assert code(10) in after
    assert all(after[person] <= before[person] for person in after)  # nobody's consent rises by it


def test_missing_numbers_of_a_phone_are_counted_as_before(session: Session, cast: Cast) -> None:
    phone = Phone(session, cast)
    for number in (1, 2, 4):
        phone.send(phone.seal(json.loads(talked(day=dt.date.today(), days_ahead=number)["body"]), seq=number), made=4)
    end(session, cast)
    phone.send(phone.seal(json.loads(talked(day=dt.date.today())["body"]), seq=5), made=5)
    session.rollback()
    numbers = session.scalars(sa.select(Submission.seq).where(Submission.seq > 0).order_by(Submission.seq)).all()
    assert list(numbers) == [1, 2, 4, 5]


# How a card ends: on a phone, in the office, by the list.


def no_more(card: str = CARD, **more: Any) -> dict[str, Any]:
    """Return an encounter in which somebody said “no more”."""
    answers = encounter(MAY, people={"who": "enrolled"}, consent={**consent("-1"), "no_more_sure": "yes"})
    return envelope(answers, day=MAY, refused_by=card, **more)


def said_no() -> dict[str, Any]:
    """Return an encounter in which somebody said “no”, as phones send it."""
    answers = encounter(MAY, people={"who": "enrolled"}, consent=consent("0"))
    return envelope(answers, day=MAY, refused_by=CARD)


def test_who_is_known_to_have_ended_leaves_no_word_and_nothing_on_the_list(
    session: Session, cast: Cast, settings_with_lists: Settings
) -> None:
    """Two phones heard it, of which one was offline; then the other one sends it."""
    send(session, cast.amina, talked())
    send(session, cast.amina, no_more())
    before = settings_with_lists.forgotten_file.read_text()
    send(session, cast.amina, no_more())
    pulls(session, cast.amina)
    advance_withdrawals(session, None)
    list_lowered_in_talks(session)
    assert words.list_persons(session, cast.centre.id) == set()
    assert left(session, [CARD, f"{CARD[:4]}-{CARD[4:]}"]) == []
    assert settings_with_lists.forgotten_file.read_text() == before


@pytest.mark.parametrize("is_end_first", [True, False])
def test_one_says_no_more_to_a_worker_and_yes_to_another(session: Session, cast: Cast, is_end_first: bool) -> None:
    colleague = another_worker(session, cast)
    send(session, cast.amina, talked())
    messages = [(cast.amina, no_more()), (colleague, talked(day=MAY + dt.timedelta(days=20)))]
    for actor, item in messages if is_end_first else messages[::-1]:
        send(session, actor, item)
    assert words.list_tiers(session, cast.centre.id) == {}
    for actor in (cast.amina, colleague):
        pulls(session, actor)
    advance_withdrawals(session, None)
    assert left(session, [CARD, f"{CARD[:4]}-{CARD[4:]}", "CANARY"]) == []
    assert len(listing.list_records(session, cast.rosa, record_filter=RecordFilter("encounter")).page.records) == 3
    lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "consent.end_card")).all()
    assert [(line.target[:6], line.details) for line in lines] == [("ended/", {"how": "form"})]


def test_no_more_from_a_phone_that_was_shut_out_waits_for_an_admin(session: Session, cast: Cast) -> None:
    colleague = another_worker(session, cast)
    send(session, cast.amina, talked())
    assert colleague.device_id is not None
    revoke_device(session, cast.rosa, device_id=colleague.device_id)
    send(session, colleague, no_more(), status="rejected")
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3}
    assert let_in_all(session, cast.rosa, colleague.device_id).stored == 1
    assert words.list_tiers(session, cast.centre.id) == {}
    assert len(tallies(session)) == 1


def test_in_the_office_only_an_admin_of_the_centre_lowers_or_ends_with_a_reason(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    card_id = find_card(session, cast.rosa, code=CARD.lower())
    assert (view_card(session, cast.rosa, card_id=card_id).tier, view_card(session, cast.rosa, card_id=card_id).lower) == (
        3,
        (0, 1, 2),
    )
    for stranger in (cast.olaf, cast.amina, cast.eve):
        for ask in (
            lambda who: find_card(session, who, code=CARD),
            lambda who: view_card(session, who, card_id=card_id),
            lambda who: lower_card(session, who, card_id=card_id, tier=1, reason="in_person"),
            lambda who: end_card(session, who, card_id=card_id, reason="in_person"),
            lambda who: take_record(session, who, card_id=card_id),
        ):
            with pytest.raises(ActProblem):
                ask(stranger)
    with pytest.raises(ActProblem) as problem:
        end_card(session, cast.rosa, card_id=card_id, reason="because she asked")
    assert problem.value.code == "consent.reason"
    lower_card(session, cast.rosa, card_id=card_id, tier=1, reason="lost_slip")
    assert words.list_tiers(session, cast.centre.id) == {CARD: 1}
    for tier in (-1, 1, 3):
        with pytest.raises(ActProblem) as problem:
            lower_card(session, cast.rosa, card_id=card_id, tier=tier, reason="lost_slip")
        assert problem.value.code == "consent.lower"
    withdrawal_id = end_card(session, cast.rosa, card_id=card_id, reason="letter")
    assert view_withdrawal(session, cast.rosa, withdrawal_id=withdrawal_id).withdrawal.reason == "letter"
    with pytest.raises(ActProblem):
        view_withdrawal(session, cast.olaf, withdrawal_id=withdrawal_id)
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.act == "consent.end_card")).one()
    tag = find_list(session).tag_card(cast.centre.id, CARD)
    assert (line.target, line.details, line.actor_id) == (
        f"ended/{tag}",
        {"how": "office", "reason": "letter"},
        cast.rosa.user_id,
    )


# What survives a kill, and a restore.


class Killed(BaseException):
    """A kill: nothing catches it, and the transaction is lost."""


STEPS = ["save_withdrawal", "_tell_phones", "_erase_caseload", "_erase_statements", "make_tallies", "untie"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_the_line_the_card_ends_at_the_next_start(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    item = talked()
    send(session, cast.amina, item)

    def kill(*arguments: Any, **more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ending, step, kill)
        end(session, cast)
    session.rollback()
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3}
    assert len(find_list(session).read()) == 1
    assert end_listed(session) == 1
    assert end_listed(session) == 0
    pulls(session, cast.amina)
    advance_withdrawals(session, None)
    assert left(session, canaries(item)) == []


def test_before_the_line_nothing_is_erased(session: Session, cast: Cast, tmp_path: Path) -> None:
    """The folder of the list cannot be written: a card that could come back does not end."""
    send(session, cast.amina, talked())
    (tmp_path / "blocked").write_text("not a folder")
    attach(session.get_bind().engine, Settings(data=str(tmp_path / "blocked"), secret_key="k" * 64))
    with pytest.raises(ActProblem) as problem:
        end(session, cast)
    assert problem.value.code == "consent.list"
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3}
    assert tallies(session) == []


def test_an_end_that_cannot_be_written_down_delays_nothing_else_of_its_phone(
    session: Session, cast: Cast, tmp_path: Path
) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    (tmp_path / "forgotten.jsonl").mkdir()
    ended, lowered = no_more(), talked(OTHER, tier="1", day=MAY + dt.timedelta(days=1))
    answers = receive_batch(session, cast.amina, parse_batch(batch(ended, lowered)))
    assert [answer["status"] for answer in answers] == ["retry", "stored"]
    assert words.list_tiers(session, cast.centre.id) == {CARD: 3, OTHER: 1}
    (tmp_path / "forgotten.jsonl").rmdir()
    session.rollback()
    answers = receive_batch(session, cast.amina, parse_batch(batch(ended, lowered)))
    assert [answer["status"] for answer in answers] == ["stored", "duplicate"]
    assert words.list_tiers(session, cast.centre.id) == {OTHER: 1}


def test_half_a_line_hides_no_other(session: Session, cast: Cast, settings_with_lists: Settings) -> None:
    settings_with_lists.forgotten_file.touch(mode=0o600)
    settings_with_lists.forgotten_file.write_text('{"at": "2026-11-29T10:00:00+00:00", "cen')
    send(session, cast.amina, talked())
    end(session, cast)
    tag = find_list(session).tag_card(cast.centre.id, CARD)
    assert [line.tag for line in find_list(session).read()] == [tag]
    text = settings_with_lists.forgotten_file.read_text()
    assert CARD not in text
    assert settings_with_lists.forgotten_file.stat().st_mode & 0o777 == 0o600


def test_a_second_list_makes_it_safe_once_it_can_be_reached(
    session: Session, cast: Cast, settings_with_lists: Settings, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").rmdir()  # the disk is not mounted
    send(session, cast.amina, talked(), talked(OTHER))
    withdrawal_id = end(session, cast)
    advance_withdrawals(session, None)
    assert view_withdrawal(session, cast.rosa, withdrawal_id=withdrawal_id).withdrawal.safe_at is None
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "elsewhere").mkdir()
    advance_withdrawals(session, None)
    session.expire_all()
    assert view_withdrawal(session, cast.rosa, withdrawal_id=withdrawal_id).withdrawal.safe_at
    # The first list is lost: the second one gives it back.
    settings_with_lists.forgotten_file.unlink()
    advance_withdrawals(session, None)
    second = end(session, cast, OTHER)
    session.expire_all()
    assert view_withdrawal(session, cast.rosa, withdrawal_id=second).withdrawal.safe_at
    assert len(settings_with_lists.forgotten_file.read_text().splitlines()) == 2


def test_the_states_of_an_end_come_one_by_one(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    colleague = another_worker(session, cast)
    assert colleague.user_id is not None
    calendar = Calendar(monkeypatch, session, cast)
    send(session, cast.amina, talked())
    pulls(session, cast.amina)
    assign_card(session, cast.rosa, code=CARD, user_id=colleague.user_id)
    withdrawal_id = end(session, cast)

    def state() -> Withdrawal:
        session.expire_all()
        return view_withdrawal(session, cast.rosa, withdrawal_id=withdrawal_id).withdrawal

    backups = tmp_path / "backups"
    _write_manifest(backups / "old", calendar.now - dt.timedelta(days=1))
    calendar.go_on(0.01)
    advance_withdrawals(session, find_oldest_in(backups))
    assert (state().phones, state().phones_told, bool(state().bytes_at), state().forgotten_on) == (2, 0, True, None)
    pulls(session, cast.amina)
    advance_withdrawals(session, find_oldest_in(backups))
    assert (state().phones_told, state().phones_at) == (1, None)
    pulls(session, colleague)
    calendar.go_on(0.01)
    advance_withdrawals(session, find_oldest_in(backups))
    assert state().phones_at
    assert state().bytes_at == state().phones_at
    calendar.go_on(40)
    advance_withdrawals(session, find_oldest_in(backups))
    assert state().forgotten_on is None  # an older backup lies there
    assert _is_forgotten_without(session, backups / "old", backups, calendar) == calendar.now.date()
    assert state().forgotten_on == calendar.now.date()


def _write_manifest(folder: Path, made_at: dt.datetime) -> None:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"made_at": made_at.isoformat()}))


def _is_forgotten_without(session: Session, old: Path, backups: Path, calendar: Calendar) -> dt.date:
    """Delete the old backup, make a new one, and let the scheduler look; return today."""
    (old / "manifest.json").unlink()
    _write_manifest(backups / "new", calendar.now)
    advance_withdrawals(session, find_oldest_in(backups))
    return calendar.now.date()


# What is being built meanwhile, and what a court wants.


def test_what_is_built_while_a_card_ends_is_built_again(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    gathered = Standings(session, cast.centre.id)
    assert gathered.of(OTHER) == 3  # nobody who ended was looked up
    session.rollback()
    end(session, cast)
    with pytest.raises(ConsentFell):
        gathered.check(session)
    session.rollback()
    Standings.of_all(session, cast.centre.id).check(session)


def test_one_person_alone_does_not_preserve_what_ended_and_its_reference_names_no_card(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = Calendar(monkeypatch, session, cast)
    item = talked()
    send(session, cast.amina, item)
    until = calendar.now.date() + dt.timedelta(days=700)
    make_hold(session, cast.rosa, root_id=item["id"], reference=f"court file of {CARD[:4]}-{CARD[4:]}", until=until)
    end(session, cast)
    assert find_hold(session, item["id"]).reference == "court file of "
    session.rollback()
    pulls(session, cast.amina)
    calendar.go_on(13)
    make_hold(session, cast.rosa, root_id=item["id"], reference="again", until=until)
    advance_withdrawals(session, None)
    assert "CANARY" in everything(session)
    session.rollback()
    calendar.go_on(2)
    advance_withdrawals(session, None)
    assert left(session, canaries(item)) == []
    assert set(session.scalars(sa.select(LegalHold.reference))) == {""}


def test_what_a_court_wants_is_in_no_list_and_goes_when_its_day_is_over(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = Calendar(monkeypatch, session, cast)
    wanted, other = talked(), talked(day=MAY + dt.timedelta(days=3))
    send(session, cast.amina, wanted, other)
    until = calendar.now.date() + dt.timedelta(days=60)
    preserve(session, cast, wanted["id"], until)
    end(session, cast)
    pulls(session, cast.amina)
    advance_withdrawals(session, None)
    assert left_in_tables(session, other["id"]) == []
    submission = session.scalars(sa.select(Submission).where(Submission.root_id == wanted["id"])).one()
    assert "CANARY" in submission.body
    assert len(tallies(session)) == 2
    for ask in (
        lambda: listing.open_record(session, cast.rosa, instance_id=wanted["id"]),
        lambda: listing.open_submission(session, cast.rosa, submission_id=submission.id),
    ):
        with pytest.raises(ActProblem):
            ask()
    queue = listing.list_review_queue(session, cast.rosa)
    assert (list(queue.records), list(queue.submissions), list(queue.aside)) == ([], [], [])
    assert submissions.without_record(session, cast.centre.id, RecordFilter("encounter")) == []  # what exports add
    assert words.list_tiers(session, cast.centre.id) == {}
    send(session, cast.amina, talked(root=wanted["id"], prev=[wanted["id"]]))
    calendar.go_on(61)
    advance_withdrawals(session, None)
    assert left(session, canaries(wanted, other)) == []


def test_the_label_of_a_card_goes_with_it(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    label = base64.b64encode(bytes(284)).decode()
    assert keep_labels(session, cast.amina, labels={CARD: label}) == [CARD]
    end(session, cast)
    items = json.loads(pull_changes(session, cast.amina, cursor=0))["items"]
    assert dict(items)[f"label/{CARD}"] is None
    assert keep_labels(session, cast.amina, labels={CARD: label}) == [], "a card that ended has no label any more"


def test_an_erased_contact_is_shown_on_no_phone(session: Session, cast: Cast) -> None:
    only = talked()
    send(session, cast.amina, only)
    assert read_card(session, cast)["last"][0]["on"] == MAY.isoformat()
    erase_record(session, cast.rosa, instance_id=only["id"], reason="by_mistake")
    assert "last" not in read_card(session, cast)


def read_card(session: Session, cast: Cast) -> dict[str, Any]:
    items = dict(json.loads(pull_changes(session, cast.amina, cursor=0))["items"])
    card: dict[str, Any] = items[f"card/{CARD}"]
    return card
