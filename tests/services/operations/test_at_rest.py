"""What people said lies nowhere in clear: not in the database's files, its log, a dump or a backup."""

import base64
import dataclasses
import hashlib
import random
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.caseload.labels import keep_labels
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations import key_rotation
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.phones import devices
from fieldapp.services.records import reviews
from fieldapp.services.records.attachments import make_signature_text, receive_piece
from fieldapp.settings import Settings
from fieldapp.store import migrations, sealing
from fieldapp.store.caseload.cards import Card
from fieldapp.store.database import sqlite_file
from fieldapp.store.operations.keys import DATA, CentreKey
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.records import attachments
from fieldapp.store.records import reviews as stored_reviews
from fieldapp.store.records.attachments import Blob
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from fieldapp.store.resealing import reseal_centre
from fieldapp.store.sealing import CannotOpen, ClearText, Unsealed
from fieldapp.store.sweeping import has_clear_text, sweep_clear_text
from tests.cast import Cast
from tests.sealing import PhoneKey
from tests.services.caseload.meetings import code, knows, met, note, send


class Said:
    """A record with all that people say, its words found nowhere else, sent and looked at."""

    def __init__(self, session: Session, cast: Cast):
        self.session = session
        self.cast = cast
        chance = random.Random(uuid.uuid4().int)
        self.card, self.second = code(chance.getrandbits(60)), code(chance.getrandbits(60))
        self.note, self.comment, self.wish, self.picture = (f"CANARY-{uuid.uuid4().hex}" for _ in range(4))
        self.record = met(self.card, due=3, cards=[self.card])
        body = self.record["body"].replace("CANARY quiet night", f"{self.note} {self.wish}")
        assert self.note in body
        self.record |= {"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()}
        assert send(session, cast.amina, self.record, met(self.second)) == ["stored", "stored"]
        session.rollback()
        reviews.review_record(session, cast.rosa, instance_id=self.record["id"], state="returned", comment=self.comment)
        self._send_picture()
        session.rollback()

    def _send_picture(self) -> None:
        """Send an attachment that its client did not encrypt."""
        key = PhoneKey()
        worker = Actor(self.cast.centre.id, "worker", self.cast.amina.user_id)
        uid = devices.enrol_device(self.session, worker, label="Phone", public_key=key.public).uid
        data = self.picture.encode()
        sha256 = hashlib.sha256(data).hexdigest()
        proof = key.sign(make_signature_text(sha256, len(data)))
        assert receive_piece(self.session, uid, sha256, 0, len(data), proof, data) == len(data)

    def list_canaries(self) -> list[str]:
        return [self.note, self.comment, self.wish, self.picture, self.card, self.second, self.card[:8], self.second[:8]]

    def check(self) -> None:
        """Check that all of it can still be read by those who may."""
        self.session.rollback()
        self.session.expire_all()
        centre_id = self.cast.centre.id
        record = self.session.scalars(sa.select(Record).where(Record.instance_id == self.record["id"])).one()
        assert record.person == self.card
        assert self.note in str(record.answers)
        assert self.session.scalars(sa.select(Submission.body).where(Submission.root_id == self.record["id"])).all() == [
            self.record["body"]
        ]
        blob = self.session.scalars(sa.select(Blob)).one()
        assert attachments.content(self.session, blob) == self.picture.encode()
        assert {card.code for card in self.session.scalars(sa.select(Card).where(Card.centre_id == centre_id))} == {
            self.card,
            self.second,
        }
        known = knows(self.session, self.cast.amina)
        assert {f"card/{self.card}", f"card/{self.second}", f"rec/{self.record['id']}"} <= known.keys()
        assert self.comment in str(known[f"rec/{self.record['id']}"])
        reviewed = stored_reviews.of_record(self.session, centre_id, self.record["id"])
        assert [review.comment for review in reviewed] == [self.comment]
        self.session.rollback()


@pytest.fixture
def said(session: Session, cast: Cast) -> Said:
    return Said(session, cast)


def iterate_files(session: Session, has_log: bool = True) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of every file in which the database keeps rows."""
    engine = session.get_bind().engine
    path = sqlite_file(str(engine.url))
    if path is not None:
        for end in ("", "-wal") if has_log else ("",):
            yield path.name + end, path.with_name(path.name + end).read_bytes()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
    for path in sorted(folder.rglob("*")):
        # What was changed in clear stays in PostgreSQL's log until its files are used again: docs/operators.md.
        if path.is_file() and (has_log or "pg_wal" not in path.parts):
            yield str(path.relative_to(folder)), path.read_bytes()


def find_canaries(files: Iterator[tuple[str, bytes]], said: Said) -> set[str]:
    """Return which canaries lie in these files, as they are, in hexadecimal or in base64."""
    found = set()
    for _, data in files:
        for canary in said.list_canaries():
            text = canary.encode()
            forms = (text, text.hex().encode(), base64.b64encode(text)[:-4])
            if any(form in data for form in forms):
                found.add(canary)
    return found


def dump(session: Session) -> tuple[str, bytes]:
    """Return a dump in plain SQL."""
    url = session.get_bind().engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return "dump", subprocess.run(["pg_dump", url], check=True, capture_output=True).stdout


def test_nothing_of_a_record_lies_in_the_databases_files(said: Said) -> None:
    assert find_canaries(iterate_files(said.session), said) == set()
    said.check()


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_nothing_of_a_record_lies_in_a_dump(said: Said) -> None:
    assert find_canaries(iter([dump(said.session)]), said) == set()


def test_nothing_of_a_record_lies_in_the_files_of_an_open_backup(said: Said, settings: Settings, tmp_path: Path) -> None:
    settings.folder.mkdir(exist_ok=True, parents=True)
    take_backup(settings, tmp_path / "backup")
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert files
    assert find_canaries(((path.name, path.read_bytes()) for path in files), said) == set()


def test_what_was_there_before_is_sealed_and_swept_out_of_the_files(said: Said, engine: sa.Engine) -> None:
    said.session.rollback()
    migrations.downgrade(engine, "0028")
    assert find_canaries(iterate_files(said.session), said) >= {said.note, said.comment, said.picture, said.card}
    migrations.upgrade(engine)
    sweep_clear_text(engine)
    assert find_canaries(iterate_files(said.session, has_log=engine.dialect.name == "sqlite"), said) == set()
    said.check()


def test_a_killed_sweep_is_done_by_the_next_upgrade(said: Said, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations.downgrade(engine, "0028")
    migrations.upgrade(engine)  # and no more: as killed right after it
    assert find_canaries(iterate_files(said.session), said)
    assert has_clear_text(engine)
    sweep_clear_text(engine)
    assert not has_clear_text(engine)
    assert find_canaries(iterate_files(said.session, has_log=engine.dialect.name == "sqlite"), said) == set()
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    sweep_clear_text(engine)  # once is enough
    assert not [statement for statement in statements if "VACUUM" in statement or "UPDATE" in statement]


def test_an_upgrade_that_breaks_off_leaves_the_database_as_it_was(
    said: Said, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.downgrade(engine, "0028")
    count = 0
    seal = sealing.Sealer.seal

    def break_off(*given: Any) -> bytes:
        nonlocal count
        count += 1
        if count > 3:
            raise KeyboardInterrupt
        return seal(*given)

    with monkeypatch.context() as patch:
        patch.setattr(sealing.Sealer, "seal", break_off)
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade(engine)
    with engine.connect() as connection:
        assert migrations.revision_of(connection) == "0028"
        body = connection.execute(sa.text("SELECT body FROM submission ORDER BY id LIMIT 1")).scalar_one()
    assert body == said.record["body"]
    migrations.upgrade(engine)
    said.check()


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE submission SET body = (SELECT body FROM submission WHERE id = 1) WHERE id = 2",
        "UPDATE record SET answers = (SELECT answers FROM record WHERE id = 1) WHERE id = 2",
        "UPDATE record SET contested = answers",
        "UPDATE submission SET centre_id = (SELECT max(id) FROM centre)",
    ],
)
def test_a_value_that_was_moved_does_not_open(said: Said, move: str) -> None:
    said.session.execute(sa.text(move))
    said.session.commit()
    said.session.expire_all()
    with pytest.raises(CannotOpen) as refused:
        for item in [*said.session.scalars(sa.select(Submission)), *said.session.scalars(sa.select(Record))]:
            assert item.body if isinstance(item, Submission) else (item.answers, item.contested)
    assert said.note not in str(refused.value)


def test_a_value_that_was_changed_does_not_open(said: Said) -> None:
    sealed = said.session.scalars(sa.select(Submission.sealed_body).order_by(Submission.id)).first()
    assert sealed is not None
    for place in (0, 5, 20, 40, len(sealed) - 1):
        changed = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        with pytest.raises(CannotOpen):
            sealing.open_value("submission", "body", said.cast.centre.id, 1, changed)


def test_nothing_is_written_in_clear_by_mistake(said: Said) -> None:
    for value in (b"in clear", Unsealed(b"in clear")):
        with pytest.raises(sa.exc.StatementError) as refused:
            said.session.execute(sa.update(Submission).values(sealed_body=value))
        assert isinstance(refused.value.orig, ClearText)
        said.session.rollback()
    with pytest.raises(ClearText):
        said.session.scalars(sa.select(Submission).where(Submission.body == "x"))


def test_a_new_key_seals_all_again_and_the_one_before_the_last_is_deleted(said: Said, settings: Settings) -> None:
    def list_kids() -> list[bytes]:
        query = sa.select(CentreKey.kid).where(CentreKey.centre_id == said.cast.centre.id, CentreKey.purpose == DATA)
        found = said.session.scalars(query.order_by(CentreKey.id)).all()
        said.session.rollback()
        return [uuid.UUID(kid).bytes for kid in found]

    first = list_kids()
    keys, rows = key_rotation.rotate_content(said.session)
    assert (keys, rows > 5) == (2, True)
    second = list_kids()
    assert second[0] == first[0] and len(second) == 2
    for _, data in iterate_files(said.session, has_log=False):
        assert said.session.get_bind().dialect.name != "sqlite" or data.count(first[0]) == 0
    said.check()
    assert reseal_centre(said.session, said.cast.centre.id) == 0
    key_rotation.rotate_content(said.session)
    third = list_kids()
    assert third[0] == second[1] and len(third) == 2
    said.check()
    assert load_usable_key(said.session, settings)


def test_a_rotation_that_was_killed_is_finished_by_the_next(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fieldapp.store.resealing._reseal_pulled", killed)
        with pytest.raises(KeyboardInterrupt):
            key_rotation.rotate_content(said.session)
    said.session.rollback()
    said.check()
    assert send(said.session, said.cast.amina, met(said.card)) == ["stored"]
    key_rotation.rotate_content(said.session)
    assert reseal_centre(said.session, said.cast.centre.id) == 0
    said.check()


def test_without_the_key_nothing_opens_and_with_a_new_root_all_does(
    said: Said, settings: Settings, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(settings, secret_key="x" * 64)
    monkeypatch.setattr(sealing, "_ciphers", {})
    attach_keys(engine, other)
    said.session.expire_all()
    with pytest.raises(Exception) as refused:
        said.session.scalars(sa.select(Submission.body)).all()
    assert said.note not in str(refused.value)
    attach_keys(engine, settings)
    said.check()


def test_labels_and_notes_travel_hidden(said: Said) -> None:
    keep_labels(said.session, said.cast.amina, labels={})
    assert send(said.session, said.cast.amina, note("reissue", {"code": said.second, "new": code(99)})) == ["stored"]
    keys = said.session.scalars(sa.text("SELECT key FROM feed_item"))
    assert not [key for key in keys if said.card in key or said.second in key]
    assert f"card/{said.card}" in said.session.scalars(sa.select(PullItem.key)).all()
