"""Logs of gunicorn in the form of every other process: time, level, no values in errors."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from fieldapp.services.failures import set_up_logs


class PlainLogger(Logger):  # type: ignore[misc]
    """Gunicorn's logger without its own handlers.

    They would print the message of an error, which may hold an answer.
    """

    def setup(self, config: Any) -> None:
        super().setup(config)
        set_up_logs()
        log: logging.Logger = self.error_log
        log.handlers.clear()
        log.propagate = True
