"""The server's keys in the web: a key file that changes is read again."""

import contextlib
import time

from flask import Flask, current_app

from fieldapp.key_ring import ServerSecret
from fieldapp.services.acts import utcnow
from fieldapp.services.keys import derive_cookie_keys
from fieldapp.settings import KeyProblem, Settings

LOOK = 1.0  # seconds after which the file is looked at again


class KeyWatch:
    """Knows the server's secret key, also after its file changed while the server runs."""

    def __init__(self, settings: Settings, secret: ServerSecret):
        self.settings = settings
        self.secret = secret
        self.looked_at = time.monotonic()
        self.state = self._read_state()

    def _read_state(self) -> tuple[int, int] | None:
        if not self.settings.has_key_file:
            return None
        try:
            status = self.settings.key_path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def look(self) -> bool:
        """Read the file again if it changed; say whether it was time to look.

        While it is away, or cannot be used, the key stays as it was: the server goes on, and doctor says it.
        """
        now = time.monotonic()
        if now - self.looked_at < LOOK:
            return False
        self.looked_at = now
        state = self._read_state()
        if state is not None and state != self.state:
            with contextlib.suppress(KeyProblem, OSError):
                self.secret = self.settings.key()
                self.state = state
        return True


def init(app: Flask, settings: Settings, secret: ServerSecret) -> None:
    """Set the keys of an app's sessions and forms."""
    watch = KeyWatch(settings, secret)
    app.extensions["server_keys"] = watch
    _set_cookie_keys(app, secret)


def look(app: Flask) -> None:
    """Take the keys over where the file changed; to be called before a session is opened."""
    watch: KeyWatch = app.extensions["server_keys"]
    if watch.look():
        _set_cookie_keys(app, watch.secret)


def _set_cookie_keys(app: Flask, secret: ServerSecret) -> None:
    newest, *earlier = derive_cookie_keys(secret, utcnow())
    app.config["SECRET_KEY_FALLBACKS"] = earlier
    app.config["SECRET_KEY"] = newest
    # Forms that are open while the key changes still count; the last is the one that signs.
    app.config["WTF_CSRF_SECRET_KEY"] = [*reversed(earlier), newest]


def server_secret() -> ServerSecret:
    """Return the server's secret key, for what a request opens or recognizes."""
    watch: KeyWatch = current_app.extensions["server_keys"]
    return watch.secret
