"""Numbers in addresses and forms, read so that no text can be an error."""

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
