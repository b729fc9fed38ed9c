"""The privacy classes of questions, from the strictest to the freest, and their order.

A type of question can ask for a least class; its questions may only have that one or a stricter one.
"""

from enum import StrEnum


class PrivacyClass(StrEnum):
    """What a question says about a person (shared terms of disclosure control)."""

    IDENTIFIER = "identifier"  # points to one person: a card code
    QUASI_IDENTIFIER = "quasi-identifier"  # points to few people when put together: day, place, age
    SENSITIVE = "sensitive"  # could hurt a person if known: risk, consent, topics
    FREE_TEXT = "free-text"  # anything may be in it
    OPERATIONAL = "operational"  # says what the programme did


NEVER_LEAVES = frozenset({PrivacyClass.IDENTIFIER, PrivacyClass.FREE_TEXT})

# Least class → the classes that are at least as strict. Quasi-identifiers are made coarser, sensitive answers must be
# various in each group: neither protects as the other does, so neither may stand for the other.
AT_LEAST: dict[PrivacyClass, frozenset[PrivacyClass]] = {
    PrivacyClass.OPERATIONAL: frozenset(PrivacyClass),
    PrivacyClass.QUASI_IDENTIFIER: NEVER_LEAVES | {PrivacyClass.QUASI_IDENTIFIER},
    PrivacyClass.SENSITIVE: NEVER_LEAVES | {PrivacyClass.SENSITIVE},
    PrivacyClass.FREE_TEXT: NEVER_LEAVES,
    PrivacyClass.IDENTIFIER: frozenset({PrivacyClass.IDENTIFIER}),
}


def is_at_least(privacy: str, least: PrivacyClass) -> bool:
    """Return whether a class is as strict as another one, or stricter.

    A class that does not exist is not.

    Example: is_at_least("identifier", PrivacyClass.FREE_TEXT) is True, is_at_least("sensitive", …) is False.
    """
    return privacy in AT_LEAST[least]
