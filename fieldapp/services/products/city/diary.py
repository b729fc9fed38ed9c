"""A centre's diary of rounds: a sealed file beside the database, in no backup.

A backup would bring back a diary that has forgotten what the centre signed since. Without its diary a centre joins again,
and takes part in quarters that begin after that.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fieldapp.services.keys import KeyUnavailable, unwrap, wrap
from fieldapp.services.problems import N_, ActProblem
from fieldapp.settings import Settings, sync_folder
from fieldapp.store.operations.centres import Centre

FOLDER = "city"


class Diary:
    """What a centre must not forget of the City's rounds."""

    def __init__(self, settings: Settings, centre: Centre):
        self.folder = settings.folder / FOLDER
        self.path = self.folder / f"{centre.slug}.diary"
        self.kid = f"city diary {centre.id}"
        self.secret = settings.key()
        self.content: dict[str, Any] = {}

    @contextmanager
    def open(self) -> Iterator[dict[str, Any]]:
        """Yield the diary, locked: two commands at once would write two letters in one's place.

        Raise ActProblem where it cannot be opened.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self.folder / f".{self.path.name}.lock", os.O_RDONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.content = self._read()
            yield self.content
        finally:
            os.close(descriptor)

    def _read(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        try:
            content: dict[str, Any] = json.loads(unwrap(self.kid, self.path.read_bytes(), self.secret))
        except (KeyUnavailable, ValueError):
            raise ActProblem(
                "city.diary",
                N_("{file} cannot be opened. Move it elsewhere and join again, for quarters that begin later."),
                {"file": str(self.path)},
            ) from None
        return content

    def save(self) -> None:
        """Write the diary to the disk for good, before anything that it says is sent."""
        partial = self.path.with_suffix(".part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(wrap(json.dumps(self.content).encode(), self.kid, self.secret))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
        sync_folder(self.folder)
