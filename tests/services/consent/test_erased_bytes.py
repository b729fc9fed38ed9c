"""What was erased can be read in no file of the database, on either kind; until then nothing says that it cannot."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.withdrawals import advance_withdrawals, view_withdrawal
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent.erased_bytes import ErasedBytes, overwrite_noted
from fieldapp.store.database import sqlite_file
from fieldapp.store.dialects import is_postgresql
from tests.cast import Cast
from tests.services.caseload.meetings import code
from tests.services.consent.endings import CARD, NOTE, OTHER, end, send, talked


def read_files(session: Session) -> bytes:
    """Return what is in the database's files; of PostgreSQL the tables, without its log."""
    engine = session.get_bind().engine
    session.rollback()
    path = sqlite_file(str(engine.url))
    if path is not None:
        files = [path.with_name(path.name + end) for end in ("", "-wal")]
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
            folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
        files = [*folder.glob("base/*/*"), *folder.glob("pg_stat*/*")]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def list_stored(session: Session) -> list[bytes]:
    """Return a piece of each stored submission, as it lies in the files."""
    bodies = session.scalars(sa.text("SELECT body FROM submission ORDER BY id")).all()
    session.rollback()
    return [bytes(body)[32:64] for body in bodies if body]


def find_withdrawal(session: Session, cast: Cast, number: str) -> dt.datetime | None:
    session.expire_all()
    moment = view_withdrawal(session, cast.rosa, withdrawal_id=number).withdrawal.bytes_at
    session.rollback()
    return moment


def test_after_an_end_no_file_has_what_the_person_told(session: Session, cast: Cast) -> None:
    people = [code(number) for number in range(100, 112)]
    for person in people:
        send(session, cast.amina, talked(person))
    stored = list_stored(session)
    text = read_files(session)
    assert len(stored) >= len(people) and all(piece in text for piece in stored)
    for person in people[:-1]:
        end(session, cast, person)
    number = end(session, cast, people[-1])
    assert find_withdrawal(session, cast, number) is None
    advance_withdrawals(session, None)
    assert find_withdrawal(session, cast, number) is not None
    text = read_files(session)
    assert not any(piece in text for piece in stored)
    assert NOTE.encode() not in text


def test_while_somebody_still_reads_what_was_before_nothing_says_that_it_is_gone(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_postgresql(session):
        pytest.skip("SQLite waits ten seconds for a reader")
    monkeypatch.setattr(erased_bytes, "WAIT_FOR_READERS", 0.2)
    send(session, cast.amina, talked())
    stored = list_stored(session)
    with session.get_bind().engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        assert reader.execute(sa.text("SELECT count(*) FROM submission")).scalar_one() == 1
        number = end(session, cast)
        advance_withdrawals(session, None)
        assert find_withdrawal(session, cast, number) is None
    advance_withdrawals(session, None)
    assert find_withdrawal(session, cast, number) is not None
    text = read_files(session)
    assert stored and not any(piece in text for piece in stored)


def test_what_a_no_overrules_is_overwritten_too_and_the_rest_stays(session: Session, cast: Cast) -> None:
    first = talked(OTHER)
    send(session, cast.amina, first, talked(CARD))
    overruled, kept = list_stored(session)
    text = read_files(session)
    assert overruled in text and kept in text
    no = talked(OTHER, tier="0", root=first["id"], prev=[first["id"]])
    send(session, cast.amina, no)
    assert session.scalars(sa.select(ErasedBytes.id)).all() != []
    assert overwrite_noted(session)
    assert session.scalars(sa.select(ErasedBytes.id)).all() == []
    text = read_files(session)
    assert kept in text and overruled not in text


def test_nothing_is_done_where_nothing_was_erased(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Session] = []

    def note(session: Session) -> bool:
        calls.append(session)
        return True

    monkeypatch.setattr(erased_bytes, "_write_tables_again", note)
    assert overwrite_noted(session)
    assert calls == []


def test_a_large_table_waits_for_the_night(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_postgresql(session):
        pytest.skip("SQLite overwrites as it erases")
    monkeypatch.setattr(erased_bytes, "LARGE", 0)
    monkeypatch.setattr(erased_bytes, "NIGHT", ())
    send(session, cast.amina, talked())
    number = end(session, cast)
    advance_withdrawals(session, None)
    assert find_withdrawal(session, cast, number) is None
    monkeypatch.setattr(erased_bytes, "NIGHT", range(24))
    advance_withdrawals(session, None)
    assert find_withdrawal(session, cast, number) is not None
    assert NOTE.encode() not in read_files(session)
