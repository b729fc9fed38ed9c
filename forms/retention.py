"""How long answers are kept: the column `retain::months` and the setting `retain_months`.

The column is of one question, or of all in a group; the setting is of every answer that has no time of its own. Months
count from the last change of a record. What the app itself reads stays with the record, and so does all that decides
about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from forms import dependencies
from forms.definition import Element, FormDefinition
from forms.keep import AFTER_NO

MONTHS_COLUMN = "retain::months"
MONTHS_SETTING = "retain_months"
MOST_MONTHS = 240


def read_months(text: str) -> int:
    """Return the months in a cell; 0 when it is blank or no number from 1 to MOST_MONTHS."""
    written = text.strip().removesuffix(".0")
    if not (written.isascii() and written.isdecimal()):
        return 0
    months = int(written[:6])
    if months > MOST_MONTHS:
        return 0
    return months


def list_lasting(definition: FormDefinition) -> frozenset[str]:
    """Return the paths of what stays as long as its record, whatever the form says.

    That is what has a role, what stays after a no, and all that these depend on.
    """
    waiting = [*definition.summary.values(), *definition.kept_after_no]
    waiting += [element.path for element in definition.elements if element.keep == AFTER_NO]
    lasting: set[str] = set()
    while waiting:
        path = waiting.pop()
        element = definition.by_path.get(path)
        if element is None or path in lasting:
            continue
        lasting.add(path)
        waiting += [read for read, _ in dependencies.find_element_reads(element, definition.children)]
    return frozenset(lasting)


@dataclass(frozen=True)
class RetainedTimes:
    """The months after which answers of a form go, by path; what has none is not in it."""

    own: Mapping[str, int]  # by the column
    of_form: int  # by the setting, for every other answer; 0 for none
    lasting: frozenset[str]

    def get(self, element: Element) -> int:
        """Return after how many months the answer to a question goes; 0 for never."""
        if not element.is_answered or element.path in self.lasting:
            return 0
        return self.get_own(element.path) or self.of_form

    def get_own(self, path: str) -> int:
        """Return the time that the column gives a question, or a group that it is in; 0 for none."""
        while path:
            if path in self.own:
                return self.own[path]
            path = path.rpartition("/")[0]
        return 0

    def list_used(self) -> list[int]:
        """Return the different times, the shortest first."""
        used = {*self.own.values(), self.of_form} - {0}
        return sorted(used)


def find_times(definition: FormDefinition, newest: FormDefinition | None = None) -> RetainedTimes:
    """Return how long answers of a form are kept.

    `newest`: the newest version of the form, whose times hold for records of earlier versions too.
    """
    source = newest or definition
    own = {element.path: element.retain_months for element in source.elements if element.retain_months}
    return RetainedTimes(own, source.retain_months, list_lasting(definition))
