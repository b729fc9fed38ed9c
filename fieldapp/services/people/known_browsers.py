"""Browsers where somebody has signed in before; strangers' wrong tries do not pause them.

After a sign-in the browser keeps a mark that only this server can make, for that person alone. It opens nothing: it only
gives the browser a count of wrong tries of its own.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

import hashlib
import hmac
import secrets

MARKS = 5  # that a browser keeps: an office's machine has several people


def make_mark(user_id: int, secret: str) -> str:
    """Return a new mark of a browser for one person."""
    number = secrets.token_urlsafe(12)
    return f"{number}.{_sign(number, user_id, secret)}"


def find_mark(marks: list[str], user_id: int, secret: str) -> str | None:
    """Return the mark that was made for this person, or None."""
    for mark in marks[:MARKS]:
        number, _dot, signature = mark.partition(".")
        if hmac.compare_digest(signature.encode(), _sign(number, user_id, secret).encode()):
            return mark
    return None


def _sign(number: str, user_id: int, secret: str) -> str:
    text = f"browser known to {user_id}: {number}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
