"""Which rows of published batches nobody gets any more."""

from dataclasses import dataclass, field

from fieldapp.store.releases import withdrawals
from fieldapp.store.session import Session


@dataclass
class WithdrawnPlaces:
    """The withdrawn rows of one dataset: their tags, and their places by batch.

    `whole`: batches that nobody gets at all, since it is not known which of their rows it is.
    """

    tags: set[bytes] = field(default_factory=set)
    places: dict[int, set[int]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)

    def find(self, number: int, rows: int) -> frozenset[int]:
        """Return the places of a batch of so many rows that are left out."""
        if number in self.whole:
            return frozenset(range(rows))
        return frozenset(self.places.get(number, ()))


def load_withdrawn_places(session: Session, centre_id: int) -> dict[int, WithdrawnPlaces]:
    """Return the withdrawn rows of a centre, by dataset.

    A batch with rows that are on no list yet is left out as a whole: without those rows alone, it would show which
    they are.
    """
    by_dataset: dict[int, WithdrawnPlaces] = {}
    for row in withdrawals.of_centre(session, centre_id):
        withdrawn = by_dataset.setdefault(row.dataset_id, WithdrawnPlaces())
        withdrawn.tags.add(bytes(row.tag))
        if row.place is None or row.round_id is None:
            withdrawn.whole.add(row.number)
        else:
            withdrawn.places.setdefault(row.number, set()).add(row.place)
    return by_dataset
