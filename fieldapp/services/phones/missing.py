"""What phones made that never arrived: counted, and named by its number on the phone."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.acts import ActContext, act
from fieldapp.services.problems import make_not_found
from fieldapp.store.phones import devices
from fieldapp.store.phones.devices import Device
from fieldapp.store.records import submissions
from fieldapp.store.records.submissions import Numbered
from fieldapp.store.session import Session

MOST_SHOWN = 12  # ranges of numbers


@dataclass(frozen=True)
class MissingRecords:
    """What one phone made that neither arrived, nor waits on it, nor was deleted there."""

    count: int
    numbers: str  # those that are not here, as "3, 7–9"
    # How many of these numbers wait on the phone or were deleted there; which ones only the phone knows.
    others: int
    is_news: bool  # the office has not said yet that it knows


def find_missing(session: Session, phones: Sequence[Device], with_numbers: bool = False) -> dict[int, MissingRecords]:
    """Return what never arrived, by phone; phones of which nothing is missing are left out.

    `with_numbers` asks for the numbers too, which takes a query for each such phone.
    """
    arrived_by_phone = submissions.numbered_by_device(session, [device.id for device in phones])
    missing = {}
    for device in phones:
        arrived = arrived_by_phone.get(device.id, Numbered(0, 0, 0))
        first, last = _find_number_range(device, arrived)
        others = device.unsent + device.deleted
        count = last - first + 1 - others - arrived.count
        if count <= 0:
            continue
        numbers = ""
        if with_numbers:
            arrived_numbers = submissions.numbers_of_device(session, device.id)
            numbers = _describe_gaps(first, last, arrived_numbers)
        missing[device.id] = MissingRecords(count, numbers, others, count > device.given_up)
    return missing


def _find_number_range(device: Device, arrived: Numbered) -> tuple[int, int]:
    """Return the first and the last number that the phone is known to have given out.

    The phone reports how many it made; what arrived from it may show more. After
    a new sign-in on the same phone, its numbers go on from where they were: then the first that
    arrived is the first.
    """
    first = arrived.first if arrived.last > device.made else 1
    return first, max(first - 1 + device.made, arrived.last)


def _describe_gaps(first: int, last: int, arrived: Sequence[int]) -> str:
    """Return which numbers from the first to the last are missing, as "3, 7–9".

    `arrived` is in order. At most MOST_SHOWN ranges are named.
    """
    gaps = []
    expected = first
    for number in [*arrived, last + 1]:
        if number == expected + 1:
            gaps.append(str(expected))
        elif number > expected:
            gaps.append(f"{expected}–{number - 1}")
        expected = number + 1
        if len(gaps) > MOST_SHOWN:
            return ", ".join(gaps[:MOST_SHOWN]) + " …"
    return ", ".join(gaps)


@act("device.give_up")
def give_up_missing(ctx: ActContext, device_id: int, most: int | None = None) -> None:
    """Note that the office knows what never arrived from a phone.

    The home page does not ask about it again until more is missing. `most` is how many the page counted: what
    went missing since then was not seen, so it is asked about. None means all that is missing now.
    """
    device = devices.of_centre(ctx.session, ctx.centre_id, device_id)
    if device is None:
        raise make_not_found()
    missing = find_missing(ctx.session, [device]).get(device.id)
    device.given_up = 0
    if missing is not None:
        device.given_up = missing.count if most is None else min(missing.count, most)
    ctx.describe(f"device/{device.id}", missing=device.given_up)
