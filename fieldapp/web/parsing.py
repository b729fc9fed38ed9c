"""Numbers and addresses in what browsers send, read so that no text can be an error."""

from urllib.parse import urlsplit

# Longer numbers are no ids: they would not fit the database's columns, and int() takes long over many digits.
MAX_DIGITS = 9


def parse_number(text: str, otherwise: int = 0) -> int:
    """Return a whole number of up to nine digits; `otherwise` for any other text.

    0 is the id of nothing: acts answer it as they answer an unknown id.

    >>> parse_number("12"), parse_number("-1"), parse_number("", 30)
    (12, 0, 30)
    """
    if text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    return otherwise


def keep_local(address: str) -> str:
    """Return an address only if it leads to this site: a path, no host; otherwise ""."""
    # Browsers read a backslash as a slash: /\\host leads to another site.
    parts = urlsplit(address.replace("\\", "/"))
    is_path = address.startswith("/") and not address.startswith("//")
    if is_path and not parts.netloc:
        return address
    return ""
