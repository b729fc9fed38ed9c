"""Card codes in a text, wherever and however they are written."""

import re

from sync.notes import plain_code

# Ahead of the place, so that codes are found that overlap with other characters of their kind.
CODE = re.compile(r"(?=([0-9A-HJKMNP-TV-Z]{4}[- ]?[0-9A-HJKMNP-TV-Z]{4}[0-9A-HJKMNP-TV-Z*~$=U]))", re.IGNORECASE)


def find_codes(text: str) -> set[str]:
    """Return every card code in a text, without dashes."""
    return {plain_code(match.replace(" ", "-")) for match in CODE.findall(text)} - {""}
