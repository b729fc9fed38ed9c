"""Positions in a centre's log: without gaps, in the order in which others see them, each centre by itself."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store.database import engine_for
from fieldapp.store.operations import centre_log
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope

COUNT = sa.text("SELECT count(*), coalesce(max(log_position), 0) FROM submission WHERE centre_id = :centre")


def send(session: Session, cast: Cast, count: int) -> list[dict[str, Any]]:
    sent = batch(*(envelope(encounter()) for _ in range(count)))
    return receive_batch(session, cast.amina, parse_batch(sent))


def list_places(session: Session, centre_id: int) -> list[int]:
    query = sa.text("SELECT log_position FROM submission WHERE centre_id = :centre ORDER BY log_position")
    return list(session.scalars(query, {"centre": centre_id}))


def test_what_fails_takes_no_position_with_it(session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    send(session, cast, 2)
    with monkeypatch.context() as patch:
        patch.setattr("fieldapp.store.operations.audit.add", lambda *_, **__: 1 / 0)
        assert [answer["status"] for answer in send(session, cast, 3)] == ["retry"] * 3
    send(session, cast, 2)
    assert list_places(session, cast.centre.id) == [1, 2, 3, 4]


def test_each_centre_counts_by_itself(session: Session, cast: Cast) -> None:
    send(session, cast, 2)
    assert list(centre_log.take_positions(session, cast.other_centre.id, 3)) == [1, 2, 3]
    session.rollback()
    assert centre_log.read_head(session, cast.other_centre.id).position == 0
    assert centre_log.read_head(session, cast.centre.id).position == 2


def test_a_position_is_given_once(session: Session, cast: Cast) -> None:
    send(session, cast, 2)
    twice = sa.text("UPDATE submission SET log_position = 1 WHERE log_position = 2")
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(twice)


def test_whoever_looks_sees_all_up_to_the_last(session: Session, cast: Cast, url: str) -> None:
    """Four senders at once: at no moment is a position there while a lower one is not."""
    is_over = threading.Event()
    gaps: list[tuple[int, int]] = []

    def write() -> None:
        engine = engine_for(url)
        with Session(engine) as own:
            for _ in range(8):
                send(own, cast, 2)
        engine.dispose()

    def look() -> None:
        engine = engine_for(url)
        with engine.connect() as connection:
            while not is_over.is_set():
                count, last = connection.execute(COUNT, {"centre": cast.centre.id}).one()
                connection.rollback()
                if count != last:
                    gaps.append((count, last))
        engine.dispose()

    looker = threading.Thread(target=look)
    looker.start()
    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    is_over.set()
    looker.join()
    assert gaps == []
    session.rollback()  # what it sees is from before
    assert list_places(session, cast.centre.id) == list(range(1, 65))
