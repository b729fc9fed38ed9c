"""Card codes in a text, wherever and however they are written."""

import re
from collections.abc import Collection

from sync.notes import plain_code

# Between characters: any space, dash, dot or underscore, up to three; also as JSON escapes them.
SEPARATOR = r"(?:[\s._\u00ad\u2010-\u2015\u2212-]|\\u(?:00a0|00ad|20[01][0-9a-f]|202f|2212)|\\[nrt])"
GAP = SEPARATOR + "{0,3}"
CHARACTER = "[0-9A-TV-Z]"  # with the letters that are read as digits
CHECK = "[0-9A-Z*~$=]"
ALIKE = {"0": "[0O]", "1": "[1IL]"}
READ_AS = str.maketrans("ILO", "110")
# As forms and older notes write them. Any other spelling counts only with a digit: two words in a row can look like it.
PLAIN = re.compile(r"(?=([0-9A-HJKMNP-TV-Z]{4}[- ]?[0-9A-HJKMNP-TV-Z]{4}[0-9A-HJKMNP-TV-Z*~$=U]))", re.IGNORECASE)
DIGIT = re.compile("[0-9]")
# Ahead of the place, so that codes are found that overlap with other characters of their kind.
TOGETHER = re.compile(f"(?=({CHARACTER}{{4}}{GAP}{CHARACTER}{{4}}{CHECK}))", re.IGNORECASE)
# With other gaps only as whole words: else most of a text would look like codes.
APART = re.compile(f"(?<![0-9A-Z])(?=({CHARACTER}(?:{GAP}{CHARACTER}){{7}}{GAP}{CHECK})(?![0-9A-Z]))", re.IGNORECASE)
# Between quotes or tags: all of an answer, and not its name. Such a one counts without a digit, too.
WHOLE = re.compile(
    rf'(?:^|[">]){GAP}({CHARACTER}(?:{GAP}{CHARACTER}){{7}}{GAP}{CHECK}){GAP}(?:$|"(?!\s*:)|<)', re.IGNORECASE
)


def find_codes(text: str) -> set[str]:
    """Return every card code in a text, without dashes."""
    others = {*TOGETHER.findall(text), *APART.findall(text)}
    matches = {*PLAIN.findall(text), *WHOLE.findall(text), *filter(_has_digit, others)}
    plain = {_take_out_gaps(match).upper() for match in matches}
    return {plain_code(code.translate(READ_AS)) for code in plain} - {""}


def take_out_codes(text: str, codes: Collection[str]) -> str:
    """Return a text without these card codes, however they are written."""
    for code in codes:
        pattern = GAP.join(ALIKE.get(character, re.escape(character)) for character in code)
        text = re.sub(pattern, "", text, flags=re.IGNORECASE)
    return text


def _has_digit(spelling: str) -> bool:
    return DIGIT.search(_take_out_gaps(spelling)) is not None


def _take_out_gaps(spelling: str) -> str:
    return re.sub(SEPARATOR, "", spelling, flags=re.IGNORECASE)
