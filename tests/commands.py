"""The `fieldapp` command without a process of its own, which would spend two seconds on starting."""

import contextlib
import gc
import io
import logging
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple
from unittest import mock

from fieldapp import cli
from fieldapp.services.failures import LogFormatter


class Ended(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    output: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.output.decode()


def run_command(environment: Mapping[str, str], *arguments: str) -> Ended:
    """Run `fieldapp` with all that surrounds a command: its environment, its log and its words for errors."""
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8")
    err = io.StringIO()
    status: str | int | None = None
    log = logging.StreamHandler(err)
    log.setFormatter(LogFormatter())
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", ["fieldapp", *arguments]))
        # It changes the whole process: who handles errors, and what the other tests would log.
        stack.enter_context(mock.patch.object(cli, "set_up_logs"))
        logging.getLogger().addHandler(log)
        stack.callback(logging.getLogger().removeHandler, log)
        stack.enter_context(contextlib.redirect_stdout(text))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code
    text.flush()
    gc.collect()  # some commands leave it to the end of their process to close the database
    return Ended(status if isinstance(status, int) else 0, out.getvalue(), err.getvalue())
