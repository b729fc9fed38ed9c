"""What the centre calls safe: in the two newest checked copies off this machine; and how a restore is told to phones."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.operations.backup import places
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.backup.restore import restore
from fieldapp.services.phones.log_state import read_log_state
from fieldapp.settings import Settings
from fieldapp.store.operations import audit, centre_log
from tests.cast import Cast
from tests.services.operations.backups import Phone, opened


@pytest.fixture
def placed(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A centre with a place for copies off its machine."""
    (tmp_path / "place").mkdir()
    yield replace(settings, copies=str(tmp_path / "place"))


def read_safe(session: Session, cast: Cast) -> int:
    session.rollback()
    return centre_log.read_head(session, cast.centre.id).safe


def test_what_the_two_newest_copies_there_hold_is_safe(
    placed: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path
) -> None:
    assert read_log_state(session, cast.centre.id, has_place=True) == {
        "epoch": 0,
        "lineage": [[0, 0]],
        "safe": 0,
        "copies": 2,
        "audit": audit.read_link(session, cast.centre.id),
    }
    phone.send(session, *(phone.make() for _ in range(3)))
    assert take_backup(placed, tmp_path / "place/1").is_safe
    assert read_safe(session, cast) == 0, "one copy may be lost"
    phone.send(session, phone.make(), phone.make())
    assert not take_backup(placed, tmp_path / "on-this-machine").is_safe
    assert read_safe(session, cast) == 0
    take_backup(placed, tmp_path / "place/2")
    assert read_safe(session, cast) == 3
    take_backup(placed, tmp_path / "place/3")
    assert read_safe(session, cast) == 5
    assert read_log_state(session, cast.centre.id, has_place=False)["safe"] is None


def test_a_copy_that_reads_otherwise_makes_nothing_safe(
    placed: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.send(session, phone.make())
    take_backup(placed, tmp_path / "place/1")

    def spoil(folder: Path) -> None:
        database = next(path for path in folder.iterdir() if path.name.startswith("database."))
        database.write_bytes(database.read_bytes()[:-1] + b"?")

    monkeypatch.setattr("fieldapp.services.operations.backup.create.drop_from_memory", spoil)
    with pytest.raises(BackupProblem, match="not what was backed up"):
        take_backup(placed, tmp_path / "place/2")
    assert not (tmp_path / "place/2").exists(), "nobody takes it for the newest"
    assert read_safe(session, cast) == 0


def test_a_machine_that_was_replaced_calls_nothing_safe(
    placed: Settings, elsewhere: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path
) -> None:
    phone.send(session, phone.make())
    made = take_backup(placed, tmp_path / "place/1")
    restore(elsewhere, made.where)
    with pytest.raises(BackupProblem, match="another machine"):
        take_backup(placed, tmp_path / "place/2")
    assert read_safe(session, cast) == 0


def test_after_a_restore_positions_belong_to_a_new_epoch(
    placed: Settings, elsewhere: Settings, phone: Phone, cast: Cast, tmp_path: Path
) -> None:
    phone.send(phone.session, phone.make(), phone.make())
    made = take_backup(placed, tmp_path / "place/1")
    phone.send(phone.session, phone.make())
    done = restore(elsewhere, made.where)
    with opened(elsewhere) as session:
        state = read_log_state(session, cast.centre.id, has_place=True)
        assert state["lineage"] == [[0, 0], [done.epoch, 2]]
        phone.send(session, phone.make())
        receipt = phone.receipts[-1]
        assert (receipt["epoch"], receipt["position"]) == (done.epoch, 3), "it was given out before, in another epoch"
    again = restore(elsewhere, made.where, replace=True)
    with opened(elsewhere) as session:
        assert again.epoch > done.epoch
        assert read_log_state(session, cast.centre.id, has_place=True)["lineage"] == [[0, 0], [again.epoch, 2]]


def test_a_restore_knows_the_last_epoch_from_where_the_copies_lie(
    placed: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    made = take_backup(placed, tmp_path / "place/1")
    (tmp_path / "place" / places.LAST_EPOCH).write_text("99999999999999")  # a clock that was ahead
    done = restore(elsewhere, made.where)
    assert done.epoch > 99999999999999
    assert (tmp_path / "place" / places.LAST_EPOCH).read_text() == f"{done.epoch}\n"


@pytest.mark.parametrize("number", ["9007199254740993", "9223372036854775807", "9" * 40])
def test_a_number_that_no_server_can_have_is_refused_and_named(
    placed: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path, number: str
) -> None:
    """The place of backups is outside the server: who can write there could else break every restore."""
    made = take_backup(placed, tmp_path / "place/1")
    (tmp_path / "place" / places.LAST_EPOCH).write_text(number)
    with pytest.raises(BackupProblem, match=r"last-epoch.*Nothing was changed"):
        restore(elsewhere, made.where)
    (tmp_path / "place" / places.LAST_EPOCH).unlink()
    assert restore(elsewhere, made.where).epoch < places.GREATEST_EPOCH


def test_a_machine_that_wakes_in_1970_asks_for_the_number_on_the_phones(
    placed: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = take_backup(placed, tmp_path / "place/1")
    monkeypatch.setattr(places, "utcnow", lambda: dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    monkeypatch.setattr(places, "_write_number", lambda *_: False)  # the stick is read-only
    with pytest.raises(BackupProblem, match="--after"):
        restore(elsewhere, made.where)
    with opened(elsewhere) as session:
        assert sa.inspect(session.connection()).get_table_names() == []
    assert restore(elsewhere, made.where, after=99999999999999).epoch > 99999999999999


def test_an_older_copy_is_put_back_only_when_asked_for(
    placed: Settings, elsewhere: Settings, phone: Phone, tmp_path: Path
) -> None:
    first = take_backup(placed, tmp_path / "place/1")
    take_backup(placed, tmp_path / "place/2")
    with pytest.raises(BackupProblem, match="newer backup"):
        restore(elsewhere, first.where)
    restore(elsewhere, first.where, older=True)
