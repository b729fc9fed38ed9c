"""Which submissions name which card: looked up, and always what reading every body would find."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from fieldapp.services.consent.forgotten import attach
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.records import mentions
from fieldapp.store.records.mentions import CardMention
from fieldapp.store.records.submissions import Submission
from tests.cast import Cast, encounter, envelope
from tests.services.caseload.meetings import code
from tests.services.consent.endings import CARD, OTHER, end, send, talked
from tests.services.consent.refusals import SAID_NO, with_everything


@pytest.fixture(autouse=True)
def settings_with_list(session: Session, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))


def read_mentions(session: Session) -> set[tuple[str, int]]:
    session.rollback()
    return {(row.code, row.submission_id) for row in session.scalars(sa.select(CardMention))}


def search_bodies(session: Session) -> set[tuple[str, int]]:
    """Return what reading every body finds."""
    naming: set[tuple[str, int]] = set()
    for submission in session.scalars(sa.select(Submission)):
        naming |= {(card, submission.id) for card in mentions.list_codes(submission.body, submission.cards)}
    return naming


def noted(text: str) -> dict[str, Any]:
    return envelope(encounter(next={"ref_made": "no", "note": text}))


def send_some(session: Session, cast: Cast) -> list[dict[str, Any]]:
    lower = f"met {CARD[:4].lower()} {CARD[4:].lower()} again"
    items = [talked(), talked(OTHER), noted(lower), noted(f"with {OTHER[:4]}-{OTHER[4:]}"), noted("nobody")]
    send(session, cast.amina, *items)
    return items


def test_a_submission_is_found_by_every_card_that_it_names_however_it_is_written(session: Session, cast: Cast) -> None:
    send_some(session, cast)
    rows = read_mentions(session)
    assert rows == search_bodies(session)
    assert sorted(card for card, _ in rows) == sorted([CARD, CARD, OTHER, OTHER])


@pytest.mark.parametrize("gap", ["", " ", "\u2011", "\u2013", ".", "_", " - ", "\u00a0"])
@pytest.mark.parametrize("groups", [(4, 9), (3, 6, 9), tuple(range(1, 10))])
def test_a_code_goes_from_a_note_however_it_was_typed(
    session: Session, cast: Cast, gap: str, groups: tuple[int, ...]
) -> None:
    parts = [CARD[start:stop] for start, stop in zip((0, *groups), groups, strict=False)]
    typed = [gap.join(parts), gap.join(parts).lower(), gap.join(parts).replace("0", "O").replace("1", "I")]
    items = [noted(f"N{number} with {text} today") for number, text in enumerate(typed)]
    send(session, cast.amina, talked(), *items)
    end(session, cast)
    send(session, cast.amina, noted(f"N9 with {typed[0]} today"))
    session.rollback()
    bodies = "".join(session.scalars(sa.select(Submission.body)))
    assert [number for number in (0, 1, 2, 9) if f"N{number} with  today" not in bodies] == []


def test_when_the_code_goes_its_mention_goes_too(session: Session, cast: Cast) -> None:
    first, *_ = send_some(session, cast)
    no = with_everything(SAID_NO)
    send(session, cast.amina, envelope(no, root=first["id"], prev=[first["id"]]))
    assert read_mentions(session) == search_bodies(session)
    end(session, cast)
    assert read_mentions(session) == search_bodies(session)
    assert CARD not in {card for card, _ in read_mentions(session)}
    end(session, cast, OTHER)
    assert read_mentions(session) == set()


def test_the_end_of_a_card_reads_no_body_that_does_not_name_it(session: Session, cast: Cast) -> None:
    send_some(session, cast)
    send(session, cast.amina, *[talked(code(seed)) for seed in range(20, 30)])
    of_card = {number for card, number in read_mentions(session) if card == CARD}
    session.expunge_all()
    loaded: set[int] = set()

    def note(submission: Submission, _: Any) -> None:
        loaded.add(submission.id)

    event.listen(Submission, "load", note)
    try:
        end(session, cast)
    finally:
        event.remove(Submission, "load", note)
    assert loaded == of_card


def test_an_older_database_is_read_once_at_the_upgrade(session: Session, cast: Cast) -> None:
    send_some(session, cast)
    send(session, cast.amina, talked(code(30), cards=[code(30)]))
    before = read_mentions(session)
    session.rollback()
    engine = session.get_bind().engine
    migrations.downgrade(engine, "0019")
    migrations.upgrade(engine)
    assert before
    assert read_mentions(session) == before
