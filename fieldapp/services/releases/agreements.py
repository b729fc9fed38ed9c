"""Agreements with recipients: after their last day nothing is handed out."""

import datetime as dt

from fieldapp.services.problems import N_
from fieldapp.store.releases.releases import ReleaseSeries

AGREEMENT_OVER = N_("The agreement with the recipient is over, so nobody gets this package any more.")


def find_last_day(series: ReleaseSeries) -> str:
    """Return the last day of the agreement with a series' recipient; "" for no end."""
    return str((series.agreement or {}).get("ends_on") or "")


def is_agreement_over(series: ReleaseSeries, now: dt.datetime) -> bool:
    """Say whether the last day of the agreement is past, as days go in UTC."""
    last_day = find_last_day(series)
    return bool(last_day) and last_day < now.date().isoformat()
