"""What `fieldapp doctor` tries out, since a setting that reads well may still not work."""

import contextlib
import datetime as dt
import http.client
import json
import shutil
import tempfile
from collections.abc import Iterator

from fieldapp.services.acts import utcnow
from fieldapp.services.operations.backup.places import LAST_EPOCH, find_missing_newest, note_number, read_number
from fieldapp.services.operations.health_notes import Replaced, find_replaced
from fieldapp.services.operations.overview import LATE_AFTER
from fieldapp.services.people.sign_on import find_without_local_way
from fieldapp.services.transports.remote_stores import open_store
from fieldapp.services.transports.senders import TransportConfig, check_mail_server
from fieldapp.services.transports.stores import StoreProblem
from fieldapp.services.transports.targets import DeliveryFailed
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import engine_for, try_to_write
from fieldapp.store.operations import audit, centres, epochs
from fieldapp.store.phones import devices
from fieldapp.store.releases import releases
from fieldapp.store.session import DatabaseError, OperationalError, Session
from sync.keeping import GREATEST_EPOCH

SECONDS = 5.0
CLOCK_MAY_DIFFER = dt.timedelta(hours=1)


def try_database(session: Session) -> Iterator[str]:
    """Say what of the database does not work beyond reading it; its schema must be current."""
    try:
        try_to_write(session)
    except (OperationalError, DatabaseError) as error:
        yield f"The database can be read but not written: {str(error.orig).strip()}"
    now = utcnow()
    for centre in centres.list_all(session):
        for line in audit.list_newest(session, centre.id, 1):
            if line.at - now > CLOCK_MAY_DIFFER:
                moment = f"{line.at:%Y-%m-%d %H:%M} UTC"
                yield f"The clock of this machine is behind: at {centre.slug} something was written {moment}. Set it right."
        runs = releases.runs_of(session, [series.id for series in releases.series_of(session, centre.id)])
        failed = sum(run.state == "failed" for run in runs)
        if failed:
            yield f"At {centre.slug} {failed} releases could not be built. See the office's home page."
        unsent = len(releases.failed_deliveries(session, centre.id))
        if unsent:
            yield f"At {centre.slug} {unsent} packages could not be sent. See the office's page Releases."


def try_scheduler(session: Session) -> Iterator[str]:
    """Say whether the scheduler ran lately."""
    now = utcnow()
    heartbeat = releases.scheduler_beat(session)
    dates = [centre.created_at for centre in centres.list_all(session)]
    if heartbeat is None:
        # A new installation is checked before anything runs.
        if dates and now - min(dates) > dt.timedelta(days=1):
            yield "The scheduler never ran, so nothing is built, sent, erased or backed up. Run: fieldapp scheduler"
        return
    restored = epochs.last_restore(session)
    if restored is not None and now - restored.began_at <= LATE_AFTER:
        return  # what a backup says of its scheduler is old, and this one is about to be started
    if now - heartbeat.at > LATE_AFTER:
        yield f"The scheduler was last active {heartbeat.at:%Y-%m-%d %H:%M} UTC. Run: fieldapp scheduler"


def try_folder(settings: Settings) -> Iterator[str]:
    """Say whether files can be made in the data folder."""
    try:
        with tempfile.TemporaryFile(dir=settings.folder) as file:
            file.write(b"fieldapp")
            file.flush()
    except OSError as error:
        yield f"The data folder cannot be written: {settings.folder}: {error.strerror}"


def try_place(settings: Settings) -> Iterator[str]:
    """Look into the place for backups, and note the number of the last restore there."""
    if not settings.copies:
        return
    try:
        with open_store(settings) as store:
            missing = find_missing_newest(settings, store.list_names())
            if missing:
                yield missing
            if read_number(store) > GREATEST_EPOCH:
                yield (
                    f"The number of the last restore that is noted in {settings.copies} ({LAST_EPOCH}) is none that a "
                    "server can have: somebody changed it. Delete that file, and find out who did."
                )
            note_number(settings, store)
    except StoreProblem as problem:
        yield str(problem)


def try_replaced(session: Session, settings: Settings) -> Iterator[str]:
    """Say whether another machine is the centre's server now."""
    replaced = find_replaced(session, settings)
    if replaced is Replaced.YES:
        yield (
            f"A backup of {settings.copies or 'this centre'} was put back on another machine, so this is not the centre's "
            "server any more: phones keep what they send here, and send it to the other one. Stop the server and the "
            "scheduler here for good. (If nobody did that, a restore on this machine did not end: run it again.)"
        )
    if replaced is Replaced.MAYBE:
        count = devices.count_ahead(session, epochs.current(session))
        yield (
            f"{count} phones were in touch with a newer server of this centre. If a backup was put back on another machine, "
            "stop this one for good. If not, a phone shows a number that it cannot have: the office's page People and "
            "phones says which; lock it."
        )


def try_mail(settings: Settings) -> Iterator[str]:
    """Say whether the mail server lets us in; nothing is sent."""
    if not settings.smtp_url:
        if settings.alerts_to:
            yield "FIELDAPP_ALERTS_TO is set but no mail server (FIELDAPP_SMTP_URL), so nobody is told."
        return
    try:
        check_mail_server(TransportConfig(settings.secrets_folder, settings.smtp_url, settings.mail_from))
    except DeliveryFailed as problem:
        yield f"Mail cannot be sent: {problem}"


def try_sign_on(settings: Settings) -> Iterator[str]:
    """Say whether the sign-on provider answers, and who could come in while it does not."""
    if not settings.sign_on_issuer:
        return
    from fieldapp.services.people.provider import Provider  # noqa: PLC0415  loaded where there is one

    problem = Provider(settings).try_out()
    if problem:
        yield f"{problem} People sign in with their passwords meanwhile. See FIELDAPP_SIGN_ON_ISSUER."
    engine = engine_for(settings.url)
    with contextlib.suppress(OperationalError, DatabaseError), Session(engine) as session:
        if migrations.is_current(engine):
            for slug in find_without_local_way(session):
                then = f"fieldapp person code {slug} NAME"
                yield f"At {slug} no administrator could sign in while the sign-on provider does not answer. Run: {then}"
    engine.dispose()


def try_programs(settings: Settings) -> Iterator[str]:
    """Say which programs are missing that a backup needs."""
    if not settings.url.startswith("sqlite") and shutil.which("pg_dump") is None:
        yield "pg_dump is not in PATH, so no backup of PostgreSQL can be made. Install PostgreSQL's client programs."


def try_server(settings: Settings) -> Iterator[str]:
    """Ask the server, where one runs at the address of the settings, whether it is ready."""
    names = [name.strip() for name in settings.trusted_hosts.split(",")]
    connection = http.client.HTTPConnection(_find_own_address(settings.host), int(settings.port), timeout=SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"Host": names[0] or "localhost"})
        answer = json.loads(connection.getresponse().read(10_000))
        reason = "" if answer["ready"] else str(answer["reason"])
    except ConnectionRefusedError:
        return  # none runs: that is for the operator to know
    except TimeoutError:
        yield f"The server does not answer within {SECONDS:.0f} seconds. Restart it."
        return
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        yield f"Something else than fieldapp answers at port {settings.port}. Choose another FIELDAPP_PORT."
        return
    finally:
        connection.close()
    if reason:
        yield f"The server is not ready: {reason}"


def _find_own_address(host: str) -> str:
    """Return an address at which a server that listens on `host` is reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  what it listens on, not where we listen
