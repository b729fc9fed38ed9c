"""How far a phone knows what the centre knows: a number, in the epoch that gave it out."""

from dataclasses import dataclass

MOST_DIGITS = 18


@dataclass(frozen=True)
class Cursor:
    """A position in what a worker's phones pull.

    Epoch 0 is that of a centre that was never restored from a backup.
    """

    number: int = 0
    epoch: int = 0

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return the position that a phone sends; the beginning when it cannot be read.

        Example:
            Cursor.parse("17")  # Cursor(17, epoch=0)
            Cursor.parse("2:17")  # Cursor(17, epoch=2)
        """
        epoch, _, number = text.rpartition(":")
        if not _is_number(number) or not _is_number(epoch or "0"):
            return cls()
        return cls(int(number), int(epoch or "0"))

    def is_known_to(self, epoch: int, head: int) -> bool:
        """Say whether the centre gave this number out, so that only newer items are news.

        `epoch` and `head`: the centre's epoch, and the highest number that it gave out.
        """
        return self.number == 0 or (self.epoch == epoch and self.number <= head)

    def to_json(self) -> int | str:
        """Return it as phones store it and send it back: a plain number in epoch 0."""
        if self.epoch:
            return f"{self.epoch}:{self.number}"
        return self.number


# More digits would not fit the column of 64 bits: the centre would fail where it has to answer
# "begin again".
def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
