"""What runs when, on one page.

A job takes a session and the settings; it may run again at any time without harm.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import make_msgid

from fieldapp.services.acts import utcnow
from fieldapp.services.consent.forgotten import find_list
from fieldapp.services.consent.lowered_list import list_lowered_in_talks, lower_since_restore
from fieldapp.services.consent.retention import run_retention
from fieldapp.services.consent.withdrawals import advance_withdrawals
from fieldapp.services.failures import note_failure
from fieldapp.services.operations.audit_chain import check_all_chains, describe_faults
from fieldapp.services.operations.backup import data_lock, journal, marks, schedule
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.drill import can_drill
from fieldapp.services.operations.backup.marks import Work
from fieldapp.services.operations.backup.old_backups import find_oldest
from fieldapp.services.operations.health_notes import Replaced, find_replaced, read_notes
from fieldapp.services.operations.server_key import load_usable_key
from fieldapp.services.products.notices import notify_subscribers
from fieldapp.services.records import lowered_answers
from fieldapp.services.records.quarantine import let_in_known_forms
from fieldapp.services.releases.build import build_release, list_due_periods, should_alert
from fieldapp.services.releases.delivery import deliver_due
from fieldapp.services.releases.downloads import delete_expired_packages
from fieldapp.services.subprocesses import run_gently
from fieldapp.services.transports.senders import DeliveryPayload, TransportConfig, send
from fieldapp.services.transports.targets import EMAIL, DeliveryFailed
from fieldapp.settings import Settings, SettingsProblem
from fieldapp.store.consent import erased_bytes
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import epochs
from fieldapp.store.releases import releases as store
from fieldapp.store.session import Session

log = logging.getLogger("fieldapp.jobs")

ALERT_AT_TRY = 3
JOURNAL_ALERT_AT_TRY = 10


@dataclass(frozen=True)
class Job:
    """A function that the scheduler calls every so many seconds."""

    name: str
    seconds: int
    run: Callable[[Session, Settings], None]


def build_due_releases(session: Session, settings: Settings) -> None:
    """Build the releases that are due, oldest first, then note that the scheduler is running.

    What was missed while nothing ran is due too.
    """
    due = [] if _is_replaced(session, settings) else list_due_periods(session, utcnow())
    for series, period in due:
        name = f"{series.key} {period.name}"
        try:
            # The key is asked for each time: it may be put right while the scheduler runs.
            if build_release(session, series, period, settings.packages, load_usable_key(session, settings)):
                log.info("built %s", name)
        except Exception as error:  # one series must not stop the others; the run is marked failed and tried again
            number = note_failure(log, f"could not build {name}", error)
            # Not at every try, or the mailbox would be full by morning.
            if should_alert(session, series, period):
                text = f"The release {name} could not be built so far."
                text = f"{text} It is tried again by itself. (Number {number} in the log.)"
                send_alert(settings, text)
    # Last, so that a scheduler that hangs in a build shows on the home page as one that stopped.
    with WriteTransaction(session):
        store.record_heartbeat(session, utcnow())


def _is_replaced(session: Session, settings: Settings) -> bool:
    """Say whether another machine is the centre's server now.

    It hands out what this one would hand out once more.
    """
    return find_replaced(session, settings) is Replaced.YES


def let_in_what_waited(session: Session, settings: Settings) -> None:
    """Take in records that came before their form version did."""
    if stored := let_in_known_forms(session):
        log.info("let in %s records whose form has come", stored)


def send_packages(session: Session, settings: Settings) -> None:
    """Send the packages that are due, and delete the files of releases that are over."""
    if _is_replaced(session, settings):
        return
    failed = deliver_due(session, settings.packages, _make_transport_config(settings))
    if failed:
        send_alert(settings, f"{failed} packages could not be delivered.")
    # After sending: a package that is due today must not be deleted before it is sent.
    delete_expired_packages(session, settings.packages)


def _make_transport_config(settings: Settings) -> TransportConfig:
    return TransportConfig(settings.secrets_folder, settings.smtp_url, settings.mail_from)


def send_alert(settings: Settings, what: str) -> None:
    """Log what is wrong, and mail it to the address for alerts, if there is one.

    A mail that cannot be sent is logged only: the office's home page shows the problem anyway.
    """
    log.error("%s", what)
    if not settings.alerts_to:
        return
    payload = DeliveryPayload(
        file=None,
        name="",
        subject="fieldapp: something needs you",
        text=f"{what} See the pages Releases and System.\n",
        # “.invalid” is nobody's domain: a real one would be asked whether it sent this.
        message_id=make_msgid(domain="fieldapp.invalid"),
    )
    target = {"kind": EMAIL, "to": settings.alerts_to}
    try:
        send(target, payload, _make_transport_config(settings))
    except DeliveryFailed as problem:
        note_failure(log, "the alert could not be mailed", problem)


def build_due_products(session: Session, settings: Settings) -> None:
    """Build the data products that are due, then notify their subscribers."""
    from fieldapp.services.products.editions import build_due  # noqa: PLC0415  loads what maps are computed with
    from fieldapp.services.products.odata.build import build_feed_files  # noqa: PLC0415

    if _is_replaced(session, settings):
        return
    build_due(session, utcnow())
    # Feeds show editions, so they follow the build; a notice comes last, when what it points to is
    # there.
    build_feed_files(session, settings.packages)
    notify_subscribers(session, _make_transport_config(settings))


def erase_what_is_due(session: Session, settings: Settings) -> None:
    """Plan and erase what is due by the rules of retention."""
    if erased := run_retention(session):
        log.info("erased %s by the rules of retention", erased)


def follow_up_ends(session: Session, settings: Settings) -> None:
    """Do what is left to do after ends, and keep the list of what people took back."""
    # The oldest backup tells how long somebody is still in one.
    advance_withdrawals(session, find_oldest(settings))
    _lower_since_restore(session, settings)
    list_lowered_in_talks(session)


def _lower_since_restore(session: Session, settings: Settings) -> None:
    """Let what people lowered before a restore count, as soon as its line is there.

    A folder may be there whose disk is mounted later: then the list has more lines than when it was read.
    """
    restored = epochs.last_restore(session)
    if restored is None:
        return
    notes = marks.read_notes(settings)
    lines = len(find_list(session).read_texts())
    if (notes.lowered_epoch, notes.lowered_lines) != (restored.number, lines):
        marks.change_notes(settings, lowered_epoch=lower_since_restore(session), lowered_lines=lines)


def cut_lowered(session: Session, settings: Settings) -> None:
    """Take out of records what their people's consent does not reach any more."""
    if people := lowered_answers.cut_in_every_centre(session):
        log.info("took out answers of %s people that consent does not reach any more", people)


def check_audit_log(session: Session, settings: Settings) -> None:
    """Check that no line of the audit log was changed; the office's home says what was found."""
    for sentence in describe_faults(check_all_chains(session)):
        log.error("%s", sentence)


def back_up_each_night(session: Session, settings: Settings) -> None:
    """Make the backup of the night in the place off this machine, if it is due."""
    if not settings.copies:
        return
    now = utcnow()
    notes = marks.read_notes(settings)
    is_needed = journal.needs_copy(session, settings)
    if not schedule.is_backup_due(notes, schedule.find_last_night(session, settings, now), now, is_needed):
        return
    if data_lock.is_held(settings, Work.BACKUP.lock):
        return  # another scheduler, or somebody at a terminal, makes it just now
    session.rollback()  # a copy takes minutes, in which nothing of the database is held
    problem = _run_noted(settings, Work.BACKUP, ["backup"])
    if not problem:
        log.info("made the backup of the night")
        return
    log.error("the backup failed: %s", problem)
    # Not at the first try, which may fall into a pause of the network; not at every one, or the mailbox would be full.
    if notes.tries + 1 == ALERT_AT_TRY:
        send_alert(settings, f"The backup off this machine failed {ALERT_AT_TRY} times: {problem} It is tried again.")


def _run_noted(settings: Settings, work: Work, arguments: list[str]) -> str:
    """Run a backup or its test; return why it failed, or "".

    The command itself notes that, unless it could not.
    """
    before = marks.read_notes(settings)
    now = utcnow()
    problem = run_gently(settings, arguments)
    after = marks.read_notes(settings)
    if problem and getattr(after, f"{work}tries") <= getattr(before, f"{work}tries"):
        marks.change_notes(settings, **marks.describe_failure(after, work, now, problem))
    return problem


def write_journal_each_minute(session: Session, settings: Settings) -> None:
    """Put what changed in the last minute beside the backups; phones may then let go."""
    try:
        journal.write_segment(session, settings)
    except (BackupProblem, SettingsProblem) as problem:
        notes = marks.read_notes(settings)
        marks.change_notes(settings, journal_tries=notes.journal_tries + 1, journal_problem=str(problem)[:500])
        log.error("the journal failed: %s", problem)
        if notes.journal_tries + 1 == JOURNAL_ALERT_AT_TRY:
            text = (
                f"The journal of changes off this machine failed for ten minutes: {problem} It is tried again each minute."
            )
            send_alert(settings, f"{text} Until it works, phones keep what they sent.")


def prove_a_restore_each_week(session: Session, settings: Settings) -> None:
    """Restore the newest backup as a test, if that is due."""
    if not settings.copies or not can_drill(settings):
        return
    now = utcnow()
    notes = marks.read_notes(settings)
    if not schedule.is_drill_due(notes, schedule.find_last_night(session, settings, now), now):
        return
    if data_lock.is_held(settings, Work.DRILL.lock):
        return
    session.rollback()
    problem = _run_noted(settings, Work.DRILL, ["drill"])
    if not problem:
        log.info("restored the newest backup as a test")
        return
    log.error("the test of the backup failed: %s", problem)
    # At once: what is wrong with a backup does not pass.
    if notes.drill_tries == 0:
        send_alert(settings, f"The newest backup could not be restored as a test: {problem}")


def check_health(session: Session, settings: Settings) -> None:
    """Look for what would not work, and mail what is new."""
    session.rollback()
    before = read_notes(settings)
    # Its exit status says that something is wrong; what, stands in the note.
    run_gently(settings, ["doctor", "--note"])
    after = read_notes(settings)
    known_problems = before.problems if before else ()
    new_problems = (
        [problem for problem in after.problems if problem not in known_problems] if after and after != before else []
    )
    if new_problems:
        lines = "\n".join(f"- {problem}" for problem in new_problems)
        send_alert(settings, f"The check of this server found what must be put right:\n{lines}\n")


def overwrite_what_was_cut(session: Session, settings: Settings) -> None:
    """Overwrite in the database's files what was cut or erased.

    It could be read there until then.
    """
    erased_bytes.overwrite_noted(session)


# Ends come first: a release of the same minute leaves out who took their data back.
TIMETABLE = [
    Job("ends", 60, follow_up_ends),
    Job("lowered", 60, cut_lowered),
    Job("records", 60, let_in_what_waited),
    Job("bytes", 60, overwrite_what_was_cut),
    Job("releases", 60, build_due_releases),
    Job("deliveries", 60, send_packages),
    Job("products", 600, build_due_products),
    Job("retention", 3600, erase_what_is_due),
    Job("audit", 12 * 3600, check_audit_log),
    Job("health", 3600, check_health),
    Job("backups", 60, back_up_each_night),
    Job("journal", 60, write_journal_each_minute),
    Job("drills", 60, prove_a_restore_each_week),
]
