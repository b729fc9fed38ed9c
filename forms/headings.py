"""The one reader of column headings.

Every spelling that XLSForms have used, in standard form.

Headings are split at `::` or, in old forms, at `:`. pyxform decides for a whole sheet which of the two splits, so one new
column can change how it reads all others; it is therefore given standard headings only.
"""

import re
from dataclasses import dataclass

from forms import support

COLONS = re.compile(r":+")
PREFIXES = ("jr", "odk", "orx")  # of XML names, whose colon splits nothing: jr:constraintMsg


@dataclass(frozen=True)
class Heading:
    """One column of a sheet: where it stands, how its author wrote it, and its standard name."""

    at: int
    written: str
    standard: str


def plain(text: str) -> str:
    """Return a heading without blanks around it or doubled."""
    return " ".join(text.split())


def to_snake_case(text: str) -> str:
    """Return a word of a heading as the standard writes it.

    >>> to_snake_case("Guidance Hint")
    'guidance_hint'
    """
    return "_".join(text.lower().split())


def split_heading(text: str) -> list[str]:
    """Return the parts of a heading: label, French (fr) for "Label :: French (fr)".

    XML names stay whole.
    """
    parts: list[str] = []
    for part in map(str.strip, COLONS.split(plain(text))):
        # "jr:constraintMsg" was split at its colon, and is one name.
        if parts and parts[-1].lower() in PREFIXES:
            parts[-1] = f"{parts[-1]}:{part}"
        elif part:
            parts.append(part)
    return parts


def survey_heading(text: str) -> str:
    """Return the standard name of a column of the survey sheet.

    label::French for "Label : French".
    """
    parts = split_heading(text)
    if not parts:
        return plain(text)
    pair = ""
    if len(parts) > 1:
        pair = f"{to_snake_case(parts[0])}::{to_snake_case(parts[1])}"
    pair = support.COLUMN_ALIASES.get(pair, pair)
    # A pair of words first, since "media::image" and "bind::relevant" are columns of their own.
    if pair in support.COLUMNS:
        return with_language(pair, parts[2:])
    base = support.COLUMN_ALIASES.get(to_snake_case(parts[0]), to_snake_case(parts[0]))
    if base in support.COLUMNS or base in support.RAW_COLUMNS:
        return with_language(base, parts[1:])
    return plain(text)


def choice_heading(text: str) -> str:
    """Return the standard name of a column of the choices sheet.

    Columns of one's own stay as they are.
    """
    parts = split_heading(text)
    if not parts:
        return plain(text)
    base = to_snake_case(parts[0])
    if base == "list_name":
        return base
    # Only these have a standard form; any other column is the author's, and filters name it as it
    # is written.
    if base in ("name", "value", "label", "caption", "media", "image", "big-image", "audio", "video"):
        return survey_heading(text)
    return plain(text)


def setting_heading(text: str) -> str:
    """Return the standard name of a setting: form_id for "Form ID"."""
    parts = split_heading(text)
    if not parts:
        return plain(text)
    base = to_snake_case(parts[0])
    return with_language(support.SETTING_ALIASES.get(base, base), parts[1:])


READERS = {"survey": survey_heading, "choices": choice_heading, "settings": setting_heading}


def read_headings(sheet: str, row: list[str]) -> list[Heading]:
    """Return the columns of a sheet that have a heading; `row` is its first row."""
    read = READERS.get(sheet, plain)
    return [Heading(at, text, read(text)) for at, text in enumerate(row) if text.strip()]


def with_language(base: str, rest: list[str]) -> str:
    """Return a column with its language: label::French for "label" and ["French"]."""
    if rest:
        return "::".join([base, ":".join(rest)])
    return base


def is_known(column: str) -> bool:
    """Say whether a column of the survey sheet, by its standard name, is one of an XLSForm."""
    parts = column.split("::")
    if column in support.COLUMNS or parts[0] in support.RAW_COLUMNS:
        return True
    if parts[0] == "media":
        return "::".join(parts[:2]) in support.COLUMNS
    return parts[0] in support.TRANSLATED


def is_translated(column: str) -> bool:
    """Say whether a column, by its standard name, has words in one language."""
    return column.split("::", maxsplit=1)[0] in support.TRANSLATED


def language_of(column: str) -> str:
    """Return the language of a translated column by its standard name; "" when it has none."""
    parts = column.split("::")
    if parts[0] == "media":
        return "::".join(parts[2:])
    return "::".join(parts[1:])


def in_language(column: str, language: str) -> str:
    """Return a translated column without a language as one in this language."""
    if language_of(column):
        return column
    return f"{column}::{language}"


def settings_row(rows: list[list[str]]) -> int:
    """Return the index of the row that holds the settings.

    The first under the headings that says something.
    """
    # Blank rows between the headings and the settings are common in forms made by hand.
    return next((at for at, row in enumerate(rows) if at and any(row)), 1)
