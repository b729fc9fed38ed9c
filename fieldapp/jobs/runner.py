"""Run the timetable in a process of its own: `fieldapp scheduler`.

Several at once do no harm: leases in the database let one of them do a piece of work.
"""

import datetime as dt
import logging

from apscheduler.schedulers.blocking import BlockingScheduler

from fieldapp.jobs.timetable import TIMETABLE, Job
from fieldapp.services.consent import forgotten
from fieldapp.services.failures import note_failure, set_up_logs
from fieldapp.services.keys import attach_keys
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for
from fieldapp.store.session import Session

log = logging.getLogger("fieldapp.jobs")


def run_forever(settings: Settings) -> None:
    """Run every job of the timetable at its interval, until the process is stopped."""
    set_up_logs()
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    forgotten.attach(engine, settings)
    # What is due is in the database; APScheduler only ticks. Its own job store would run things
    # twice, and keep pickled Python objects.
    scheduler = BlockingScheduler(timezone=dt.UTC)

    def tick(job: Job) -> None:
        try:
            with Session(engine, expire_on_commit=False) as session:
                job.run(session, settings)
        except Exception as error:
            note_failure(log, f"the job {job.name} failed", error)

    for job in TIMETABLE:
        scheduler.add_job(
            tick, "interval", [job], seconds=job.seconds, next_run_time=dt.datetime.now(dt.UTC),
            coalesce=True, misfire_grace_time=None, max_instances=1,
        )  # fmt: skip
    scheduler.start()
