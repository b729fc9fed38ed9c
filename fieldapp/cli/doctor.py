"""Say how the installation is: every setting with its source, and what does not work."""

import contextlib
import dataclasses
import datetime as dt
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.cli.demo_sign_ins import real_centres, works_beside_real_centres
from fieldapp.cli.trials import (
    try_database,
    try_folder,
    try_mail,
    try_place,
    try_programs,
    try_replaced,
    try_scheduler,
    try_server,
    try_sign_on,
)
from fieldapp.services.acts import utcnow
from fieldapp.services.operations.backup import marks
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.drill import can_drill
from fieldapp.services.operations.backup.marks import CopiesState, judge_backups
from fieldapp.services.operations.backup.sealed import read_recipients
from fieldapp.services.operations.health_notes import HealthNotes, find_start, forget_solved, save_notes
from fieldapp.services.operations.server_key import count_by_root, load_usable_key
from fieldapp.settings import KeyMissing, KeyProblem, Settings
from fieldapp.store import migrations
from fieldapp.store.database import DAMAGED, engine_for, is_sound, sqlite_file
from fieldapp.store.operations import audit, centres
from fieldapp.store.session import DatabaseError, OperationalError, Session, check_connection
from fieldapp.store.sweeping import has_clear_text
from fieldapp.web import assets

SECRET = {"secret_key", "key_command", "database_url", "smtp_url", "metrics_token", "sign_on_secret"}
LOW = 500_000_000  # bytes free on the disk
OLD = 7  # days after which a backup is an old one


@click.command()
@click.option("--note", is_flag=True, help="Write what was found into the data folder, for the office and for mail.")
def doctor(note: bool) -> None:
    """Check the installation. Exit status 1 when something must be put right."""
    settings = settings_module.read()
    for setting in dataclasses.fields(Settings):
        name = f"FIELDAPP_{setting.name.upper()}"
        value = getattr(settings, setting.name) or "(empty)"
        if setting.name in SECRET and getattr(settings, setting.name):
            # The output is pasted into tickets.
            value = "(hidden)"
        click.echo(f"{name:28} {value:24} {_find_source(name):8} {setting.metadata['text']}")
    # Made now, so that the checks below look at the folder that the server would use.
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    problems = _list_problems(settings, by_scheduler=note)
    for problem in problems:
        click.echo(f"PUT RIGHT: {problem}", err=True)
    for line in _last_backup(settings):
        click.echo(line)
    # Nothing is wrong yet, so it does not change the exit status.
    advice = _list_advice(settings)
    for line in advice:
        click.echo(f"LOOK AT: {line}")
    if note:
        save_notes(settings, HealthNotes(utcnow().isoformat(), tuple(problems), tuple(advice)))
    else:
        forget_solved(settings, problems)
    if not problems:
        click.echo("All is well.")
    if problems:
        sys.exit(1)


def _list_problems(settings: Settings, by_scheduler: bool) -> list[str]:
    """Return everything that is wrong: an operator goes through the list once."""
    problems = list(try_place(settings))  # first, since it notes the number that is beside the backups
    problems += [*_of_database(settings, by_scheduler), *_of_modes(settings), *_of_list(settings), *_of_place(settings)]
    problems += [*try_folder(settings), *try_mail(settings), *try_programs(settings), *try_server(settings)]
    problems += try_sign_on(settings)
    if not assets.is_built():
        problems.append("The client is not built. Run: make build")
    if shutil.disk_usage(settings.folder).free < LOW:
        problems.append("The disk has less than 500 MB left.")
    return problems


def _list_advice(settings: Settings) -> list[str]:
    advice = [*_look_at_key(settings)]
    if settings.second_forgotten_file is None:
        advice.append("the list of ended cards has no second place, so a lost disk can bring people back.")
    advice += [*_look_at_sign_in(settings), *_look_at_backups(settings), *_look_at_reach(settings)]
    return advice


def _look_at_reach(settings: Settings) -> Iterator[str]:
    """Say what people elsewhere could do, and who is told when something breaks."""
    if settings.trusted_proxies != "0" and not settings.trusted_hosts:
        yield "any name is believed that a browser says it reached the app by. Set FIELDAPP_TRUSTED_HOSTS to the real ones."
    if not settings.is_https_only and not settings.is_for_this_machine:
        yield "sessions travel without encryption (FIELDAPP_SECURE_COOKIES=no), so who shares the network can take one."
    if not settings.alerts_to:
        yield "nobody is told by mail when something breaks. Set FIELDAPP_ALERTS_TO and a mail server (FIELDAPP_SMTP_URL)."


def _of_audit_log(session: Session) -> Iterator[str]:
    for head in audit.list_heads(session):
        if head.fault:
            yield f"The audit log is not as it was written, from line {head.fault_at} on. See: fieldapp audit verify"


def _find_source(name: str) -> str:
    """Return where a setting comes from: "set" by a variable, a "file", or the "default"."""
    if name in os.environ:
        return "set"
    if f"{name}_FILE" in os.environ:
        return "file"
    return "default"


def _of_database(settings: Settings, by_scheduler: bool) -> Iterator[str]:
    try:
        engine = engine_for(settings.url)
        with Session(engine) as session:
            check_connection(session)
            if not is_sound(session):
                yield DAMAGED
                # What is read from a damaged database would be wrong as well.
                return
        if not migrations.is_current(engine):
            yield "The database needs: fieldapp db upgrade"
        elif has_clear_text(engine):
            yield (
                "What was stored before it was encrypted is still in the database's files. "
                "Stop the server, and run: fieldapp db upgrade"
            )
        with Session(engine) as session:
            yield from _of_key(session, settings)
            # Only on a current database: an older one may lack the column.
            if migrations.is_current(engine):
                yield from _of_audit_log(session)
                yield from try_database(session)
                yield from try_replaced(session, settings)
                # It runs this check itself, maybe before it has said that it is there.
                if not by_scheduler:
                    yield from try_scheduler(session)
            if migrations.is_current(engine) and works_beside_real_centres(session):
                yield (
                    "The demo's accounts, whose password is published, are in a database with a real centre. "
                    "Switch these people off in the office: rexdale.admin, jane.admin and the others of the demo."
                )
    except OperationalError as error:
        yield f"The database cannot be reached: {str(error.orig).strip()}"
    except DatabaseError:
        yield DAMAGED


def _of_key(session: Session, settings: Settings) -> Iterator[str]:
    try:
        load_usable_key(session, settings, may_make=False)
    except KeyMissing:
        pass  # nothing is wrapped yet: it is made when the server first starts
    except KeyProblem as problem:
        yield str(problem)
    except OSError as error:
        yield f"The secret key cannot be read: {error.filename}: {error.strerror}"


def _look_at_key(settings: Settings) -> Iterator[str]:
    """Say where the secret key could be safer, and whether its change is half done."""
    if not settings.key_file and not settings.key_command:
        then = "and run: fieldapp keys move"
        where = "is in the data folder, so who takes that has both"
        if settings.secret_key:
            where = "is among the settings"
        elif not settings.own_key_path.exists():
            where = "will be made in the data folder"
            then = "before the server first starts."
        yield (
            f"the secret key {where}. Set FIELDAPP_KEY_FILE to a file outside the data folder, such as "
            f"/etc/fieldapp/key, {then}"
        )
    elif settings.find_earlier_key() and settings.key_path.exists():
        yield f"a copy of the secret key is still in {settings.find_earlier_key()}. Run: fieldapp keys move"
    with contextlib.suppress(KeyProblem, OSError, OperationalError, DatabaseError):
        secret = settings.key()
        engine = engine_for(settings.url)
        with Session(engine) as session:
            if migrations.is_current(engine) and count_by_root(session, secret).keys() - {secret.roots[0].number}:
                yield "the change of the secret key is not finished. Run: fieldapp keys rotate root"
        engine.dispose()


def _look_at_sign_in(settings: Settings) -> Iterator[str]:
    """Name the real centres whose records a password alone opens."""
    engine = engine_for(settings.url)
    with contextlib.suppress(OperationalError, DatabaseError), Session(engine) as session:
        if migrations.is_current(engine):
            slugs = real_centres(session)
            for centre in centres.list_all(session):
                if centre.slug in slugs and not centre.asks_second_factor:
                    then = f"fieldapp centre two-steps {centre.slug} on"
                    yield f"at {centre.slug} a password alone opens all records. Run: {then}"
    engine.dispose()


def _of_modes(settings: Settings) -> Iterator[str]:
    """Say what other users of this machine can read."""
    # Owner only. Files in the folder are safe too, then, whatever their own mode is.
    if settings.folder.stat().st_mode & 0o077:
        yield f"Other users of this machine may look into {settings.folder}. Run: chmod 700 {settings.folder}"
    paths = [sqlite_file(settings.url), settings.key_path if settings.has_key_file else None]
    for path in paths:
        if path and path.exists() and Path(path).stat().st_mode & 0o077:
            yield f"Other users of this machine may read {path}. Run: chmod 600 {path}"


def _of_list(settings: Settings) -> Iterator[str]:
    """Say whether the second list of ended cards can be reached."""
    second = settings.second_forgotten_file
    if second is not None and not second.parent.is_dir():
        yield f"The second place of the list of ended cards is not there: {second.parent}. See whether its disk is mounted."


def _of_place(settings: Settings) -> Iterator[str]:
    """Say whether the place for backups off this machine has a new one that was proved."""
    try:
        read_recipients(settings)
    except BackupProblem as problem:
        yield str(problem)
    if not settings.copies:
        return
    health = judge_backups(settings, utcnow(), _find_start(settings))
    notes = health.notes
    if health.copies is CopiesState.OLD and notes.safe_at is None:
        yield f"No backup was ever made in {settings.copies} from here, so phones keep what they sent. Run: fieldapp backup"
    elif health.copies is CopiesState.OLD:
        yield f"No backup was made in {settings.copies} for two days, so phones keep what they sent. Run: fieldapp backup"
    if notes.tries and notes.tried_at:
        yield f"The backup failed, the last time {notes.tried_at:%Y-%m-%d %H:%M} UTC ({notes.tries} tries): {notes.problem}"
    if health.is_journal_late:
        since = f"{notes.journal_at:%Y-%m-%d %H:%M} UTC" if notes.journal_at else "the first backup"
        why = notes.journal_problem or "See whether the scheduler runs: fieldapp scheduler"
        yield f"What changed after {since} is on this machine only: the journal in {settings.copies} is late. {why}"
    if notes.drill_tries and notes.drill_tried_at:
        yield (
            f"The newest backup could not be restored as a test, {notes.drill_tried_at:%Y-%m-%d %H:%M} UTC: "
            f"{notes.drill_problem}"
        )
    if health.is_unproved:
        yield "No backup was restored as a test for eight days, so nobody knows whether that works. Run: fieldapp drill"


def _find_start(settings: Settings) -> dt.datetime | None:
    """Return since when the database is in use here; None when it cannot be read."""
    engine = engine_for(settings.url)
    try:
        with Session(engine) as session:
            return find_start(session)
    except (OperationalError, DatabaseError):
        return None
    finally:
        engine.dispose()


def _look_at_backups(settings: Settings) -> Iterator[str]:
    """Say what could be safer about backups."""
    if not settings.copies:
        yield "no backups are made off this machine (FIELDAPP_COPIES), so a lost disk loses what phones sent."
        return
    if not settings.custodians:
        yield "backups are not encrypted (FIELDAPP_CUSTODIANS), so whoever takes one can read everything."
    elif not can_drill(settings):
        yield (
            "no backup can be restored as a test automatically: set FIELDAPP_DRILL_KEY, or let a custodian run each week "
            "fieldapp drill --identity KEYFILE"
        )
    undeleted = marks.read_notes(settings).undeleted
    if undeleted:
        yield f"old backups could not be deleted, so they hold what was erased since: {undeleted}"


def _last_backup(settings: Settings) -> Iterator[str]:
    notes = marks.read_notes(settings)
    if notes.at is None:
        yield "LOOK AT: no backup was made from this folder yet. Run: fieldapp backup DIR"
        return
    line = f"last backup was made {notes.at:%Y-%m-%d %H:%M} UTC, in {notes.where}"
    yield f"LOOK AT: the {line}" if (utcnow() - notes.at).days > OLD else f"The {line}"
    if notes.proved_at and notes.proved:
        moment = f"{notes.proved:%Y-%m-%d %H:%M} UTC"
        yield f"The backup of {moment} was restored as a test {notes.proved_at:%Y-%m-%d %H:%M} UTC, and is whole."
