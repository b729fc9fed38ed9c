"""Ways to shut a phone out."""

import sqlalchemy as sa

from fieldapp.services.people import accounts
from fieldapp.services.phones import devices
from fieldapp.store.phones.devices import Device
from tests.services.records.phone import Phone


def row(phone: Phone) -> Device:
    return phone.session.scalars(sa.select(Device).where(Device.uid == phone.key.device)).one()


def shut_out(phone: Phone, how: str = "wipe") -> None:
    if how in ("lock", "wipe"):
        devices.revoke_device(phone.session, phone.cast.rosa, device_id=row(phone).id, order=how)
    elif how == "new password":
        accounts.reset_password(phone.session, phone.cast.rosa, user_id=row(phone).user_id)
    else:
        accounts.set_person_active(phone.session, phone.cast.rosa, user_id=row(phone).user_id, active=False)
