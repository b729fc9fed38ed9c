"""What a phone reports about itself with each delivery, and when it was last seen."""

import datetime as dt
from typing import Any

from fieldapp.services.acts import utcnow
from fieldapp.store.database import WriteTransaction
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.session import Session
from sync.bodies import replace_unstorable

REPORTED = {"persisted": bool, "free_mb": int, "app": str, "clock": int, "oldest": int}


MAX_WORD, MAX_NUMBER = 40, 1_000_000


SEEN_EVERY = dt.timedelta(minutes=10)  # a phone that has nothing new to say is noted no more often


def _record_contact(session: Session, device: Device, report: dict[str, Any] | None) -> None:
    """Keep when a phone was last seen and what it says of itself; no act of a person, so no audit line."""
    if report is None:
        return
    now = utcnow()
    is_news = not device.report or any(getattr(device, key) != report[key] for key in ("made", "unsent", "deleted"))
    if is_news or now - device.last_seen_at > SEEN_EVERY:
        with WriteTransaction(session):
            if devices.is_shut_out(session, device.id):
                devices.freeze_waiting_count(session, device.id)
            devices.update_last_contact(session, device.id, now, report)


def _clean_phone_report(phone: dict[str, Any] | None) -> dict[str, Any] | None:
    if phone is None:
        return None
    counts = {key: phone.get(key) for key in ("made", "unsent", "deleted")}
    found: dict[str, Any] = {key: min(n, MAX_NUMBER) if isinstance(n, int) and n >= 0 else 0 for key, n in counts.items()}
    said = {key: phone[key] for key, kind in REPORTED.items() if isinstance(phone.get(key), kind)}
    found["report"] = {
        key: replace_unstorable(value[:MAX_WORD]) if isinstance(value, str) else max(-MAX_NUMBER, min(value, MAX_NUMBER))
        for key, value in said.items()
    }
    return found
