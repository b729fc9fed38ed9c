"""What a phone reports about itself with each delivery, and when it was last seen."""

import datetime as dt
import re
from typing import Any

from fieldapp.services.acts import utcnow
from fieldapp.store.database import WriteTransaction
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.session import Session
from sync.bodies import replace_unstorable

REPORTED = {"persisted": bool, "free_mb": int, "app": str, "clock": int, "oldest": int, "copies": int}
COUNTS = ("made", "unsent", "deleted")  # records: finished on the phone, not sent yet, deleted from it
KEPT_LINK = re.compile(r"[0-9]{1,6}:[0-9a-f]{64}")  # an epoch, and a link of the audit log that was heard in it
MAX_TEXT = 40  # characters
MAX_NUMBER = 1_000_000
SEEN_EVERY = dt.timedelta(minutes=10)  # a phone that has nothing new to say is noted no more often


def record_contact(session: Session, device: Device, report: dict[str, Any] | None) -> None:
    """Store when a phone was last seen and what it reports.

    It is no act of a person, so it leaves no audit line.
    """
    if report is None:
        return
    now = utcnow()
    is_news = not device.report or any(getattr(device, column) != report[column] for column in COUNTS)
    if is_news or now - device.last_seen_at > SEEN_EVERY:
        with WriteTransaction(session):
            if devices.is_shut_out(session, device.id):
                devices.freeze_waiting_count(session, device.id)
            devices.update_last_contact(session, device.id, now, report)


def clean_report(phone: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a phone's report as columns of its device, within bounds; None without one."""
    if phone is None:
        return None
    columns: dict[str, Any] = {}
    for column in COUNTS:
        count = phone.get(column)
        columns[column] = min(count, MAX_NUMBER) if isinstance(count, int) and count >= 0 else 0
    report: dict[str, Any] = {}
    for key, kind in REPORTED.items():
        value = phone.get(key)
        if isinstance(value, kind):
            report[key] = _bound(value)
    link = phone.get("audit")
    if isinstance(link, str) and KEPT_LINK.fullmatch(link):
        report["audit"] = link
    columns["report"] = report
    return columns


def _bound(value: Any) -> Any:
    if isinstance(value, str):
        return replace_unstorable(value[:MAX_TEXT])
    return max(-MAX_NUMBER, min(value, MAX_NUMBER))
