"""Forms made elsewhere: a card code without a role is found when its person takes everything back."""

import csv
import io
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.consent.card_consent import find_card, lower_card
from fieldapp.services.consent.forgotten import attach
from fieldapp.services.forms.published import publish_form
from fieldapp.services.records.export import write_records_archive
from fieldapp.services.records.export_consent import ExportPurpose
from fieldapp.settings import Settings
from fieldapp.store.consent import standing
from fieldapp.store.consent.standing import ConsentWord
from fieldapp.store.records.records import Record, RecordFilter
from fieldapp.store.records.submissions import Submission
from forms.xlsform import compile_workbook
from sync.notes import plain_code
from tests.cast import Cast, encounter, envelope
from tests.in_clear import everything
from tests.services.consent.consents import MAY, consent
from tests.services.consent.endings import CARD, NOTE, OTHER, end, send, talked

TEXT = """
| survey |
| | type | name | required | label::English (en) | privacy::class | privacy::export |
| | text | client_code | | Client code | identifier | drop |
| | text | story | | What happened to them | free-text | drop |
| | text | friend | | Who came along | free-text | drop |
| | begin_group | desk | | At the desk | | |
| | text | card_no | | Card no. | free-text | drop |
| | end_group | | | | | |
| | begin_repeat | others | | Others | | |
| | text | other_code | | Client code | identifier | drop |
| | text | their_no | | Card no. | free-text | drop |
| | text | about | | About them | free-text | drop |
| | end_repeat | | | | | |
| settings |
| | form_id | version | form_title | consent_why |
| | legacy | 1 | Legacy | Board, 1 May 2026 |
"""


@pytest.fixture(autouse=True)
def legacy(one_no: None, session: Session, cast: Cast, tmp_path: Path) -> None:
    attach(session.get_bind().engine, Settings(data=str(tmp_path), secret_key="k" * 64))
    workbook = TEXT.encode()
    publish_form(session, cast.system, compiled=compile_workbook(workbook, ".md"), workbook=workbook)


def visit(**answers: Any) -> dict[str, Any]:
    return envelope(answers, form="legacy", version="1", day=MAY)


def spell(card: str) -> str:
    return f"{card[:4]}-{card[4:]}"


def test_an_end_finds_the_card_in_an_identifier_without_a_role(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked(), talked(OTHER))
    send(
        session,
        cast.amina,
        visit(client_code=spell(CARD), story="CANARY told", others=[{"other_code": spell(OTHER), "about": "nephew"}]),
        visit(client_code=spell(OTHER), story="of the other", friend=f"came with {spell(CARD)}"),
        visit(client_code=spell(OTHER), story="two came", others=[
            {"other_code": spell(CARD), "about": "CANARY of one"}, {"other_code": spell(OTHER), "about": "stays here"},
        ]),
    )  # fmt: skip
    end(session, cast)
    session.expire_all()
    text = everything(session, "audit", "feed_item")
    assert "CANARY told" not in text
    assert "CANARY of one" not in text
    assert CARD not in text
    for word in ("of the other", "came with", "two came", "stays here"):
        assert word in text
    assert session.scalar(sa.select(sa.func.count()).select_from(Record).where(Record.form == "legacy")) == 3
    # What a phone brings after a year is cut as it arrives.
    late = visit(client_code=spell(CARD), story="CANARY late")
    mentions = visit(client_code=spell(OTHER), others=[{"other_code": spell(CARD), "about": "CANARY later"}])
    send(session, cast.amina, late, mentions)
    assert "CANARY la" not in everything(session, "audit")


# Without a digit, so that the code looks like words; its last character is its check.
LETTERS = next(text for text in (f"ABCDEFG{a}{b}" for a in "HJKM" for b in "HJKMNPQRSTVWXYZ") if plain_code(text))


@pytest.mark.parametrize("card", [CARD, LETTERS], ids=["digits", "letters"])
@pytest.mark.parametrize("groups", [(9,), (4, 9), (3, 6, 9), tuple(range(1, 10))], ids=str)
@pytest.mark.parametrize("gap", [" ", "-", " \u2013 "])
def test_an_answer_that_is_a_code_says_whose_it_is_whatever_its_class(
    session: Session, cast: Cast, card: str, groups: tuple[int, ...], gap: str
) -> None:
    """Whoever wrote the form called “Card no.” a free text."""
    parts = [card[start:stop] for start, stop in zip((0, *groups), groups, strict=False)]
    for typed in (gap.join(parts), f" {gap.join(parts).lower()}."):
        send(session, cast.amina, talked(card))
        send(
            session,
            cast.amina,
            visit(desk={"card_no": typed}, story="CANARY told"),
            visit(desk={"card_no": f"the friend of {spell(CARD)}"}, story="of somebody else"),
            visit(desk={"card_no": spell(OTHER)}, story="two came", others=[
                {"their_no": typed, "about": "CANARY of one"}, {"their_no": spell(OTHER), "about": "stays here"},
            ]),
        )  # fmt: skip
    end(session, cast, card)
    send(session, cast.amina, visit(desk={"card_no": typed}, story="CANARY late"))
    send(session, cast.amina, visit(others=[{"their_no": typed, "about": "CANARY later"}, {"about": "late stays"}]))
    session.expire_all()
    text = everything(session, "audit", "feed_item")
    assert "CANARY" not in text
    assert typed.strip(" .") not in text
    for word in ("the friend of", "of somebody else", "two came", "stays here", "late stays"):
        assert word in text


def sent_no(form: str, version: str) -> dict[str, Any]:
    people = {"who": "enrolled", "code": spell(CARD)}
    said = {"said": "read_out", "understood": "yes", "tier_said": "0", "tier": "0"}
    answers = encounter(MAY, people=people, consent=said, next={"ref_made": "no", "note": "CANARY of a no"})
    return envelope({**answers, "consent": said}, form=form, version=version, day=MAY)


@pytest.mark.parametrize(("form", "version"), [("encounter", "2019010101"), ("nosuch", "1")], ids=["version", "form"])
def test_a_no_under_what_the_centre_does_not_know_is_not_kept(session: Session, cast: Cast, form: str, version: str) -> None:
    [answer] = send(session, cast.amina, sent_no(form, version), status="rejected")
    assert {"sync.unknown_form", "consent.unknown_form"} <= {problem["code"] for problem in answer["problems"]}
    text = everything(session, "audit")
    assert "CANARY" not in text
    [kept] = session.scalars(sa.select(Submission).where(Submission.form == form))
    assert (kept.is_refusal, kept.is_cut) == (True, True)
    if form == "encounter":
        assert json.loads(kept.body)["consent"]["tier"] == "0"
    else:
        assert json.loads(kept.body) == {}
    assert CARD not in kept.body


def test_a_no_under_an_unknown_version_still_lowers_its_person(session: Session, cast: Cast) -> None:
    send(session, cast.amina, talked())
    send(session, cast.amina, sent_no("encounter", "2019010101"), status="rejected")
    tiers = session.scalars(sa.select(ConsentWord.tier).where(ConsentWord.person == CARD)).all()
    assert sorted(tiers) == [0, 3]


def test_a_yes_under_an_unknown_form_waits_whole(session: Session, cast: Cast) -> None:
    answers = encounter(MAY, consent=consent("2"), next={"ref_made": "no", "note": "waits for its form"})
    item = envelope(answers, form="nosuch", version="1", day=MAY, id=str(uuid.uuid4()))
    send(session, cast.amina, item, status="rejected")
    assert "waits for its form" in everything(session)


def test_after_a_no_the_team_still_has_what_was_said_before(session: Session, cast: Cast) -> None:
    """As the slip, the office and the script say: from the no on nothing is written, what was said before stays."""
    first = talked(tier="3")
    send(session, cast.amina, first)
    lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=CARD), tier=0, reason="in_person")
    record = session.scalars(sa.select(Record).where(Record.instance_id == first["id"])).one()
    assert record.answers["next"]["note"] == NOTE
    assert standing.list_tiers(session, cast.centre.id, [CARD]) == {CARD: 0}


@pytest.mark.parametrize(("tier", "in_work", "in_evaluation"), [(2, True, True), (1, True, False), (0, False, False)])
def test_who_lowered_is_in_no_file_that_wants_more(
    session: Session, cast: Cast, tmp_path: Path, tier: int, in_work: bool, in_evaluation: bool
) -> None:
    """The form asks nobody, and has no role for the card; what the person said elsewhere holds for it all the same."""
    send(session, cast.amina, talked(), talked(OTHER))
    send(
        session,
        cast.amina,
        visit(client_code=spell(CARD), story="theirs"),
        visit(client_code=spell(OTHER), others=[{"other_code": spell(CARD), "about": "theirs"}]),
        visit(client_code=spell(OTHER), story="of the other"),
        visit(story="of nobody"),
    )
    if tier < 2:
        lower_card(session, cast.rosa, card_id=find_card(session, cast.rosa, code=CARD), tier=tier, reason="in_person")
    for purpose, is_in in ((ExportPurpose.WORK, in_work), (ExportPurpose.EVALUATION, in_evaluation)):
        buffer = io.BytesIO()
        write_records_archive(session, cast.centre.id, RecordFilter(form="legacy"), buffer, tmp_path, purpose)
        with zipfile.ZipFile(buffer) as archive:
            rows = list(csv.DictReader(io.StringIO(archive.read("legacy.csv").decode("utf-8-sig"))))
        assert sum(bool(row["record"]) for row in rows) == (4 if is_in else 2), purpose  # else only that there was a talk
