"""What tests of backups share: a phone that knows what it sent, and a look into any database."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
from sqlalchemy.orm import Session

from fieldapp.services import keys as centre_keys
from fieldapp.services.acts import Actor
from fieldapp.services.phones import devices
from fieldapp.services.records.deliveries import receive_delivery
from fieldapp.settings import Settings
from sync.sealed import parse_delivery
from tests.cast import Cast, encounter
from tests.opening import open_engine
from tests.sealing import Centre, PhoneKey, delivery, sealed

SECRET = "5e" * 32


class Phone:
    """A phone of Amina's that knows what it sent."""

    def __init__(self, session: Session, cast: Cast):
        self.session = session
        key = centre_keys.current_key(session, cast.centre.id, SECRET)
        self.centre = Centre(key.public_key, key.kid)
        self.key = PhoneKey()
        worker = Actor(cast.centre.id, "worker", cast.amina.user_id)
        self.key.device = devices.enrol_device(session, worker, label="Phone", public_key=self.key.public).uid
        self.made: list[dict[str, Any]] = []
        self.receipted: list[str] = []
        self.receipts: list[dict[str, Any]] = []

    def make(self) -> dict[str, Any]:
        self.made.append(sealed(encounter(), self.centre, self.key, seq=len(self.made) + 1))
        return self.made[-1]

    def send(self, session: Session, *items: dict[str, Any]) -> list[str]:
        report = {"device": self.key.device, "made": len(self.made), "unsent": len(items), "deleted": 0}
        found = receive_delivery(session, parse_delivery(delivery(*items, phones=[report])), SECRET)
        self.receipted += [item["id"] for item in found["items"] if item.get("receipt")]
        self.receipts += [item["receipt"] for item in found["items"] if item.get("receipt")]
        return [item["status"] for item in found["items"]]

    def greet(self, session: Session) -> None:
        self.send(session)
        session.expire_all()  # what comes next is a request of its own


class Custodians:
    """Two persons with a key each, in files as age-keygen writes them, and the file with both public keys."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.identities = [pyrage.x25519.Identity.generate() for _ in range(2)]
        self.keys = sorted(str(identity.to_public()) for identity in self.identities)
        self.files = [folder / f"custodian-{number}" for number in range(2)]
        for path, identity in zip(self.files, self.identities, strict=True):
            path.write_text(f"# created: 2026-11-30T00:00:00Z\n# public key: {identity.to_public()}\n{identity}\n")
        self.public = folder / "custodians"
        self.public.write_text("# whose backups these are\n" + "\n".join(self.keys) + "\n")


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()
