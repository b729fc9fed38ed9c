"""The server's root secrets, and the generations of what is derived from them.

From the newest root all keys of the server are derived. Older ones open what they wrapped before, and recognize what
was made under them.
"""

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = "fieldapp keys 1"
MIN_KEY = 32  # bytes
SESSIONS_LAST = dt.timedelta(hours=12)  # a shift at the crisis board, which asks again at its end
EARLIER_COOKIE_KEYS = 3  # that are written down: more than can still be in use


@dataclass(frozen=True)
class Root:
    """A root secret. `made_at` is None where nobody wrote it down."""

    number: int
    secret: str
    made_at: dt.datetime | None = None


@dataclass(frozen=True)
class CookieKey:
    """A generation of the key of sessions."""

    number: int
    root: int  # the number of the root that it is derived from
    made_at: dt.datetime | None = None


class ServerSecret(str):
    """The newest root secret; with it the older ones, and which keys sign sessions.

    As text it is the newest root. It is never printed: use `roots` to say what there is.
    """

    roots: tuple[Root, ...]  # the newest first
    cookie_keys: tuple[CookieKey, ...]  # the newest first

    def __new__(cls, roots: Sequence[Root], cookie_keys: Sequence[CookieKey]) -> "ServerSecret":
        secret = super().__new__(cls, roots[0].secret)
        secret.roots = tuple(roots)
        secret.cookie_keys = tuple(cookie_keys)
        return secret

    def __repr__(self) -> str:
        return f"ServerSecret({len(self.roots)} roots)"


def make_secret(now: dt.datetime) -> ServerSecret:
    """Return a new root secret, the first of its server."""
    return ServerSecret([_make_root(1, now)], [CookieKey(1, 1, now)])


def add_root(secret: ServerSecret, now: dt.datetime) -> ServerSecret:
    """Return the secrets with a new root in front; sessions are signed by a key of it."""
    root = _make_root(secret.roots[0].number + 1, now)
    cookie_key = CookieKey(secret.cookie_keys[0].number + 1, root.number, now)
    return ServerSecret([root, *secret.roots], [cookie_key, *secret.cookie_keys[:EARLIER_COOKIE_KEYS]])


def add_cookie_key(secret: ServerSecret, now: dt.datetime, is_at_once: bool) -> ServerSecret:
    """Return the secrets with a new key for sessions.

    With `is_at_once` the earlier ones count no more, so everybody is signed out.
    """
    cookie_key = CookieKey(secret.cookie_keys[0].number + 1, secret.roots[0].number, now)
    earlier = () if is_at_once else secret.cookie_keys[:EARLIER_COOKIE_KEYS]
    return ServerSecret(secret.roots, [cookie_key, *earlier])


def _make_root(number: int, now: dt.datetime) -> Root:
    return Root(number, secrets.token_hex(MIN_KEY), now)


def list_roots(secret: str) -> tuple[Root, ...]:
    """Return the roots, the newest first; a plain text is one."""
    return secret.roots if isinstance(secret, ServerSecret) else (Root(1, secret),)


def get_first_secret(secret: str) -> str:
    """Return the first root.

    What was derived from it is in files and on phones where nobody can change it.
    """
    return list_roots(secret)[-1].secret


def list_cookie_keys(secret: str, now: dt.datetime) -> list[tuple[CookieKey, str]]:
    """Return the keys that sign sessions, each with its root secret; the newest first.

    An earlier one counts until the last session that it signed is over.
    """
    if not isinstance(secret, ServerSecret):
        return [(CookieKey(1, 1), secret)]
    by_number = {root.number: root.secret for root in secret.roots}
    counting: list[tuple[CookieKey, str]] = []
    end = None
    for cookie_key in secret.cookie_keys:
        if end is None or end > now:
            counting.append((cookie_key, by_number[cookie_key.root]))
        end = find_end(cookie_key)
    return counting


def find_end(follower: CookieKey) -> dt.datetime | None:
    """Return when the key before this one ends.

    None where nobody wrote down when this one was made.
    """
    return follower.made_at + SESSIONS_LAST if follower.made_at else None


def format_secret(secret: ServerSecret) -> str:
    """Return the text of a key file."""
    roots = [{"number": each.number, "made_at": _format(each.made_at), "secret": each.secret} for each in secret.roots]
    cookie_keys = []
    for each in secret.cookie_keys:
        cookie_keys.append({"number": each.number, "root": each.root, "made_at": _format(each.made_at)})
    return json.dumps({"format": FORMAT, "roots": roots, "cookies": cookie_keys}, indent=1) + "\n"


def _format(moment: dt.datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def parse_secret(text: str) -> ServerSecret:
    """Return what a key file holds: what `format_secret` wrote, or one secret alone.

    Raises ValueError for a file that was cut or changed.
    """
    if not text.startswith("{"):
        return ServerSecret([Root(1, text)], [CookieKey(1, 1)])
    try:
        return _read(json.loads(text))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError):
        # Without the message of the reader: it could hold a part of the secret.
        raise ValueError("no whole key file") from None


def _read(content: dict[str, Any]) -> ServerSecret:
    roots = [Root(int(each["number"]), str(each["secret"]), _parse(each["made_at"])) for each in content["roots"]]
    cookie_keys = []
    for each in content["cookies"]:
        cookie_keys.append(CookieKey(int(each["number"]), int(each["root"]), _parse(each["made_at"])))
    numbers = [root.number for root in roots]
    is_ordered = numbers == sorted(set(numbers), reverse=True)
    is_derived = {cookie_key.root for cookie_key in cookie_keys} <= set(numbers)
    if content["format"] != FORMAT or not roots or not cookie_keys or not is_ordered or not is_derived:
        raise KeyError
    return ServerSecret(roots, cookie_keys)


def _parse(text: str) -> dt.datetime | None:
    if not text:
        return None
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise KeyError
    return moment
