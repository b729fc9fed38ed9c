"""How far a phone knows what the centre knows: a number, in the epoch that gave it out."""

from dataclasses import dataclass

MOST_DIGITS = 18


@dataclass(frozen=True)
class Cursor:
    """A place in a worker's feed. Epoch 0 is that of a centre that never went back to an earlier copy."""

    number: int = 0
    epoch: int = 0

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return what a phone names; the very beginning when it cannot be read."""
        epoch, _, number = text.rpartition(":")
        if not _is_number(number) or not _is_number(epoch or "0"):
            return cls()
        return cls(int(number), int(epoch or "0"))

    def is_known_to(self, epoch: int, head: int) -> bool:
        """Say whether a feed of this epoch has given this number out, so that what is newer is all that is news."""
        return self.number == 0 or (self.epoch == epoch and self.number <= head)

    def to_json(self) -> int | str:
        """Return it as phones keep it and give it back, unread: a plain number until a copy was first put back."""
        return f"{self.epoch}:{self.number}" if self.epoch else self.number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
