"""Somebody takes everything back after rows left: who has them is told which to delete, and nobody else gets them."""

import datetime as dt
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.periods import parse
from evaluator_export.series.batch import make_recipient_order
from evaluator_export.series.ledger import compute_row_tag
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases import build as building
from fieldapp.services.releases.build import build_release
from fieldapp.services.releases.delivery import _make_payload
from fieldapp.services.releases.downloads import attest_list, download_release, list_releases
from fieldapp.services.releases.gathering import gather
from fieldapp.services.releases.withdrawal_draw import draw_round
from fieldapp.services.transports.targets import DeliveryFailed
from fieldapp.store.consent.withdrawals import Withdrawal
from fieldapp.store.records.records import Record
from fieldapp.store.releases.datasets import PublishedRow
from fieldapp.store.releases.releases import PackageDelivery, Release, ReleaseSeries
from fieldapp.store.releases.withdrawals import WithdrawalRow, find_list_states
from tests.cast import Cast, a_series
from tests.services.caseload.meetings import code
from tests.services.consent.consents import APRIL, intake, send
from tests.services.releases.taking_back import (
    PEOPLE,
    SECRET,
    a_series_of_people,
    another_series,
    file_of,
    met,
    publish,
    take_back,
    to_delete,
)

K = 20


@pytest.fixture
def series(session: Session, cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> ReleaseSeries:
    return a_series_of_people(session, cast, tmp_path_factory.mktemp("lists"))


def rows_of(session: Session, series: ReleaseSeries, card: str) -> set[int]:
    """Return the rows, from 1, at which a recipient has somebody's in the first batch."""
    dataset = session.execute(sa.text("SELECT id, secret FROM dataset WHERE name = 'encounters'")).one()
    units = session.scalars(sa.select(Record.instance_id).where(Record.person == card)).all()
    tags = [compute_row_tag(bytes.fromhex(dataset.secret), unit) for unit in units]
    found = session.scalars(sa.select(PublishedRow.place).where(PublishedRow.tag.in_(tags))).all()
    count = session.scalar(sa.select(sa.func.count()).where(PublishedRow.dataset_id == dataset.id, PublishedRow.number == 1))
    order = make_recipient_order(bytes.fromhex(series.secret), 1, count or 0).tolist()
    return {order.index(place) + 1 for place in found}


def look_alikes(rows: list[dict[str, str]]) -> Counter[tuple[str, ...]]:
    return Counter((row["month"], row["area"], row["time_of_day"], row["setting"]) for row in rows)


def test_the_next_package_lists_the_row_among_others_and_says_so_in_every_place(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    assert [line["what"] for line in file_of(tmp_path, first, "withdrawals.csv")] == ["none"]
    own = rows_of(session, series, PEOPLE[3])
    take_back(session, cast, PEOPLE[3])
    assert len(own) == session.scalar(sa.select(sa.func.count()).select_from(WithdrawalRow)) == 1
    second = publish(session, series, "2026-Q3", tmp_path)
    listed = to_delete(tmp_path, second)
    assert {(name, period, number) for name, period, number, _ in listed} == {("encounters", "2026-Q2", 1)}
    numbers = {row for *_, row in listed}
    assert own < numbers
    # Whoever knows that somebody took all back has k people to choose from, and so has who looks at the rows that stay.
    rows = file_of(tmp_path, first, "encounters.csv")
    gone = look_alikes([row for place, row in enumerate(rows, 1) if place in numbers])
    stay = look_alikes([row for place, row in enumerate(rows, 1) if place not in numbers])
    assert min(gone.values()) >= K
    assert all(count >= K for count in stay.values())
    assert len(gone) == 1  # only the group that the person was in
    with zipfile.ZipFile(tmp_path / f"{second.sha256}.zip") as package:
        manifest = json.loads(package.read("manifest.json"))
        assert manifest["withdrawals"] == {"file": "withdrawals.csv", "rows": len(numbers)}
        assert manifest["datasets"]["encounters"]["withdrawn"] == str(len(numbers) // 5 * 5)
        assert f"lists {len(numbers)} rows" in package.read("README.txt").decode()
        assert "withdrawals" in [one["name"] for one in json.loads(package.read("datapackage.json"))["resources"]]
        assert b"withdrawals.csv,what,delete" in package.read("codebook.csv")
        assert "withdrawals.csv" in manifest["files"]
    # Nothing in the database says any more which of them was real.
    assert {row.withdrawal_id for row in session.scalars(sa.select(WithdrawalRow))} == {""}


def test_who_comes_later_gets_none_of_the_rows_on_the_list(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    take_back(session, cast, PEOPLE[3])
    other = another_series(session, cast, series)
    late = publish(session, other, "2026-Q2", tmp_path)
    second = publish(session, series, "2026-Q3", tmp_path)
    assert to_delete(tmp_path, late) == []  # they never had them
    numbers = {row for *_, row in to_delete(tmp_path, second)}
    rows = file_of(tmp_path, first, "encounters.csv")
    left = [row for place, row in enumerate(rows, 1) if place not in numbers]
    assert without_order(file_of(tmp_path, late, "encounters.csv")) == without_order(left)
    # And somebody else who takes all back later is found in that file by its own rows.
    download_release(session, cast.eve, release_id=late.id, packages=tmp_path)
    drawn = {bytes(row.tag) for row in session.scalars(sa.select(WithdrawalRow))}
    card = next(card for card, tag in tags_of(session).items() if tag not in drawn)
    kept = file_of(tmp_path, late, "encounters.csv")
    take_back(session, cast, card)
    third = publish(session, other, "2026-Q3", tmp_path)
    again = {row for *_, row in to_delete(tmp_path, third)}
    assert max(again) <= len(kept)
    gone = look_alikes([row for place, row in enumerate(kept, 1) if place in again])
    stay = look_alikes([row for place, row in enumerate(kept, 1) if place not in again])
    assert all(count >= K for count in [*gone.values(), *stay.values()])


def without_order(rows: list[dict[str, str]]) -> Counter[tuple[tuple[str, str], ...]]:
    return Counter(tuple(row.items()) for row in rows)


def tags_of(session: Session) -> dict[str, bytes]:
    secret = session.execute(sa.text("SELECT secret FROM dataset WHERE name = 'encounters'")).scalar_one()
    found = session.execute(sa.select(Record.person, Record.instance_id).where(Record.person != ""))
    return {person: compute_row_tag(bytes.fromhex(secret), unit) for person, unit in found}


def test_a_package_from_before_is_not_handed_out_and_if_nobody_had_it_the_next_replaces_it(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    target = {"kind": "sftp", "host": "x"}
    series.targets = [target]
    session.commit()
    first = publish(session, series, "2026-Q2", tmp_path)
    take_back(session, cast, PEOPLE[3])
    for somebody in (cast.eve, cast.rosa):
        with pytest.raises(ActProblem) as refused:
            download_release(session, somebody, release_id=first.id, packages=tmp_path)
        assert refused.value.code == "release.withdrawn"
    delivery = session.scalars(sa.select(PackageDelivery)).one()
    with pytest.raises(DeliveryFailed) as stopped:
        _make_payload(session, delivery.id, tmp_path)
    assert [problem.code for problem in stopped.value.problems] == ["release.withdrawn"] and stopped.value.is_final
    session.rollback()
    assert list_releases(session, cast.eve).withheld == {first.id}
    second = publish(session, series, "2026-Q3", tmp_path)
    session.expire_all()
    assert first.revoked_at and first.replaced_by == "2026-Q3"
    assert second.manifest["replaces"] == [{"period": "2026-Q2", "sha256": first.sha256}]
    assert to_delete(tmp_path, second) == []
    rows = file_of(tmp_path, second, "encounters.csv")
    assert 0 < len(rows) <= len(PEOPLE) - K and {row["batch"] for row in rows} == {"1"}
    before = {tuple(row.items()) for row in file_of(tmp_path, first, "tables.csv") if row["period"] == "2026-Q2"}
    now = {tuple(row.items()) for row in file_of(tmp_path, second, "tables.csv")}
    assert before and before <= now  # nobody has the totals either: they come with it
    path, _ = download_release(session, cast.eve, release_id=second.id, packages=tmp_path)
    assert path.is_file()


def test_who_takes_all_back_while_a_package_is_written_is_not_in_it(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    other = another_series(session, cast, series)
    write, left = building.write_package, [PEOPLE[3]]
    written: list[int] = []

    def write_and_wait(*given: Any) -> Any:
        made: Any = write(*given)
        written.append(made.manifest["datasets"]["encounters"]["rows"])
        while left:
            take_back(session, cast, left.pop())
        return made

    monkeypatch.setattr(building, "write_package", write_and_wait)
    built = publish(session, other, "2026-Q2", tmp_path)
    assert written[0] == 100 and len(written) == 2
    assert len(file_of(tmp_path, built, "encounters.csv")) == written[1] <= 100 - K


def test_killed_between_the_note_and_the_package_the_same_rows_are_listed(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    own = rows_of(session, series, PEOPLE[3])
    take_back(session, cast, PEOPLE[3])

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    drawn = set()
    for module, step in ((gather, "gather_release"), (building, "write_package"), (building, "update_rounds")):
        with monkeypatch.context() as patched:
            patched.setattr(module, step, die)
            with pytest.raises(Killed):
                build_release(session, series, parse("2026-Q3"), tmp_path, SECRET)
        session.rollback()
        session.execute(sa.text("UPDATE release_run SET state = 'failed' WHERE state = 'running'"))
        session.commit()
        drawn.add(frozenset(bytes(row.tag) for row in session.scalars(sa.select(WithdrawalRow))))
    second = publish(session, series, "2026-Q3", tmp_path)
    assert len(drawn) == 1
    numbers = {row for *_, row in to_delete(tmp_path, second)}
    assert own < numbers and len(numbers) == len(drawn.pop())


def test_rows_from_before_the_order_was_kept_cannot_be_told_apart_and_it_says_so(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    session.execute(sa.update(PublishedRow).values(place=None))
    session.commit()
    withdrawal_id = take_back(session, cast, PEOPLE[3])
    second = publish(session, series, "2026-Q3", tmp_path)
    lines = file_of(tmp_path, second, "withdrawals.csv")
    assert Counter(line["what"] for line in lines) == {"none": 1, "order_unknown": len(batches_in(first))}
    assert state_of(session, withdrawal_id).listed_at  # as far as it can be told, it is told
    late = publish(session, another_series(session, cast, series), "2026-Q2", tmp_path)
    assert file_of(tmp_path, late, "encounters.csv") == []  # which row it is nobody knows, so none of them leaves


def batches_in(release: Release) -> list[int]:
    found: list[int] = []
    for dataset in release.manifest["datasets"].values():
        found += [entry["number"] for entry in dataset["ledger"]["entries"]]
    return found


def state_of(session: Session, withdrawal_id: str) -> Withdrawal:
    session.expire_all()
    return session.get_one(Withdrawal, withdrawal_id)


def test_it_is_listed_again_until_the_recipient_says_that_the_rows_are_deleted(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    withdrawal_id = take_back(session, cast, PEOPLE[3])
    assert state_of(session, withdrawal_id).listed_at is None
    second = publish(session, series, "2026-Q3", tmp_path)
    listed = state_of(session, withdrawal_id)
    assert listed.listed_at and listed.attested_at is None
    third = publish(session, series, "2026-Q4", tmp_path)
    assert to_delete(tmp_path, third) == to_delete(tmp_path, second) != []
    with pytest.raises(ActProblem) as refused:
        attest_list(session, cast.eve, release_id=first.id, name="Eve of the institute")
    assert refused.value.code == "release.no_list"
    with pytest.raises(ActProblem):
        attest_list(session, cast.eve, release_id=third.id, name=" ")
    attest_list(session, cast.eve, release_id=third.id, name="Eve of the institute")
    session.expire_all()
    assert (second.list_attested_by, third.list_attested_by) == ("Eve of the institute",) * 2
    done = state_of(session, withdrawal_id)
    assert done.attested_at
    fourth = publish(session, series, "2027-Q1", tmp_path)
    assert to_delete(tmp_path, fourth) == []
    # Who was drawn with them and takes all back themselves is on a list already, and is told so.
    drawn = {bytes(row.tag) for row in session.scalars(sa.select(WithdrawalRow))}
    decoy = next(card for card, tag in tags_of(session).items() if tag in drawn)
    before = len(drawn)
    theirs = state_of(session, take_back(session, cast, decoy))
    assert session.scalar(sa.select(sa.func.count()).select_from(WithdrawalRow)) == before
    assert (theirs.listed_at, theirs.attested_at) == (done.listed_at, done.attested_at)
    # Somebody of whom no row had left waits for nobody.
    send(session, cast, met(code(7), APRIL))
    nothing = state_of(session, take_back(session, cast, code(7)))
    assert nothing.listed_at is None
    assert find_list_states(session, cast.centre.id, nothing.id) is None


def test_a_package_of_totals_says_that_there_is_nothing_to_delete(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    city = a_series(session, cast, key="city-quarterly")
    publish(session, series, "2026-Q2", tmp_path)
    take_back(session, cast, PEOPLE[3])
    totals = publish(session, city, "2026-Q2", tmp_path)
    assert [line["what"] for line in file_of(tmp_path, totals, "withdrawals.csv")] == ["totals_only"]
    download_release(session, cast.eve, release_id=totals.id, packages=tmp_path)
    assert session.scalars(sa.select(WithdrawalRow)).one().round_id is None  # lists are made with packages of rows


def test_a_second_draw_changes_nothing(session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path) -> None:
    publish(session, series, "2026-Q2", tmp_path)
    take_back(session, cast, PEOPLE[3])
    draw_round(session, cast.system)
    drawn = [(row.tag, row.round_id) for row in session.scalars(sa.select(WithdrawalRow).order_by(WithdrawalRow.tag))]
    draw_round(session, cast.system)
    assert drawn == [
        (row.tag, row.round_id) for row in session.scalars(sa.select(WithdrawalRow).order_by(WithdrawalRow.tag))
    ]


def test_every_month_of_a_person_is_listed_with_their_intake(
    session: Session, cast: Cast, series: ReleaseSeries, tmp_path: Path
) -> None:
    risks = ["high", "moderate", "low"]
    for number, card in enumerate(PEOPLE):
        send(session, cast, intake(card, dt.date(2026, 4, 20), risk=risks[number % 3]))
    first = publish(session, series, "2026-Q2", tmp_path)
    download_release(session, cast.eve, release_id=first.id, packages=tmp_path)
    assert len(file_of(tmp_path, first, "participant_months.csv")) == 3 * len(PEOPLE)
    take_back(session, cast, PEOPLE[3])
    withdrawn = session.execute(
        sa.text("SELECT name, count(*) FROM withdrawal_row JOIN dataset ON dataset.id = dataset_id GROUP BY name")
    )
    assert {str(row[0]): int(row[1]) for row in withdrawn} == {"encounters": 1, "participants": 1, "participant_months": 3}
    second = publish(session, series, "2026-Q3", tmp_path)
    listed = Counter(name for name, *_ in to_delete(tmp_path, second))
    assert listed["participants"] >= K and listed["participant_months"] >= 3 * K
    assert PEOPLE[3] not in {row.withdrawal_id for row in session.scalars(sa.select(WithdrawalRow))}
