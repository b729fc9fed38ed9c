"""Noting that a backup or its test runs, and why it failed.

The scheduler or a person may have begun it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fieldapp.services.acts import utcnow
from fieldapp.services.operations.backup import data_lock
from fieldapp.services.operations.backup.contents import BackupProblem
from fieldapp.services.operations.backup.marks import Work, change_notes, describe_failure, read_notes
from fieldapp.settings import Settings, SettingsProblem


@contextmanager
def noted_try(settings: Settings, work: Work) -> Iterator[None]:
    """Note that a backup or its test runs, and why it failed.

    Raises SettingsProblem while another one runs; that is no failure.
    """
    change_notes(settings)  # what was killed before this is counted now: below, it would seem to run
    with data_lock.hold(settings, work.lock):
        began_at = utcnow()
        change_notes(settings, **{f"{work}began_at": began_at})
        failure: dict[str, Any] = {}
        try:
            yield
        except data_lock.Busy:
            raise
        except Exception as error:
            # Only sentences of our own: others could hold what somebody said.
            is_ours = isinstance(error, (BackupProblem, SettingsProblem))
            problem = str(error) if is_ours else f"Unexpected: {type(error).__name__}"
            failure = describe_failure(read_notes(settings), work, began_at, problem)
            raise
        finally:
            # Also when somebody at a terminal stops it.
            change_notes(settings, **{f"{work}began_at": None} | failure)
