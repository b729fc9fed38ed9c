"""Deliveries, against real servers: there once, whole, only for the recipient, whatever dies on the way."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pyrage
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evaluator_export.package.verify import verify
from evaluator_export.periods import parse
from fieldapp.jobs import timetable
from fieldapp.services.problems import ActProblem
from fieldapp.services.releases import delivery as delivering
from fieldapp.services.releases.build import build_release
from fieldapp.services.releases.delivery import PAUSES, deliver_due
from fieldapp.services.releases.downloads import revoke_release
from fieldapp.services.releases.retries import retry_delivery
from fieldapp.services.stored_problems import read_problems, write_lines
from fieldapp.services.transports.senders import TransportConfig
from fieldapp.settings import Settings
from fieldapp.store.database import engine_for
from fieldapp.store.releases.releases import PackageDelivery, Release, ReleaseSeries
from tests.cast import Cast, a_series
from tests.services.servers import Mailbox, Sftp, s3_server, sftp_server, smtp_server

SECRET = "s" * 64
RECIPIENT = pyrage.x25519.Identity.generate()
KEY = str(RECIPIENT.to_public())


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def sftp(shelf: Path) -> Iterator[Sftp]:
    with sftp_server(shelf) as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[tuple[str, Mailbox]]:
    with smtp_server() as found:
        yield found


@pytest.fixture
def means(tmp_path: Path) -> TransportConfig:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "sftp").write_text("a password for sftp\n")
    (folder / "s3").write_text("S3RVER\nS3RVER\n")
    return TransportConfig(folder, "", "centre@example.org")


def released(session: Session, cast: Cast, packages: Path, *targets: dict[str, Any], key: str = KEY) -> Release:
    series = a_series(session, cast, first_period="2026-Q2", age_key=key, targets=list(targets))
    built = build_release(session, series, parse("2026-Q2"), packages, SECRET)
    assert built
    return built


def states(session: Session) -> list[tuple[str, int, str]]:
    session.expire_all()
    deliveries = session.scalars(sa.select(PackageDelivery).order_by(PackageDelivery.number))
    return [(one.state, one.attempts, write_lines(read_problems(one.problem))) for one in deliveries]


def again(session: Session) -> None:
    """Let the pause be over."""
    session.execute(sa.update(PackageDelivery).values(due_at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)))
    session.commit()


def opened(path: Path, folder: Path) -> Path:
    whole = folder / "opened.zip"
    whole.write_bytes(pyrage.decrypt(path.read_bytes(), [RECIPIENT]))
    return whole


def test_sftp_brings_the_package_for_the_recipient_alone_once(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target())
    for _ in range(3):
        assert deliver_due(session, tmp_path / "p", means) == 0
    [arrived] = list(shelf.iterdir())
    assert arrived.name == f"evaluator-quarterly-2026-Q2-{release.sha256[:12]}.zip.age"
    assert verify(opened(arrived, tmp_path)) == []
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(arrived.read_bytes(), [pyrage.x25519.Identity.generate()])
    assert states(session) == [("sent", 1, "")]
    assert sftp.uploads == 1


def test_sftp_with_a_key_instead_of_a_password(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    (means.secrets / "sftp").write_bytes(sftp.client_key.export_private_key("openssh"))
    released(session, cast, tmp_path / "p", sftp.target())
    deliver_due(session, tmp_path / "p", means)
    assert states(session) == [("sent", 1, "")]


def test_killed_after_the_upload_it_is_not_uploaded_again(
    session: Session,
    cast: Cast,
    shelf: Path,
    sftp: Sftp,
    means: TransportConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released(session, cast, tmp_path / "p", sftp.target())

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "record_attempt", die)
        with pytest.raises(Killed):
            deliver_due(session, tmp_path / "p", means)
    session.rollback()
    assert deliver_due(session, tmp_path / "p", means) == 0  # its lease holds
    assert states(session)[0][0] == "waiting"
    again(session)
    deliver_due(session, tmp_path / "p", means)
    assert states(session) == [("sent", 1, "")]
    assert sftp.uploads == 1
    assert len(list(shelf.iterdir())) == 1


def test_a_connection_that_breaks_midway_shows_no_half_file(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target())
    sftp.dies_after = 40_000
    deliver_due(session, tmp_path / "p", means)
    [(state, attempts, problem)] = states(session)
    assert (state, attempts) == ("waiting", 1)
    assert problem
    assert not [path for path in shelf.iterdir() if path.name.startswith("evaluator")]
    again(session)
    deliver_due(session, tmp_path / "p", means)
    assert states(session)[0][0] == "sent"
    assert verify(opened(shelf / f"evaluator-quarterly-2026-Q2-{release.sha256[:12]}.zip.age", tmp_path)) == []
    assert not list(shelf.glob(".*"))


@pytest.mark.parametrize(
    ("changes", "secret", "is_final"),
    [
        ({"host_key": asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()}, None, False),
        ({"host_key": "nonsense"}, None, True),
        ({}, "another password", False),
        ({"secret": "nothing"}, None, True),
        ({"secret": "../p"}, None, True),
        ({"port": "1"}, None, False),
        ({"folder": "/nowhere"}, None, False),
    ],
)
def test_what_is_not_the_right_server_or_secret_gets_nothing(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path,
    changes: dict[str, str], secret: str | None, is_final: bool,
) -> None:  # fmt: skip
    if secret:
        (means.secrets / "sftp").write_text(secret)
    released(session, cast, tmp_path / "p", sftp.target(**changes))
    assert deliver_due(session, tmp_path / "p", means) == int(is_final)
    [(state, _, problem)] = states(session)
    assert state == ("failed" if is_final else "waiting")
    assert problem
    assert "password for sftp" not in problem
    assert "another password" not in problem
    assert list(shelf.iterdir()) == []


def test_without_the_recipients_key_nothing_leaves(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    released(session, cast, tmp_path / "p", sftp.target(), key="")
    assert deliver_due(session, tmp_path / "p", means) == 1
    assert "unencrypted" in states(session)[0][2]
    assert list(shelf.iterdir()) == []


def test_an_s3_store_gets_it_once(session: Session, cast: Cast, shelf: Path, means: TransportConfig, tmp_path: Path) -> None:
    with s3_server(shelf) as address:
        target = {"kind": "s3", "endpoint": address, "bucket": "packages", "prefix": "from/rexdale", "secret": "s3"}
        release = released(session, cast, tmp_path / "p", target, {**target, "bucket": "nothing"})
        deliver_due(session, tmp_path / "p", means)
        again(session)
        deliver_due(session, tmp_path / "p", means)
    first, second = states(session)
    assert first == ("sent", 1, "")
    assert (second[0], second[1]) == ("waiting", 2)
    assert "NoSuchBucket" in second[2]
    name = f"evaluator-quarterly-2026-Q2-{release.sha256[:12]}.zip.age"
    [arrived] = [path for path in shelf.rglob("*") if path.is_file() and name in path.name and path.stat().st_size > 10_000]
    assert verify(opened(arrived, tmp_path)) == []


def test_a_notice_goes_by_mail_without_data(
    session: Session, cast: Cast, smtp: tuple[str, Mailbox], means: TransportConfig, tmp_path: Path
) -> None:
    released(session, cast, tmp_path / "p", {"kind": "email", "to": "ina@example.org"}, key="")
    deliver_due(session, tmp_path / "p", TransportConfig(means.secrets, smtp[0], means.mail_from))
    [message] = smtp[1].messages
    assert message["To"] == "ina@example.org"
    text = message.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "2026-Q2" in text
    assert "paquet est prêt" in text
    assert not message.is_multipart()
    assert states(session) == [("sent", 1, "")]


@pytest.mark.parametrize(
    ("target", "key", "said"),
    [
        ({"kind": "email", "to": "a@example.org\nBcc: b@example.org"}, KEY, "ValueError"),
        ({"kind": "s3", "endpoint": "http://example.org", "bucket": "b", "secret": "s3"}, KEY, "https://"),
        ({"kind": "s3", "endpoint": "http://127.0.0.1:1", "bucket": "b", "secret": "s3"}, "age1broken", "age public key"),
    ],
    ids=["two addresses", "not encrypted", "no key"],
)
def test_what_makes_no_sense_harms_no_other_delivery(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, smtp: tuple[str, Mailbox], means: TransportConfig, tmp_path: Path,
    target: dict[str, Any], key: str, said: str,
) -> None:  # fmt: skip
    notice = {"kind": "email", "to": "ina@example.org"}
    released(session, cast, tmp_path / "p", target, notice, key=key)
    deliver_due(session, tmp_path / "p", TransportConfig(means.secrets, smtp[0], means.mail_from))
    first, second = states(session)
    assert first[0] != "sent"
    assert said in first[2]
    assert second == ("sent", 1, "")
    assert len(smtp[1].messages) == 1


def test_no_password_goes_to_a_mail_server_that_does_not_encrypt(
    session: Session, cast: Cast, smtp: tuple[str, Mailbox], means: TransportConfig, tmp_path: Path
) -> None:
    released(session, cast, tmp_path / "p", {"kind": "email", "to": "ina@example.org"}, key="")
    address = smtp[0].replace("smtp://", "smtp://user:CANARY@")
    assert deliver_due(session, tmp_path / "p", TransportConfig(means.secrets, address, means.mail_from)) == 1
    assert smtp[1].messages == []
    assert "CANARY" not in states(session)[0][2]


def test_it_is_tried_again_ever_later_then_somebody_is_told(
    session: Session, cast: Cast, smtp: tuple[str, Mailbox], tmp_path: Path
) -> None:
    settings = Settings(data=str(tmp_path), smtp_url=smtp[0], mail_from="centre@example.org", alerts_to="admin@example.org")
    settings.secrets_folder.mkdir()
    (settings.secrets_folder / "sftp").write_text("x")
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    dead = {
        "kind": "sftp",
        "host": "127.0.0.1",
        "port": "1",
        "username": "x",
        "folder": "/",
        "host_key": key,
        "secret": "sftp",
    }
    released(session, cast, settings.packages, dead)
    pauses = []
    for attempt in range(delivering.ALERT_EVERY):
        before = dt.datetime.now(dt.UTC)
        timetable.send_packages(session, settings)
        session.expire_all()
        delivery = session.scalars(sa.select(PackageDelivery)).one()
        assert (delivery.attempts, delivery.state) == (attempt + 1, "waiting")
        pauses.append(delivery.due_at - before)
        again(session)
    wanted = [*PAUSES, *[PAUSES[-1]] * len(pauses)]
    assert all(pause >= least for pause, least in zip(pauses, wanted, strict=False))
    [alert] = smtp[1].messages
    assert alert["To"] == "admin@example.org"


def test_what_is_revoked_is_not_sent(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target())
    revoke_release(session, cast.rosa, release_id=release.id, because="A column was wrong.")
    deliver_due(session, tmp_path / "p", means)
    assert states(session)[0][0] == "stopped"
    assert list(shelf.iterdir()) == []


def test_what_waited_past_the_last_day_of_the_agreement_is_not_sent(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target())
    session.get_one(ReleaseSeries, release.series_id).agreement = {"ends_on": "2020-01-31"}
    session.commit()
    deliver_due(session, tmp_path / "p", means)
    [(state, _, problem)] = states(session)
    assert (state, "agreement with the recipient is over" in problem) == ("failed", True)
    assert list(shelf.iterdir()) == []


def test_four_senders_at_once_send_it_once(
    url: str, session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    released(session, cast, tmp_path / "p", sftp.target())

    def work() -> None:
        engine = engine_for(url)
        with Session(engine, expire_on_commit=False) as own:
            deliver_due(own, tmp_path / "p", means)
        engine.dispose()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(session) == [("sent", 1, "")]
    assert sftp.uploads == 1


def test_what_failed_until_somebody_mended_it_is_sent_when_asked_for(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target(host_key="nonsense"))
    assert deliver_due(session, tmp_path / "p", means) == 1
    assert states(session)[0][0] == "failed"
    delivery = session.scalars(sa.select(PackageDelivery)).one()
    for stranger in (cast.olaf, cast.eve, cast.amina):
        with pytest.raises(ActProblem):
            retry_delivery(session, stranger, delivery_id=delivery.id)
    session.get_one(ReleaseSeries, release.series_id).targets = [sftp.target()]
    session.commit()
    retry_delivery(session, cast.rosa, delivery_id=delivery.id)
    assert deliver_due(session, tmp_path / "p", means) == 0
    assert states(session)[0][0] == "sent"
    assert len(list(shelf.iterdir())) == 1
    with pytest.raises(ActProblem, match="was sent"):
        retry_delivery(session, cast.rosa, delivery_id=delivery.id)


def test_a_release_whose_time_is_over_is_sent_no_more(
    session: Session, cast: Cast, shelf: Path, sftp: Sftp, means: TransportConfig, tmp_path: Path
) -> None:
    release = released(session, cast, tmp_path / "p", sftp.target())
    release.expires_at = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    session.commit()
    deliver_due(session, tmp_path / "p", means)
    assert states(session)[0][0] == "failed"
    assert "time to download" in states(session)[0][2]
    delivery = session.scalars(sa.select(PackageDelivery)).one()
    with pytest.raises(ActProblem, match="time is over"):
        retry_delivery(session, cast.rosa, delivery_id=delivery.id)
    assert list(shelf.iterdir()) == []
