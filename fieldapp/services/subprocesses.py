"""Run a command of our own in another process, one at a time.

For files that cost seconds of processor time: in a thread of the web process they would hold
Python's lock while phones wait.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from typing import IO

from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import Settings

TIMEOUT_SECONDS = 600
LONGEST_SECONDS = 6 * 3600  # of what runs at night

# Two at once would take both processors of a small server from the phones.
_export_lock = threading.Lock()


def run_in_process(settings: Settings, arguments: list[str]) -> IO[bytes]:
    """Return what a command of ours writes, as an open file that has no name.

    Raises ActProblem "records.export_busy" while another command runs.
    """
    if not _export_lock.acquire(blocking=False):
        raise ActProblem("records.export_busy", N_("Another file is being written. Try again in a minute."))
    try:
        file = tempfile.TemporaryFile(dir=settings.folder)  # noqa: SIM115  whoever sends it closes it
        command = [sys.executable, "-m", "fieldapp", *arguments]
        subprocess.run(command, stdout=file, check=True, timeout=TIMEOUT_SECONDS, env=_environment(settings))
        file.seek(0)
        return file
    finally:
        _export_lock.release()


def run_gently(settings: Settings, arguments: list[str]) -> str:
    """Run a command of ours behind everything else here; return why it failed, or ""."""
    command = [sys.executable, "-m", "fieldapp", *arguments]
    program = shutil.which("nice")
    if program is not None:
        command = [program, "-n", "10", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, env=_environment(settings))
    except subprocess.TimeoutExpired:
        return f"It took more than {LONGEST_SECONDS // 3600} hours."
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or ["It was killed."]
    return lines[-1].removeprefix("Error: ")[:500]


def _environment(settings: Settings) -> dict[str, str]:
    # The settings of this process, not those that its shell happens to have.
    others = {name: value for name, value in os.environ.items() if not name.startswith("FIELDAPP_")}
    return others | settings.environment()
