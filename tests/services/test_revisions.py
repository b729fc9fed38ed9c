"""An act that is sent from an older page writes nothing: on both databases, in the act's own transaction."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.board import board
from fieldapp.services.people import accounts
from fieldapp.services.phones import devices
from fieldapp.services.phones.rules import set_phone_rules
from fieldapp.services.products import registry
from fieldapp.services.products.odata import keys
from fieldapp.services.revisions import Overtaken, revision_of
from fieldapp.store.board.board import BoardItem
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people.users import User
from fieldapp.store.phones.devices import Device
from fieldapp.store.products.feed_keys import FeedKey
from tests.cast import Cast, a_series
from tests.services.board.incidents import incident

Act = Callable[[str], Any]


def acts_on(session: Session, cast: Cast) -> dict[str, tuple[Callable[[], str], Act]]:
    """Return, for some acts, what a page would carry now, and the act as that page would send it."""
    rosa, amina = cast.rosa, session.get_one(User, cast.amina.user_id)
    phone = session.get_one(Device, cast.amina.device_id)
    centre = session.get_one(Centre, cast.centre.id)
    key = session.scalars(sa.select(FeedKey)).one()
    item = session.scalars(sa.select(BoardItem)).one()
    rules = {"lock_minutes": 5, "shred_days": 7, "has_voice_notes": False}

    def on_board() -> str:
        return board.item_revision(item, board.board.steps_of(session, cast.centre.id, [item.id]))

    def is_on() -> str:
        return registry.switch_revision("panel", registry.store.states(session, cast.centre.id).get("panel"))

    return {
        "person": (
            lambda: revision_of(amina),
            lambda seen: accounts.set_person_active(session, rosa, user_id=amina.id, active=not amina.active, seen=seen),
        ),
        "phone": (
            lambda: revision_of(phone),
            lambda seen: devices.revoke_device(session, rosa, device_id=phone.id, order="wipe", seen=seen),
        ),
        "rules": (
            lambda: revision_of(centre),
            lambda seen: set_phone_rules(session, rosa, **rules, by_invitation=True, seen=seen),
        ),
        "key": (
            lambda: revision_of(key),
            lambda seen: keys.revoke_key(session, rosa, key_id=key.id, seen=seen),
        ),
        "board": (on_board, lambda seen: board.take_step(session, rosa, kind="acted", item_id=item.id, seen=seen)),
        "product": (is_on, lambda seen: registry.switch_product(session, rosa, name="panel", is_on=True, seen=seen)),
    }


@pytest.mark.parametrize("what", ["person", "phone", "rules", "key", "board", "product"])
def test_the_first_is_done_and_the_second_is_told(session: Session, cast: Cast, what: str) -> None:
    series = a_series(session, cast)
    keys.make_key(session, cast.rosa, series_id=series.id, label="Council")
    board.add_request(session, cast.rosa, need="visit")
    mark, act = acts_on(session, cast)[what]
    seen = mark()
    act(seen)
    session.expire_all()
    assert mark() != seen
    after = mark()
    with pytest.raises(Overtaken) as refused:
        act(seen)
    assert refused.value.last is not None
    assert (refused.value.last.who, refused.value.last.is_own) == ("L-rosa", True)
    session.expire_all()
    assert mark() == after


def test_of_two_at_the_same_moment_one_is_told(engine: sa.Engine, session: Session, cast: Cast) -> None:
    a_series(session, cast)
    root = incident(session, cast)
    told: list[str] = []
    start = threading.Barrier(4)

    def give() -> None:
        with Session(engine, expire_on_commit=False) as own:
            start.wait()
            try:
                seen = board.item_revision(None, [])
                board.take_step(own, cast.rosa, kind="assigned", root_id=root, to_id=cast.amina.user_id, seen=seen)
                told.append("done")
            except Overtaken:
                told.append("told")

    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "told", "told", "told"]
