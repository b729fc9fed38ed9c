"""Choose the form of JSON that a reader of the feed accepts, and write rows in it.

Source: OData JSON Format 4.0, part 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from fieldapp.store.products.entity_sets import DECIMAL, KEY, TEXT, TRUTH, WHOLE, EntitySet
from fieldapp.web.accept import Range, parse_accept


class Metadata(StrEnum):
    """How much control information an answer has."""

    MINIMAL = "minimal"
    NONE = "none"
    FULL = "full"


# The values of the parameter odata=… of OData 3, which older readers send.
OLD_NAMES = {
    "minimalmetadata": Metadata.MINIMAL,
    "light": Metadata.MINIMAL,
    "nometadata": Metadata.NONE,
    "fullmetadata": Metadata.FULL,
}
# Ranges that include JSON, and how exactly they name it.
ANY_TYPE = {"*/*": 0, "*": 0, "application/*": 1}
# Types that a reader can tell from the JSON value.
PLAIN_JSON = {TEXT, TRUTH, DECIMAL}


@dataclass(frozen=True)
class JsonFormat:
    """A form of JSON: how much control information it has, and whether large numbers are text."""

    metadata: Metadata = Metadata.MINIMAL
    is_ieee754: bool = False

    @property
    def content_type(self) -> str:
        numbers = ""
        if self.is_ieee754:
            numbers = ";IEEE754Compatible=true"
        return f"application/json;odata.metadata={self.metadata}{numbers};charset=utf-8"

    @property
    def etag_part(self) -> str:
        """Return what tells this form apart from the others in an ETag."""
        numbers = ""
        if self.is_ieee754:
            numbers = "-text"
        return f"{self.metadata}{numbers}"

    # JavaScript reads numbers as doubles: over 2^53 they lose digits, so a reader may ask for text.
    def write_number(self, value: int) -> int | str:
        if self.is_ieee754:
            return str(value)
        return value

    def write_row(self, entity: EntitySet, row: Mapping[str, Any], address: str) -> dict[str, Any]:
        """Return a row with its control information; `address` is the row's own."""
        is_full = self.metadata == Metadata.FULL
        # The usual case, for thousands of rows: nothing about a row has to change.
        if not is_full and not self.is_ieee754:
            return dict(row)
        content: dict[str, Any] = {}
        if is_full:
            content["@odata.type"] = f"#fieldapp.{entity.name}"
            content["@odata.id"] = address
        for name, value in row.items():
            kind = entity.types[name]
            if is_full and kind not in PLAIN_JSON:
                content[f"{name}@odata.type"] = f"#{kind.removeprefix('Edm.')}"
            is_number = kind == WHOLE and value is not None
            content[name] = value
            if is_number:
                content[name] = self.write_number(value)
        return content

    def write_body(self, context: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer with its context, which Metadata.NONE leaves out."""
        if self.metadata == Metadata.NONE:
            return dict(content)
        return {"@odata.context": context, **content}


FORMATS = [JsonFormat(metadata, is_ieee754) for metadata, is_ieee754 in product(Metadata, (False, True))]


def choose_format(accept: str) -> JsonFormat | None:
    """Return the form of JSON that a reader prefers; None when it accepts none.

    Without a header the reader accepts anything.
    """
    ranges = parse_accept(accept)
    if not ranges:
        return FORMATS[0]
    best = max(FORMATS, key=lambda json_format: _find_quality(json_format, ranges))  # the first of equals
    if _find_quality(best, ranges) > 0:
        return best
    return None


def is_refused(accept: str, kind: str) -> bool:
    """Return whether a reader refuses a media type expressly (q=0)."""
    entries = [entry for entry in parse_accept(accept) if entry.kind == kind]
    return bool(entries) and all(entry.quality == 0 for entry in entries)


def _find_quality(json_format: JsonFormat, ranges: Sequence[Range]) -> float:
    """Return the quality of the entry that names this form most exactly; 0 when none does."""
    matches = [(_compute_exactness(json_format, entry), entry.quality) for entry in ranges]
    matches = [(exactness, quality) for exactness, quality in matches if exactness >= 0]
    if not matches:
        return 0.0
    _, quality = max(matches)
    return quality


def _compute_exactness(json_format: JsonFormat, entry: Range) -> int:
    """Return how exactly an entry names a form of JSON; -1 when it names another."""
    if entry.kind in ANY_TYPE:
        return ANY_TYPE[entry.kind]
    if entry.kind != "application/json":
        return -1
    agreements = [_agrees(json_format, name, value.lower()) for name, value in entry.parameters.items()]
    if False in agreements:
        return -1
    return 2 + agreements.count(True)


def _agrees(json_format: JsonFormat, name: str, value: str) -> bool | None:
    """Return whether a parameter agrees with a form of JSON; None if it makes no difference."""
    if name in ("odata.metadata", "metadata"):
        return value == json_format.metadata
    if name == "odata":
        return OLD_NAMES.get(value) == json_format.metadata
    if name == "ieee754compatible":
        return (value == "true") == json_format.is_ieee754
    if name == "charset":
        return None if value in ("utf-8", "utf8") else False
    return None


def choose_columns(json_format: JsonFormat, select: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns to read: for full control information the key too."""
    if select and json_format.metadata == Metadata.FULL and KEY not in select:
        return (*select, KEY)
    return select
