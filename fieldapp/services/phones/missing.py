"""What phones made that never came: counted, and told by its number on the phone."""

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
    """What one phone made that neither came, nor waits on it, nor was deleted there by its worker."""

    count: int
    numbers: str  # those that are not here, as "3, 7–9"
    others: int  # how many of these numbers wait on the phone or were deleted there; which ones only the phone knows
    is_news: bool  # the office has not said yet that it knows


def find_missing(session: Session, listed: Sequence[Device], with_numbers: bool = False) -> dict[int, MissingRecords]:
    """Return, by phone, what never came; phones that lack nothing are left out. `with_numbers` says which, too."""
    here = submissions.numbered_by_device(session, [device.id for device in listed])
    found = {}
    for device in listed:
        arrived = here.get(device.id, Numbered(0, 0, 0))
        first, last = _find_number_range(device, arrived)
        others = device.unsent + device.deleted
        count = last - first + 1 - others - arrived.count
        if count > 0:
            numbers = _describe_gaps(first, last, submissions.numbers_of_device(session, device.id)) if with_numbers else ""
            found[device.id] = MissingRecords(count, numbers, others, count > device.given_up)
    return found


def _find_number_range(device: Device, arrived: Numbered) -> tuple[int, int]:
    """Return the first and the last number that the phone gave out, as far as it said, or as what came from it shows.

    A worker who signs in anew on the same phone counts on from where they were: such a phone begins with its first number.
    """
    first = arrived.first if arrived.last > device.made else 1
    return first, max(first - 1 + device.made, arrived.last)


def _describe_gaps(first: int, last: int, here: Sequence[int]) -> str:
    """Return in words which numbers from the first to the last are not here, as "3, 7–9"; `here` is in order."""
    gaps = []
    expected = first
    for number in [*here, last + 1]:
        if number > expected:
            gaps.append(str(expected) if number == expected + 1 else f"{expected}–{number - 1}")
        expected = number + 1
        if len(gaps) > MOST_SHOWN:
            return ", ".join(gaps[:MOST_SHOWN]) + " …"
    return ", ".join(gaps)


@act("device.give_up")
def give_up_missing(ctx: ActContext, device_id: int) -> None:
    """Say that the office knows what never came from a phone: the home page asks no more, until more is missing."""
    device = devices.of_centre(ctx.session, ctx.centre_id, device_id)
    if device is None:
        raise make_not_found()
    missing = find_missing(ctx.session, [device]).get(device.id)
    device.given_up = missing.count if missing else 0
    ctx.describe(f"device/{device.id}", missing=device.given_up)
