"""How many people took everything back, by quarter, protected as every public number is."""

import datetime as dt
import json
import zoneinfo
from collections.abc import Sequence
from typing import Any

from evaluator_export.periods import Period
from evaluator_export.tables.protected_counts import MASK, PUBLIC_THRESHOLD, Protection, record_key
from fieldapp.services.products.content import read_count
from fieldapp.store.consent import withdrawals
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products
from fieldapp.store.session import Session


def count_withdrawals(session: Session, centre: Centre, product: str, quarters: Sequence[Period]) -> list[dict[str, Any]]:
    """Return how many people took everything back, by quarter, as it is shown.

    Each has "period", "text" and "value".
    A text that an edition of the product has shown stays: else two editions could be subtracted from each other.
    """
    published: dict[str, dict[str, Any]] = {}
    edition = products.latest(session, centre.id, product)
    if edition is not None:
        for number in json.loads(edition.body).get("withdrawals", ()):
            published[number["period"]] = number
    return [published.get(quarter.name) or _count(session, centre, quarter) for quarter in quarters]


def _count(session: Session, centre: Centre, quarter: Period) -> dict[str, Any]:
    zone = zoneinfo.ZoneInfo(centre.time_zone)
    first = dt.datetime.combine(quarter.first, dt.time(), zone)
    after = dt.datetime.combine(quarter.last + dt.timedelta(days=1), dt.time(), zone)
    secret = bytes.fromhex(centre.table_secret)
    numbers = withdrawals.list_effective(session, centre.id, first, after)
    keys = sum(record_key(secret, number) for number in numbers) & MASK
    text = Protection(PUBLIC_THRESHOLD, PUBLIC_THRESHOLD, secret).format((len(numbers), keys))
    return {"period": quarter.name, "text": text, "value": read_count(text)}
