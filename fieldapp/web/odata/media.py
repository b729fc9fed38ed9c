"""In which JSON the feed answers: the media types that readers name, with their parameters (OData JSON 4.0, part 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.store.products.entity_sets import DECIMAL, KEY, TEXT, TRUTH, WHOLE, EntitySet
from fieldapp.web.accept import Range, ranges_of

MINIMAL, NONE, FULL = "minimal", "none", "full"
OLD_NAMES = {"minimalmetadata": MINIMAL, "light": MINIMAL, "nometadata": NONE, "fullmetadata": FULL}  # odata=… of OData 3
ANY_TYPE = {"*/*": 0, "*": 0, "application/*": 1}  # ranges that JSON is in, and how exactly they name it
PLAIN_JSON = {TEXT, TRUTH, DECIMAL}  # types that a JSON value tells by itself


@dataclass(frozen=True)
class Written:
    """How an answer is written: how much control information it carries, and whether large numbers are text."""

    metadata: str = MINIMAL
    is_ieee754: bool = False

    @property
    def content_type(self) -> str:
        numbers = ";IEEE754Compatible=true" if self.is_ieee754 else ""
        return f"application/json;odata.metadata={self.metadata}{numbers};charset=utf-8"

    @property
    def mark(self) -> str:
        """Return what tells this form apart from the others in an ETag."""
        return f"{self.metadata}{'-text' if self.is_ieee754 else ''}"

    def number(self, value: int) -> int | str:
        return str(value) if self.is_ieee754 else value

    def row(self, entity: EntitySet, row: Mapping[str, Any], address: str) -> dict[str, Any]:
        """Return a row with the control information that was asked for; `address` is the row's own."""
        made: dict[str, Any] = {}
        if self.metadata != FULL and not self.is_ieee754:
            return dict(row)
        if self.metadata == FULL:
            made = {"@odata.type": f"#fieldapp.{entity.name}", "@odata.id": address}
        for name, value in row.items():
            kind = entity.types[name]
            if self.metadata == FULL and kind not in PLAIN_JSON:
                made[f"{name}@odata.type"] = f"#{kind.removeprefix('Edm.')}"
            is_large = self.is_ieee754 and kind == WHOLE and value is not None
            made[name] = str(value) if is_large else value
        return made

    def body(self, context: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer with its context, which a reader who wants no control information does not get."""
        if self.metadata == NONE:
            return dict(content)
        return {"@odata.context": context, **content}


CHOICES = [Written(metadata, is_ieee754) for metadata in (MINIMAL, NONE, FULL) for is_ieee754 in (False, True)]


def chosen(accept: str) -> Written | None:
    """Return the form of JSON that a reader likes best; None when it takes none. Without a header, anything will do."""
    ranges = ranges_of(accept)
    if not ranges:
        return CHOICES[0]
    wanted = max(CHOICES, key=lambda choice: _wish(choice, ranges))  # the first of equals
    return wanted if _wish(wanted, ranges) > 0 else None


def is_refused(accept: str, kind: str) -> bool:
    """Whether a reader says expressly (q=0) that it does not take this one type, which is all there is."""
    exact = [one for one in ranges_of(accept) if one.kind == kind]
    return bool(exact) and all(one.quality == 0 for one in exact)


def _wish(choice: Written, ranges: Sequence[Range]) -> float:
    """Return the quality of the entry that names this form most exactly."""
    exactness, wish = -1, 0.0
    for one in ranges:
        exact = _exactness(choice, one)
        if exact > exactness or (exact == exactness and one.quality > wish):
            exactness, wish = exact, one.quality
    return wish if exactness >= 0 else 0.0


def _exactness(choice: Written, one: Range) -> int:
    """Return how exactly an entry names a form of JSON; -1 when it names another."""
    if one.kind in ANY_TYPE:
        return ANY_TYPE[one.kind]
    if one.kind != "application/json":
        return -1
    exact = 2
    for name, value in one.parameters.items():
        said = _says(choice, name, value.lower())
        if said is False:
            return -1
        exact += said is True
    return exact


def _says(choice: Written, name: str, value: str) -> bool | None:
    """Whether a parameter agrees with a form of JSON; None for one that makes no difference here."""
    if name in ("odata.metadata", "metadata"):
        return value == choice.metadata
    if name == "odata":
        return OLD_NAMES.get(value) == choice.metadata
    if name == "ieee754compatible":
        return (value == "true") == choice.is_ieee754
    if name == "charset":
        return None if value in ("utf-8", "utf8") else False
    return None


def columns_for(written: Written, select: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns to read: with full control information the key too, which a row's address needs."""
    if select and written.metadata == FULL and KEY not in select:
        return (*select, KEY)
    return select
