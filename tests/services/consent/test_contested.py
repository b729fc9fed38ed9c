"""A record with two different answers counts at the lower consent until somebody chooses between them."""

import datetime as dt
import itertools

import pytest
from sqlalchemy.orm import Session

from evaluator_export.datasets.dataset_spec import ConsentRule
from evaluator_export.datasets.eligibility import has_consent
from fieldapp.services.products import tables
from fieldapp.services.records.reviews import resolve_conflict
from fieldapp.store.records import records
from tests.cast import Cast, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.consents import APRIL, ONE, consent, corrected, met, send
from tests.services.products.figures import NOW

TWO, THREE = code(8), code(9)
NEXT_DAY = dt.timedelta(days=1)
NEXT = APRIL + NEXT_DAY
LATER = NEXT + NEXT_DAY
ALONE = {"who": "new_person"}
GROUP = {"who": "group"}


def counts_at(session: Session, cast: Cast) -> int:
    """Return the highest consent that a table can ask for so that the newest encounter is still counted; 0 for none."""
    session.rollback()
    known = tables.load_catalogue(session, cast.centre.id)
    reader = tables.make_reader(session, cast.centre, known, NOW + dt.timedelta(days=400))
    row = list(reader.iterate("encounter", APRIL, APRIL))[-1].row
    rules = [ConsentRule("tier", tier, "who", ("group",)) for tier in (1, 2, 3)]
    return max((rule.minimum for rule in rules if has_consent(rule, row)), default=0)


def contest(session: Session, cast: Cast, *said: str, order: tuple[int, ...] = (0, 1, 2)) -> str:
    """Send an encounter with somebody without a card, and two corrections that know nothing of each other."""
    first = envelope(encounter(APRIL, people=ALONE, consent=consent("2")), day=APRIL)
    items = [first]
    for day, tier in zip((NEXT, LATER), said, strict=True):
        answers = encounter(APRIL, people=ALONE, consent=consent(tier)) if tier else encounter(APRIL, people=GROUP)
        items.append(envelope(answers, day=day, root=first["id"], prev=[first["id"]]))
    for place in order:
        send(session, cast, items[place])
    return str(first["id"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("said", [("1", "3"), ("3", "1")])
def test_without_a_card_the_lower_of_two_answers_counts(
    session: Session, cast: Cast, said: tuple[str, str], order: tuple[int, ...]
) -> None:
    contest(session, cast, *said, order=order)
    assert counts_at(session, cast) == 1


def test_what_may_be_about_one_person_counts_as_little_as_that_person_allows(session: Session, cast: Cast) -> None:
    contest(session, cast, "1", "")
    assert counts_at(session, cast) == 1


@pytest.mark.parametrize("chosen", ["1", "3"])
def test_what_somebody_chose_counts(session: Session, cast: Cast, chosen: str) -> None:
    root_id = contest(session, cast, "1", "3")
    record = records.get(session, cast.centre.id, root_id)
    assert record
    choices = {}
    for question in record.contested:
        choices[question["path"]] = next(sha for sha, value in question["values"].items() if value == chosen)
    session.rollback()
    resolve_conflict(session, cast.rosa, root_id, choices)
    assert counts_at(session, cast) == int(chosen)


def test_as_long_as_two_cards_are_named_both_people_are_asked(session: Session, cast: Cast) -> None:
    first = met(ONE, APRIL, "3")
    two, three = corrected(first, NEXT, "3", card=TWO), corrected(first, LATER, "3", card=THREE)
    send(session, cast, met(TWO, APRIL - NEXT_DAY, "3"), first, two, three)
    assert counts_at(session, cast) == 3
    send(session, cast, met(TWO, LATER, "1"))
    assert counts_at(session, cast) == 1
