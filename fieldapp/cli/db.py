"""Bring the database to this version's schema."""

import shlex
import shutil
import tempfile
from pathlib import Path

import click

from fieldapp import settings as settings_module
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.caseload.earlier_cards import tell_in_every_centre
from fieldapp.services.caseload.update import lacks_caseload, rebuild_caseload
from fieldapp.services.keys import attach_keys
from fieldapp.services.records import lowered_answers
from fieldapp.services.records.earlier_refusals import cut_in_every_centre
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent.overview import ConsentCounts, count_consent
from fieldapp.store.copies import CopyProblem, copy_sqlite
from fieldapp.store.database import engine_for, read_url, sqlite_file
from fieldapp.store.operations import centres
from fieldapp.store.session import Engine, Session
from fieldapp.store.sweeping import sweep_clear_text

REHEARSAL = ".rehearsal-"  # begins the name of the folder with the copy
REACHES = {3: "public totals", 2: "evaluators", 1: "their team", 0: "nobody", -1: "nobody, for good"}  # by tier


@click.group()
def db() -> None:
    """Set up the database and move it between versions."""


@db.command()
@click.option(
    "--rehearse", "is_rehearsal", is_flag=True, help="Upgrade a copy, say what changes for people's consent, delete it."
)
def upgrade(is_rehearsal: bool) -> None:
    """Bring the database to the newest schema; harmless when it is there already.

    Where it changes what is kept after a no, or how far people's consent reaches, it says how many, and of whom nothing.
    """
    settings = settings_module.read()
    if is_rehearsal:
        _rehearse(settings)
    else:
        _upgrade(engine_for(settings.url), settings)


def _upgrade(engine: Engine, settings: Settings) -> None:
    attach_keys(engine, settings)
    with Session(engine) as session:
        # Counted before anything changes, so that an operator can read what the upgrade did to
        # people's consent.
        before = count_consent(session)
    if not migrations.is_current(engine):
        migrations.upgrade(engine)
    sweep_clear_text(engine)
    with Session(engine) as session:
        cut_in_every_centre(session)
        lowered = lowered_answers.cut_in_every_centre(session)
        tell_in_every_centre(session)
        for centre in centres.list_all(session):
            if lacks_caseload(session, centre.id):
                rebuild_caseload(session, Actor.system(centre.id))
        erased_bytes.overwrite_noted(session)  # of what the steps above took out; the scheduler tries again
        after = count_consent(session)
    if after != before:
        for line in write_report(before, after):
            click.echo(line)
    if lowered:
        click.echo(f"people of whom answers were taken out that their consent does not reach any more: {lowered}")


def _rehearse(settings: Settings) -> None:
    """Upgrade a copy of the database, and delete it.

    It lies in the data folder. One that a kill left there is deleted first.
    """
    source = sqlite_file(settings.url)
    if source is None:
        raise click.ClickException(_explain_postgresql(settings))
    # The database may lie elsewhere, and the data folder not be there yet.
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in settings.folder.glob(f"{REHEARSAL}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=REHEARSAL, dir=settings.folder) as folder:
        copy = Path(folder) / source.name
        try:
            copy_sqlite(source, copy, utcnow())
        except CopyProblem as problem:
            raise click.ClickException(str(problem)) from None
        engine = engine_for(f"sqlite:///{copy}")
        _upgrade(engine, settings)
        engine.dispose()
    click.echo("This was a rehearsal on a copy, which is deleted. The database is as it was.")


def _explain_postgresql(settings: Settings) -> str:
    """Return the commands that rehearse an upgrade on PostgreSQL, without a password."""
    url = read_url(settings.url)
    copy = f"{url.database}_rehearsal"
    host = url.host or url.query.get("host")  # the folder of a socket is named behind the question mark
    parts = {"host": host, "port": url.port or url.query.get("port"), "username": url.username}
    login = "".join(f" --{name}={shlex.quote(str(value))}" for name, value in parts.items() if value)
    upgraded = shlex.quote(url.set(database=copy).render_as_string())
    return (
        "Only SQLite is copied here. With PostgreSQL, copy the database into another one, upgrade that, and delete it:\n"
        f"  createdb{login} {copy} && pg_dump{login} -Fc {url.database} | pg_restore{login} --no-owner --dbname={copy}\n"
        f"  FIELDAPP_DATABASE_URL={upgraded} fieldapp db upgrade && dropdb{login} {copy}\n"
        "Write the password in place of ***. The copy holds what the database holds until it is deleted."
    )


def write_report(before: ConsentCounts, after: ConsentCounts) -> list[str]:
    """Return what an upgrade changed for people's consent, one line each; it names nobody."""
    lines = []
    for form in sorted(after.cut):
        earlier = before.cut.get(form, 0)
        if after.cut[form] != earlier:
            lines.append(f"{form}: {after.cut[form] - earlier} records hold only what is kept after a no ({earlier} before)")
    tiers = sorted({*(after.people or {}), *(before.people or {})}, reverse=True)
    for tier in tiers if after.people != before.people else ():
        was = "" if before.people is None else f" ({before.people.get(tier, 0)} before)"
        lines.append(f"people whose consent reaches {REACHES[tier]}: {(after.people or {}).get(tier, 0)}{was}")
    if after.in_doubt != before.in_doubt:
        lines.append(f"people of whom two answers differ, so that the lower one holds: {after.in_doubt}")
    return lines


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the database back to an older schema.

    What the older one has no place for is lost: back up first.
    """
    settings = settings_module.read()
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    migrations.downgrade(engine, revision)
