"""Pseudonyms: only where a dataset asks for them, another for each recipient and period, and only if they link too little.

A pseudonym is HMAC-SHA256 under a key derived for the series and its window (HKDF-like, RFC 5869's expand step), 80 bits in
base32. An attacker who knows two rows of a person must not be able to find the others: at most 1 % of persons may be told
by two of their rows.
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


def make_pseudonyms(
    people: CategoricalColumn, identifiers: Sequence[CategoricalColumn], occasion: ReleaseContext
) -> CategoricalColumn:
    """Return a pseudonym a row; ExportProblem when too many persons could be told by two of their rows."""
    linked = measure_linkability(people.codes, [words.codes for words in identifiers])
    if linked > MOST_LINKED:
        raise ExportProblem(Reason("pseudonym.linked", {"share": linked, "limit": MOST_LINKED}))
    key = hmac.digest(occasion.secret, f"pseudonym {occasion.period.name}".encode(), "sha256")
    names = [base64.b32encode(hmac.digest(key, value.encode(), "sha256")[:10]).decode() for value in people.values]
    order = np.argsort(names)
    place = np.empty(len(names), dtype=np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    return CategoricalColumn(
        place[people.codes] if len(people.codes) else people.codes, tuple(names[number] for number in order)
    )


def measure_linkability(people: Array, identifiers: Sequence[Array]) -> float:
    """Return the share of persons with two rows or more whom two of their rows, known to an attacker, single out.

    The two rows are the person's two in the rarest classes, which is the worst case.
    """
    if not len(people) or not identifiers:
        return 0.0
    owners, classes = number_classes(identifiers)
    sizes = np.bincount(owners, minlength=classes)
    order = np.lexsort((sizes[owners], people))
    who, rows = people[order], owners[order]
    first = np.flatnonzero(np.concatenate(([True], who[1:] != who[:-1])))
    several = first[np.append(first[1:], len(who)) - first > 1]
    if not len(several):
        return 0.0
    holders: dict[int, set[int]] = {}
    for person, row in zip(who.tolist(), rows.tolist(), strict=True):
        holders.setdefault(row, set()).add(person)
    alone = sum(len(holders[int(rows[start])] & holders[int(rows[start + 1])]) == 1 for start in several)
    return alone / len(several)
