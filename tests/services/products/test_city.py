"""A centre's server in the City's sum: it joins, answers, can be killed at each step; the City shows what came out."""

import csv
import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from evaluator_export import periods
from evaluator_export.citysum.coordinator import RESULT
from evaluator_export.citysum.letters import CITY, write_letter
from evaluator_export.citysum.lists import AGREEMENT, KEYS, NUMBERS, OPENING, SHARES, TABLE
from evaluator_export.citysum.member import Member, Numbers
from evaluator_export.citysum.page import make_files
from evaluator_export.citysum.registry import Registry, read_card, read_registry, write_card
from evaluator_export.citysum.result import COLUMNS, list_rows, make_body
from evaluator_export.problems import ExportProblem
from fieldapp.services.acts import Actor
from fieldapp.services.problems import ActProblem
from fieldapp.services.products.city import member as city_member
from fieldapp.services.products.city import office
from fieldapp.services.products.city.box import Box, name_letter
from fieldapp.services.products.city.diary import Diary
from fieldapp.services.products.city.member import answer_rounds, join_city, make_card
from fieldapp.services.products.tables import count_due_tables
from fieldapp.settings import Settings
from fieldapp.store.operations.audit import AuditEvent
from tests.cast import Cast, publish_others
from tests.commands import run_command
from tests.services.products.figures import NOW, fill

PERIOD = "2026-Q2"
EACH = 3  # what each invented centre counts in each cell: far too little to show


class Town:
    """A real centre and nine invented ones, the City, and the box between them."""

    def __init__(self, session: Session, cast: Cast, settings: Settings, folder: Path):
        self.session = session
        self.cast = cast
        self.settings = settings
        self.key = office.load_city_key(folder / "city.key", may_make=True)
        self.folder = folder / "box"
        self.folder.mkdir()
        self.box = Box(self.folder)
        card = make_card(session, settings, cast.centre, "rexdale")
        self.layouts = read_card(card)["tables"]
        self.keys = {f"c{number}": Ed25519PrivateKey.generate() for number in range(1, 10)}
        self.diaries: dict[str, dict[str, Any]] = {name: {} for name in self.keys}
        cards = [card, *(self._card(name, self.layouts, read_card(card)["words"]) for name in self.keys)]
        self.registry_text = office.begin_city(self.key, self.box, "Toronto", cards, ["encounters_by_area"])

    def _card(self, name: str, layouts: dict[str, Any], words: dict[str, Any]) -> str:
        key = self.keys[name]
        return write_card(name, f"Centre {name}", key.public_key().public_bytes_raw().hex(), layouts, words, key.sign)

    @property
    def registry(self) -> Registry:
        return read_registry(self.registry_text)

    def join(self, since: str = "2026-01-01") -> None:
        """Let the real centre join; as if it had been on that day."""
        join_city(
            self.session,
            Actor.system(self.cast.centre.id),
            settings=self.settings,
            centre=self.cast.centre,
            registry_text=self.registry_text,
            box=self.folder,
        )
        diary = Diary(self.settings, self.cast.centre)
        with diary.open() as content:
            content["since"] = since
            diary.save()

    def answer(self) -> list[city_member.RoundAnswer]:
        return answer_rounds(self.session, self.settings, self.cast.centre)

    def answer_invented(self) -> None:
        for open_round in self.box.list_rounds(self.registry):
            for name, key in self.keys.items():
                self._answer_one(open_round, name, key)

    def _answer_one(self, open_round: Any, name: str, key: Ed25519PrivateKey) -> None:
        member = Member(name, self.registry, self.diaries[name], key.sign)

        def numbers(_call: Any) -> Numbers:
            cells = self.registry.tables["encounters_by_area"]["cells"]
            parts = [EACH] * (len(cells) - 1)
            total = EACH * len(parts)
            return Numbers([*parts, total], ["<25"] * len(parts) + [str(total // 5 * 5) if total >= 25 else "<25"])

        kind = member.write_next(open_round.call, open_round.inbox, numbers)
        if kind:
            self.box.post(name_letter(open_round.call, kind, name), member.list_letters(open_round.call)[kind])

    def run(self) -> None:
        for _ in range(12):
            self.answer()
            self.answer_invented()
            office.collect_letters(self.key, self.box, is_late=False)


on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # the other database would show nothing else
pytestmark = pytest.mark.slow


@pytest.fixture
def town(session: Session, cast: Cast, url: str, server_secret: str, tmp_path: Path) -> Town:
    settings = Settings(data=str(tmp_path), database_url=url, secret_key=server_secret)
    publish_others(session, cast)
    fill(session, cast, 60, dt.date(2026, 4, 1), 88)
    count_due_tables(session, cast.centre.id, NOW)
    return Town(session, cast, settings, tmp_path)


def acts_of(town: Town) -> list[str]:
    query = sa.select(AuditEvent.act).where(AuditEvent.centre_id == town.cast.centre.id)
    return list(town.session.scalars(query))


def test_a_centre_that_has_not_joined_or_is_not_listed_answers_nothing(town: Town) -> None:
    with pytest.raises(ActProblem, match="has not joined"):
        town.answer()
    body = json.loads(json.loads(town.registry_text)["letter"])
    del body["centres"]["rexdale"]
    body["centres"]["c10"] = {"title": "x", "key": Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()}
    town.registry_text = write_letter("registry", CITY, body, town.key.sign)
    with pytest.raises(ActProblem, match="no centre with this centre's key"):
        town.join()


def test_a_city_that_counts_otherwise_is_refused(town: Town) -> None:
    body = json.loads(json.loads(town.registry_text)["letter"])
    body["tables"]["encounters_by_area"]["least"] = 5
    town.registry_text = write_letter("registry", CITY, body, town.key.sign)
    with pytest.raises(ExportProblem, match="encounters_by_area is not counted alike"):
        town.join()


def test_quarters_from_before_it_joined_and_numbers_that_are_not_published_are_refused(town: Town) -> None:
    town.join(since="2026-04-02")
    office.call_round(town.key, town.box, PERIOD)
    assert "begins earlier" in town.answer()[0].refusal
    assert not [path.name for path in town.folder.iterdir() if "rexdale" in path.name]
    town.join()
    office.call_round(town.key, town.box, "2026-Q3")
    town.answer()
    for _ in range(4):
        town.answer_invented()
        office.collect_letters(town.key, town.box, is_late=False)
        answers = {answer.period: answer for answer in town.answer()}
    assert "not published here yet" in answers["2026-Q3"].refusal
    assert not answers[PERIOD].refusal


def test_a_diary_of_another_server_is_not_opened(town: Town) -> None:
    town.join()
    path = town.settings.folder / "city" / "rexdale.diary"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ActProblem, match="cannot be opened"):
        town.answer()


def test_a_real_centre_and_nine_others_sum_what_none_of_them_could_show(town: Town) -> None:
    town.join()
    office.call_round(town.key, town.box, PERIOD)
    town.run()
    (result,) = office.list_results(town.registry, town.box)
    assert len(result["members"]) == 10 and len(result["signed_by"]) >= 7
    rows = {row.cell: row for row in list_rows(town.registry, [result])}
    with_ours = town.cast.centre
    numbers = city_member.read_numbers(
        town.session, with_ours.id, town.registry, town.box.list_rounds(town.registry)[0].call
    )
    for cell, own in zip(town.registry.tables["encounters_by_area"]["cells"], numbers.counts, strict=True):
        row = rows[tuple(cell)]
        others = 9 * EACH * (len(numbers.counts) - 1 if cell == ["total"] else 1)
        assert row.at_least <= own + others <= row.at_most
        assert row.value is not None or own + others < 25
    assert any(row.value for row in rows.values())
    diary = (town.settings.folder / "city" / "rexdale.diary").read_bytes()
    assert b"rounds" not in diary and b"counts" not in diary  # sealed
    assert acts_of(town).count("city.give_numbers") == 1


@on_sqlite
@pytest.mark.parametrize("kind", [KEYS, SHARES, NUMBERS, AGREEMENT, OPENING, TABLE])
@pytest.mark.parametrize("when", ["before it is saved", "before it is sent"])
def test_killed_at_each_step_it_goes_on(town: Town, kind: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    town.join()
    office.call_round(town.key, town.box, PERIOD)
    killed = []
    save = Diary.save
    post = Box.post

    def is_now(diary_content: dict[str, Any]) -> bool:
        (open_round,) = diary_content.get("rounds", {"": {"letters": {}}}).values()
        return not killed and list(open_round["letters"])[-1:] == [kind]

    def save_or_die(self: Diary) -> None:
        if when == "before it is saved" and is_now(self.content):
            killed.append(kind)
            raise KeyboardInterrupt
        save(self)

    def post_or_die(self: Box, name: str, text: str) -> bool:
        if when == "before it is sent" and not killed and f".{kind}.rexdale." in name:
            killed.append(kind)
            raise KeyboardInterrupt
        return post(self, name, text)

    monkeypatch.setattr(Diary, "save", save_or_die)
    monkeypatch.setattr(Box, "post", post_or_die)
    for _ in range(14):
        try:
            town.answer()
        except KeyboardInterrupt:
            town.session.rollback()
        town.answer_invented()
        office.collect_letters(town.key, town.box, is_late=False)
    assert killed == [kind]
    (result,) = office.list_results(town.registry, town.box)
    assert "rexdale" in result["members"]
    (open_round,) = town.box.list_rounds(town.registry)
    written = town.box.read(name_letter(open_round.call, kind, "rexdale"))
    assert written or kind == TABLE  # seven others had signed by then


def test_a_result_that_the_members_did_not_sign_is_not_shown(town: Town) -> None:
    town.join()
    call = office.call_round(town.key, town.box, PERIOD)
    town.run()
    (result,) = office.list_results(town.registry, town.box)
    tables = {name: ["1000" for _ in texts] for name, texts in result["tables"].items()}
    forged = write_letter(RESULT, CITY, {**result, "tables": tables}, town.key.sign)
    town.box.post(name_letter(call, RESULT, CITY), forged)
    with pytest.raises(ExportProblem, match="is not the one that the centres answered"):
        office.list_results(town.registry, town.box)


def test_a_second_attempt_keeps_to_the_list_that_was_agreed_on(town: Town) -> None:
    town.join()
    office.call_round(town.key, town.box, PERIOD)
    town.run()
    office.call_round(town.key, town.box, PERIOD)
    gone = town.keys.pop("c9")
    for _ in range(8):
        town.answer()
        town.answer_invented()
        office.collect_letters(town.key, town.box, is_late=True)
    rounds = town.box.list_rounds(town.registry)
    assert (RESULT, CITY) not in rounds[1].inbox and not [key for key in rounds[1].inbox if key[0] == OPENING]
    town.keys["c9"] = gone


def test_the_pages_and_files_say_the_same_in_both_languages(town: Town) -> None:
    town.join()
    assert "There is no sum yet." in make_files(town.registry, [], is_reviewed=False)["en.html"]
    office.call_round(town.key, town.box, PERIOD)
    town.run()
    results = office.list_results(town.registry, town.box)
    files = make_files(town.registry, results, is_reviewed=False)
    rows = list_rows(town.registry, results)
    body = make_body(town.registry, results)
    assert body["took_part"] == {PERIOD: sorted(town.registry.keys)}
    assert [row["shown_as"] for row in body["rows"]] == [row.text for row in rows]
    assert all(len(row.list_fields()) == len(COLUMNS) for row in rows)
    for language, words in (("en", ("2nd quarter 2026", "took part", "fewer than 25, or none")), ("fr", ("2e trimestre 2026", "a participé", "moins de 25, ou aucun"))):  # fmt: skip
        page = files[f"{language}.html"]
        assert f'lang="{language}"' in page and "<script" not in page and "http" not in page
        assert all(word in page for word in words[:2]), language
        assert (f">{words[2]}<" in page) == any(row.value is None for row in rows)
        assert 'class="trial"' in page
    assert 'class="trial"' not in make_files(town.registry, results, is_reviewed=True)["en.html"]
    assert len(files["en.html"].encode()) < 40_000


@on_sqlite
def test_by_the_commands_of_a_centre_and_of_the_city(town: Town, tmp_path: Path) -> None:
    environment = {
        "FIELDAPP_DATA": town.settings.data,
        "FIELDAPP_DATABASE_URL": town.settings.database_url,
        "FIELDAPP_SECRET_KEY": town.settings.secret_key,
    }
    card = run_command(environment, "city", "card", str(tmp_path / "rexdale.card.json"))
    assert card.returncode == 0 and "not reviewed" in card.stderr, card.stderr
    box = ["--box", str(town.folder)]
    key = ["--key", str(tmp_path / "city.key")]
    first = run_command(environment, "city", "join", *box)
    assert first.returncode == 1 and "Not joined." in first.stderr
    fingerprint = re.search(r"“([0-9a-f ]+)”", first.stderr)
    assert fingerprint
    wrong = run_command(environment, "city", "join", *box, "--fingerprint", "0000 0000 0000 0000 0000")
    assert wrong.returncode == 1
    joined = run_command(environment, "city", "join", *box, "--fingerprint", fingerprint[1])
    assert "Joined as rexdale" in joined.stdout, joined.stderr
    town.join()
    assert "called no round" in run_command(environment, "city", "round").stdout
    assert "attempt 1: called" in run_command({}, "city", "call", PERIOD, *box, *key).stdout
    for _ in range(8):
        assert run_command(environment, "city", "round").returncode == 0
        town.answer_invented()
        last = run_command({}, "city", "collect", *box, *key)
        assert last.returncode == 0, last.stderr
    assert "over" in run_command(environment, "city", "round").stdout
    assert {path.stat().st_mode & 0o777 for path in town.folder.iterdir()} == {0o644}  # others must read them
    assert (Path(town.settings.data) / "city" / "rexdale.diary").stat().st_mode & 0o777 == 0o600
    shown = run_command({}, "city", "page", str(tmp_path / "site"), *box)
    assert shown.returncode == 0, shown.stderr
    lines = list(csv.DictReader(io.StringIO((tmp_path / "site/sums.csv").read_text(encoding="utf-8-sig"))))
    assert {line["period"] for line in lines} == {PERIOD} and lines[0]["part"] == "total"
    assert json.loads((tmp_path / "site/sums.json").read_text())["is_reviewed"] is False
    assert (tmp_path / "site/en.html").stat().st_mode & 0o777 == 0o644
    assert periods.parse(PERIOD).cadence == "quarter"
