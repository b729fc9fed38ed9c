"""Each migration, up and down, with data, on both databases, in raw SQL."""

import datetime as dt
import json
import random
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from fieldapp.services.people.one_time_codes import give_one_time_code
from fieldapp.services.people.provider import Identity
from fieldapp.services.people.sign_on import link_account
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.store import database, migrations
from fieldapp.store.consent import standing
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people.sign_on_links import SignOnLink
from fieldapp.store.records import attachments
from fieldapp.store.records.attachments import Blob
from sync.envelope import parse_batch
from tests.cast import Cast, another_worker, batch, encounter, envelope, make_cast
from tests.services.caseload.meetings import code
from tests.services.consent.consents import corrected, met, send


def test_the_tables_are_those_that_the_migrations_make(engine: sa.Engine) -> None:
    command.check(migrations._config(engine))


def test_the_revision_is_the_one_that_alembic_says(engine: sa.Engine) -> None:
    script = ScriptDirectory.from_config(migrations._config(engine))
    assert migrations.newest_revision() == script.get_current_head()
    for revision in ("0021", "base"):
        migrations.downgrade(engine, revision)
        with engine.connect() as connection:
            assert migrations.revision_of(connection) == (
                MigrationContext.configure(connection).get_current_revision() or ""
            )
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        assert migrations.revision_of(connection) == ""
    migrations.upgrade(engine)
    assert migrations.is_current(engine)


def test_down_to_nothing_and_up_again_with_data_in_every_table(engine: sa.Engine) -> None:
    with Session(engine, expire_on_commit=False) as session:
        cast: Cast = make_cast(session)
        receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter()))))
    assert migrations.is_current(engine)
    migrations.downgrade(engine, "base")
    assert set(sa.inspect(engine).get_table_names()) == {"alembic_version"}
    assert not migrations.is_current(engine)
    migrations.upgrade(engine)
    with engine.begin() as connection:
        row = {"slug": "a", "name": "A", "zone": "America/Toronto", "at": dt.datetime.now(dt.UTC).isoformat()}
        connection.execute(
            sa.text("INSERT INTO centre (slug, name, time_zone, created_at) VALUES (:slug, :name, :zone, :at)"), row
        )
        assert connection.execute(sa.text("SELECT count(*) FROM centre")).scalar() == 1


def shape_of(engine: sa.Engine, table: str) -> dict[str, object]:
    """Return a table's columns, indexes, unique and foreign keys, as the database tells them."""
    found = sa.inspect(engine)
    columns = {one["name"]: (str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(table)}
    indexes = sorted((one["name"] or "", one["column_names"], one["unique"]) for one in found.get_indexes(table))
    uniques = sorted((one["name"] or "", one["column_names"]) for one in found.get_unique_constraints(table))
    keys = sorted(
        (one["name"] or "", one["constrained_columns"], one["referred_table"]) for one in found.get_foreign_keys(table)
    )
    return {"columns": columns, "indexes": indexes, "uniques": uniques, "keys": keys, "pk": found.get_pk_constraint(table)}


def test_numbers_are_not_given_out_twice_and_the_tables_stay_as_they_were(engine: sa.Engine) -> None:
    tables = ("form_draft", "invitation", "partner_source", "subscription")
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
    migrations.downgrade(engine, "0006")
    before = {name: shape_of(engine, name) for name in tables}
    insert = sa.text(
        "INSERT INTO subscription (centre_id, product, address, told_of, created_at) VALUES (:centre, 'panel', :address, '', :at)"
    )
    given = {"centre": cast.centre.id, "at": dt.datetime.now(dt.UTC).isoformat()}
    with engine.begin() as connection:
        connection.execute(insert, [given | {"address": f"{name}@example.org"} for name in ("a", "b", "c")])
    migrations.upgrade(engine, "0011")
    assert {name: shape_of(engine, name) for name in tables} == before
    with engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT id, address FROM subscription ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [(1, "a@example.org"), (2, "b@example.org"), (3, "c@example.org")]
        connection.execute(sa.text("DELETE FROM subscription WHERE id > 1"))
        connection.execute(insert, [given | {"address": "d@example.org"}])
        assert connection.execute(sa.text("SELECT max(id) FROM subscription")).scalar() == 4
    migrations.downgrade(engine, "0006")
    assert {name: shape_of(engine, name) for name in tables} == before
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT id, address FROM subscription ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [(1, "a@example.org"), (4, "d@example.org")]
    migrations.upgrade(engine)


def test_two_phones_may_send_one_attachment_and_going_back_keeps_one_of_them(engine: sa.Engine) -> None:
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        other = another_worker(session, cast)
        for device, received in ((cast.amina.device_id, 0), (other.device_id, 3)):
            given = {"centre_id": cast.centre.id, "sha256": "a" * 64, "size": 3, "device_id": device}
            blob = Blob(received=received, created_at=dt.datetime.now(dt.UTC), **given)
            session.add(blob)
            session.flush()
            attachments.add_piece(session, blob, 0, b"abc")
        session.commit()
    migrations.downgrade(engine, "0011")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT received FROM blob")).scalars().all() == [3]
        assert connection.execute(sa.text("SELECT count(*) FROM blob_piece")).scalar() == 1
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM blob_piece")).scalar() == 1


def test_a_child_without_its_parent_is_refused(engine: sa.Engine) -> None:
    statement = sa.text(
        "INSERT INTO device (centre_id, user_id, label, token_hash, unsent, created_at, last_seen_at) VALUES (9, 9, 'x', 'x', 0, :at, :at)"
    )
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(statement, {"at": dt.datetime.now(dt.UTC).isoformat()})


def test_sqlite_commits_are_durable_and_readers_are_free(
    engine: sa.Engine, durable_pragmas: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name != "sqlite":
        return
    monkeypatch.setattr(database, "PRAGMAS", durable_pragmas)
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def put_as_it_was_kept(connection: sa.Connection, item: dict[str, Any]) -> None:
    """Put a submission and its record back as they were kept before anything was cut after a no."""
    answers = json.loads(item["body"])
    given = {"body": item["body"], "id": item["id"], "root": item.get("root") or item["id"]}
    given["person"] = answers["people"].get("code", "").replace("-", "")
    connection.execute(sa.text("UPDATE submission SET body = :body WHERE instance_id = :id"), given)
    connection.execute(sa.text("UPDATE record SET answers = :body, person = :person WHERE instance_id = :root"), given)


@pytest.mark.usefixtures("one_no")
def test_what_people_said_before_there_was_standing_consent_is_written_down(engine: sa.Engine) -> None:
    day = dt.date(2026, 4, 10)
    ask, no, same, twice, lowered = (code(seed) for seed in range(5))
    first, mistaken = met(twice, day, "1"), met(lowered, day, "3")
    later = day + dt.timedelta(days=20)
    sent = [
        met(ask, day, "0"),
        met(ask, later, "3"),
        met(no, day, "3"),
        met(no, later, "", "read_out", "no"),
        met(same, day, "1"),
        met(same, later, "3", "earlier"),
        first,
        corrected(first, day + dt.timedelta(days=1), "1", card=twice),
        met(twice, later, "2"),
        mistaken,
        met(lowered, day + dt.timedelta(days=1), "2"),
        corrected(mistaken, day + dt.timedelta(days=2), "0", card=lowered),
        envelope(encounter(day), day=day),
    ]
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        for item in sent:
            send(session, cast, item)
        # These phones say nothing of what they knew. The clock and the order of arrival counted until version 0016.
        assert standing.list_tiers(session, cast.centre.id) == {ask: 0, no: 0, same: 1, twice: 1, lowered: 0}
    migrations.downgrade(engine, "0028")  # then content was not sealed
    with engine.begin() as connection:
        for item in sent:
            put_as_it_was_kept(connection, item)
    migrations.downgrade(engine, "0006")
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert standing.list_tiers(session, cast.centre.id) == {ask: 3, no: 0, same: 1, twice: 2, lowered: 0}


@pytest.mark.parametrize("seed", range(3))
def test_the_upgrade_to_statements_raises_nobody(engine: sa.Engine, seed: int) -> None:
    """What stood by clock and arrival stands, or less; and the table is what the words give from then on."""
    chance = random.Random(seed)
    with Session(engine, expire_on_commit=False) as session:
        centre_id = make_cast(session).centre.id
    migrations.downgrade(engine, "0015")
    start = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    rows: list[dict[str, Any]] = []
    for place in range(400):
        rows.append(
            {
                "centre_id": centre_id,
                "root_id": f"{place:036}",
                "person": code(chance.randrange(90)),
                "tier": chance.randrange(4),
                "asked": chance.random() < 0.7,
                "finished_at": start + dt.timedelta(days=chance.randrange(12)),
                "position": chance.randrange(200),
                "waits": chance.random() < 0.1,
            }
        )
    with engine.begin() as connection:
        connection.execute(sa.insert(OLD_WORD), rows)
    migrations.upgrade(engine)
    stood = {}
    for person in {row["person"] for row in rows if not row["waits"]}:
        words = [row for row in rows if row["person"] == person and not row["waits"]]
        stood[person] = min(word["tier"] for word in words if not _is_settled(word, words))
    with Session(engine) as session:
        tiers = standing.list_tiers(session, centre_id)
        assert tiers == stood
        assert standing.update_standings(session, centre_id, tiers, start).changes == {}


OLD_WORD = sa.table(
    "consent_word",
    *(sa.column(name) for name in ("centre_id", "root_id", "person", "tier", "position")),
    *(sa.column(name, sa.Boolean()) for name in ("asked", "waits")),
    sa.column("finished_at", sa.DateTime(timezone=True)),
)


def _is_settled(word: dict[str, Any], words: list[dict[str, Any]]) -> bool:
    """Say whether somebody asked again later, both by the phone's clock and by arrival."""
    return any(
        other["asked"] and other["finished_at"] > word["finished_at"] and other["position"] > word["position"]
        for other in words
    )


def test_maps_that_were_counted_anew_go_and_other_editions_stay(engine: sa.Engine) -> None:
    with Session(engine, expire_on_commit=False) as session:
        centre_id = make_cast(session).centre.id
    migrations.downgrade(engine, "0032")
    day = "'2026-11-29', 1, 'x', '{}', '2026-11-30 00:00:00+00:00'"
    with engine.begin() as connection:
        for product in ("hot_spots_week", "hot_spots_month", "heat_map"):
            connection.exec_driver_sql(
                "INSERT INTO edition (centre_id, product, period, last_day, number, sha256, body, built_at)"
                f" VALUES ({centre_id}, '{product}', '2026-W48', {day})"
            )
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT product FROM edition").scalars().all() == ["heat_map"]


def test_every_published_table_is_counted_once_more(engine: sa.Engine) -> None:
    """Whoever took everything back before the upgrade is in numbers that were published before."""
    with Session(engine, expire_on_commit=False) as session:
        centre_id = make_cast(session).centre.id
    migrations.downgrade(engine, "0034")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO table_state (centre_id, key, period, cells, revision, records, late)"
            f" VALUES ({centre_id}, 'x', '2026-Q2', '[]', 0, 40, 3)"
        )
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT late FROM table_state").scalar_one() > 1_000_000


def test_links_with_a_sign_on_provider_go_and_come_with_their_table(engine: sa.Engine) -> None:
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        for purpose in ("sign_on", "set_up"):
            give_one_time_code(session, cast.rosa, user_id=cast.eve.user_id, purpose=purpose)
        link_account(session, cast.rosa, Identity.of("https://id.city.example", "sub", "rosa"))
    migrations.downgrade(engine, "0035")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT purpose FROM one_time_code").scalars().all() == ["set_up"]
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalars(sa.select(SignOnLink)).all() == []
        assert not session.scalars(sa.select(Centre.trusts_sign_on).where(Centre.trusts_sign_on)).all()


def test_what_is_on_the_board_stays_and_was_told_to_no_phone(engine: sa.Engine) -> None:
    # Before: the rows of today have columns that the table of then lacks.
    with Session(engine, expire_on_commit=False) as session:
        centre_id = make_cast(session).centre.id
    migrations.downgrade(engine, "0037")
    at = "'2026-11-30 00:00:00+00:00'"
    insert = "INSERT INTO board_item (centre_id, need, area, opened_at) VALUES"
    with engine.begin() as connection:
        for need in ("visit", "vigil"):
            connection.exec_driver_sql(f"{insert} ({centre_id}, '{need}', '', {at})")
    migrations.upgrade(engine)
    rows = sa.text("SELECT need, uid FROM board_item ORDER BY id")
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(rows)] == [("visit", None), ("vigil", None)]
    migrations.downgrade(engine, "0037")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT need FROM board_item ORDER BY id").scalars().all() == ["visit", "vigil"]
    migrations.upgrade(engine)
