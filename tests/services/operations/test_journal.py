"""The journal: what changed is off the machine within a minute, and comes back with the newest backup."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.operations.backup import journal
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import back_up_off_machine, take_backup
from fieldapp.services.operations.backup.drill import prove_restore
from fieldapp.services.operations.backup.journal import write_segment
from fieldapp.services.operations.backup.names import make_name, make_segment_name, parse_names, parse_segment_names
from fieldapp.services.operations.backup.old_backups import choose_old_segments, find_oldest_in
from fieldapp.services.operations.backup.restore import restore, restore_from_place
from fieldapp.services.operations.backup.sealed import read_identities, unseal
from fieldapp.settings import Settings
from fieldapp.store import row_journal
from fieldapp.store.operations import centre_log
from tests.cast import Cast
from tests.services.operations.backups import Custodians, Phone, opened

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else


@pytest.fixture
def custodians(tmp_path: Path) -> Custodians:
    return Custodians(tmp_path / "keys")


@pytest.fixture
def here(settings: Settings, custodians: Custodians, tmp_path: Path) -> Iterator[Settings]:
    """A server with custodians and a place off its machine."""
    (tmp_path / "place").mkdir()
    yield replace(settings, copies=str(tmp_path / "place"), custodians=str(custodians.public))


@pytest.fixture
def there(elsewhere: Settings, here: Settings) -> Settings:
    """A new machine that knows the place."""
    return replace(elsewhere, copies=here.copies, custodians=here.custodians)


def list_segments(here: Settings) -> list[Path]:
    assert here.copies_folder
    names = [path.name for path in here.copies_folder.iterdir()]
    return [here.copies_folder / segment.name for segment in parse_segment_names(names)]


def read_safe(session: Session, cast: Cast) -> int:
    session.rollback()
    return centre_log.read_head(session, cast.centre.id).safe


def write(session: Session, here: Settings) -> bool:
    session.rollback()
    return write_segment(session, here)


def dump(session: Session) -> dict[str, list[str]]:
    """Return all rows of what a journal has, as the database says them."""
    rows = {}
    for table in row_journal.list_tables():
        if table.name not in ("centre_log", "epoch", "audit", "audit_head"):  # a restore writes into these
            found = session.execute(sa.text(f'SELECT * FROM "{table.name}"'))
            rows[table.name] = sorted(str(tuple(row)) for row in found)
    session.rollback()
    return rows


def begin(session: Session, here: Settings) -> None:
    """Make the two backups that a journal goes on from."""
    session.rollback()
    back_up_off_machine(here)
    back_up_off_machine(here)


def test_nothing_is_safe_by_a_journal_before_two_backups_lead_to_its_end(
    here: Settings, phone: Phone, session: Session, cast: Cast
) -> None:
    phone.send(session, phone.make())
    assert not write(session, here), "there is no backup to which it could be added"
    assert journal.needs_copy(session, here)
    session.rollback()
    back_up_off_machine(here)
    phone.send(session, phone.make())
    assert write(session, here)
    assert read_safe(session, cast) == 0, "one backup may be lost"
    assert journal.needs_copy(session, here)
    session.rollback()
    back_up_off_machine(here)
    assert read_safe(session, cast) == 2
    assert not journal.needs_copy(session, here)
    phone.send(session, phone.make(), phone.make())
    assert write(session, here)
    assert read_safe(session, cast) == 4
    assert not write(session, here), "nothing has changed since"
    assert len(list_segments(here)) == 2


def test_the_newest_backup_and_its_journal_are_the_centre_as_it_was(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, cast: Cast
) -> None:
    phone.send(session, phone.make())
    begin(session, here)
    phone.send(session, phone.make(), phone.make())
    write(session, here)
    # Also what the office does: changed and deleted rows, and files that are new.
    session.execute(sa.text("UPDATE \"user\" SET label = 'New' WHERE id = :id"), {"id": cast.amina.user_id})
    session.execute(sa.text("DELETE FROM follow_up"))
    session.commit()
    (here.folder / "packages").mkdir(parents=True, exist_ok=True)
    (here.folder / "packages/new.zip").write_bytes(b"made after the backup")
    phone.send(session, phone.make())
    write(session, here)
    assert read_safe(session, cast) == 4
    expected = dump(session)
    done = restore_from_place(there, identity=custodians.files[1])
    assert (len(done.journal.segments), done.journal.problem) == (2, "")
    with opened(there) as other:
        assert dump(other) == expected
        assert centre_log.read_head(other, cast.centre.id).lineage == [[0, 0], [done.epoch, 4]]
        phone.send(other, phone.make())
        assert phone.receipts[-1]["position"] == 5
    assert (there.folder / "packages/new.zip").read_bytes() == b"made after the backup"


def test_the_backup_before_the_newest_leads_to_the_same_end(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, cast: Cast
) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    session.rollback()
    back_up_off_machine(here)
    phone.send(session, phone.make())
    write(session, here)
    expected = dump(session)
    assert here.copies_folder
    before = parse_names([path.name for path in here.copies_folder.iterdir()])[-2]
    restore_from_place(there, before.name, identity=custodians.files[0], older=True)
    with opened(there) as other:
        assert dump(other) == expected


@on_sqlite
@pytest.mark.parametrize(
    ("harm", "words", "left"),
    [
        ("missing", "Part 2 of the journal is missing", 2),
        ("cut", "Part 2 .*not what was put there", 2),
        ("changed", "Part 2 .*not what was put there", 2),
        ("another in its place", "Part 2 .*not what was put there", 2),
        ("the last is missing", "", 3),
    ],
)
def test_what_comes_before_a_part_that_is_not_whole_is_put_back_and_the_rest_is_named(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, harm: str, words: str, left: int
) -> None:
    begin(session, here)
    for _ in range(4):
        phone.send(session, phone.make())
        write(session, here)
    parts = list_segments(here)
    data = parts[1].read_bytes()
    if harm == "missing":
        parts[1].unlink()
    elif harm == "cut":
        parts[1].write_bytes(data[:-10])
    elif harm == "changed":
        parts[1].write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    elif harm == "another in its place":
        parts[1].write_bytes(parts[2].read_bytes())
    else:
        parts[3].unlink()
    done = restore_from_place(there, identity=custodians.files[0])
    if words:
        assert re.search(words, done.journal.problem), done.journal.problem
        assert done.journal.unused == (2 if harm == "missing" else 3)
        left = 1
    else:
        assert done.journal.problem == ""
    with opened(there) as other:
        assert set(other.scalars(sa.text("SELECT instance_id FROM submission"))) == set(phone.receipted[:left])


@on_sqlite
def test_a_part_that_this_centres_server_did_not_write_is_refused(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write into the place has the custodians' public keys, maybe, but not the server's secret key."""
    begin(session, here)
    phone.send(session, phone.make())
    monkeypatch.setattr(journal, "derive_journal_key", lambda root: b"a guess")
    write(session, here)
    monkeypatch.undo()
    done = restore_from_place(there, identity=custodians.files[0])
    assert "did not write it" in done.journal.problem
    with opened(there) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM submission")).one() == 0


def test_a_server_that_was_killed_after_it_wrote_a_part_writes_it_once_more(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(session, here)
    phone.send(session, phone.make())

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(journal.journal, "note_segment", die)
        write(session, here)
    phone.send(session, phone.make())
    write(session, here)
    phone.send(session, phone.make())
    write(session, here)
    assert len(list_segments(here)) == 3
    expected = dump(session)
    done = restore_from_place(there, identity=custodians.files[0])
    assert (len(done.journal.segments), done.journal.problem) == (2, "")
    with opened(there) as other:
        assert dump(other) == expected


@on_sqlite
def test_a_part_that_was_never_noted_is_not_put_back_over_a_newer_backup(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(session, here)
    phone.send(session, phone.make())

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(journal.journal, "note_segment", die)
        write(session, here)
    phone.send(session, phone.make())
    session.rollback()
    back_up_off_machine(here)
    done = restore_from_place(there, identity=custodians.files[0])
    assert (done.journal.segments, done.journal.problem) == ([], "")
    with opened(there) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM submission")).one() == 2


@on_sqlite
def test_a_backup_whose_journal_lies_elsewhere_is_not_put_back_without_it(
    here: Settings,
    elsewhere: Settings,
    there: Settings,
    custodians: Custodians,
    phone: Phone,
    session: Session,
    tmp_path: Path,
) -> None:
    begin(session, here)
    (tmp_path / "stick").mkdir()
    made = take_backup(here, tmp_path / "stick/copy.age")
    phone.send(session, phone.make())
    write(session, here)
    with pytest.raises(BackupProblem, match="--without-journal"):
        restore(elsewhere, made.where, identity=custodians.files[0])
    restore(elsewhere, made.where, identity=custodians.files[0], without_journal=True)
    with opened(elsewhere) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM submission")).one() == 0
    restore(there, made.where, identity=custodians.files[0], replace=True)
    with opened(there) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM submission")).one() == 1


@on_sqlite
def test_parts_go_with_the_backups_that_they_follow(here: Settings, phone: Phone, session: Session) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    session.rollback()
    back_up_off_machine(here)
    assert len(list_segments(here)) == 1, "the backup before the newest still needs it"
    back_up_off_machine(here)
    assert list_segments(here) == []


@on_sqlite
def test_after_a_restore_a_new_chain_begins_with_the_next_backup(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, cast: Cast
) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    restore_from_place(there, identity=custodians.files[0])
    with opened(there) as other:
        phone.send(other, phone.make())
        assert not write(other, there)
        assert journal.needs_copy(other, there)
        begin(other, there)
        phone.send(other, phone.make())
        assert write(other, there)
        assert read_safe(other, cast) == 3
        expected = dump(other)
    restore_from_place(there, identity=custodians.files[1], replace=True)
    with opened(there) as other:
        assert dump(other) == expected


@on_sqlite
def test_a_machine_that_was_replaced_writes_no_journal(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, cast: Cast
) -> None:
    begin(session, here)
    restore_from_place(there, identity=custodians.files[0])
    phone.send(session, phone.make())
    with pytest.raises(BackupProblem, match="another machine"):
        write(session, here)
    assert list_segments(here) == []
    assert read_safe(session, cast) == 0


@on_sqlite
def test_nobody_but_the_custodians_reads_it(here: Settings, custodians: Custodians, phone: Phone, session: Session) -> None:
    begin(session, here)
    session.execute(sa.text("UPDATE \"user\" SET label = 'CANARY'"))
    session.commit()
    write(session, here)
    (part,) = list_segments(here)
    assert b"CANARY" not in part.read_bytes()
    for identity in custodians.identities:
        assert pyrage.decrypt(part.read_bytes(), [identity])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(part.read_bytes(), [pyrage.x25519.Identity.generate()])


@on_sqlite
def test_where_no_journal_is_kept_nothing_is_noted(here: Settings, phone: Phone, session: Session) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    assert not write(session, replace(here, copies=""))
    phone.send(session, phone.make())
    assert session.scalars(sa.text("SELECT count(*) FROM changed_row")).one() == 0
    assert not row_journal.has_triggers(session)


@on_sqlite
def test_the_weekly_test_proves_the_journal_too(
    here: Settings, custodians: Custodians, phone: Phone, session: Session, tmp_path: Path
) -> None:
    here = replace(here, drill_key=str(tmp_path / "drill-key"))
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    phone.send(session, phone.make())
    write(session, here)
    assert len(prove_restore(here).journal.segments) == 2
    list_segments(here)[0].unlink()
    with pytest.raises(BackupProblem, match="Part 1 of the journal is missing"):
        prove_restore(here)


@on_sqlite
def test_what_it_costs_depends_on_what_changed(
    here: Settings, custodians: Custodians, phone: Phone, session: Session
) -> None:
    phone.send(session, *(phone.make() for _ in range(20)))
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    (part,) = list_segments(here)
    assert part.stat().st_size < 20_000


@on_sqlite
def test_a_backup_that_was_opened_by_hand_is_not_put_back_without_its_journal(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session, tmp_path: Path
) -> None:
    begin(session, here)
    made = take_backup(here, tmp_path / "copy.age")
    opened_by_hand = tmp_path / "opened"
    opened_by_hand.mkdir()
    unseal(made.where, opened_by_hand, read_identities(custodians.files[0]))
    phone.send(session, phone.make())
    write(session, here)
    with pytest.raises(BackupProblem, match="--identity"):
        restore(there, opened_by_hand)
    restore(there, opened_by_hand, identity=custodians.files[0])
    with opened(there) as other:
        assert other.scalars(sa.text("SELECT count(*) FROM submission")).one() == 1


def test_what_a_restore_left_out_stays_for_two_weeks(tmp_path: Path) -> None:
    noon = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    hour, day = dt.timedelta(hours=1), dt.timedelta(days=1)
    backup = {at: make_name(noon + at * hour, epoch, "a" * 64) for at, epoch in ((0, 1), (1, 1), (4, 2), (5, 2), (30, 2))}
    part = {at: make_segment_name(noon + at * hour, "c" * 16, 1, 1, "d" * 64, "e" * 64) for at in (-1, 2, 3, 6)}
    names = [backup[0], backup[1], *part.values()]
    assert choose_old_segments(names, noon + 7 * hour) == [part[-1]]
    # A restore, and two backups at once: what it left out has no other copy.
    names += [backup[4], backup[5]]
    assert choose_old_segments(names, noon + 7 * hour) == []
    # And nobody is told that backups have forgotten what these hold.
    folder = tmp_path / "place"
    folder.mkdir()
    for name in (part[2], backup[4], backup[5]):
        (folder / name).touch()
    assert find_oldest_in(folder) == noon + 2 * hour
    assert choose_old_segments(names, noon + 15 * day) == [part[-1], part[2], part[3]]
    # By a clock that was a year ahead, and by one that is a year behind now.
    ahead = make_segment_name(noon + 365 * day, "c" * 16, 2, 1, "d" * 64, "e" * 64)
    assert choose_old_segments([*names, ahead], noon + 7 * hour) == [ahead]
    assert choose_old_segments([*names, ahead], noon - 365 * day) == []


@on_sqlite
def test_nothing_is_safe_in_a_place_without_backups(
    here: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path
) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    assert write(session, here)
    assert read_safe(session, cast) == 1
    (tmp_path / "another").mkdir()
    moved = replace(here, copies=str(tmp_path / "another"))
    phone.send(session, phone.make())
    assert write(session, moved)
    assert read_safe(session, cast) == 1, "the first of it lies elsewhere"
    assert journal.needs_copy(session, moved)


@on_sqlite
def test_of_two_schedulers_one_is_told(here: Settings, phone: Phone, session: Session) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    session.rollback()
    before = journal.journal.read_head(session)
    assert before is not None
    session.expunge(before)
    session.rollback()
    assert write(session, here)
    session.rollback()
    assert not journal.journal.note_segment(session, before, "0" * 64, before.at, 2)


@on_sqlite
def test_a_clock_that_was_ahead_stops_the_journal_until_the_next_backup_only(
    here: Settings, phone: Phone, session: Session
) -> None:
    begin(session, here)
    phone.send(session, phone.make())
    session.rollback()
    session.execute(sa.text("UPDATE journal_head SET at = :at"), {"at": "2099-01-01 00:00:00.000000+00:00"})
    session.commit()
    with pytest.raises(BackupProblem, match="clock"):
        write(session, here)
    session.rollback()
    back_up_off_machine(here)
    back_up_off_machine(here)
    phone.send(session, phone.make())
    assert write(session, here)


@on_sqlite
def test_the_diary_of_the_citys_sums_is_in_no_backup(
    here: Settings, there: Settings, custodians: Custodians, phone: Phone, session: Session
) -> None:
    (here.folder / "city").mkdir(parents=True)
    (here.folder / "city/rounds.json").write_text("signed")
    begin(session, here)
    phone.send(session, phone.make())
    write(session, here)
    restore_from_place(there, identity=custodians.files[0])
    assert not (there.folder / "city").exists()
