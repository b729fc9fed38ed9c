"""A backup of another centre never takes this one's place unless somebody says so; a refusal leaves nothing behind."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.create import take_backup
from fieldapp.services.operations.backup.restore import restore
from fieldapp.services.operations.health_notes import HealthNotes, read_notes, save_notes
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for
from fieldapp.store.operations.centres import Centre
from tests.cast import Cast
from tests.commands import run_command
from tests.opening import open_engine
from tests.services.operations.backups import SECRET, Phone, opened

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)


def list_centres(settings: Settings) -> set[str]:
    with opened(settings) as session:
        return set(session.scalars(sa.select(Centre.slug)))


def let_go(session: Session) -> None:
    """Leave the database, as a server that was stopped."""
    session.close()
    session.get_bind().engine.dispose()


def set_up(settings: Settings, slug: str) -> None:
    """Set up a database, with a centre if it has a short name."""
    engine = open_engine(settings)
    migrations.upgrade(engine)
    with Session(engine) as session:
        if slug:
            session.add(Centre(slug=slug, name="Another", created_at=NOW))
        session.commit()
    engine.dispose()


@pytest.mark.parametrize("slug", ["", "scarborough"])
def test_another_centres_backup_takes_no_centres_place_unless_somebody_says_so(
    settings: Settings, elsewhere: Settings, phone: Phone, session: Session, cast: Cast, tmp_path: Path, slug: str
) -> None:
    """Also of a database without keys, and under a secret key that opens both."""
    phone.send(session, phone.make())
    let_go(session)
    set_up(elsewhere, slug)
    other = take_backup(elsewhere, tmp_path / "theirs").where
    here = list_centres(settings)
    with pytest.raises(BackupProblem, match="scarborough .* and here is the centre" if slug else "has no keys"):
        restore(settings, other, replace=True)
    if not slug:  # also where this server's key is not there yet
        keyless = replace(settings, secret_key="", key_file=str(tmp_path / "no-key"))
        with pytest.raises(BackupProblem, match="a database without a centre, and here is the centre"):
            restore(keyless, other, replace=True)
    assert list_centres(settings) == here, "nothing was changed"
    assert restore(settings, other, replace=True, other_centre=True).aside
    assert list_centres(settings) == ({slug} if slug else set())


def test_the_same_centres_backup_takes_its_place_without_more_ado(
    settings: Settings, phone: Phone, session: Session, tmp_path: Path
) -> None:
    let_go(session)
    made = take_backup(settings, tmp_path / "copy").where
    here = list_centres(settings)
    restore(settings, made, replace=True)
    assert list_centres(settings) == here


def test_a_name_that_is_not_there_is_said_to_be_not_there_and_nothing_is_made(tmp_path: Path) -> None:
    environment = {"FIELDAPP_DATA": str(tmp_path / "new"), "FIELDAPP_SECRET_KEY": SECRET}
    for name in ("/nonexistent.age", str(tmp_path / "folder")):
        told = run_command(environment, "restore", name)
        assert (told.returncode, f"There is no {name}." in told.stderr) == (1, True), told.stderr
    assert not (tmp_path / "new").exists()


@on_sqlite
def test_a_restore_that_is_refused_leaves_no_database(settings: Settings, phone: Phone, tmp_path: Path) -> None:
    made = take_backup(settings, tmp_path / "copy").where
    new = Settings(data=str(tmp_path / "new"), secret_key="y" * 64)
    with pytest.raises(BackupProblem, match="does not open the keys"):
        restore(new, made)
    assert [path.name for path in new.folder.iterdir() if path.name.startswith("fieldapp.db")] == []
    # What is there and has tables is left alone.
    with pytest.raises(BackupProblem, match="--replace"):
        restore(settings, made)
    engine = engine_for(settings.url)
    assert migrations.is_current(engine)
    engine.dispose()


@on_sqlite
def test_what_was_wrong_before_a_restore_is_no_alarm_after_it(settings: Settings, phone: Phone, tmp_path: Path) -> None:
    made = take_backup(settings, tmp_path / "copy").where
    marks.change_notes(settings, tries=3, tried_at=NOW, problem="No room.", drill_tries=1, drill_problem="Cut.")
    save_notes(settings, HealthNotes(NOW.isoformat(), ("The database is damaged.",), ()))
    restore(settings, made, replace=True)
    notes = marks.read_notes(settings)
    assert (notes.tries, notes.problem, notes.drill_tries, notes.drill_problem) == (0, "", 0, "")
    assert notes.where == str(made), "what was made is still said"
    assert read_notes(settings) is None
