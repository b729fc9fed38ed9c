"""A phone as the centre meets it: keys of its own, sealed and signed records."""

from typing import Any

from sqlalchemy.orm import Session

from fieldapp.services import keys
from fieldapp.services.acts import Actor
from fieldapp.services.phones import devices
from fieldapp.services.records import listing
from fieldapp.services.records.deliveries import receive_delivery
from fieldapp.store.records.records import RecordFilter
from sync.sealed import parse_delivery
from tests.cast import Cast, encounter
from tests.sealing import Centre, PhoneKey, delivery, sealed

SECRET = "a secret of the server"


class Phone:
    """Amina's phone, which seals."""

    def __init__(self, session: Session, cast: Cast, secret: str = SECRET):
        self.session, self.cast = session, cast
        key = keys.current_key(session, cast.centre.id, secret)
        self.centre = Centre(key.public_key, key.kid)
        self.key = PhoneKey()
        worker = Actor(cast.centre.id, "worker", cast.amina.user_id)
        self.key.device = devices.enrol_device(session, worker, label="Phone", public_key=self.key.public).uid

    def seal(self, answers: Any = None, **changes: Any) -> dict[str, Any]:
        return sealed(encounter() if answers is None else answers, self.centre, self.key, **changes)

    def send(self, *items: dict[str, Any], **report: Any) -> dict[str, Any]:
        phones = [{"device": self.key.device, **report}] if report else []
        return receive_delivery(self.session, parse_delivery(delivery(*items, phones=phones)), SECRET)

    def statuses(self, *items: dict[str, Any]) -> list[str]:
        return [item["status"] for item in self.send(*items)["items"]]

    def total(self) -> int:
        return listing.list_records(self.session, self.cast.rosa, record_filter=RecordFilter()).page.total
