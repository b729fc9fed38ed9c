"""Pseudonyms: only where a dataset asks for them, others for each recipient and period.

A pseudonym is an HMAC-SHA256 under a key of the series and its period (as in the expand step of
HKDF, RFC 5869), 80 bits in base32. Somebody who knows two rows of a person must not be able to find
the others: at most 1% of persons may be singled out by two of their rows.
"""

import base64
import hmac
from collections.abc import Sequence

import numpy as np

from evaluator_export.arrays import Array
from evaluator_export.problems import ExportProblem, Reason
from evaluator_export.search.measures import number_classes
from evaluator_export.series.released_dataset import ReleaseContext
from evaluator_export.tabular import CategoricalColumn

MOST_LINKED = 0.01
PSEUDONYM_BYTES = 10  # 80 bits are 16 characters of base32, without padding


def make_pseudonyms(
    persons: CategoricalColumn, identifiers: Sequence[CategoricalColumn], context: ReleaseContext
) -> CategoricalColumn:
    """Return one pseudonym per row.

    `persons`: whose each row is. `identifiers`: the quasi-identifiers as the recipient gets them.
    Raises ExportProblem when too many persons could be singled out by two of their rows.
    """
    # Asked before any name is made. Pseudonyms join a person's rows, and two rows together can
    # single out whom one hides.
    linked = measure_linkability(persons.codes, [column.codes for column in identifiers])
    if linked > MOST_LINKED:
        details = {"share": linked, "limit": MOST_LINKED}
        raise ExportProblem(Reason("pseudonym.linked", details))
    # The period is in the key: the same person has another name in the next package, so packages
    # cannot be joined.
    purpose = f"pseudonym {context.period.name}"
    key = hmac.digest(context.secret, purpose.encode(), "sha256")
    names = []
    for person in persons.values:
        digest = hmac.digest(key, person.encode(), "sha256")
        names.append(base64.b32encode(digest[:PSEUDONYM_BYTES]).decode())
    # Sorted, since the order of the persons would tell who came first.
    order = np.argsort(names)
    new_numbers = np.empty(len(names), dtype=np.int32)
    new_numbers[order] = np.arange(len(names), dtype=np.int32)
    codes = persons.codes
    if len(persons.codes):
        codes = new_numbers[persons.codes]
    return CategoricalColumn(codes, tuple(names[number] for number in order))


def measure_linkability(persons: Array, identifiers: Sequence[Array]) -> float:
    """Return the share of persons (0 to 1) whom two of their rows single out.

    `persons`: one person number per row; `identifiers`: one array of value numbers per column.
    Only persons with two rows or more count. The two rows known to the attacker are those in the
    person's rarest classes, which is the worst case.
    """
    if not len(persons) or not identifiers:
        return 0.0
    class_of_row, classes = number_classes(identifiers)
    sizes = np.bincount(class_of_row, minlength=classes)
    # By person, and rarest class first: the first two rows of each person are the worst case.
    order = np.lexsort((sizes[class_of_row], persons))
    sorted_persons = persons[order]
    sorted_classes = class_of_row[order]
    is_first = np.concatenate(([True], sorted_persons[1:] != sorted_persons[:-1]))
    starts = np.flatnonzero(is_first)
    rows_of_person = np.append(starts[1:], len(sorted_persons)) - starts
    starts = starts[rows_of_person > 1]
    if not len(starts):
        return 0.0
    members: dict[int, set[int]] = {}
    pairs = zip(sorted_persons.tolist(), sorted_classes.tolist(), strict=True)
    for person, class_number in pairs:
        members.setdefault(class_number, set()).add(person)
    alone = 0
    for start in starts:
        in_rarest = members[int(sorted_classes[start])]
        in_second_rarest = members[int(sorted_classes[start + 1])]
        alone += len(in_rarest & in_second_rarest) == 1
    return alone / len(starts)
